"""Read one band of an open raster onto a grid: values in the file's own dtype, and where they hold.

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
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import rasterio.crs
from affine import Affine
from numpy.typing import NDArray
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from rasterio.enums import MaskFlags, Resampling
from rasterio.errors import CRSError, RasterBlockError, RasterioIOError
from rasterio.io import DatasetReader, MemoryFile
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from eodata.providers.source_window import SourceWindow, source_window

Values = NDArray[np.generic]
Valid = NDArray[np.bool_]
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


def read_onto(
    source: DatasetReader, band: int, geobox: GeoBox, resampling: str, nodata: float | None
) -> tuple[Values, Valid, int]:
    """Read one band onto a grid.

    On the source's own grid pixels are copied. Elsewhere `nearest` takes the pixel under each
    centre, `mode` the class with the largest area, and the others interpolate at the source's
    resolution and average over each target pixel: a coarser grid weighs by area under any of
    their names. Overviews are never used. Deterministic; safe in threads that do not share
    `source`.

    Args:
        source: An open raster.
        band: 1-based.
        geobox: The target grid; any CRS.
        resampling: nearest, bilinear, cubic, average or mode.
        nodata: DN of a missing value, None when every pixel counts. NaN and infinities never do.

    Returns:
        Values `(H, W)` in the file's dtype, rounded and clipped to it; valid `(H, W)`, False
        outside the source; bytes read before resampling. Pixels that are not valid hold whatever
        the file says, or 0, or NaN.

    Raises:
        RasterioError: The file is damaged, has blocks that were never written, or holds numbers
            that cannot be resampled.
        CRSError: The file does not say where it is.
    """
    grid = source_grid(source)
    window = source_window(grid, geobox)
    if window is None:
        dtype = np.dtype(source.dtypes[band - 1])
        return _nothing(geobox.shape, dtype), np.zeros(geobox.shape, np.bool_), 0
    values, measured, n_bytes = _read_window(source, band, window, nodata)
    if window.exact:
        return values, measured, n_bytes
    affine = grid.affine @ Affine.translation(window.cols[0], window.rows[0])
    sampler = _Sampler(affine, source.crs, geobox, window.shrink)
    if resampling == "nearest":
        onto = _pick(values, measured, sampler)
    elif resampling == "mode":
        onto = _majority(values, measured, sampler)
    else:
        onto = _interpolate(values, measured, sampler, KERNELS[resampling])
    return *onto, n_bytes


def source_grid(source: DatasetReader) -> GeoBox:
    """Return the grid of an open raster.

    Raises:
        CRSError: It has no CRS, or only ground control points.
    """
    if source.crs is None or source.transform.is_identity:
        points = f"only {len(source.gcps[0])} ground control points" if source.gcps[0] else "none"
        raise CRSError(f"a CRS and a transform are needed, and the file has {points}")
    return GeoBox(source.shape, source.transform, CRS(source.crs.to_wkt()))


@dataclass(frozen=True, slots=True)
class _Sampler:
    """Interpolates layers of one source window at the sub-pixels of a target grid."""

    affine: Affine
    crs: rasterio.crs.CRS
    target: GeoBox
    shrink: tuple[int, int]

    def samples(self, layers: Values, kernel: Resampling, shrink: tuple[int, int]) -> Values:
        """Interpolate `(B, h, w)` to `(B, H * rows, W * cols)`; 0 outside the layers."""
        rows, cols = shrink
        height, width = self.target.shape
        count, *shape = layers.shape
        profile = {"count": count, "height": shape[0], "width": shape[1], "dtype": layers.dtype}
        with MemoryFile() as memory:
            with memory.open(
                **profile,
                driver="GTiff",
                interleave="band",
                BIGTIFF="IF_SAFER",
                transform=self.affine,
            ) as file:
                file.write(layers)
            with (
                memory.open() as file,
                WarpedVRT(
                    file,
                    src_crs=self.crs,
                    src_transform=self.affine,
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
                return np.asarray(view.read())

    def means(self, layers: Layers, kernel: Resampling) -> Layers:
        """Interpolate `(B, h, w)` and average over each target pixel, `(B, H, W)`."""
        rows, cols = self.shrink
        height, width = self.target.shape
        fine = self.samples(layers, kernel, self.shrink)
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
    layers = np.stack([np.where(measured, values, 0).astype(work), measured.astype(work)])
    total, weight = sampler.means(layers, kernel)
    valid = weight >= HALF
    mean = np.divide(total, weight, out=np.zeros_like(total), where=valid)
    onto = _nothing(mean.shape, values.dtype)
    onto[valid] = _as_dtype(mean[valid], values.dtype)
    return onto, valid


def _majority(values: Values, measured: Valid, sampler: _Sampler) -> tuple[Values, Valid]:
    shape = sampler.target.shape
    best, share = _nothing(shape, values.dtype), np.zeros(shape, np.float32)
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
    return np.clip(np.rint(values.astype(np.float64)), limits.min, limits.max).astype(dtype)


def _nothing(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Values:
    return np.full(shape, np.nan if dtype.kind in "fc" else 0, dtype)


def _read_window(
    source: DatasetReader, band: int, window: SourceWindow, nodata: float | None
) -> tuple[Values, Valid, int]:
    """Read `(h, w)` values and where they were measured; nothing is beyond the source's edges."""
    (top, bottom), (left, right) = window.rows, window.cols
    rows, cols = (
        slice(max(top, 0), min(bottom, source.height)),
        slice(max(left, 0), min(right, source.width)),
    )
    part = Window.from_slices(rows, cols)
    _refuse_unwritten(source, band, part, nodata)
    dn = source.read(band, window=part)
    values = _nothing((bottom - top, right - left), dn.dtype)
    measured = np.zeros(values.shape, np.bool_)
    inside = (slice(rows.start - top, rows.stop - top), slice(cols.start - left, cols.stop - left))
    values[inside] = dn
    measured[inside] = _measured(dn, nodata)
    if MaskFlags.per_dataset in source.mask_flag_enums[band - 1]:
        measured[inside] &= source.read_masks(band, window=part) != 0
    return values, measured, dn.nbytes


