"""What is compared, and what one comparison says: the types of co-registration.

A shift is (row, col) in pixels. It belongs to the image, not to its reference: a shift of (2, -1)
means that what the reference shows at (row, col) stands in the image at (row + 2, col - 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float32]
Valid = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One side of a comparison: an image of some ground, on the same grid as the other side.

    Attributes:
        values: `(C, H, W)` float32, finite everywhere; of any unit and scale. Radar is in decibels.
        valid: `(H, W)`, True where the ground was seen; what lies elsewhere is ignored.
    """

    values: Numbers
    valid: Valid


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """How well two tiles match under every whole shift within reach.

    Attributes:
        surface: `(2 * reach + 1, 2 * reach + 1)` float32; `[reach + row, reach + col]` is the match
            under the shift (row, col), in units of the noise: without a common structure the
            entries have mean 0 and standard deviation 1. So surfaces of tiles may be added.
        row: Middle of the tile in the image [px].
        col: The same along columns.
        weight: How much usable ground both tiles share, in [0, 1].
    """

    surface: Numbers
    row: float
    col: float
    weight: float

    @property
    def reach(self) -> int:
        """Largest whole shift along each axis [px]."""
        return len(self.surface) // 2
