"""Read one band of a raster onto a grid: values in its own dtype, and where they hold.

Every grid that is not the source's own goes the same way. Missing pixels are set to zero beside a
layer of ones and zeros that says where something was measured; both are interpolated together,
averaged over each target pixel, and divided. So a missing value never reaches its neighbours, and
validity comes out of the same interpolation: a target pixel counts as measured when at least half
of its weight was.

    value = mean(interpolate(dn * measured)) / mean(interpolate(measured))

Two things that GDAL would do by itself are not left to it, because the plane world shows them:
its `average` takes the box between two corners of a target pixel, which is wrong on rotated grids
(mean 0.17 px at 30 degrees, 0.03 px from UTM 31 to 32), and its guess of the kernel's width
smears by up to 0.11 px (measured in docs/decisions/0003-one-warp.md). Hence samples at source
resolution, a fixed kernel, and our own mean.

Decibels are logarithms of powers, and a larger pixel measures the mean power: they are turned to
power before, and back after. The mean of the logarithms would be lower, by 0.5 dB for the speckle
of a 10 m Sentinel-1 pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import rasterio.crs
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from rasterio.enums import Resampling
from rasterio.errors import RasterioIOError
from rasterio.io import MemoryFile
from rasterio.vrt import WarpedVRT

from eodata.providers.ground_control import GroundControl, read_by_points
from eodata.providers.source import Source, Valid, Values, nothing
from eodata.providers.source_window import SourceWindow, source_window

Layers = NDArray[np.floating]

KERNELS = {
    "bilinear": Resampling.bilinear,
    "average": Resampling.bilinear,
    "cubic": Resampling.cubic,
}
TOLERANCE_PX = 0.001
"""Error of GDAL's piecewise linear coordinates [source px]; its default is 0.125."""
HALF = 0.499
"""Half of the weight, less what single precision and `TOLERANCE_PX` take away."""
TIE = 1e-3
"""Classes whose areas differ by less have the same area; the smaller class id wins."""
CLASSES_AT_ONCE = 8
"""Bounds the memory that a majority takes."""
LIMIT_DB = 300.0
"""Beyond lies no power of this world, but an undeclared nodata value: -9999 for one."""
ANYWHERE = Affine.scale(2, -2)
"""Stands for the map of a raster that has points; the identity would count as none."""


def read_onto(
    source: Source,
    geobox: GeoBox,
    resampling: str,
    *,
    decibel: bool = False,
    scale: float = 1.0,
) -> tuple[Values, Valid, int]:
    """Read one band onto a grid.

    On the source's own grid pixels are copied. Elsewhere `nearest` takes the pixel under each
    centre, `mode` the class with the largest area, and the others interpolate at the source's
    resolution and average over each target pixel: a coarser grid weighs by area under any of
    their names. The source is read as it is, never by
    its overviews. Deterministic; safe in threads that do not share
    `source`.

    Args:
        source: One band.
        geobox: The target grid; any CRS.
        resampling: nearest, bilinear, cubic, average or mode.
        decibel: The numbers are decibels: powers are interpolated and averaged, not their
            logarithms. Copies, `nearest` and `mode` are the same with and without. `cubic` then
            interpolates like `bilinear`: its kernel has negative parts, and beside a bright target
            the power would be less than none.
        scale: Decibels per number; read with `decibel` alone. An offset makes no difference.

    Returns:
        Values `(H, W)` in the source's dtype, rounded and clipped to it; valid `(H, W)`, False
        outside the source; bytes read before resampling. Pixels that are not valid hold whatever
        the source says, or 0, or NaN.

    Raises:
        RasterioError: The source is damaged, or holds numbers that cannot be resampled.
    """
    window = source_window(source.grid, geobox)
    if window is None:
        return nothing(geobox.shape, source.dtype), np.zeros(geobox.shape, np.bool_), 0
    values, measured, n_bytes = _read_window(source, window)
    if window.exact:
        return values, measured, n_bytes
    sampler = _Sampler(_part(source.grid, window), geobox, window.shrink)
    if resampling == "nearest":
        onto = _pick(values, measured, sampler)
    elif resampling == "mode":
        onto = _majority(values, measured, sampler)
    elif decibel:
        onto = _interpolate_power(values, measured, sampler, scale / 10)
    else:
        onto = _interpolate(values, measured, sampler, KERNELS[resampling])
    return *onto, n_bytes


