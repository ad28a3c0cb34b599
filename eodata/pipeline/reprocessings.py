"""Of several processings of one acquisition keep the latest. Pure.

Archives keep old processings beside new ones. Reading both would count one look at the ground twice
and mix radiometries, so planning sees only one of them, and the plan says what it replaces.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shapely import make_valid
from shapely.geometry.base import BaseGeometry

from eodata.core.item import Item
from eodata.core.properties import BASELINES
from eodata.core.span import parse_utc

SUPERSEDES = "eodata:supersedes"
"""Property of an item: ids of the processings that it replaces, in order."""
TOGETHER = timedelta(seconds=60)
"""Processings of one acquisition state times that differ by less."""
OVERLAP = 0.9
"""Least share of the smaller outline that two processings of one tile have in common."""
AREA_CHANGE = 0.1
"""Most that their areas differ by, as a share of the larger: cut tiles come in unequal parts."""
OUTLINE_DEG = 1e-3
"""Most that outlines of one record without a tile are apart [degrees]."""

GENERATIONS = ("s2:generation_time", "processing:datetime")
MGRS = ("mgrs:utm_zone", "mgrs:latitude_band", "mgrs:grid_square")
TILE_IN_ID = re.compile(r"(?:^S2[A-D]_T?|_T)(?P<tile>\d{1,2}[C-X][A-Z]{2})(?:_|$)")
BASELINE_IN_ID = re.compile(r"_N(?P<baseline>\d{4})_")
STAMP_IN_ID = re.compile(r"_(?P<stamp>\d{8}T\d{6})(?:\.SAFE)?$")
NEVER = datetime.min.replace(tzinfo=UTC)
BY_TOOLBOX = 99
"""Baseline 99.99 is given by users' own runs of the processor and says nothing of its age."""
STEMS = (
    re.compile(r"(?P<stem>S1[A-D]_.+_\d{8}T\d{6}_\d{8}T\d{6}_\d{6}_[0-9A-F]{6})_[0-9A-F]{4}.*"),
    re.compile(r"(?P<stem>L[CEOTM]0\d_L\d\w{2}_\d{6}_\d{8})_.+"),
    re.compile(r"(?P<stem>(?:MOD|MYD|MCD|VNP|VJ1)\w+\.A\d{7}(?:\.h\d\dv\d\d)?)\.\d{3}\.\d{13}"),
    re.compile(r"(?P<stem>SVDNB_.+)_v\d+_c\d{12,}.*"),
)
"""What Sentinel-1, Landsat, MODIS and VIIRS call a record before they say how it was processed."""


def latest_by_area(found: Mapping[str, Sequence[Item]]) -> dict[str, list[Item]]:
    """Return the items of each area without those that others replace.

    All areas are looked at together, so that they agree about what is replaced: an area at the edge
    of a tile that only the older processing reaches loses it, and no date mixes the two.

    Args:
        found: Items of one collection per area.
    """
    every = {item.id: item for items in found.values() for item in items}
    kept = {item.id: item for item in latest(every.values())}
    return {
        area: [kept[item.id] for item in items if item.id in kept] for area, items in found.items()
    }


def latest(items: Iterable[Item]) -> list[Item]:
    """Return one item per acquisition and tile, ordered by time and id.

    The highest baseline wins, then the latest generation, then the greater id. The winner has the
    property `eodata:supersedes` with the ids of the others.

    Two records of one tile and pass may also be the two parts of a tile that a border of data
    strips cuts: their outlines differ, and both stay.

    Args:
        items: Of one or several collections, each id once per collection.
    """
    groups: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        groups.setdefault(_key(item), []).append(item)
    kept = [winner for group in groups.values() for run in _runs(group) for winner in _winners(run)]
    return sorted(kept, key=lambda i: (i.datetime, i.id))


def _key(item: Item) -> tuple[str, ...]:
    platform = str(item.properties.get("platform", "")).casefold()
    tile = _tile(item)
    return item.collection, platform, tile, "" if tile else _stem(item.id)


