"""Pixels that know where, when and whether they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.core.band import Band
from eodata.core.errors import GridError


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """One modality on one grid.

    Invalid pixels keep whatever number the source delivered; only `valid` tells.
    """

    values: NDArray[np.generic]
    """`(T, C, H, W)`, DN as stored. Row 0 is the northern edge."""
    valid: NDArray[np.bool_]
    """`(T, H, W)`, True = usable in every band."""
    bands: tuple[Band, ...]
    """C bands, in the order of the second axis."""
    times: NDArray[np.datetime64]
    """`(T,)` UTC time of each acquisition, NaT where there is none."""
    geobox: GeoBox
    """The grid of the last two axes."""

    def __post_init__(self) -> None:
        if self.values.ndim != 4:
            raise _shape_error("values", self.values.shape, "(T, C, H, W)")
        t, c, h, w = self.values.shape
        expected = {
            "valid": (self.valid.shape, (t, h, w)),
            "bands": ((len(self.bands),), (c,)),
            "times": (self.times.shape, (t,)),
            "geobox": (tuple(self.geobox.shape), (h, w)),
        }
        for name, (found, wanted) in expected.items():
            if found != wanted:
                raise _shape_error(name, found, f"{wanted} to match values {self.values.shape}")
        if self.valid.dtype != np.bool_:
            raise _shape_error("valid", self.valid.dtype, "bool, True = usable")


def _shape_error(name: str, found: object, wanted: str) -> GridError:
    return GridError(f"Raster.{name}", str(found), f"it must be {wanted}.")
