"""The classes of the layer SCL of Level-2A, from what really hangs and lies there.

Rules follow those of the real processor (Sen2Cor ATBD: indices and thresholds in a fixed order),
so its usual mistakes come with them: bright roofs and sand taken for cloud, thin cloud missed,
half-shadows left as ground. Thresholds are set so that classes swap where they do in real layers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.lattice import Field

BANDS_USED = ("B02", "B03", "B04", "B8A", "B11")
LEAST_GREEN = 0.45
"""NDVI from which ground counts as vegetation; half of the pixels there do in real layers."""
LEAST_SNOW = 0.4
"""NDSI from which bright ground counts as snow."""
SOME_CLOUD, MUCH_CLOUD = 0.12, 0.35
"""Reflectances of a cloud over its limit that count as medium and high probability."""
SOME_CIRRUS = 0.02
"""Reflectance of a cirrus in the visible that band B10 shows clearly."""
DEEP_SHADOW, HALF_SHADOW = 0.45, 0.8
"""Shares of direct sunlight below which ground counts as shadow, and as nothing certain."""


class Scl(IntEnum):
    """Values of the layer that occur here."""

    NODATA = 0
    DARK = 2
    SHADOW = 3
    VEGETATION = 4
    BARE = 5
    WATER = 6
    UNCLASSIFIED = 7
    CLOUD_MEDIUM = 8
    CLOUD_HIGH = 9
    CIRRUS = 10
    SNOW = 11


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the classes follow from; all arrays share one shape.

    Attributes:
        rho: Surface reflectance as Level-2A has it, by band: `BANDS_USED`.
        cloud: Reflectance of thick cloud over its limit, 0 to 1.
        cirrus: Reflectance of cirrus in the visible.
        sunlight: Share of direct sunlight that reaches the ground.
        water: Share of the pixel that is water.
    """

    rho: Mapping[str, Field]
    cloud: Field
    cirrus: Field
    sunlight: Field
    water: Field


def classify(evidence: Evidence) -> NDArray[np.uint8]:
    """Return the class of every pixel; nodata is for the caller to set."""
    rho = evidence.rho
    ndvi = _index(rho["B8A"], rho["B04"])
    ndsi = _index(rho["B03"], rho["B11"])
    white = (rho["B02"] > 0.30) & (ndvi < 0.35) & (ndsi < LEAST_SNOW)
    ground = np.select(
        [
            (evidence.water > 0.5) & (ndvi < 0.3) & (rho["B8A"] < 0.15),
            (ndsi > LEAST_SNOW) & (rho["B03"] > 0.2),
            evidence.sunlight < DEEP_SHADOW,
            white,
            (rho["B8A"] < 0.12) & (rho["B03"] < 0.09),
            (evidence.sunlight < HALF_SHADOW) | (ndvi < 0.05),
            ndvi >= LEAST_GREEN,
        ],
        [
            Scl.WATER,
            Scl.SNOW,
            Scl.SHADOW,
            Scl.CLOUD_MEDIUM,
            Scl.DARK,
            Scl.UNCLASSIFIED,
            Scl.VEGETATION,
        ],
        Scl.BARE,
    )
    sky = np.select(
        [
            evidence.cloud >= MUCH_CLOUD,
            evidence.cloud >= SOME_CLOUD,
            evidence.cirrus >= SOME_CIRRUS,
        ],
        [Scl.CLOUD_HIGH, Scl.CLOUD_MEDIUM, Scl.CIRRUS],
        ground,
    )
    return sky.astype(np.uint8)


def _index(one: Field, other: Field) -> Field:
    """Return the normalised difference of two reflectances."""
    index: Field = (one - other) / np.maximum(one + other, np.float32(1e-4))
    return index
