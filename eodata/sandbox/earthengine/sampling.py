"""Pixels of one grid looked up at the pixel centres of another, as Earth Engine does.

**Which level.** Output coarser than the band comes from its pyramid: from the level whose pixels
are the largest that are no larger than the output's, by powers of two until a level fits 256 px.
Earth Engine builds the levels by a policy per band: `MEAN` for measurements, which is the default,
`MODE` or `SAMPLE` for classes and bit fields. So measurements are means of the valid pixels below:
of the band's own up to level 4, of 16 pixels of the level 4 times finer up to level 32. Coarser
ones, and classes at every level, are the archive's own overviews: the world sampled more coarsely.

**How.** Nearest takes the pixel that the centre lies in. Bilinear and bicubic (Catmull-Rom) leave
masked neighbours out and scale the other weights up. The output is valid where the pixel that its
centre lies in is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.earthengine.images import Leaf, PixelGrid
from eodata.sandbox.earthengine.places import Floats, Places, exact, locate

Numbers = NDArray[np.generic]
Valid = NDArray[np.bool_]
Ends = tuple[int, int]
Window = Callable[[Ends, Ends], tuple[Numbers, Valid]]
"""From rows and columns (half-open) to the numbers there and whether they are valid."""
TIE_PX = 1e-6
"""Centres on the edge of two pixels belong to the right and the lower one, whatever rounding."""
TOP_LEVEL_PX = 256
CLASSES = frozenset({"SCL", "QA60", "map", "LC_Type1", "LC_Prop1", "LC_Prop2", "LC_Prop3"})
"""Layers whose numbers cannot be averaged."""
AVERAGED = 4
"""Pixels along an axis that a mean is of, at most."""
COARSEST_MEAN = 32
SAME_SCALE = 1.02
"""Scales that agree this well are the same: a metre of one projection is not quite another's."""
BLOCK_PX = 1 << 20
"""Output pixels that are looked up at once."""
REACH = {"nearest": 0, "bilinear": 1, "bicubic": 2}
"""Pixels beyond the nearest that each method reads."""


def sample(
    leaf: Leaf, archive: SandboxArchive, grid: PixelGrid, method: str = "nearest"
) -> tuple[Numbers, Valid]:
    """Return one band of a catalogue image on a grid.

    Args:
        leaf: The band.
        archive: Holds its pixels.
        grid: The output.
        method: `nearest`, `bilinear` or `bicubic`.

    Returns:
        `(H, W)` numbers as Earth Engine serves them, in the leaf's dtype and 0 where masked; and
        `(H, W)` bool, False where masked: outside, nodata or NaN.
    """
    output = grid.geobox
    factor = level(leaf.grid, output)
    source = leaf.record.grid(leaf.key, factor)

    def window(rows: Ends, cols: Ends) -> tuple[Numbers, Valid]:
        return _averaged(leaf, archive, (rows, cols), factor)

    return look_up(source, output, window, leaf.dtype, method)


