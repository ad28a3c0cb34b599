"""Modalities that are computed from finished ones. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eodata.core.band import Band


def derived_band(name: str, gsd: float) -> Band:
    """Return the band of a class mask: 1 where one of the classes is, 0 elsewhere."""
    classes = ((0, f"no {name}", "000000"), (1, name, "ffffff"))
    return Band(name=name, kind="categorical", dtype="uint8", gsd=gsd, unit="", classes=classes)


def class_mask(values: NDArray[np.generic], classes: Sequence[int]) -> NDArray[np.uint8]:
    """Mark the pixels whose class is one of `classes`.

    Args:
        values: Class ids, any shape.
        classes: Ids to mark.

    Returns:
        1 or 0, same shape. Invalid pixels are marked like any other: `valid` tells.
    """
    return np.isin(values, np.asarray(classes)).astype(np.uint8)
