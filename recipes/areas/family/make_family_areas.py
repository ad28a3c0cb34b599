"""Make the area files of SEN12MS, SEN12MS-CR and SEN12MS-CR-TS from their published lists.

    python recipes/areas/family/make_family_areas.py [FOLDER]

Reads `centres.csv` beside this file and the split lists in `catalog/splits`. Writes
`FOLDER/{sen12ms-cr-ts,sen12ms-cr,sen12ms}.geojson`, `FOLDER/family/ids.csv` and
`FOLDER/family/without_place.csv`; the folder is `recipes/areas` unless another is given. Nothing is
drawn by chance, so the files come out byte for byte alike. README.md says what is assumed.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from atlas import Place, read_places, west

HERE = Path(__file__).parent
SPLITS = HERE.parents[2] / "catalog" / "splits"

SERIES, SINGLE, WHOLE = DATASETS = ("sen12ms-cr-ts", "sen12ms-cr", "sen12ms")
SEASONS = {"spring": "ROIs1158", "summer": "ROIs1868", "fall": "ROIs1970", "winter": "ROIs2017"}
ORDER = list(SEASONS)
GROUPS = {"ts_train": ("train", "val"), "ts_test": ("test",)}
"""Splits of SEN12MS-CR-TS by the kind of their dots: the atlas shows train and val as one."""
POSITION_ERROR_DEG = 0.15

Key = tuple[str, int]
"""Season and number: the key of an area in the whole family."""
T = TypeVar("T")


@dataclass(frozen=True)
class Published:
    """What a published list says of a key: split, region ("" = not said) and source."""

    split: str
    region: str
    source: str


Lists = Mapping[str, Mapping[Key, Published]]
"""The published lists by dataset, each in published order."""


@dataclass(frozen=True)
class Properties:
    """The properties of an area, in the order of the file."""

    id: str
    season: str
    scene: str
    split: str
    region: str
    place: int
    id_certain: bool
    season_certain: bool
    position_error_deg: float = POSITION_ERROR_DEG


def main(folder: Path) -> None:
    """Write the three area files and the two tables."""
    places = read_places()
    lists = {name: read_list(name) for name in DATASETS}
    series, certain = match_series(places, lists)
    single = series | match_single(places, lists)
    dealt = deal_seasons([place for place in places if place not in single])
    whole = single | match_hold_out(dealt, lists[WHOLE], set(single.values()))
    (folder / "family").mkdir(parents=True, exist_ok=True)
    for name, keys in ((SERIES, series), (SINGLE, single), (WHOLE, whole)):
        shown = [place for place in places if name != SERIES or place in series]
        areas = {
            place: describe_key(name, place, keys[place], lists[name], certain)
            if place in keys
            else describe_unnamed(place, dealt[place])
            for place in shown
        }
        write_areas(folder / f"{name}.geojson", areas)
    members = {SERIES: set(lists[SERIES]), SINGLE: set(lists[SERIES]) | set(single.values())}
    members[WHOLE] = members[SINGLE] | set(lists[WHOLE])
    write_ids(folder / "family" / "ids.csv", {key: p for p, key in whole.items()}, members, lists)
    hidden = [key for key in lists[SERIES] if key not in set(series.values())]
    write_without_place(folder / "family" / "without_place.csv", hidden, lists)


def read_list(name: str) -> dict[Key, Published]:
    """Return a published list in the order of seasons and numbers."""
    text = (SPLITS / f"{name}.csv").read_text(encoding="utf-8")
    rows = {
        (row["season"], int(row["scene"])): Published(row["split"], row["region"], row["source"])
        for row in csv.DictReader(text.splitlines())
    }
    return {key: rows[key] for key in sorted(rows, key=rank)}


def match_series(places: Sequence[Place], lists: Lists) -> tuple[dict[Place, Key], set[Key]]:
    """Give the dots of SEN12MS-CR-TS its ids, and return the ids of which that is sure.

    Dots go from west to east and ids in published order, within a region and within test or the
    rest. Where ids outnumber dots, those in val or named by another list of the family stay.

    Raises:
        ValueError: A group has more dots than ids, or too few ids that may go without a dot.
    """
    series = lists[SERIES]
    wanted = {key for key, row in series.items() if row.split == "val"}
    wanted |= set(lists[SINGLE]) | set(lists[WHOLE])
    matched: dict[Place, Key] = {}
    certain: set[Key] = set()
    for kind, splits in GROUPS.items():
        for region in sorted({row.region for row in series.values()}):
            dots = sorted((p for p in places if (p.kind, p.region) == (kind, region)), key=west)
            group = [k for k, row in series.items() if row.region == region and row.split in splits]
            surplus = len(group) - len(dots)
            idle = [key for key in group if key not in wanted]
            if not 0 <= surplus <= len(idle):
                raise ValueError(f"{kind} {region}: {len(group)} ids do not fit {len(dots)} dots")
            hidden = idle[len(idle) - surplus :]
            matched |= zip(dots, [key for key in group if key not in hidden], strict=True)
            certain |= set(group) if len(group) == len(dots) == 1 else set()
    return matched, certain


def match_single(places: Sequence[Place], lists: Lists) -> dict[Place, Key]:
    """Give ids that only SEN12MS-CR has to its own dots: by number, evenly from west to east."""
    keys = sorted(set(lists[SINGLE]) - set(lists[SERIES]), key=lambda key: (key[1], rank(key)))
    dots = sorted((place for place in places if place.kind == "cr"), key=west)
    return dict(zip(spread(dots, len(keys)), keys, strict=True))


def deal_seasons(places: Iterable[Place]) -> dict[Place, str]:
    """Deal the seasons out in turn, from west to east."""
    dots = sorted(places, key=west)
    return {place: ORDER[turn % len(ORDER)] for turn, place in enumerate(dots)}


def match_hold_out(
    dealt: Mapping[Place, str], hold_out: Iterable[Key], placed: set[Key]
) -> dict[Place, Key]:
    """Give hold-out ids of SEN12MS without a dot to dots of their season, evenly west to east."""
    left = [key for key in hold_out if key not in placed]
    matched: dict[Place, Key] = {}
    for season in ORDER:
        keys = [key for key in left if key[0] == season]
        dots = sorted((place for place, given in dealt.items() if given == season), key=west)
        matched |= zip(spread(dots, len(keys)), keys, strict=True)
    return matched


def describe_key(
    dataset: str, place: Place, key: Key, split: Mapping[Key, Published], certain: set[Key]
) -> Properties:
    """Return the properties of a place with a published id; what no list names is train."""
    season, number = key[0], str(key[1])
    folder = SEASONS[season] if dataset == SERIES else f"{SEASONS[season]}_{season}"
    return Properties(
        id=f"{folder}_{number}",
        season=season,
        scene=number,
        split=split[key].split if key in split else "train",
        region=place.region,
        place=place.number,
        id_certain=key in certain,
        season_certain=True,
    )


def describe_unnamed(place: Place, season: str) -> Properties:
    """Return the properties of a place whose id is not published."""
    name = f"cr_{place.number:03}"
    return Properties(name, season, "", "train", place.region, place.number, False, False)


def write_areas(path: Path, areas: Mapping[Place, Properties]) -> None:
    """Write points as GeoJSON, one feature per line."""
    features = [
        {
            "type": "Feature",
            "properties": asdict(properties),
            "geometry": {"type": "Point", "coordinates": [place.lon, place.lat]},
        }
        for place, properties in areas.items()
    ]
    body = ",\n".join(map(json.dumps, features))
    write(path, f'{{"type": "FeatureCollection", "features": [\n{body}\n]}}\n')


def write_ids(
    path: Path, found: Mapping[Key, Place], members: Mapping[str, set[Key]], lists: Lists
) -> None:
    """Write every published id of the family, its place and its split in each dataset.

    Beside each split stands the list that says so, or `follows`: all areas of SEN12MS-CR-TS are
    areas of the other two, all areas of SEN12MS-CR of SEN12MS, and what is not held out is train.
    """
    columns = [f"{name}{end}".replace("-", "_") for name in DATASETS for end in ("", "_split_by")]
    rows = [["season", "scene", "place", "region", *columns]]
    for key in sorted(members[WHOLE], key=rank):
        region = lists[SERIES][key].region if key in lists[SERIES] else found[key].region
        row = [key[0], str(key[1]), str(found[key].number) if key in found else "", region]
        for name in DATASETS:
            row += split_of(key, lists[name]) if key in members[name] else ["", ""]
        rows.append(row)
    write(path, table(rows))


def split_of(key: Key, split: Mapping[Key, Published]) -> list[str]:
    """Return the split of an area and who says so."""
    return [split[key].split, split[key].source] if key in split else ["train", "follows"]


def write_without_place(path: Path, hidden: Iterable[Key], lists: Lists) -> None:
    """Write the ids whose dot hides behind others; they are areas of all three datasets."""
    rows = [["dataset", "season", "scene", "split", "region"]]
    for name in DATASETS:
        for key in hidden:
            split, _ = split_of(key, lists[name])
            rows.append([name, key[0], str(key[1]), split, lists[SERIES][key].region])
    write(path, table(rows))


def spread(row: Sequence[T], count: int) -> list[T]:
    """Return `count` elements at even distances.

    >>> spread("abcdefgh", 2)
    ['c', 'g']
    """
    return [row[(2 * turn + 1) * len(row) // (2 * count)] for turn in range(count)]


def rank(key: Key) -> tuple[int, int]:
    """Return what sorts keys in published order: by season, then by number."""
    return ORDER.index(key[0]), key[1]


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows of plain words as CSV."""
    return "".join(f"{','.join(row)}\n" for row in rows)


def write(path: Path, text: str) -> None:
    """Write text with the same bytes on every system."""
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent)
