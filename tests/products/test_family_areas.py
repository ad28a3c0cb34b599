"""The areas and splits of the SEN12MS family: counts, keys and how they are made."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from pyproj import Geod

from eodata.resources import shipped

AREAS = shipped("recipes") / "areas"
FAMILY = AREAS / "family"
SPLITS = shipped("catalog") / "splits"
DATASETS = ("sen12ms-cr-ts", "sen12ms-cr", "sen12ms")
FOLDERS = {"spring": "ROIs1158", "summer": "ROIs1868", "fall": "ROIs1970", "winter": "ROIs2017"}
REGIONS = {"africa", "america", "asiaEast", "asiaWest", "europa"}
EDGE_M = 43_520
LEAK = ("test", "train")


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def features(name):
    return json.loads((AREAS / f"{name}.geojson").read_text(encoding="utf-8"))["features"]


def areas(name):
    return [feature["properties"] for feature in features(name)]


def published(name):
    """The published list: split by (season, scene)."""
    return {(row["season"], row["scene"]): row["split"] for row in table(SPLITS / f"{name}.csv")}


def keyed(name):
    """The areas with a published id, by (season, scene)."""
    return {(area["season"], area["scene"]): area for area in areas(name) if area["scene"]}


def hidden(name):
    rows = [row for row in table(FAMILY / "without_place.csv") if row["dataset"] == name]
    return {(row["season"], row["scene"]): row["split"] for row in rows}


def test_published_lists_then_they_have_the_published_counts():
    rows = {name: table(SPLITS / f"{name}.csv") for name in DATASETS}
    count = {name: Counter(row["split"] for row in rows[name]) for name in DATASETS}
    assert count["sen12ms-cr-ts"] == {"train": 35, "val": 5, "test": 13}
    assert count["sen12ms-cr"] == {"train": 4, "val": 10, "test": 10}
    assert count["sen12ms"] == {"test": 26}
    assert Counter(row["region"] for row in rows["sen12ms-cr-ts"]) == {
        "africa": 9, "america": 9, "asiaEast": 10, "asiaWest": 8, "europa": 17,
    }  # fmt: skip
    hold_out = Counter(row["season"] for row in rows["sen12ms"])
    assert hold_out == {"spring": 6, "summer": 7, "fall": 8, "winter": 5}


@pytest.mark.parametrize("name", DATASETS)
def test_published_list_then_its_keys_are_unique_and_its_regions_agree(name):
    rows = table(SPLITS / f"{name}.csv")
    assert list(rows[0]) == ["season", "scene", "split", "region", "source"]
    assert len(published(name)) == len(rows)
    series = {(r["season"], r["scene"]): r["region"] for r in table(SPLITS / "sen12ms-cr-ts.csv")}
    for row in rows:
        assert row["season"] in FOLDERS
        assert row["scene"] == str(int(row["scene"]))
        assert row["region"] == series.get((row["season"], row["scene"]), "")
        assert row["source"]


@pytest.mark.parametrize(
    ("name", "splits", "with_id"),
    [
        ("sen12ms-cr-ts", {"train": 33, "val": 5, "test": 12}, 50),
        ("sen12ms-cr", {"train": 150, "val": 10, "test": 10}, 60),
        ("sen12ms", {"train": 144, "test": 26}, 78),
    ],
)
def test_area_file_then_it_has_the_counts_of_the_readme(name, splits, with_id):
    assert Counter(area["split"] for area in areas(name)) == splits
    assert len(keyed(name)) == with_id
    readme = (FAMILY / "README.md").read_text(encoding="utf-8")
    row = next(r for r in readme.splitlines() if r.startswith(f"| {name.upper()} |"))
    assert row.endswith(f"| {sum(splits.values())} | {with_id} |")


@pytest.mark.parametrize("name", DATASETS)
def test_area_then_its_properties_belong_together(name):
    found = areas(name)
    assert len({area["id"] for area in found}) == len(found)
    assert len({area["place"] for area in found}) == len(found)
    for area in found:
        if area["scene"]:
            season = "" if name == "sen12ms-cr-ts" else f"_{area['season']}"
            assert area["id"] == f"{FOLDERS[area['season']]}{season}_{area['scene']}"
        else:
            assert area["id"] == f"cr_{area['place']:03}"
            assert area["split"] == "train"
        assert area["season_certain"] == bool(area["scene"])
        assert area["season"] in FOLDERS
        assert area["region"] in REGIONS
        assert area["position_error_deg"] == 0.15


@pytest.mark.parametrize("name", DATASETS)
def test_area_then_it_is_the_dot_that_it_names(name):
    dots = table(FAMILY / "centres.csv")
    for feature in features(name):
        dot = dots[feature["properties"]["place"] - 1]
        assert feature["geometry"]["coordinates"] == [float(dot["lon"]), float(dot["lat"])]
        if name == "sen12ms-cr-ts":
            split = "ts_test" if feature["properties"]["split"] == "test" else "ts_train"
            assert dot["kind"] == split


@pytest.mark.parametrize("name", DATASETS)
def test_published_id_then_it_has_a_place_and_its_split_or_stands_without(name):
    placed = {key: area["split"] for key, area in keyed(name).items()}
    assert not placed.keys() & hidden(name).keys()
    known = placed | hidden(name)
    assert published(name).items() <= known.items()
    assert all(split == "train" for key, split in known.items() if key not in published(name))


def test_areas_of_the_series_then_their_regions_are_the_published_ones():
    published_region = {
        (row["season"], row["scene"]): row["region"] for row in table(SPLITS / "sen12ms-cr-ts.csv")
    }
    found = keyed("sen12ms-cr-ts")
    assert {key: area["region"] for key, area in found.items()} | {
        (row["season"], row["scene"]): row["region"] for row in table(FAMILY / "without_place.csv")
    } == published_region


def test_a_key_then_it_has_one_place_in_the_whole_family():
    series, single, whole = (keyed(name) for name in DATASETS)
    place = {key: area["place"] for key, area in whole.items()}
    for part in (series, single):
        assert {key: area["place"] for key, area in part.items()}.items() <= place.items()
    assert {a["place"] for a in areas("sen12ms-cr")} == {a["place"] for a in areas("sen12ms")}
    assert series.keys() <= single.keys()


def test_hold_out_areas_then_they_are_where_their_season_was_dealt():
    season = {area["place"]: area["season"] for area in areas("sen12ms-cr")}
    assert all(season[area["place"]] == area["season"] for area in areas("sen12ms"))


def test_ids_then_only_one_is_certain():
    certain = {name: [a["id"] for a in areas(name) if a["id_certain"]] for name in DATASETS}
    assert certain == {
        "sen12ms-cr-ts": ["ROIs1868_100"],
        "sen12ms-cr": ["ROIs1868_summer_100"],
        "sen12ms": ["ROIs1868_summer_100"],
    }


def test_leaks_of_the_family_then_the_tables_show_them():
    ids = {(row["season"], row["scene"]): row for row in table(FAMILY / "ids.csv")}
    assert len(ids) == 81
    summer = ids["summer", "100"]
    assert (summer["sen12ms_cr_ts"], summer["sen12ms_cr"]) == ("test", "train")
    assert "follows" not in (summer["sen12ms_cr_ts_split_by"], summer["sen12ms_cr_split_by"])
    assert keyed("sen12ms-cr-ts")["summer", "100"]["split"] == "test"
    assert keyed("sen12ms-cr")["summer", "100"]["split"] == "train"
    for number in ("35", "39", "144"):
        row = ids["fall", number]
        assert (row["sen12ms"], row["sen12ms_cr"]) == ("test", "train")
        assert row["sen12ms_cr_split_by"] == "public split audit"
    leaks = {k for k, row in ids.items() if (row["sen12ms_cr_ts"], row["sen12ms_cr"]) == LEAK}
    assert leaks == {("summer", "100"), ("summer", "142"), ("fall", "20"), ("fall", "132")} | {
        ("winter", number) for number in ("32", "103", "140")
    }
    readme = " ".join((FAMILY / "README.md").read_text(encoding="utf-8").split())
    assert all(f"{season} {scene}" in readme for season, scene in leaks)


def test_areas_then_no_two_overlap():
    geod = Geod(ellps="WGS84")
    points = [feature["geometry"]["coordinates"] for feature in features("sen12ms")]
    nearest = min(geod.inv(*a, *b)[2] for turn, a in enumerate(points) for b in points[turn + 1 :])
    assert nearest > EDGE_M * 2**0.5


def test_made_again_then_all_files_are_the_same_bytes(tmp_path):
    script = FAMILY / "make_family_areas.py"
    subprocess.run([sys.executable, "-B", script, tmp_path], check=True, timeout=60)
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert [path.as_posix() for path in made] == [
        "family/ids.csv",
        "family/without_place.csv",
        "sen12ms-cr-ts.geojson",
        "sen12ms-cr.geojson",
        "sen12ms.geojson",
    ]
    for path in made:
        assert (tmp_path / path).read_bytes() == (AREAS / path).read_bytes()
