"""From digital numbers to what a network can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eodata.core.band import Band
from eodata.datasets.chunking import Chunking
from eodata.datasets.scaled_bands import BandScaling
from eodata.datasets.scalings import DN

# Losses, `default_collate` and most arithmetic do not know torch's unsigned types beyond uint8.
WIDER = {"uint16": np.int32, "uint32": np.int64}


@dataclass(frozen=True, slots=True, eq=False)
class OpenedModality:
    """One modality as the items of a dataset hold it.

    Attributes:
        bands: The C bands of an item, in order.
        channels: Their positions in the store.
        shape: `(T, C, H, W)` with all steps of the store.
        static: True for one step without a date.
        scaling: `dn`, `physical`, or a normalisation of its bands.
        chunking: How it is cut into shards and chunks.
    """

    bands: tuple[Band, ...]
    channels: tuple[int, ...]
    shape: tuple[int, int, int, int]
    static: bool
    scaling: str | BandScaling
    chunking: Chunking

    def decode(self, dn: NDArray[np.generic], valid: NDArray[np.bool_]) -> NDArray[np.generic]:
        """Return `(T, C, H, W)` in the scaling asked for.

        Args:
            dn: `(T, C, H, W)` as stored.
            valid: `(T, H, W)`, True = usable.
        """
        if self.scaling == DN:
            return dn.astype(WIDER[dn.dtype.name]) if dn.dtype.name in WIDER else dn
        out: NDArray[Any] = to_physical(dn, valid, self.bands)
        if isinstance(self.scaling, BandScaling):
            self.scaling.apply(out, valid)
        return out


def to_physical(
    dn: NDArray[np.generic], valid: NDArray[np.bool_], bands: tuple[Band, ...]
) -> NDArray[np.generic]:
    """Return float32 in physical units, or int64 class numbers.

    Args:
        dn: `(T, C, H, W)` as stored.
        valid: `(T, H, W)`, True = usable.
        bands: The C bands.

    Returns:
        `(T, C, H, W)`, int64 when every band is categorical or a bitmask, else float32 (class
        numbers among them are exact to 2**24); 0 where not valid, whatever was stored.
    """
    continuous = [band.kind == "continuous" for band in bands]
    out: NDArray[Any] = dn.astype(np.float32 if any(continuous) else np.int64)
    if any(continuous):
        out *= _per_band([b.scale if c else 1.0 for b, c in zip(bands, continuous, strict=True)])
        out += _per_band([b.offset if c else 0.0 for b, c in zip(bands, continuous, strict=True)])
    np.copyto(out, 0, where=~valid[:, None])
    return out


def _per_band(numbers: list[float]) -> NDArray[np.float32]:
    return np.array(numbers, np.float32)[:, None, None]
