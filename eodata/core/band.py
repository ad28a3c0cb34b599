"""One layer of numbers: what a digital number (DN) of it means."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isnan
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

Kind = Literal["continuous", "categorical", "bitmask"]


@dataclass(frozen=True, slots=True)
class Band:
    """A band as a store holds it; physical value = DN * scale + offset.

    Attributes:
        name: The provider's name, for example `B8A`; lower case `vv` for radar.
        kind: `continuous` numbers may be averaged; `categorical` and `bitmask` may not.
        dtype: NumPy name of the DN type on disk.
        gsd: Nominal ground sampling distance of the source [m].
        unit: Unit of the physical value, `"1"` for ratios, `""` for classes.
        scale: Factor from DN to physical value.
        offset: Added after scaling [unit].
        nodata: DN of a missing value in the source, or None. NaN needs no mention: it always
            means missing.
        common_name: STAC name such as `nir08`, or `""`.
        classes: `(value, name, "rrggbb")` of each class; empty unless categorical.
    """

    name: str
    kind: Kind
    dtype: str
    gsd: float
    unit: str = "1"
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    common_name: str = ""
    classes: tuple[tuple[int, str, str], ...] = field(default=())

    def __post_init__(self) -> None:
        if self.nodata is not None and isnan(self.nodata):
            object.__setattr__(self, "nodata", None)

    @property
    def fill(self) -> float | int:
        """DN written where nothing was measured: NaN for floats, 0 for integers.

        For integers it is no marker: only the `valid` array tells.
        """
        return float("nan") if np.issubdtype(np.dtype(self.dtype), np.floating) else 0

    def physical(
        self, dn: NDArray[np.generic], dtype: DTypeLike = np.float32
    ) -> NDArray[np.floating]:
        """Return `dn` of any shape in physical units [unit]; a copy.

        Args:
            dn: Digital numbers as they stand in the store.
            dtype: Floating type of the result.
        """
        out = dn.astype(dtype)
        if self.scale != 1.0:
            out *= self.scale
        if self.offset != 0.0:
            out += self.offset
        return out
