"""Published trees hold the store's pixels, dates and ground, by the published loader's rules."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from eodata.core.errors import RecipeError
from eodata.core.outcome import Status
from eodata.exchange.export import ExportReport, plan_export, run_export
from eodata.exchange.formats import FormatOptions
from eodata.exchange.names import SeriesName, SingleName, parse_series, parse_single
from eodata.exchange.source import Selection
from tests.exchange.conftest import AREAS, BANDS, EDGE, PLACES, S2, STEPS, Store

DIGITS = re.compile(r"(\d+)")
CHANNELS = {"s1": [2, 0], "s2": list(range(13)), "s2_cloudy": list(range(13)), "lc": [0, 1, 2, 3]}
"""Published order: vv before vh, without the angle."""
ROWS = {("summer", 73): [0, 1, 2, 3, 4, 5], ("spring", 106): [6, 7]}


def export(store: Store, folder: Path, name: str, **how: object) -> ExportReport:
    selection = Selection(**{k: v for k, v in how.items() if k in ("split", "limit", "rejected")})
    options = FormatOptions(
        **{k: v for k, v in how.items() if k in ("dtype", "compress", "complete")}
    )
    return run_export(plan_export(store.path, folder, name, selection, options), workers=2)


def tifs(folder: Path) -> list[str]:
    """All files of a tree; nothing but TIFFs is in it."""
    files = [p.relative_to(folder) for p in folder.rglob("*") if p.is_file()]
    files = [p for p in files if p.parts[0] != ".export"]
    assert all(p.suffix == ".tif" for p in files)
    return sorted(p.as_posix() for p in files)


def check_pixels(path: Path, store: Store, modality: str, row: int, step: int) -> None:
    """Pixels, mask, CRS and transform are those that were written into the store."""
    area, lattice_row, col = PLACES[row]
    with rasterio.open(path) as file:
        values, valid = file.read(), file.read_masks(1) > 0
        assert file.crs == rasterio.CRS.from_string(AREAS[area].crs)
        left, top = 500_000.0 + EDGE * col, 5_430_000.0 - EDGE * lattice_row
        assert file.transform == Affine(10, 0, left, 0, -10, top)
        assert file.nodata is None
        assert file.tags()["EODATA_SAMPLE"] == f"{area}_r{lattice_row:03d}_c{col:03d}"
    truth = store.values[modality, row][step][CHANNELS[modality]]
    assert values.dtype == truth.dtype
    np.testing.assert_array_equal(values, truth)
    np.testing.assert_array_equal(valid, store.valid[modality, row][step])


@pytest.fixture(scope="module")
def tree(series: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExportReport]:
    folder = tmp_path_factory.mktemp("tree")
    return folder, export(series, folder, "sen12ms-cr-ts")


def test_a_series_is_exported_pixel_by_pixel(
    tree: tuple[Path, ExportReport], series: Store
) -> None:
    folder, _ = tree
    seen = set()
    for path in tifs(folder):
        name = parse_series(path)
        assert name is not None
        assert name.date == series.when(name.sensor, name.step).date()
        row = ROWS[name.season, name.scene][name.patch]
        check_pixels(folder / path, series, name.sensor, row, name.step)
        seen.add((name.sensor, row, name.step))
    kept = {(row, t) for row in (0, 1, 2, 3, 4, 6, 7) for t in range(STEPS)} - {(1, 2), (4, 1)}
    assert seen == {(sensor, row, t) for sensor in ("s1", "s2") for row, t in kept}


def test_times_are_in_the_files_to_the_last_digit(
    tree: tuple[Path, ExportReport], series: Store
) -> None:
    name = SeriesName("summer", 73, "s2", 1, series.when("s2", 1).date(), 0)
    with rasterio.open(tree[0] / name.path) as file:
        assert file.tags()["EODATA_DATETIME"] == "2018-01-17T10:07:00.000003Z"
        assert file.tags()["TIFFTAG_DATETIME"] == "2018:01:17 10:07:00"
        assert file.tags()["EODATA_ITEMS"] == '["s2_1"]'


def test_what_stays_is_told_with_its_reason(tree: tuple[Path, ExportReport]) -> None:
    report = tree[1]
    assert (report.samples, report.tally.files, report.tally.written) == (7, 38, 38)
    assert report.samples_left_out == {
        "failed: s1 step 0: HTTP 500": 1,
        "its area has no season and number of the family": 1,
    }
    # Row 1 lacks both sides: one step, and the reason of the first side.
    assert report.steps_left_out == {"s1: min_valid": 1, "s2: dark": 1}
    assert "s2 has 16 x 16 pixels, published 256 x 256" in report.notes
    assert any("ROIs1868_73 first" in note and "--complete" in note for note in report.notes)


def published_loader(root: Path, steps: int) -> list[dict[str, list[str]]]:
    """Pair files as the published loader does: list, sort naturally, count, take the n-th."""
    samples = []
    for place in sorted(p for p in root.glob("ROIs*/*") if p.is_dir()):
        series: dict[str, list[list[str]]] = {"S1": [], "S2": []}
        for t in range(steps):
            for sensor in ("S1", "S2"):
                found = [
                    p.as_posix() for p in (place / sensor / str(t)).iterdir() if ".tif" in p.name
                ]
                natural = sorted(
                    found, key=lambda n: [int(x) if x.isdigit() else x for x in DIGITS.split(n)]
                )
                series[sensor].append(natural)
            assert len(series["S1"][t]) == len(series["S2"][t])
        samples += [
            {sensor: [series[sensor][t][n] for t in range(steps)] for sensor in series}
            for n in range(len(series["S1"][0]))
        ]
    return samples


def test_the_published_loader_pairs_a_complete_tree(series: Store, tmp_path: Path) -> None:
    report = export(series, tmp_path, "sen12ms-cr-ts", complete=True)
    assert report.samples == 5
    assert report.samples_left_out["not every step is there on all sides"] == 2
    assert not any("--complete" in note for note in report.notes)
    samples = published_loader(tmp_path, STEPS)
    assert len(samples) == 5
    for sample in samples:
        names = [
            parse_series(Path(f).relative_to(tmp_path).as_posix())
            for f in [*sample["S1"], *sample["S2"]]
        ]
        assert len({(n.season, n.scene, n.patch) for n in names if n}) == 1
        assert [n.step for n in names if n] == [*range(STEPS)] * 2
        dates = [Path(f).name.split("_")[5] for f in sample["S1"]]
        assert dates == [str(series.when("s1", t).date()) for t in range(STEPS)]


def test_even_an_uneven_tree_has_equal_counts(tree: tuple[Path, ExportReport]) -> None:
    for folder in tree[0].glob("ROIs*/*/S1/*"):
        sister = folder.parents[1] / "S2" / folder.name
        patches = [{p.stem.rpartition("_")[2] for p in f.iterdir()} for f in (folder, sister)]
        assert patches[0] == patches[1] != set()


@pytest.mark.parametrize("name", ["sen12ms-cr", "sen12ms"])
def test_single_trees_are_exported_pixel_by_pixel(name: str, single: Store, tmp_path: Path) -> None:
    report = export(single, tmp_path, name)
    by_sensor = name == "sen12ms-cr"
    sensors = ("s1", "s2", "s2_cloudy") if by_sensor else ("s1", "s2", "lc")
    names = [parse_single(path, by_sensor=by_sensor) for path in tifs(tmp_path)]
    kept = [("spring", 106, 0), ("spring", 106, 1), *(("summer", 73, p) for p in (0, 2, 3, 4, 5))]
    assert set(names) == {SingleName(a, b, s, p) for a, b, p in kept for s in sensors}
    for found in names:
        assert found is not None
        row = ROWS[found.season, found.scene][found.patch]
        path = tmp_path / found.path(by_sensor=by_sensor)
        check_pixels(path, single, found.sensor, row, 0)
    assert report.samples_left_out["s1: min_valid"] == 1


def test_splits_may_follow_each_other_into_one_tree(series: Store, tmp_path: Path) -> None:
    test = export(series, tmp_path / "parts", "sen12ms-cr-ts", split="test")
    assert {path.split("/")[0] for path in tifs(tmp_path / "parts")} == {"ROIs1868"}
    train = export(series, tmp_path / "parts", "sen12ms-cr-ts", split="train")
    assert (test.samples, train.samples) == (5, 2)
    export(series, tmp_path / "whole", "sen12ms-cr-ts")
    assert tifs(tmp_path / "parts") == tifs(tmp_path / "whole")


def test_a_limit_renumbers_no_patch(series: Store, tmp_path: Path) -> None:
    report = export(series, tmp_path, "sen12ms-cr-ts", limit=2, complete=True)
    names = [parse_series(path) for path in tifs(tmp_path)]
    assert {n.patch for n in names if n} == {0, 2}  # 1 is not complete
    assert report.samples == 2


def test_rejected_steps_leave_when_asked_for(series: Store, tmp_path: Path) -> None:
    report = export(series, tmp_path, "sen12ms-cr-ts", rejected=True)
    assert report.tally.files == 7 * STEPS * 2
    assert report.steps_left_out == {}
    name = SeriesName("summer", 73, "s2", 2, series.when("s2", 2).date(), 1)
    check_pixels(tmp_path / name.path, series, "s2", 1, 2)


def test_radar_may_be_doubled_and_nothing_packed(series: Store, tmp_path: Path) -> None:
    export(series, tmp_path, "sen12ms-cr-ts", dtype="float64", compress="none", limit=1)
    for path in tifs(tmp_path):
        name = parse_series(path)
        assert name is not None
        with rasterio.open(tmp_path / path) as file:
            assert file.compression is None
            assert file.dtypes[0] == ("float64" if name.sensor == "s1" else "uint16")
            truth = series.values[name.sensor, 0][name.step][CHANNELS[name.sensor]]
            np.testing.assert_array_equal(file.read(), truth.astype(file.dtypes[0]))


def test_a_gap_on_one_side_is_a_gap_on_both(make: Callable[..., Store], tmp_path: Path) -> None:
    endings = {("s2", row, 0): (Status.EMPTY, "no item") for row in range(9)}
    report = export(make(endings=endings), tmp_path / "out", "sen12ms-cr-ts")
    assert report.steps_left_out == {"s2: no item": 8}
    assert {path.split("/")[3] for path in tifs(tmp_path / "out")} == {"1"}


def test_a_composite_has_no_date_for_its_name(make: Callable[..., Store], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="8 x s2: it has no date of its own"):
        export(make(composites=("s2",)), tmp_path / "out", "sen12ms-cr-ts")


def _bands(name: str, **changes: object) -> dict[str, object]:
    return {"bands": {name: tuple(replace(b, **changes) for b in BANDS[name])}}  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("names", "changes", "message"),
    [
        (("s2",), {}, "has no modality s1"),
        (("s1", "s2"), {"bands": {"s2": BANDS["s2"][:-1]}}, "s2 has no band B12"),
        (("s1", "s2"), _bands("s2", dtype="float32"), "s2 is float32"),
        (("s1", "s2"), _bands("s2", offset=-0.1), "has scale 0.0001 and offset -0.1"),
        (("s1", "s2"), _bands("s1", scale=0.5), "has scale 0.5 and offset 0"),
        (
            ("s1", "s2"),
            {
                "areas": {
                    "ROIs1158_106": replace(AREAS["ROIs1158_106"], season="summer", scene="73")
                }
            },
            "areas ROIs1868_73 and ROIs1158_106 are both summer 73",
        ),
        (
            ("s1", "s2"),
            {"areas": {key: replace(area, scene="") for key, area in AREAS.items()}},
            "no sample can be exported",
        ),
    ],
)
def test_a_store_that_does_not_fit_is_refused(
    make: Callable[..., Store],
    tmp_path: Path,
    names: tuple[str, ...],
    changes: dict[str, object],
    message: str,
) -> None:
    with pytest.raises(RecipeError, match=re.escape(message)):
        export(make(names, **changes), tmp_path / "out", "sen12ms-cr-ts")
    assert not (tmp_path / "out").exists()


def test_a_series_has_no_room_in_a_single_tree(make: Callable[..., Store], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="s1 has 2 steps"):
        export(make(("s1", "s2", "s2_cloudy")), tmp_path / "out", "sen12ms-cr")


def test_bands_are_those_of_level_1c() -> None:
    from eodata.exchange.layouts import S2_BANDS

    assert S2_BANDS == S2
