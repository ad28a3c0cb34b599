"""Where the pixels of a Sentinel-1 item lie in the swath, and what the day does to the surface.

All of it is smooth, so it is computed at nodes and straight between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.orbits import SENTINEL1_FAR_KM, SENTINEL1_NEAR_KM, incidence_deg
from eodata.sandbox.planet.lattice import Field, Ints, between_nodes, hash01, salt, sphere_noise
from eodata.sandbox.planet.sites import Floats, Sites, cut, paint, to_lonlat
from eodata.sandbox.sensors.sentinel1_frames import FRAME_S
from eodata.sandbox.sensors.sentinel1_items import S1Origin

NODE_M = 4800.0
MIDDLE_KM = (SENTINEL1_NEAR_KM + SENTINEL1_FAR_KM) / 2
HALF_KM = (SENTINEL1_FAR_KM - SENTINEL1_NEAR_KM) / 2
SUBSWATHS = 3
NESZ_DB = (-28.0, -23.0)
"""Noise of the instrument as sigma nought: in the middle of a subswath, and at its edges."""
LEFT_DB = -6.0
"""What the removal of thermal noise leaves of it."""
WIND_KM, DEW_KM = 350.0, 120.0
DEW = 0.13
"""How much the rain and dew of a day add to or take from moisture."""
BORDER_KM = (0.3, 1.0)
"""Least and greatest width of what old processors left beyond the edges."""
ZEROS = 0.3
"""Zeros follow beyond the border noise, for this share of its width."""
_INCIDENCE, _WIND, _DEW, _NOISE, _ACROSS, _ALONG = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A part of an item, seen from the satellite; all arrays have its shape.

    Attributes:
        incidence: Angle of incidence on the ellipsoid [degrees].
        wind: On water, 0 (calm) to 1 (rough).
        dew: Water on leaves and on the topmost soil, as moisture.
        noise: What is left of the instrument's noise, as power.
        inside: bool, measured.
        depth: How far beyond the near or the far edge, in widths of the border: 0 to 1 is border
            noise, a little more is zeros. Infinite where there is no border.
    """

    incidence: Field
    wind: Field
    dew: Field
    noise: Field
    inside: NDArray[np.bool_]
    depth: Field

    @property
    def border(self) -> NDArray[np.bool_]:
        """Where old processors left noise."""
        return np.asarray((self.depth > 0) & (self.depth <= 1))

    @property
    def zeros(self) -> NDArray[np.bool_]:
        """Where old processors left zeros."""
        return np.asarray((self.depth > 1) & (self.depth <= 1 + ZEROS))


def strip_over(origin: S1Origin, base: GeoBox, seed: int) -> Strip:
    """Return how a part of an item was seen.

    Args:
        origin: Of the item.
        base: Any grid.
        seed: Of the world.
    """
    (height, width), pieces = base.shape, cut(base, origin.displacement())
    fields = paint(pieces, (height, width), lambda sites: _fields(origin, sites, seed))
    incidence, wind, dew, noise, across, along = cast("tuple[Field, ...]", fields)
    in_time = (along >= 0) & (along < np.float32(FRAME_S))
    inside = in_time & (np.abs(across) <= np.float32(HALF_KM))
    depth = np.full(base.shape, np.inf, np.float32)
    if origin.border and not inside.all():
        beyond = in_time & ~inside
        depth[beyond] = _depth(across[beyond], along[beyond], salt(seed, origin.stem))
    return Strip(incidence, wind, dew, noise, inside, depth)


def _fields(origin: S1Origin, sites: Sites, seed: int) -> tuple[Field, ...]:
    """Return incidence, wind, dew, noise, and the position across [km] and along [s] the frame.

    Positions count from the middle of the swath and the start of the frame; where all nodes lie
    inside the frame they are not needed and stand for its middle.
    """

    def at_nodes(i: Ints, j: Ints) -> Field:
        fields = _at_nodes(origin, sites.zone, i, j, seed)
        across, along = fields[_ACROSS], fields[_ALONG]
        inside = (np.abs(across) < HALF_KM).all() and (along > 0).all() and (along < FRAME_S).all()
        return fields[:_ACROSS] if inside else fields

    fields = between_nodes(sites, NODE_M, at_nodes)
    if len(fields) > _ACROSS:
        return tuple(fields)
    middle = np.broadcast_to(np.float32(0), sites.shape)
    return (*fields, middle, middle + np.float32(FRAME_S / 2))


def _at_nodes(origin: S1Origin, zone: int, i: Ints, j: Ints, seed: int) -> Field:
    """Return the stacked fields at nodes of a frame's lattice."""
    lon, lat = to_lonlat(Sites(zone, i * np.float64(NODE_M), j * np.float64(NODE_M)))
    across, along = origin.crossing.locate(lon, lat)
    day = origin.crossing.start.isoformat()
    wind = 0.5 + 0.7 * sphere_noise(lon, lat, WIND_KM, salt(seed, f"wind:{day}"))
    dew = DEW * sphere_noise(lon, lat, DEW_KM, salt(seed, f"dew:{day}"))
    return np.stack(
        [
            incidence_deg(across),
            np.clip(wind, 0, 1),
            dew,
            _noise_left(across),
            across - MIDDLE_KM,
            along - origin.frame.number * FRAME_S,
        ]
    ).astype(np.float32)


def _noise_left(across_km: Floats) -> Floats:
    """Return the power of what noise removal leaves: least in the middle of each subswath."""
    place = (across_km - SENTINEL1_NEAR_KM) / (2 * HALF_KM) * SUBSWATHS
    off_middle = 2 * (place - np.floor(place)) - 1
    level = NESZ_DB[0] + (NESZ_DB[1] - NESZ_DB[0]) * off_middle**2 + LEFT_DB
    return np.asarray(10 ** (level / 10))


def _depth(across: Field, along: Field, seed: int) -> Field:
    """Return how far pixels lie beyond the edge, in widths of the border, which is ragged."""
    far = across > 0
    least, most = BORDER_KM
    width = np.where(far, *(least + (most - least) * float(hash01(seed, n)) for n in (1, 2)))
    ragged = 1 + 0.15 * np.sin(along * 0.9) + 0.1 * np.sin(along * 7.1)
    return np.asarray((np.abs(across) - HALF_KM) / (width * ragged), np.float32)
