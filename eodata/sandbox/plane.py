"""The plane world: pixel values are positions and time, so that any misplacement is a number.

Positions count in base pixels from the item's corner, so a pixel centre has a fraction of a half.
A layer says one thing, by its place among the item's layers, fine ones first: x, y, x in hundreds,
y in hundreds, days since 2015, then x and y in turn. Floating layers hold the number itself.
Sixteen bits cannot hold a whole tile to a hundredth of a pixel: there x and y are triangular waves,
`PER_PX` units a pixel, that turn every `TURN_PX`; they are continuous, so interpolating them is
right everywhere but at the turns. An item that is displaced says where its ground truly lies.
"""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.items import SandboxItem, displacement_of
from eodata.sandbox.planet.displacement import STILL

PER_PX = 32
"""Units per base pixel: rounding costs 1/64 px at most."""
TURN_PX = 900
"""The wave runs from 0 to `PER_PX * TURN_PX` = 28,800 and back: int16 holds it, an offset too."""
DAYS_FROM = datetime(2015, 1, 1, tzinfo=UTC)
MEANINGS = ("x", "y", "x-hundreds", "y-hundreds", "days")


def meaning(item: SandboxItem, key: str) -> str:
    """Return what a layer says: one of `MEANINGS`."""
    fine_first = sorted(item.layers, key=lambda k: item.layers[k].ratio)
    place = fine_first.index(key)
    return MEANINGS[place] if place < len(MEANINGS) else MEANINGS[place % 2]


def number_at(
    item: SandboxItem, key: str, col: NDArray[np.float64], row: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the DN of a layer at places of the item, before rounding.

    Args:
        item: The record.
        key: A layer.
        col: Base pixel coordinates from the item's west edge.
        row: From its north edge; broadcasts with `col`.
    """
    layer, said = item.layers[key], meaning(item, key)
    col, row = _true_place(item, key, np.asarray(col, np.float64), np.asarray(row, np.float64))
    days = (item.datetime - DAYS_FROM).total_seconds() / 86_400
    number = {
        "x": col, "y": row, "x-hundreds": col / 100, "y-hundreds": row / 100,
        "days": np.full(col.shape, days),
    }[said]  # fmt: skip
    dtype = np.dtype(layer.dtype)
    if dtype.kind == "f":
        return np.asarray(number, np.float64)
    if dtype.itemsize == 1:
        return np.asarray(1 + np.floor(number) % 250)
    if said in ("x", "y"):
        number = PER_PX * np.abs((number + TURN_PX) % (2 * TURN_PX) - TURN_PX)
    return 1 + number - _offset_dn(item)


def render(item: SandboxItem, key: str, base: GeoBox) -> NDArray[np.generic]:
    """Return one layer of a part of the item, as `Collection.render` does."""
    layer = item.layers[key]
    height, width = (size // layer.ratio for size in base.shape)
    to_item = ~item.base.affine @ base.affine
    col, _ = to_item @ ((np.arange(width) + 0.5) * layer.ratio, np.zeros(width))
    _, row = to_item @ (np.zeros(height), (np.arange(height) + 0.5) * layer.ratio)
    number = number_at(item, key, col[np.newaxis, :], row[:, np.newaxis])
    dtype = np.dtype(layer.dtype)
    return (np.rint(number) if dtype.kind != "f" else number).astype(dtype)


def _true_place(
    item: SandboxItem, key: str, col: NDArray[np.float64], row: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return column and row of the ground that is seen at places of the item."""
    col, row = np.broadcast_arrays(col, row)
    displacement = displacement_of(item, key)
    if displacement == STILL:
        return col, row
    affine = item.base.affine  # north up, as all that can be displaced
    dx, dy = displacement.at(affine.c + affine.a * col, affine.f + affine.e * row)
    return col - dx / affine.a, row - dy / affine.e


def _offset_dn(item: SandboxItem) -> float:
    """Return the true offset of the item's numbers [DN]: -1000 for Sentinel-2 since 04.00."""
    return float(getattr(item.origin, "offset_dn", 0))