def _measured(dn: Values, nodata: float | None) -> Valid:
    good = np.isfinite(dn) if dn.dtype.kind in "fc" else np.ones(dn.shape, np.bool_)
    if nodata is None or not np.isfinite(nodata):
        return good
    if dn.dtype.kind in "iu":
        limits = np.iinfo(dn.dtype)
        possible = float(nodata).is_integer() and limits.min <= nodata <= limits.max
        return good & (dn != dn.dtype.type(int(nodata))) if possible else good
    with np.errstate(over="ignore"):  # -1.8e308 in a float32 file: it cannot occur
        return good & (dn != dn.dtype.type(nodata))


def _refuse_unwritten(
    source: DatasetReader, band: int, window: Window, nodata: float | None
) -> None:
    """Refuse blocks that have no bytes: GDAL would make zeros of them without a word.

    A writer that was killed leaves them, and so does a sparse file on purpose. They are read only
    where the file's own nodata value says what they are.

    Raises:
        RasterBlockError: A block of the window was never written.
    """
    stated = source.nodatavals[band - 1]
    both_nan = stated is not None and nodata is not None and stated != stated and nodata != nodata
    if source.driver != "GTiff" or both_nan or (stated is not None and stated == nodata):
        return
    height, width = source.block_shapes[band - 1]
    for row in _blocks(window.row_off, window.height, height):
        for col in _blocks(window.col_off, window.width, width):
            if source.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band) is None:
                raise RasterBlockError(
                    f"block (row {row}, column {col}) was never written, "
                    "and no nodata value says what it stands for"
                )


def _blocks(first: int, length: int, size: int) -> range:
    return range(int(first) // size, -(-int(first + length) // size))
