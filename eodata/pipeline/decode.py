"""From an archive's digital numbers to the store's: one scale and offset for all dates. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from eodata.core.band import Band
from eodata.core.errors import ProviderError
from eodata.core.item import Asset, Item


def stated_coding(item: Item, asset: Asset) -> tuple[float, float]:
    """Return scale and offset that an item states, of a product where they changed over time.

    Raises:
        ProviderError: Scale or offset is missing; guessing would be wrong by 0.1 reflectance.
    """
    if asset.scale is None or asset.offset is None:
        raise ProviderError(
            f"item {item.id}, asset {asset.key}",
            "the archive does not state raster:scale and raster:offset",
            "Sentinel-2 has an offset of -0.1 since processing baseline 04.00, so nobody can "
            "know what these numbers mean.",
            "Add both to the item: 0.0001 and -0.1 from baseline 04.00 on, 0.0001 and 0 before.",
        )
    return asset.scale, asset.offset


def harmonise(
    dn: NDArray[np.generic], valid: NDArray[np.bool_], asset: Asset, band: Band
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Turn the DN of an asset into those of the store.

    Physical value = DN * scale + offset holds on both sides, so the store's DN is
    `(DN * scale_a + offset_a - offset_b) / scale_b`, rounded and clipped for integers.

    Args:
        dn: `(H, W)` as read.
        valid: `(H, W)`, True = measured.
        asset: States scale and offset of the file; unstated means those of the band.
        band: States those of the store.

    Returns:
        DN in the band's dtype, and `(H, W)` True where a valid pixel was clipped to its range.
    """
    scale = band.scale if asset.scale is None else asset.scale
    offset = band.offset if asset.offset is None else asset.offset
    target = np.dtype(band.dtype)
    if (scale, offset) == (band.scale, band.offset) and np.can_cast(dn.dtype, target):
        return dn.astype(target, copy=False), np.zeros(dn.shape, np.bool_)
    if (scale, offset) == (band.scale, band.offset):
        wanted: NDArray[np.generic] = dn
    else:
        wanted = (dn.astype(np.float64) * scale + (offset - band.offset)) / band.scale
    if target.kind == "f":
        return wanted.astype(target), np.zeros(dn.shape, np.bool_)
    info = np.iinfo(target)
    rounded = np.rint(np.nan_to_num(wanted.astype(np.float64)))
    outside = valid & ((rounded < info.min) | (rounded > info.max))
    return np.clip(rounded, info.min, info.max).astype(target), outside
