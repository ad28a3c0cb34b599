"""What the warp reads from: one band of a raster, whatever holds its pixels."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.providers.ground_control import GroundControl

Values = NDArray[np.generic]
Valid = NDArray[np.bool_]


class Source(Protocol):
    """One band of one raster."""

    @property
    def grid(self) -> GeoBox | GroundControl:
        """Where the whole raster lies."""
        ...

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Of its numbers."""
        ...

    def read(self, rows: slice, cols: slice) -> tuple[Values, Valid]:
        """Read a window that lies inside of the raster: DN, and where they were measured."""
        ...


def measured(dn: Values, nodata: float | None) -> Valid:
    """Return where numbers count.

    Args:
        dn: `(H, W)`.
        nodata: DN of a missing value, None when every number counts. NaN and infinities never do.
    """
    good = np.isfinite(dn) if dn.dtype.kind in "fc" else np.ones(dn.shape, np.bool_)
    if nodata is None or not np.isfinite(nodata):
        return good
    if dn.dtype.kind in "iu":
        limits = np.iinfo(dn.dtype)
        possible = float(nodata).is_integer() and limits.min <= nodata <= limits.max
        return good & (dn != dn.dtype.type(int(nodata))) if possible else good
    with np.errstate(over="ignore"):  # -1.8e308 in a float32 file: it cannot occur
        return good & (dn != dn.dtype.type(nodata))


def nothing(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Values:
    """Return an array that holds no numbers: NaN where the dtype has it, else 0."""
    return np.full(shape, np.nan if dtype.kind in "fc" else 0, dtype)