@dataclass(frozen=True, slots=True)
class _Sampler:
    """Interpolates layers of one source window at the sub-pixels of a target grid."""

    place: GeoBox | GroundControl
    target: GeoBox
    shrink: tuple[int, int]

    def samples(self, layers: Values, kernel: Resampling, shrink: tuple[int, int]) -> Values:
        """Interpolate `(B, h, w)` to `(B, H * rows, W * cols)`; 0 outside the layers."""
        rows, cols = shrink
        height, width = self.target.shape
        affine = self.place.affine if isinstance(self.place, GeoBox) else ANYWHERE
        count, *shape = layers.shape
        profile = {"count": count, "height": shape[0], "width": shape[1], "dtype": layers.dtype}
        with MemoryFile() as memory:
            with memory.open(
                **profile,
                driver="GTiff",
                interleave="band",
                BIGTIFF="IF_SAFER",
                transform=affine,
            ) as file:
                file.write(layers)
            with (
                memory.open() as file,
                WarpedVRT(
                    file,
                    src_crs=rasterio.crs.CRS.from_wkt(self.place.crs.to_wkt()),
                    src_transform=affine,
                    crs=rasterio.crs.CRS.from_wkt(self.target.crs.to_wkt()),
                    transform=self.target.affine @ Affine.scale(1 / cols, 1 / rows),
                    height=height * rows,
                    width=width * cols,
                    resampling=kernel,
                    tolerance=TOLERANCE_PX,
                    src_nodata=None,
                    nodata=None,
                    XSCALE=1,
                    YSCALE=1,
                ) as view,
            ):
                if isinstance(self.place, GroundControl):
                    return read_by_points(view, file.name, self.place.points)
                return np.asarray(view.read())

    def means(self, layers: Layers, kernel: Resampling) -> Layers:
        """Interpolate `(B, h, w)` and average over each target pixel, `(B, H, W)`."""
        rows, cols = self.shrink
        height, width = self.target.shape
        fine = self.samples(layers, kernel, self.shrink)
        if self.shrink == (1, 1):
            return fine
        return fine.reshape(-1, height, rows, width, cols).mean(axis=(2, 4), dtype=layers.dtype)


def _pick(values: Values, measured: Valid, sampler: _Sampler) -> tuple[Values, Valid]:
    work = _work_dtype(values.dtype)
    layers = np.stack([values.astype(work), measured.astype(work)])
    picked = sampler.samples(layers, Resampling.nearest, (1, 1))
    return picked[0].astype(values.dtype), picked[1] == 1


def _interpolate(
    values: Values, measured: Valid, sampler: _Sampler, kernel: Resampling
) -> tuple[Values, Valid]:
    work = _work_dtype(values.dtype)
    mean, valid = _mean(np.where(measured, values, 0).astype(work), measured, sampler, kernel)
    return _kept(_as_dtype(mean, values.dtype), valid), valid


def _interpolate_power(
    values: Values, measured: Valid, sampler: _Sampler, bel: float
) -> tuple[Values, Valid]:
    """Interpolate logarithms as powers; `bel` is the decimal logarithm of power per number.

    Raises:
        RasterioIOError: A number stands for no power.
    """
    work = _work_dtype(values.dtype)
    level = np.where(measured, values, 0) * np.float64(bel)
    if (np.abs(level) > LIMIT_DB / 10).any():
        worst = 10 * level.flat[np.abs(level).argmax()]
        raise RasterioIOError(f"{worst:g} dB is no power; is it an undeclared nodata value?")
    power = np.where(measured, 10**level, 0).astype(work)
    mean, valid = _mean(power, measured, sampler, KERNELS["bilinear"])
    level = np.log10(mean, dtype=np.float64, where=valid, out=np.zeros(mean.shape)) / bel
    return _kept(_as_dtype(level, values.dtype), valid), valid


