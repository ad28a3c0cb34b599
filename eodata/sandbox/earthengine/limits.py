"""What one request may ask for: the limits that Earth Engine documents."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eodata.sandbox.earthengine.errors import invalid
from eodata.sandbox.earthengine.images import PixelGrid

MOST_BYTES = 48 * 2**20
"""Of the pixels of one answer, not compressed."""
MOST_PX = 32_768
"""Along one side."""
MOST_BANDS = 1024
MOST_PAYLOAD = 10 * 2**20
"""Bytes of the body of a request."""
QUOTA = 40
"""Requests that are worked on at once for one project, unless it has asked for more."""


def check_shape(grid: PixelGrid) -> None:
    """Refuse a grid with a side of no pixel, or of too many.

    Raises:
        EngineError: 400.
    """
    if min(grid.width, grid.height) < 1:
        raise invalid(f"Pixel grid dimensions ({grid.width}x{grid.height}) must be positive.")
    if max(grid.width, grid.height) > MOST_PX:
        said = f"{grid.width}x{grid.height}"
        raise invalid(f"Pixel grid dimensions ({said}) must be less than or equal to {MOST_PX}.")


def check_bands(count: int) -> None:
    """Refuse too many bands.

    Raises:
        EngineError: 400.
    """
    if count > MOST_BANDS:
        raise invalid(f"Number of bands ({count}) must be less than or equal to {MOST_BANDS}.")


def check_bytes(grid: PixelGrid, dtypes: Sequence[str]) -> None:
    """Refuse an answer that is too large.

    Args:
        grid: Of all bands.
        dtypes: NumPy's name of each band's type.

    Raises:
        EngineError: 400.
    """
    size = grid.width * grid.height * sum(np.dtype(name).itemsize for name in dtypes)
    if size > MOST_BYTES:
        why = f"must be less than or equal to {MOST_BYTES} bytes."
        raise invalid(f"Total request size ({size} bytes) {why}")


def check_payload(size: int) -> None:
    """Refuse the body of a request that is too large [bytes].

    Raises:
        EngineError: 400.
    """
    if size > MOST_PAYLOAD:
        raise invalid(f"Request payload size exceeds the limit: {MOST_PAYLOAD} bytes.")
