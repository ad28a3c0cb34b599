"""From what a store holds to what is compared: numbers of like kind on one grid. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eodata.core.band import Band
from eodata.core.coregistration import Sight
from eodata.pipeline.coregister.evidence import Numbers, Valid, View
from eodata.pipeline.coregister.unlike import class_edges

WEAKEST_POWER = 1e-5
"""-50 dB: below what Sentinel-1 can tell from its own noise."""


def view_of(values: NDArray[np.generic], valid: Valid, bands: Sequence[Band], sight: Sight) -> View:
    """Return one image as it is compared.

    Args:
        values: `(C, H, W)` DN of the compared bands.
        valid: `(H, W)`, True where all of them were measured.
        bands: What the numbers mean, C of them.
        sight: What they show: classes become edges, powers become decibels.
    """
    if sight == "classes":
        return View(class_edges(values[0], valid), valid)
    layers = [band.physical(dn) for band, dn in zip(bands, values, strict=True)]
    if sight == "radar":
        layers = [_decibels(n, band) for n, band in zip(layers, bands, strict=True)]
    return View(np.where(valid, np.stack(layers), np.float32(0)), valid)


def _decibels(numbers: NDArray[np.floating], band: Band) -> NDArray[np.floating]:
    if band.unit == "dB":
        return numbers
    with np.errstate(invalid="ignore"):  # NaN where nothing was measured
        found: NDArray[np.floating] = 10 * np.log10(np.maximum(numbers, WEAKEST_POWER))
    return found


def shrunk(view: View, factor: int) -> View:
    """Return the view on pixels `factor` times as long: means of the valid ones.

    A pixel is valid when at least half of it is. Rows and columns that fill no whole pixel at the
    lower and right edge are left out.
    """
    if factor == 1:
        return view
    count, height, width = view.values.shape
    h, w = height // factor, width // factor
    inside = np.s_[..., : h * factor, : w * factor]
    shape = (h, factor, w, factor)
    share = view.valid[inside].reshape(shape).mean(axis=(1, 3), dtype=np.float32)
    kept = np.where(view.valid[inside], view.values[inside], np.float32(0))
    means = kept.reshape(count, *shape).mean(axis=(2, 4)) / np.maximum(share, 1e-6)
    valid = share >= 0.5
    values: Numbers = np.where(valid, means, np.float32(0)).astype(np.float32)
    return View(values, valid)
