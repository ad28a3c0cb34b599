"""What a region is like: climate, distance to shores, rivers and towns, known every 500 m.

All of it is a function of longitude and latitude, so that nothing large breaks where frames
meet. It is smooth enough to be interpolated between nodes; what is finer is added by `nature`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eodata.sandbox.planet.climate import Climate
from eodata.sandbox.planet.globe import globe
from eodata.sandbox.planet.lattice import Field, Ints, Mesh, salt, sphere_noises
from eodata.sandbox.planet.rivers import Rivers
from eodata.sandbox.planet.sites import Floats, Sites, to_lonlat

SPACING = 500.0
"""Distance of the nodes [m]."""
BLOCK = 1024
"""Nodes worked on at once: many noises of many nodes would leave the processor's cache."""
MOODS_KM = (150.0, 40.0, 14.0, 13.0, 9.0, 5.2, 4.6, 3.7, 2.3, 1.9)
"""Size of the features of the noises that vary a region, see `_Moods`."""


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What changes so slowly that sites take it straight from the region.

    Attributes:
        warmth: Mean temperature of the year at the level of the sea [degrees C].
        swing: Half the yearly range of temperature [K].
        wetness: Moisture of the climate, 0 to 1.
        lat: Latitude [degrees].
        spells: Noise in [-1, 1] that tells neighbouring weather from distant weather.
    """

    warmth: Field
    swing: Field
    wetness: Field
    lat: Field
    spells: Field


@dataclass(frozen=True, slots=True, eq=False)
class Region(Setting):
    """What holds around some sites; all fields have the shape of the sites.

    Attributes:
        coast: Distance to the sea [m], positive on land.
        lake: Distance to the shore of large lakes [m], positive inside.
        urban: Distance to the edge of urban areas [m], positive inside.
        custom: Noise, how much of the land people have taken within tens of kilometres.
        clearing: Noise, how much of it within kilometres.
        woods: Noise, more or less forest within kilometres.
        mixture: Noise, more or less forest within tens of kilometres.
        damp: Noise, wetter or drier than the climate.
        relish: Noise that chooses between kinds of cover at the same moisture.
        river: Signed distance to the middle of the nearest river [m].
        river_width: Half of its width [m]; none where negative.
        brook: Signed distance to the middle of the nearest small river [m].
        brook_width: Half of its width [m]; none where negative.
    """

    coast: Field
    lake: Field
    urban: Field
    custom: Field
    clearing: Field
    woods: Field
    mixture: Field
    damp: Field
    relish: Field
    river: Field
    river_width: Field
    brook: Field
    brook_width: Field


@dataclass(frozen=True, slots=True, eq=False)
class _Moods:
    """The noises of `MOODS_KM`, largest first."""

    wide: Field
    custom: Field
    mixture: Field
    damp: Field
    clearing: Field
    woods: Field
    relish: Field
    shore: Field
    coppice: Field
    spice: Field


class Regions:
    """The regions of one world. Threads may share it."""

    def __init__(self, seed: int, climate: Climate) -> None:
        self._climate, self._rivers = climate, Rivers(seed)
        self._seed = salt(seed, "moods")

    def around(self, sites: Sites) -> Mesh:
        """Return the fields of `Region`, in its order, ready to be interpolated at the sites."""
        return Mesh.around(sites, SPACING, lambda i, j: self._nodes(sites.zone, i, j))

    def _nodes(self, zone: int, i: Ints, j: Ints) -> Field:
        lon, lat = to_lonlat(Sites.nodes(zone, i, j, SPACING))
        parts = [
            self._fields(lon.ravel()[first : first + BLOCK], lat.ravel()[first : first + BLOCK])
            for first in range(0, lon.size, BLOCK)
        ]
        return np.concatenate(parts, axis=1).reshape(-1, *lon.shape)

    def _fields(self, lon: Floats, lat: Floats) -> Field:
        """Return the fields of `Region` at places, in its order, `(K, N)`."""
        moods = _Moods(*sphere_noises(lon, lat, MOODS_KM, self._seed))
        wetness = self._climate.wetness(lon, lat)
        custom = moods.custom * np.float32(0.7) + moods.wide * np.float32(0.3)
        return np.stack(
            [
                self._climate.sea_warmth(lon, lat),
                self._climate.swing(lon, lat),
                wetness,
                lat.astype(np.float32),
                moods.wide,
                *_shores(lon, lat, moods),
                custom,
                moods.clearing * np.float32(0.6) + moods.woods * np.float32(0.35),
                moods.woods * np.float32(0.5) + moods.coppice * np.float32(0.35),
                moods.mixture * np.float32(0.6) + custom * np.float32(0.4),
                moods.damp * np.float32(0.6) + moods.shore * np.float32(0.4),
                moods.relish * np.float32(0.55) + moods.spice * np.float32(0.3),
                *self._rivers.nodes(lon, lat, wetness),
            ]
        )


def _shores(lon: Floats, lat: Floats, moods: _Moods) -> tuple[Field, Field, Field]:
    """Return the distances to the sea, to lakes and to urban areas [m], as in `Region`."""
    earth, km, rough = globe(), np.float32(1000.0), moods.shore
    gaps = np.float32(9.0) * np.maximum(moods.spice - np.float32(0.33), np.float32(0.0))
    sprawl = np.float32(1.5) * (rough + moods.coppice) - gaps - np.float32(0.6)
    return (
        (earth.coast_km(lon, lat) + np.float32(0.6) * rough) * km,
        (earth.lake_km(lon, lat) + np.float32(0.25) * rough) * km,
        (earth.urban_km(lon, lat) + sprawl) * km,
    )