def _kept(values: Values, valid: Valid) -> Values:
    """Return the values where they hold, and nothing elsewhere."""
    if valid.all():
        return values
    return np.where(valid, values, nothing((), values.dtype))


def _mean(
    values: Layers, measured: Valid, sampler: _Sampler, kernel: Resampling
) -> tuple[Layers, Valid]:
    """Return means of `values`, which are 0 where nothing was measured, and where they hold."""
    if measured.all():
        # The window reaches beyond all kernels, or beyond the source's edge, where nothing counts.
        (mean,) = sampler.means(values[np.newaxis], kernel)
        return mean, np.ones(mean.shape, np.bool_)
    total, weight = sampler.means(np.stack([values, measured.astype(values.dtype)]), kernel)
    valid = weight >= HALF
    return np.divide(total, weight, out=np.zeros_like(total), where=valid), valid


def _majority(values: Values, measured: Valid, sampler: _Sampler) -> tuple[Values, Valid]:
    shape = sampler.target.shape
    best, share = nothing(shape, values.dtype), np.zeros(shape, np.float32)
    weight = np.zeros(shape, np.float32)
    for classes in _batches(np.unique(values[measured]), CLASSES_AT_ONCE):
        layers = np.stack([(values == c) & measured for c in classes]).astype(np.float32)
        for value, area in zip(classes, sampler.means(layers, Resampling.bilinear), strict=True):
            wins = area > share + TIE
            best[wins], share[wins] = value, area[wins]
            weight += area
    return best, weight >= HALF


def _batches(items: Values, size: int) -> Iterator[Values]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _work_dtype(dtype: np.dtype[np.generic]) -> type[np.floating]:
    """Return the floating type that holds every number of `dtype` to better than half a step."""
    exact = {("i", 1), ("u", 1), ("i", 2), ("u", 2), ("f", 2), ("f", 4)}
    if (dtype.kind, dtype.itemsize) in exact:
        return np.float32
    if (dtype.kind, dtype.itemsize) in {("i", 4), ("u", 4), ("f", 8)}:
        return np.float64
    raise RasterioIOError(f"{dtype} numbers cannot be interpolated without loss")


def _as_dtype(values: Layers, dtype: np.dtype[np.generic]) -> Values:
    """Round and clip to `dtype`; a cubic kernel overshoots, and integers must not wrap."""
    if dtype.kind not in "iu":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    # Single precision holds every number of 16 bits; of 32 it does not.
    work = values if dtype.itemsize <= 2 else values.astype(np.float64)
    return np.clip(np.rint(work), limits.min, limits.max).astype(dtype)


def _part(grid: GeoBox | GroundControl, window: SourceWindow) -> GeoBox | GroundControl:
    """Return where the pixels of a window lie."""
    (top, bottom), (left, right) = window.rows, window.cols
    if isinstance(grid, GroundControl):
        return grid.moved(-left, -top)
    affine = grid.affine @ Affine.translation(left, top)
    return GeoBox((bottom - top, right - left), affine, grid.crs)


def _read_window(source: Source, window: SourceWindow) -> tuple[Values, Valid, int]:
    """Read `(h, w)` values and where they were measured; nothing is beyond the source's edges."""
    (top, bottom), (left, right) = window.rows, window.cols
    height, width = source.grid.shape
    rows, cols = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    dn, valid = source.read(rows, cols)
    values = nothing((bottom - top, right - left), source.dtype)
    known = np.zeros(values.shape, np.bool_)
    inside = (slice(rows.start - top, rows.stop - top), slice(cols.start - left, cols.stop - left))
    values[inside] = dn
    known[inside] = valid
    return values, known, dn.nbytes
