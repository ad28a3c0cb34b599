"""Bands that Earth Engine brings onto a grid: the expression that warps as `read_onto` does.

The rules are those of `eodata.providers.warp`, said in the server's functions. Missing pixels are
set to zero beside a layer of ones and zeros; both are interpolated, averaged over each target pixel
and divided, and a pixel holds when half of its weight was measured. How the server itself
interpolates beside a mask is documented nowhere, so no mask is interpolated here.

Where the target is coarser, the image is interpolated on a grid that parts each target pixel into
whole ones of about the source's size, and reduced from there. The shares that `reduceResolution`
weighs by are then equal: what they are across projections is documented nowhere either.

Decibels become power before, and decibels again after. Numbers are rounded on the server, halves to
even as NumPy does, so that they travel in the band's own type.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox

from eodata.core.errors import ProviderError
from eodata.providers.earthengine.graph import (
    HALF,
    Call,
    binary,
    cast,
    constant,
    filled,
    load,
    masked,
    on_grid,
    select,
)
from eodata.providers.loaded import Window
from eodata.providers.source_window import source_window
from eodata.providers.warp import HALF as HALF_OF_WEIGHT
from eodata.providers.warp import LIMIT_DB

MOST_SAMPLES = 65_536
"""Pixels that the server combines to one, at most."""
PARTS = 3
"""Classes on another grid are looked up so often per pixel and axis before they are counted."""
NO_POWER = 37.0
"""Bels that stand for a number that is no power; single precision just holds them."""
MODES = {"bilinear": "bilinear", "average": "bilinear", "cubic": "bicubic"}
"""The server's name of each way to interpolate."""
SHORT = ("uint8", "int8", "uint16", "int16", "float32")
"""Types of which single precision holds every number."""


@dataclass(frozen=True, slots=True)
class Warp:
    """How bands of one image come onto a grid; the bands of one request share it.

    Attributes:
        image: Asset id.
        source: The bands' own grid.
        crs: Its CRS, as Earth Engine writes it.
        target: The grid.
        window: What of the target is asked for.
        shrink: `(rows, cols)` samples per target pixel.
        resampling: nearest, bilinear, cubic, average or mode.
        dtype: NumPy's name of the answer's type.
        nodata: Number of a missing class, None where the mask alone tells.
        bel: Decimal logarithm of power per number; None for what is no decibel.
    """

    image: str
    source: GeoBox
    crs: str
    target: GeoBox
    window: Window
    shrink: tuple[int, int]
    resampling: str
    dtype: str
    nodata: float | None = None
    bel: float | None = None

    def picture(self, bands: Sequence[str]) -> Call:
        """Return the bands as an image that is masked where they do not hold, on the target."""
        chosen = select(load(self.image), bands)
        share = Call("Image.mask", image=chosen)
        measured = binary("gte", share, HALF)
        if self.nodata is not None:
            measured = binary("and", measured, binary("neq", chosen, self.nodata))
        if self.resampling == "nearest" or (self.resampling == "mode" and not self.is_coarser):
            return cast(self._picked(masked(chosen, measured)), self.dtype)
        weight = self._mean(cast(measured, "float32"))
        holds = binary("gte", weight, HALF_OF_WEIGHT)
        if self.resampling == "mode":
            return cast(self._commonest(masked(chosen, measured), holds), self.dtype)
        total = self._mean(masked(self._number(chosen), measured))
        return masked(self._stored(binary("divide", total, weight)), holds)

    @property
    def is_coarser(self) -> bool:
        """Return True when a target pixel takes more than one sample."""
        return self.shrink != (1, 1)

    def _picked(self, image: Call) -> Call:
        """Return the pixel under each centre; left alone, a coarse grid is served from a level."""
        if not self.is_coarser:
            return image
        return on_grid("reproject", image, self.crs, self.source.affine)

    def _mean(self, image: Call) -> Call:
        """Return an image interpolated, with 0 where it is masked, and averaged."""
        native = on_grid("setDefaultProjection", filled(image), self.crs, self.source.affine)
        kernel = "bilinear" if self.bel is not None else MODES.get(self.resampling, "bilinear")
        smooth = Call("Image.resample", image=native, mode=kernel)
        return (
            self._reduced(smooth, Call("Reducer.mean"), self.shrink) if self.is_coarser else smooth
        )

    def _commonest(self, image: Call, holds: Call) -> Call:
        """Return the class with the largest area."""
        native = on_grid("setDefaultProjection", image, self.crs, self.source.affine)
        rows, cols = self._parts()
        mode = Call("Reducer.mode", maxRaw=rows * cols)
        found = self._reduced(native, mode, (rows, cols))
        some = binary("gt", Call("Image.mask", image=found), 0)
        return masked(filled(found), binary("and", holds, some))

    def _parts(self) -> tuple[int, int]:
        """Return samples per target pixel: of classes more, unless each is a source pixel."""
        rows, cols = self.shrink
        window = source_window(self.source, finer(self.target, self.shrink))
        nested = window is not None and window.exact
        if nested or rows * cols * PARTS**2 > MOST_SAMPLES:
            return self.shrink
        return rows * PARTS, cols * PARTS

    def _reduced(self, image: Call, reducer: Call, shrink: tuple[int, int]) -> Call:
        grid = finer(self.target, shrink)
        fine = on_grid("reproject", image, crs_of(grid), grid.affine)
        return Call(
            "Image.reduceResolution",
            image=fine,
            reducer=reducer,
            bestEffort=False,
            maxPixels=shrink[0] * shrink[1],
        )

    def _number(self, chosen: Call) -> Call:
        """Return what is interpolated: the numbers, or the power that they stand for."""
        if self.bel is None:
            return cast(chosen, "float32" if self.dtype in SHORT else "float64")
        level = binary("multiply", cast(chosen, "float64"), self.bel)
        wrong = binary("gt", Call("Image.abs", value=level), LIMIT_DB / 10)
        told = Call("Image.where", input=level, test=wrong, value=constant(NO_POWER))
        return Call("Image.exp", value=binary("multiply", told, math.log(10)))

    def _stored(self, mean: Call) -> Call:
        """Return means as the numbers of the band."""
        if self.bel is not None:
            level = binary("divide", Call("Image.log10", value=mean), self.bel)
            return cast(level, self.dtype)
        if np.dtype(self.dtype).kind == "f":
            return cast(mean, self.dtype)
        limits = np.iinfo(self.dtype)
        low, high = float(limits.min), float(limits.max)
        return cast(Call("Image.clamp", input=_rounded(mean), low=low, high=high), self.dtype)