def _tile(item: Item) -> str:
    """Return the MGRS tile, such as 31UDS, or `""`."""
    said = item.properties
    code = str(said.get("grid:code", "")).upper()
    in_id = TILE_IN_ID.search(item.id)
    if code.startswith("MGRS-"):
        tile = code.removeprefix("MGRS-")
    elif said.get("s2:mgrs_tile"):
        tile = str(said["s2:mgrs_tile"])
    elif all(said.get(key) for key in MGRS):
        tile = "".join(str(said[key]) for key in MGRS)
    else:
        tile = in_id["tile"] if in_id else ""
    return tile.upper().removeprefix("T").zfill(5) if tile else ""


def _stem(item_id: str) -> str:
    """Return an id without its processing; ids of unknown build stay, so nothing is merged."""
    found = (stem.fullmatch(item_id) for stem in STEMS)
    return next((match["stem"] for match in found if match), item_id)


def _runs(group: Sequence[Item]) -> Iterator[list[Item]]:
    """Yield the items that begin within `TOGETHER` of the first of them."""
    run: list[Item] = []
    for item in sorted(group, key=lambda i: (i.datetime, i.id)):
        if run and item.datetime - run[0].datetime > TOGETHER:
            yield run
            run = []
        run.append(item)
    yield run


def _winners(run: Sequence[Item]) -> Iterator[Item]:
    """Yield the best item with what it replaces, then the best of the others, and so on."""
    left = sorted(run, key=_rank, reverse=True)
    while left:
        best, others = left[0], left[1:]
        replaced = [item for item in others if _same_ground(best, item)]
        left = [item for item in others if item not in replaced]
        yield _recorded(best, replaced) if replaced else best


def _recorded(best: Item, replaced: Iterable[Item]) -> Item:
    ids = {item.id for item in replaced} | set(best.properties.get(SUPERSEDES, ()))
    return replace(best, properties={**best.properties, SUPERSEDES: sorted(ids)})


def _rank(item: Item) -> tuple[tuple[int, ...], datetime, str]:
    return _baseline(item), _generated(item), item.id


def _baseline(item: Item) -> tuple[int, ...]:
    """Return the baseline as numbers, such as `(5, 10)`; empty when nothing is said."""
    in_id = BASELINE_IN_ID.search(item.id)
    told = [item.properties.get(key) for key in BASELINES] + [in_id["baseline"] if in_id else None]
    return next((numbers for value in told if (numbers := _numbers(value))), ())


def _numbers(value: Any) -> tuple[int, ...]:
    # A number is a baseline whose last zero was lost: 5.1 is 05.10.
    text = f"{value:.2f}" if isinstance(value, float) else str(value or "")
    if re.fullmatch(r"N?\d{4}", text):
        text = f"{text[-4:-2]}.{text[-2:]}"
    numbers = tuple(int(digits) for digits in re.findall(r"\d+", text))
    return () if numbers[:1] == (BY_TOOLBOX,) else numbers


def _generated(item: Item) -> datetime:
    """Return when an item was processed, the beginning of time when nothing is said."""
    for key in GENERATIONS:
        try:
            return parse_utc(item.properties[key])
        except (KeyError, TypeError, ValueError):
            continue
    stamp = STAMP_IN_ID.search(item.id)
    try:
        return parse_utc(stamp["stamp"] if stamp else "")
    except ValueError:
        return NEVER


def _same_ground(one: Item, other: Item) -> bool:
    a, b = make_valid(one.footprint), make_valid(other.footprint)
    return _same_part(a, b) if _tile(one) else _same_outline(a, b)


def _same_part(a: BaseGeometry, b: BaseGeometry) -> bool:
    small, large = sorted((a.area, b.area))
    if large - small >= AREA_CHANGE * large:
        return False
    return bool(a.intersection(b).area > OVERLAP * small)


def _same_outline(a: BaseGeometry, b: BaseGeometry) -> bool:
    return bool(a.boundary.hausdorff_distance(b.boundary) <= OUTLINE_DEG)
