"""What a co-registration finds: a shift that is the same everywhere or changes smoothly. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
TERMS = {"constant": 1, "affine": 3, "quadratic": 6}
"""How many numbers each model has along each axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """The shift of an image against its reference, over all pixels of the window.

    Attributes:
        terms: `(k, 2)`: how row and col shift [px] depend on `basis`; k is a value of `TERMS`.
        origin: Row and col where the first of the terms is the shift.
        scale: Pixels per unit of the basis.
        mean: Mean shift (row, col) over the ground that was compared [px].
        error: Standard error of the shift along each axis, its mean over that ground [px].
        confidence: In [0, 1], the chance that the shift is not off by more than a pixel.
        n_tiles: How many tiles agree with it.
        ground: First and last row, first and last col of what was compared [px]. Beyond, the shift
            is that of the border: a curve knows nothing of ground that nobody saw.
    """

    terms: Floats
    origin: tuple[float, float]
    scale: float
    mean: tuple[float, float]
    error: float
    confidence: float
    n_tiles: int
    ground: tuple[float, float, float, float] = (-np.inf, np.inf, -np.inf, np.inf)

    @property
    def is_constant(self) -> bool:
        """Whether the shift is the same everywhere."""
        return len(self.terms) == 1

    def at(self, rows: ArrayLike, cols: ArrayLike) -> Floats:
        """Return the shift at some pixels of the image, `(n, 2)` as (row, col) [px]."""
        north, south, west, east = self.ground
        inside = np.clip(rows, north, south), np.clip(cols, west, east)
        made: Floats = basis(*inside, self.origin, self.scale, len(self.terms)) @ self.terms
        return made

    def covers(self, row: float, col: float) -> bool:
        """Return whether a pixel lies on the ground that was compared."""
        north, south, west, east = self.ground
        return north <= row <= south and west <= col <= east


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """What a comparison says.

    Attributes:
        field: The shift, None when it cannot be measured: unknown is not zero.
        why: Why it cannot be measured, in a few words; `""` when it can.
    """

    field: Field | None
    why: str = ""


def basis(
    rows: ArrayLike, cols: ArrayLike, origin: tuple[float, float], scale: float, terms: int
) -> Floats:
    """Return 1, r, c, r², rc, c² at some pixels, as many as `terms`, `(n, terms)`."""
    r = (np.ravel(np.asarray(rows, np.float64)) - origin[0]) / scale
    c = (np.ravel(np.asarray(cols, np.float64)) - origin[1]) / scale
    return np.stack([np.ones_like(r), r, c, r * r, r * c, c * c][:terms], axis=1)