def warp_shrink(source: GeoBox, target: GeoBox) -> tuple[int, int] | None:
    """Return samples per target pixel, `(rows, cols)`.

    Returns:
        None where nothing is to be warped: target pixels are source pixels, or the two do not meet.
    """
    window = source_window(source, target)
    return None if window is None or window.exact else window.shrink


def check_shrink(image: str, shrink: tuple[int, int]) -> None:
    """Refuse a target that is too coarse for the server.

    Raises:
        ProviderError: With what to do.
    """
    if shrink[0] * shrink[1] > MOST_SAMPLES:
        raise ProviderError(
            f"earthengine ({image})",
            f"one pixel of the grid takes {shrink[0]} x {shrink[1]} pixels of the image",
            f"the server combines {MOST_SAMPLES} at most.",
            "Use warped_by: client for this modality.",
        )


def finer(grid: GeoBox, parts: tuple[int, int]) -> GeoBox:
    """Return a grid whose pixels are parted into `(rows, cols)`."""
    rows, cols = parts
    shape = grid.shape[0] * rows, grid.shape[1] * cols
    return GeoBox(shape, grid.affine @ Affine.scale(1 / cols, 1 / rows), grid.crs)


def crs_of(grid: GeoBox) -> str:
    """Return a grid's CRS as Earth Engine reads it: a code, or WKT where there is none."""
    crs = CRS(grid.crs)
    return f"EPSG:{crs.epsg}" if crs.epsg is not None else str(crs.to_wkt())


def _rounded(image: Call) -> Call:
    """Return whole numbers, halves to even; nobody states what the server's `round` does."""
    below = Call("Image.floor", value=binary("add", image, 0.5))
    is_half = binary("eq", binary("subtract", below, image), 0.5)
    half = Call("Image.floor", value=binary("divide", below, 2))
    is_odd = binary("neq", binary("multiply", half, 2), below)
    return binary("subtract", below, binary("and", is_half, is_odd))