def look_up(
    source: GeoBox, output: GeoBox, window: Window, dtype: str, method: str
) -> tuple[Numbers, Valid]:
    """Return the numbers of a source grid at the pixel centres of an output grid.

    Args:
        source: The grid that there are numbers on.
        output: The grid that they are wanted on.
        window: Gives numbers of the source.
        dtype: Of the result; integers are rounded and clipped to their range.
        method: As in `sample`.
    """
    height, width = output.shape
    values, valid = np.zeros((height, width), dtype), np.zeros((height, width), bool)
    step = max(BLOCK_PX // max(width, 1), 1)
    for top in range(0, height, step):
        part = slice(top, min(top + step, height))
        strip = GeoBox(
            (part.stop - top, width), output.affine @ Affine.translation(0, top), output.crs
        )
        found = _gather((source.shape[0], source.shape[1]), locate(source, strip), window, method)
        if found is not None:
            valid[part] = found[1]
            values[part] = np.where(found[1], _cast(found[0], dtype), 0)
    return values, valid


def level(source: GeoBox, output: GeoBox) -> int:
    """Return how many times as coarse as its pixels the pyramid level is that serves an output.

    The output's scale is the root of the area that its middle pixel covers [source px].
    """
    height, width = output.shape
    corners = Affine.translation(width / 2 - 0.5, height / 2 - 0.5)
    middle = GeoBox((2, 2), output.affine @ corners @ Affine.scale(0.5), output.crs)
    col, row = (np.broadcast_to(part, (2, 2)) for part in exact(source, middle))
    right = col[0, 1] - col[0, 0], row[0, 1] - row[0, 0]
    down = col[1, 0] - col[0, 0], row[1, 0] - row[0, 0]
    scale = 2.0 * math.sqrt(abs(right[0] * down[1] - right[1] * down[0]))
    if not math.isfinite(scale) or scale < 2.0 / SAME_SCALE:
        return 1
    wanted = math.floor(math.log2(scale * SAME_SCALE))
    top = max(math.ceil(math.log2(max(source.shape) / TOP_LEVEL_PX)), 0)
    return int(2 ** min(wanted, top))


def _averaged(
    leaf: Leaf, archive: SandboxArchive, window: tuple[Ends, Ends], factor: int
) -> tuple[Numbers, Valid]:
    """Return numbers of a level of the pyramid, and where there are any, in a window of it."""
    count = min(factor, AVERAGED) if factor <= COARSEST_MEAN and leaf.key not in CLASSES else 1
    fine = leaf.record.grid(leaf.key, factor // count)
    rows, cols = (
        (first * count, min(last * count, size))
        for (first, last), size in zip(window, fine.shape, strict=True)
    )
    dn = archive.read(leaf.record, leaf.key, rows, cols, factor // count)
    numbers, valid = _decoded(leaf, dn)
    return (numbers, valid) if count == 1 else _means(numbers, valid, count)


def _means(numbers: Numbers, valid: Valid, count: int) -> tuple[Numbers, Valid]:
    """Return means of squares of pixels, of the valid ones alone; the last may be cut."""
    pad = [(0, -size % count) for size in numbers.shape]
    shown = np.pad(valid, pad)
    summed = np.pad(np.where(valid, numbers, 0).astype(np.float64), pad)
    height, width = (size // count for size in shown.shape)
    squares = height, count, width, count
    number = shown.reshape(squares).sum(axis=(1, 3))
    return summed.reshape(squares).sum(axis=(1, 3)) / np.maximum(number, 1), number > 0


def _decoded(leaf: Leaf, dn: Numbers) -> tuple[Numbers, Valid]:
    """Return Earth Engine's numbers of a leaf, before rounding, and where it has any."""
    valid = np.ones(dn.shape, bool) if leaf.nodata is None else dn != leaf.nodata
    if dn.dtype.kind == "f":
        valid &= ~np.isnan(dn)
    if leaf.scale == 1.0 and leaf.offset == 0.0:
        return dn, valid
    return dn.astype(np.float64) * leaf.scale + leaf.offset, valid


def _gather(
    shape: tuple[int, int], places: Places, window: Window, method: str
) -> tuple[Floats | Numbers, Valid] | None:
    """Return numbers and validity at places, None when all of them are outside."""
    with np.errstate(invalid="ignore"):
        inside = _within(places.col, shape[1]) & _within(places.row, shape[0])
        if not inside.any():
            return None
        col = np.where(_within(places.col, shape[1]), places.col, 0.5)
        row = np.where(_within(places.row, shape[0]), places.row, 0.5)
    rows, cols = _hull(row, inside, method, shape[0]), _hull(col, inside, method, shape[1])
    numbers, valid = window(rows, cols)
    i, j = _pixel(row, rows), _pixel(col, cols)
    good = valid[i, j] & inside
    if method == "nearest":
        return numbers[i, j], good
    return _interpolated(numbers, valid, row - rows[0], col - cols[0], method), good


def _within(place: Floats, size: int) -> Valid:
    return np.asarray((place >= -TIE_PX) & (place < size - TIE_PX))


def _hull(place: Floats, inside: Valid, method: str, size: int) -> tuple[int, int]:
    """Return the first pixel that is read along one axis, and the one after the last."""
    touched = np.broadcast_to(place, inside.shape)[inside]
    low, high = math.floor(touched.min() + TIE_PX), math.floor(touched.max() + TIE_PX)
    return max(low - REACH[method], 0), min(high + REACH[method] + 1, size)


def _pixel(place: Floats, span: tuple[int, int]) -> NDArray[np.intp]:
    index = np.floor(place + TIE_PX).astype(np.intp) - span[0]
    return np.clip(index, 0, span[1] - span[0] - 1)


def _interpolated(numbers: Numbers, valid: Valid, row: Floats, col: Floats, method: str) -> Floats:
    """Return the weighted mean of valid neighbours; what lies beyond the window is not there."""
    kernel = _bilinear if method == "bilinear" else _bicubic
    row_at, row_weights = kernel(row)
    col_at, col_weights = kernel(col)
    shape = np.broadcast_shapes(row.shape, col.shape)
    total, weight = np.zeros(shape), np.zeros(shape)
    for (di, wi), (dj, wj) in product(enumerate(row_weights), enumerate(col_weights)):
        i, j = row_at + di, col_at + dj
        there = (i >= 0) & (i < numbers.shape[0]) & (j >= 0) & (j < numbers.shape[1])
        i, j = np.clip(i, 0, numbers.shape[0] - 1), np.clip(j, 0, numbers.shape[1] - 1)
        good = valid[i, j] & there
        share = np.where(good, wi * wj, 0.0)
        total += share * np.where(good, numbers[i, j], 0)
        weight += share
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(np.abs(weight) > 1e-9, total / weight, 0.0))


def _bilinear(place: Floats) -> tuple[NDArray[np.intp], list[Floats]]:
    first = np.floor(place - 0.5)
    far = place - 0.5 - first
    return first.astype(np.intp), [1.0 - far, far]


def _bicubic(place: Floats) -> tuple[NDArray[np.intp], list[Floats]]:
    first = np.floor(place - 0.5)
    t = place - 0.5 - first
    weights = [
        ((2.0 - t) * t - 1.0) * t / 2.0,
        ((3.0 * t - 5.0) * t * t + 2.0) / 2.0,
        ((4.0 - 3.0 * t) * t + 1.0) * t / 2.0,
        (t - 1.0) * t * t / 2.0,
    ]
    return first.astype(np.intp) - 1, weights


def _cast(numbers: Numbers | Floats, dtype: str) -> Numbers:
    kind = np.dtype(dtype)
    if numbers.dtype == kind or kind.kind == "f":
        return np.asarray(numbers, kind)
    limits = np.iinfo(kind)
    whole = np.rint(np.nan_to_num(np.asarray(numbers, np.float64)))
    return np.asarray(np.clip(whole, limits.min, limits.max).astype(kind))
