"""Speckle: the gamma-distributed multiplicative noise of multi-look radar, by pixel and item."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.lattice import Field, Ints, hash_bits

LOOKS = 4.4
"""Equivalent number of looks of Sentinel-1 IW GRD in high resolution."""
TABLE_BITS = 16


@lru_cache(maxsize=8)
def quantiles(looks: float) -> Field:
    """Return the quantiles of a gamma distribution of mean 1 and variance `1 / looks`.

    Returns:
        `(65536,)` float32, rising: the values whose probabilities are `(i + 0.5) / 65536`.
    """
    # In y = x^(1/4), because the density is steep near 0, and the distribution function there is
    # what the lowest decibels are made of.
    y = np.linspace(0.0, (1.0 + 12.0 / np.sqrt(looks)) ** 0.25, 200_001)
    with np.errstate(divide="ignore"):
        density = np.exp((4 * looks - 1) * np.log(y) - looks * y**4 + looks)
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    wanted = (np.arange(2**TABLE_BITS) + 0.5) / 2**TABLE_BITS
    values: Field = (np.interp(wanted, below / below[-1], y) ** 4).astype(np.float32)
    return values


@lru_cache(maxsize=8)
def quantiles_db(looks: float) -> Field:
    """Return the same quantiles in decibels."""
    return (10 * np.log10(quantiles(looks).astype(np.float64))).astype(np.float32)


def dice(seed: int, cols: Ints, rows: Ints) -> dict[str, NDArray[np.uint16]]:
    """Return the place in the table of quantiles by polarisation, `(H, W)` uint16.

    Args:
        seed: Of the item.
        cols: `(1, W)` absolute columns.
        rows: `(H, 1)` absolute rows.
    """
    bits = hash_bits(seed, cols, rows)
    return {
        "vv": (bits >> np.uint32(16)).astype(np.uint16),
        "vh": bits.astype(np.uint16),
    }
