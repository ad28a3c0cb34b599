"""Which samples of a store are found."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas
import pandas as pd
import pytest

from eodata.catalog.criteria import parse_limit, parse_span
from eodata.catalog.quicklook import draw_sample
from eodata.catalog.samples import search_samples
from eodata.core.errors import RecipeError, StoreError


def rows(built, **criteria: object) -> list[int]:
    return search_samples(built.root, **criteria)["row"].tolist()


def test_done_samples_are_found_by_default(built) -> None:
    assert rows(built) == [0, 2, 3]
    assert rows(built, status=None) == [0, 1, 2, 3]
    assert rows(built, status="failed") == [1]
    assert rows(built, limit=2) == [0, 2]


def test_split_is_kept(built) -> None:
    assert rows(built, split="train", status=None) == [0, 1]
    assert rows(built, split="test") == [3]


def test_bbox_keeps_what_it_touches(built) -> None:
    frame = search_samples(built.root, status=None)
    west, south, east, north = frame.geometry.iloc[2].bounds
    assert rows(built, bbox=(west, south, east, north), status=None) == [2]
    middle = ((west + east) / 2, (south + north) / 2)
    tiny = (middle[0], middle[1], middle[0] + 1e-6, middle[1] + 1e-6)
    assert rows(built, bbox=tiny, status=None) == [2]
    assert rows(built, bbox=(-10, -10, -9, -9), status=None) == []


def test_bbox_works_on_a_table_without_covering(build_store) -> None:
    built = build_store(pixels=16, steps=2)
    path = built.root / "samples.parquet"
    frame = geopandas.read_parquet(path)
    bounds = tuple(frame.geometry.iloc[2].bounds)
    frame.to_parquet(path, index=False)
    assert rows(built, bbox=bounds, status=None) == [2]


def test_cloud_and_valid_are_limits_on_columns(built) -> None:
    frame = search_samples(built.root, status=None)
    edge = frame["s2:valid"].iloc[0]
    assert edge < 1 and frame["s1:valid"].eq(1).all()
    assert rows(built, valid=parse_limit(">=1"), modality="s1") == [0, 2, 3]
    # Without a modality it is the worst one that counts.
    assert rows(built, valid=parse_limit(">=1")) == []
    assert 0 in rows(built, valid=parse_limit(f">={edge - 1e-9}"))
    cloud = frame.set_index("row")["eo:cloud_cover"]
    assert cloud.nunique() == 4
    for row in (0, 2, 3):
        fewer = [r for r in (0, 2, 3) if cloud[r] < cloud[row]]
        assert rows(built, cloud=parse_limit(f"<{cloud[row]:.17g}")) == fewer


def test_shift_is_a_limit_on_the_largest_measured_misfit(compared) -> None:
    # s2 lies 0.6 px away, landcover 0.56, s1 0.15; in row 2 nothing is measured.
    assert rows(compared, shift=parse_limit("<0.61px")) == [0, 3]
    assert rows(compared, shift=parse_limit("<0.59px")) == []
    assert rows(compared, shift=parse_limit(">0.59px")) == [0, 3]
    assert rows(compared, shift=parse_limit("<0.2"), modality="s1") == [0, 3]
    assert rows(compared, shift=parse_limit("<0.2"), modality="s2") == []
    assert rows(compared, shift=parse_limit("<=0.56"), modality="landcover", status=None) == [
        *(0, 1, 3)
    ]


def test_a_sample_with_one_measured_modality_is_judged_by_it(compared, tmp_path: Path) -> None:
    root = shutil.copytree(compared.root, tmp_path / "store")
    frame = geopandas.read_parquet(root / "samples.parquet")
    frame.loc[frame["row"] == 0, "s2:shift"] = float("nan")
    frame.to_parquet(root / "samples.parquet", index=False)
    assert search_samples(root, shift=parse_limit("<0.59"))["row"].tolist() == [0]


def test_shift_of_what_is_not_compared_says_what_is(compared, built) -> None:
    with pytest.raises(RecipeError, match="s2, s1, landcover"):
        search_samples(compared.root, shift=parse_limit("<1"), modality="dem")
    with pytest.raises(RecipeError, match="measure_shifts"):
        search_samples(built.root, shift=parse_limit("<1"))


def test_shift_in_a_store_older_than_shifts_says_to_build_it_again(
    compared, tmp_path: Path
) -> None:
    root = shutil.copytree(compared.root, tmp_path / "store")
    steps = pd.read_parquet(root / "steps.parquet")
    old = [c for c in steps.columns if not c.startswith(("shift", "moved"))]
    steps[old].to_parquet(root / "steps.parquet", index=False)
    with pytest.raises(StoreError, match="Build the recipe again"):
        search_samples(root, shift=parse_limit("<1"))
    with pytest.raises(StoreError, match="Build the recipe again"):
        draw_sample(root, 0, tmp_path / "a.png", shifts=True)
    assert len(search_samples(root)) == 3
    assert draw_sample(root, 0, tmp_path / "a.png").is_file()


def test_span_asks_for_a_done_step_of_a_series(built) -> None:
    assert rows(built, span=parse_span("2018-04")) == [0, 2, 3]
    assert rows(built, span=parse_span("2017")) == []
    # s1 has a gap at step 3, from 6 to 18 February; s2 was there on the 12th.
    february = parse_span("2018-02-07/2018-02-17")
    assert rows(built, span=february) == [0, 2, 3]
    assert rows(built, span=february, modality="s1") == []
    # The static layers are dated 11 April, but they show no day.
    assert rows(built, span=parse_span("2018-04-11")) == []
    assert rows(built, span=parse_span("2018"), modality="dem") == []
    assert rows(built, modality="dem") == [0, 2, 3]


def test_near_puts_the_nearest_first(built) -> None:
    place = search_samples(built.root).geometry.iloc[2].centroid
    assert rows(built, near=(place.x, place.y)) == [3, 2, 0]
    assert rows(built, near=(place.x, place.y), limit=1) == [3]


@pytest.mark.parametrize(
    ("criteria", "words"),
    [
        ({"split": "trian"}, 'Did you mean "train"?'),
        ({"modality": "landcver"}, 'Did you mean "landcover"?'),
        ({"status": "dune"}, 'Did you mean "done"?'),
    ],
)
def test_an_unknown_word_is_refused_with_the_nearest(built, criteria: dict, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        search_samples(built.root, **criteria)


def test_a_folder_that_is_no_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        search_samples(tmp_path)


def test_a_store_without_tables_says_to_finish_the_build(build_store) -> None:
    built = build_store(pixels=16, steps=2)
    (built.root / "samples.parquet").unlink()
    with pytest.raises(StoreError, match="Run the build again"):
        search_samples(built.root)
