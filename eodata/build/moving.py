"""Items that are read where their pixels really lie: the grid is moved, never the pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.outcome import FREE, Cost
from eodata.core.protocols import Pixels, Provider, Query
from eodata.pipeline.coregister.field import Field

PART_PX = 256
"""Where a shift changes over the ground, windows are read in parts of this edge, each on a grid
that follows the shift to first order."""


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """How far the pixels of an item lie from where they belong.

    Attributes:
        window: The grid on which it was measured.
        scale: Pixels of the window per pixel of the fields.
        fields: Shifts that add up.
        bands: Further shift (row, col) of some bands [px of the window].
    """

    window: GeoBox
    scale: float = 1.0
    fields: tuple[Field, ...] = ()
    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def is_constant(self) -> bool:
        """True when the shift is the same everywhere."""
        return all(one.is_constant for one in self.fields)

    def at(self, rows: Sequence[float], cols: Sequence[float]) -> NDArray[np.float64]:
        """Return the shift at some places of the window, `(n, 2)` as (row, col) [px of it].

        Places count from the corner of the window; those of fields from the middle of its first
        pixel.
        """
        places = (np.asarray(axis) / self.scale - 0.5 for axis in (rows, cols))
        row, col = places
        found = [one.at(row, col) * self.scale for one in self.fields]
        return np.sum(found, axis=0) if found else np.zeros((len(rows), 2))

    def grid(self, geobox: GeoBox, band: str) -> GeoBox:
        """Return the grid, in the item's own idea of places, that shows the ground of `geobox`.

        The shift is followed to first order: exact where it is the same everywhere.
        """
        height, width = geobox.shape
        onto = ~self.window.affine @ geobox.affine  # from its pixels to those of the window
        corners = [onto @ corner for corner in product((0, width), (0, height))]
        shifts = self.at([row for _, row in corners], [col for col, _ in corners])
        shifts += self.bands.get(band, (0.0, 0.0))
        top_left, bottom_left, top_right, bottom_right = shifts
        right = (top_right - top_left + bottom_right - bottom_left) / 2
        down = (bottom_left - top_left + bottom_right - top_right) / 2
        row, col = shifts.mean(axis=0) - (right + down) / 2
        bent = Affine(
            1 + right[1] / width / onto.a, down[1] / height / onto.a, col / onto.a,
            right[0] / width / onto.e, 1 + down[0] / height / onto.e, row / onto.e,
        )  # fmt: skip
        return GeoBox(geobox.shape, geobox.affine @ bent, geobox.crs)


class MovedProvider:
    """A provider whose items are read where they belong.

    Args:
        provider: Reads.
        moves: By item id; others are read as they are.
    """

    def __init__(self, provider: Provider, moves: Mapping[str, Move]) -> None:
        self.name, self.synthetic = provider.name, provider.synthetic
        self._provider, self._moves = provider, moves

    def search(self, query: Query) -> Sequence[Item]:
        """Search as the provider does."""
        return self._provider.search(query)

    def check_access(self, item: Item, reads: Sequence[BandRead]) -> None:
        """Check as the provider does."""
        self._provider.check_access(item, reads)

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        """Read bands of one item onto a grid, from where its pixels really lie.

        Raises:
            ProviderError: As the provider does.
        """
        move = self._moves.get(item.id)
        if move is None or not (move.fields or move.bands):
            return self._provider.read(item, reads, geobox)
        edge = max(geobox.shape) if move.is_constant else PART_PX
        values: list[NDArray[np.generic] | None] = [None] * len(reads)
        valid = [np.zeros(tuple(geobox.shape), np.bool_) for _ in reads]
        cost = FREE
        for rows, cols in _parts(geobox, edge):
            part = geobox[rows, cols]
            for places in _by_shift(reads, move):
                chosen = [reads[i] for i in places]
                grid = move.grid(part, chosen[0].band.name)
                try:
                    found = self._provider.read(item, chosen, grid)
                except ProviderError as error:
                    error.cost += cost
                    raise
                cost += found.cost
                for i, numbers, there in zip(places, found.values, found.valid, strict=True):
                    whole = values[i]
                    if whole is None:
                        whole = values[i] = np.zeros(tuple(geobox.shape), numbers.dtype)
                    whole[rows, cols], valid[i][rows, cols] = numbers, there
        return _pixels([v for v in values if v is not None], valid, cost)


def _pixels(
    values: Sequence[NDArray[np.generic]], valid: Sequence[NDArray[np.bool_]], cost: Cost
) -> Pixels:
    return Pixels(tuple(values), tuple(valid), cost.bytes_read, cost.requests, cost.retried)


def _parts(geobox: GeoBox, edge: int) -> Iterator[tuple[slice, slice]]:
    height, width = geobox.shape
    for top in range(0, height, edge):
        for left in range(0, width, edge):
            yield slice(top, min(top + edge, height)), slice(left, min(left + edge, width))


def _by_shift(reads: Sequence[BandRead], move: Move) -> list[list[int]]:
    """Return the positions of bands that are read on one grid, together."""
    groups: dict[tuple[float, float] | None, list[int]] = {}
    for i, read in enumerate(reads):
        groups.setdefault(move.bands.get(read.band.name), []).append(i)
    return list(groups.values())
