"""The ground without its season: everything about a place that does not change with time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.lattice import Field


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The lasting properties of a grid or of scattered points; all arrays share one shape.

    Attributes:
        cover: `Cover` values, uint8.
        elevation: Height of the ground above the sea [m]; 0 on the sea.
        slope_x: Rise of the ground towards the east [m/m].
        slope_y: Rise of the ground towards the north [m/m].
        vigour: How much of the plant cover is green at its best, 0 to 1, by patch and field.
        phase: Days by which plants here are late, by field.
        texture: Brightness relative to the class, about 1, by patch and by pixel.
        wetness: Moisture of the climate here, 0 (desert) to 1 (rain forest).
        warmth: Mean temperature of the year at this height [degrees C].
        height: Height of canopy or buildings above the ground [m].
        built: Share of sealed ground in the neighbourhood (about 500 m), 0 to 1.
        lat: Latitude [degrees].
    """

    cover: NDArray[np.uint8]
    elevation: Field
    slope_x: Field
    slope_y: Field
    vigour: Field
    phase: Field
    texture: Field
    wetness: Field
    warmth: Field
    height: Field
    built: Field
    lat: Field


@dataclass(frozen=True, slots=True, eq=False)
class Season:
    """What the time of year makes of a ground; same shape as the ground.

    Attributes:
        green: Share of the ground under green leaves, 0 to 1.
        snow: Share of the ground under snow, 0 to 1.
        moisture: Water in the top soil, 0 (dry) to 1 (saturated).
    """

    green: Field
    snow: Field
    moisture: Field
