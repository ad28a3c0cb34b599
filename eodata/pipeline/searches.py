"""Few searches for many areas: neighbours are asked for together, and answers handed out. Pure.

An archive answers a hundred small areas in one search sooner than in a hundred; but a search must
not span ground that nobody wants, or its answer is mostly thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

import shapely
from shapely.geometry.base import BaseGeometry

from eodata.core.grid import hilbert_index
from eodata.core.item import Item
from eodata.core.reproject import shares_ground
from eodata.core.span import Span

MOST_MEMBERS = 50
"""Servers limit the length of a request; outlines of this many areas are well below it."""
SMALL_DEG2 = 1.0
"""Bounds that are never too wide, whatever they hold [square degrees]: a Sentinel-2 tile."""
SPREAD = 4.0
"""Most that the bounds of a block may hold per bounds of its members."""
NARROW_DEG = 0.25
"""Sides of a block's bounds count as at least this long: a thin strip of 100 degrees is wide."""
DATE_LINE_DEG = 180.0
"""Bounds that are wider belong to an area on both sides of the date line."""
ORDER = 16
"""The curve runs over cells of 360 / 2**16 degrees: 600 m."""

Bounds = tuple[float, float, float, float]
NOTHING: Bounds = (inf, inf, -inf, -inf)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one area asks for.

    Attributes:
        area: Its id.
        ground: EPSG:4326; cut in two at the date line.
        span: Time, None for static layers.
    """

    area: str
    ground: BaseGeometry
    span: Span | None


@dataclass(frozen=True, slots=True)
class SearchBlock:
    """Neighbouring areas that are searched together.

    Attributes:
        members: At least one, all of one span.
    """

    members: tuple[Wanted, ...]

    @property
    def span(self) -> Span | None:
        """Time of all members."""
        return self.members[0].span

    @property
    def ground(self) -> BaseGeometry:
        """The union of the members, EPSG:4326."""
        if len(self.members) == 1:
            return self.members[0].ground
        return shapely.union_all([member.ground for member in self.members])

    def hand_out(self, items: Sequence[Item]) -> dict[str, list[Item]]:
        """Return the items of each member that share its ground, in the order of the answer."""
        if len(self.members) == 1:
            return {self.members[0].area: list(items)}
        return {member.area: _on(member.ground, items) for member in self.members}


def search_blocks(wanted: Sequence[Wanted]) -> list[SearchBlock]:
    """Group areas into searches; every area is in exactly one.

    Areas of one span are walked along a Hilbert curve over the Earth. A block ends before the area
    with which its bounds would exceed both `SMALL_DEG2` and `SPREAD` times the bounds of its
    members, or after `MOST_MEMBERS`. An area at the date line is searched alone: its bounds go
    around the Earth. The order of `wanted` means nothing.
    """
    by_span: dict[Span | None, list[Wanted]] = {}
    for one in wanted:
        by_span.setdefault(one.span, []).append(one)
    # Static layers have no span; they come first.
    ordered = sorted(by_span, key=lambda span: (span is not None, span and (span.start, span.end)))
    return [block for span in ordered for block in _blocks(by_span[span])]


def _blocks(wanted: Sequence[Wanted]) -> Iterator[SearchBlock]:
    block: list[Wanted] = []
    bounds, held = NOTHING, 0.0
    for one in sorted(wanted, key=lambda w: (_place(w.ground.bounds), w.area)):
        own = one.ground.bounds
        bounds, held = _around(bounds, own), held + _area(own)
        if block and not _fits(len(block), bounds, held):
            yield SearchBlock(tuple(block))
            block, bounds, held = [], own, _area(own)
        block.append(one)
    yield SearchBlock(tuple(block))


def _fits(members: int, bounds: Bounds, held: float) -> bool:
    west, south, east, north = bounds
    if members >= MOST_MEMBERS or east - west > DATE_LINE_DEG:
        return False
    seen = max(east - west, NARROW_DEG) * max(north - south, NARROW_DEG)
    return seen <= max(SMALL_DEG2, SPREAD * held)


def _place(bounds: Bounds) -> int:
    """Return the position of the middle of some bounds on the curve."""
    west, south, east, north = bounds
    cell = 360.0 / (1 << ORDER)
    x, y = ((west + east) / 2 + 180.0) // cell, ((south + north) / 2 + 90.0) // cell
    last = (1 << ORDER) - 1
    return hilbert_index(min(int(x), last), min(int(y), last), ORDER)


def _around(a: Bounds, b: Bounds) -> Bounds:
    return min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])


def _area(bounds: Bounds) -> float:
    west, south, east, north = bounds
    return (east - west) * (north - south)


def _on(ground: BaseGeometry, items: Sequence[Item]) -> list[Item]:
    shapely.prepare(ground)
    return [item for item in items if shares_ground(ground, item.footprint)]
