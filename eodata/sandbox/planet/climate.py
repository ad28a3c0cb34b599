"""Warmth, seasons and moisture: an Earth-like climate drawn from belts, continents and regions.

A plausible scheme, not data. Values by latitude and the regions below were set by hand so that the
great deserts, rain forests and cold interiors lie where they do on Earth; noise from the seed
varies them. All but the noise is worked out once on a grid of one degree and interpolated.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.globe import globe
from eodata.sandbox.planet.lattice import Field, salt, sphere_noise
from eodata.sandbox.planet.sites import Floats

LAPSE = 0.0065
"""Cooling with height [K/m]."""
UPWIND_KM = 1100.0
"""Distance over which air forgets the sea."""
KM_PER_BOX = 111.195
"""Length of a box of one degree along a meridian [km]."""
Region = tuple[float, float, float, float, float]
"""Longitude, latitude, half-width east-west and north-south [degrees], strength in the middle."""

_LATITUDE = (-90, -80, -70, -60, -50, -40, -30, -20, -10, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90)
_SEA_WARMTH = (
    *(-32, -28, -12, -1, 6, 13, 19.5, 23.5, 26, 27),
    *(27, 25.5, 21, 14.5, 9.5, 3.5, -6, -14, -18),
)
_SEA_SWING = (17, 15, 9, 3, 2.5, 3, 3.5, 2.5, 1.5, 1, 1.5, 2.5, 4, 5, 4.5, 5.5, 9, 13, 15)
_LAND_SWING = (17, 17, 14, 9, 9, 9, 9, 6, 3, 1.5, 3, 7.5, 11.5, 15, 17, 19, 21, 20, 18)
_WETNESS = (
    *(0.15, 0.2, 0.35, 0.6, 0.72, 0.6, 0.5, 0.55, 0.8, 0.92),
    *(0.75, 0.5, 0.5, 0.55, 0.62, 0.62, 0.5, 0.35, 0.25),
)

_DRY: tuple[Region, ...] = (
    (-10, 23, 9, 5.5, 0.97),  # Sahara, west
    (5, 24, 10, 6.5, 0.97),  # Sahara, middle
    (20, 23, 10, 7, 0.97),  # Libya, Chad
    (31, 24, 7, 7, 0.97),  # Egypt, Sudan
    (47, 23, 8, 7, 0.95),  # Arabia
    (44, 32, 5, 3, 0.6),  # Mesopotamia
    (45, 7, 5, 6, 0.7),  # Horn of Africa
    (39.5, 3, 3, 3, 0.4),  # northern Kenya
    (57, 32, 7, 5, 0.8),  # Iran
    (66, 29, 4, 3, 0.8),  # Baluchistan
    (71, 27, 4, 3, 0.7),  # Thar
    (60, 41, 8, 4, 0.8),  # Karakum, Kysylkum
    (72, 45.5, 7, 2.5, 0.55),  # Betpak-Dala
    (83, 39.5, 7, 3, 0.93),  # Taklamakan
    (86, 34.5, 7, 3, 0.45),  # northern Tibet
    (89, 30.5, 7, 2.5, 0.3),  # southern Tibet
    (95, 39, 5, 3, 0.8),  # Qaidam
    (104, 42.5, 8, 3.5, 0.8),  # Gobi
    (-114.5, 33.5, 4.5, 4, 0.85),  # Mojave, Sonora
    (-116, 40, 4.5, 3, 0.6),  # Great Basin
    (-104, 29, 4, 4, 0.65),  # Chihuahua
    (-112.5, 27, 2.5, 3.5, 0.7),  # Baja California
    (-109, 43, 5, 4, 0.35),  # Wyoming
    (-102, 40, 4, 7, 0.3),  # Great Plains
    (-108, 51, 7, 3, 0.3),  # Prairies
    (-70, -24, 1.8, 5, 0.97),  # Atacama
    (-77, -11.5, 1.8, 5, 0.9),  # coast of Peru
    (-68, -21, 2.5, 4, 0.6),  # southern Altiplano
    (-67, -31, 2.5, 5, 0.55),  # Monte
    (-68.5, -46, 2.5, 5, 0.65),  # Patagonia
    (-40, -9, 4, 4, 0.45),  # Caatinga
    (-46, -15, 5, 4, 0.15),  # Cerrado
    (-62, -22, 3.5, 4, 0.25),  # Chaco
    (13.8, -22.5, 2, 7, 0.95),  # Namib
    (13, -11, 1.8, 4, 0.5),  # coast of Angola
    (21, -24, 5, 4.5, 0.6),  # Kalahari
    (28, -18, 6, 5, 0.2),  # Zimbabwe
    (37, -3, 4, 5, 0.3),  # Kenya, Tanzania
    (20, -31, 4, 2.5, 0.6),  # Karoo
    (45.5, -22.5, 2, 3, 0.4),  # south-west of Madagascar
    (121, -25, 7, 5.5, 0.75),  # Gibson, Great Sandy
    (133, -25.5, 8, 6, 0.8),  # Simpson, Great Victoria
    (141, -28, 4, 4, 0.6),  # Lake Eyre basin, east
    (125, -31, 7, 2, 0.55),  # Nullarbor
    (-2, 39, 3, 2, 0.3),  # south-east Spain
    (33, 38.5, 4, 1.5, 0.3),  # Anatolia
    (80, 17, 3.5, 3, 0.15),  # Deccan
    (48, 48, 4, 2.5, 0.45),  # north of the Caspian
    (72, 50.5, 14, 3, 0.35),  # steppe of Kazakhstan
    (110, 68, 60, 7, 0.2),  # northern Siberia
    (-100, 76, 25, 6, 0.5),  # Arctic islands
)
_WET: tuple[Region, ...] = (
    (-64, -4, 11, 6, 0.12),  # Amazon
    (-53, 3, 5, 4, 0.1),  # Guianas
    (-77, 5, 2, 5, 0.2),  # Choco
    (-84, 11, 5, 5, 0.2),  # Central America
    (-90, 17, 4, 3, 0.3),  # Guatemala
    (-48, -25, 6, 4, 0.3),  # southern Brazil
    (-57, -31, 4, 4, 0.15),  # Uruguay
    (-73.5, -45, 2, 6, 0.35),  # southern Chile
    (-83, 34, 8, 4.5, 0.3),  # south-east of the USA
    (-75, 44, 7, 5, 0.15),  # New England
    (-125, 50, 3, 6, 0.25),  # north-west coast of America
    (-137, 59, 5, 3, 0.3),  # south of Alaska
    (20, 0, 9, 4.5, 0.12),  # Congo
    (10, 5, 3.5, 3, 0.2),  # Cameroon
    (-9, 7, 4, 3, 0.25),  # Liberia
    (37, 8.5, 2.5, 3, 0.2),  # Ethiopia
    (49, -17, 1.5, 5, 0.35),  # east of Madagascar
    (31, -30, 2, 3, 0.15),  # Natal
    (107, 0, 12, 8, 0.12),  # Sumatra, Borneo
    (138, -4, 10, 5, 0.15),  # New Guinea
    (123, 12, 4, 6, 0.25),  # Philippines
    (103, 15, 7, 6, 0.12),  # Indochina
    (92, 25, 5, 3, 0.4),  # Bengal, Assam
    (75, 13, 1.5, 5, 0.35),  # Western Ghats
    (112, 26, 9, 4, 0.35),  # southern China
    (135, 35, 6, 4, 0.3),  # Japan
    (128, 37, 3, 3, 0.15),  # Korea
    (146, -18, 2, 3, 0.25),  # Queensland
    (116, -33.5, 1.8, 2, 0.25),  # Perth
    (152, -31, 2, 4, 0.2),  # New South Wales
    (146, -41, 3, 3, 0.1),  # Tasmania
    (169, -43, 3, 4, 0.2),  # New Zealand
    (6, 61, 4, 4, 0.25),  # western Norway
    (-6, 55, 5, 4, 0.12),  # Ireland, Scotland
    (9, 46.5, 5, 1.5, 0.15),  # Alps
    (41, 43, 2, 1.5, 0.25),  # Colchis
    (157, 53, 4, 4, 0.15),  # Kamchatka
)
_WARM: tuple[Region, ...] = (
    (-5, 55, 12, 7, 2.5),  # Gulf stream
    (8, 65, 12, 7, 5.5),  # Norwegian sea
    (25, 71, 14, 5, 4.5),  # Barents sea
    (-145, 58, 15, 5, 3.0),  # Gulf of Alaska
    (10, 20, 24, 8, 4.0),  # Sahara
    (47, 24, 8, 7, 2.0),  # Arabia
    (78, 24, 8, 7, 2.5),  # India
    (130, -22, 12, 7, 2.0),  # Australia
    (40, 12, 4, 4, 2.0),  # Afar
    (130, 65, 30, 10, -7.0),  # Siberia
    (115, 50, 18, 7, -4.0),  # Mongolia, Amur
    (-75, 58, 18, 9, -6.0),  # Hudson bay, Labrador
    (-100, 52, 14, 8, -2.5),  # Prairies
    (-42, 77, 14, 8, -4.0),  # Greenland
    (-20, 63, 9, 5, 5.0),  # Iceland
    (-122, 35, 4, 5, -2.0),  # California current
    (-75, -16, 5, 9, -4.0),  # Humboldt current
    (11, -24, 5, 7, -3.5),  # Benguela
)


@dataclass(frozen=True, slots=True, eq=False)
class _Maps:
    """What does not depend on the seed, at whole degrees: `(181, 361)` from -90, -180."""

    warmth: Field
    swing: Field
    wetness: Field
    continentality: Field


class Climate:
    """The climate of one world. Threads may share it.

    Longitudes and latitudes [degrees] come in arrays of one shape; results are float32 of it.
    """

    def __init__(self, seed: int) -> None:
        self._seed = salt(seed, "climate")

    def warmth(self, lon: Floats, lat: Floats, elevation: Field) -> Field:
        """Return the mean temperature of the year [degrees C] at a height [m]."""
        return self.sea_warmth(lon, lat) - np.float32(LAPSE) * elevation

    def sea_warmth(self, lon: Floats, lat: Floats) -> Field:
        """Return the mean temperature of the year at sea level [degrees C]; it varies slowly."""
        return _look(_maps().warmth, lon, lat) + sphere_noise(lon, lat, 700.0, self._seed)

    def swing(self, lon: Floats, lat: Floats) -> Field:
        """Return half the range between the mean temperatures of summer and winter [K]."""
        change = sphere_noise(lon, lat, 900.0, self._seed + 1) * np.float32(0.06)
        return _look(_maps().swing, lon, lat) * (np.float32(1.0) + change)

    def wetness(self, lon: Floats, lat: Floats) -> Field:
        """Return the moisture of the climate, 0 (desert) to 1 (rain forest)."""
        mean = _look(_maps().wetness, lon, lat)
        change = sphere_noise(lon, lat, 500.0, self._seed + 2) * np.float32(0.6)
        change += sphere_noise(lon, lat, 120.0, self._seed + 3) * np.float32(0.4)
        # Strongest in between: a desert stays a desert, a rain forest a rain forest.
        change *= mean * (np.float32(1.0) - mean) * np.float32(0.5)
        return np.asarray(np.clip(mean + change, np.float32(0.0), np.float32(1.0)))

    def continentality(self, lon: Floats, lat: Floats) -> Field:
        """Return how much land the air has crossed, 0 (ocean) to 1 (deep in a continent)."""
        return _look(_maps().continentality, lon, lat)


@lru_cache(maxsize=1)
def _maps() -> _Maps:
    lon, lat = np.meshgrid(np.arange(-180.0, 181.0), np.arange(-90.0, 91.0))
    inland = _continentality()
    sea, land = (np.interp(lat, _LATITUDE, values) for values in (_SEA_SWING, _LAND_SWING))
    siberia = _strength((128, 65, 25, 9, 10.0), lon, lat)
    cold = -2.0 * inland * np.clip((np.abs(lat) - 35.0) / 15.0, 0.0, 1.0)
    warmth = np.asarray(np.interp(lat, _LATITUDE, _SEA_WARMTH) + cold)
    wetness = np.asarray(np.interp(lat, _LATITUDE, _WETNESS))
    for region in _WARM:
        warmth += _strength(region, lon, lat)
    for region in _WET:
        wetness += _strength(region, lon, lat)
    for region in _DRY:
        wetness *= 1.0 - _strength(region, lon, lat)
    swing = sea + (land + siberia - sea) * inland
    fields = warmth, swing, np.clip(wetness, 0.0, 0.99), inland
    return _Maps(*(np.asarray(field, np.float32) for field in fields))


def _strength(region: Region, lon: Floats, lat: Floats) -> Floats:
    """Return a region's bell curve."""
    east, north, width, height, strength = region
    across = (lon - east + 180.0) % 360.0 - 180.0
    far = (across / width) ** 2 + ((lat - north) / height) ** 2
    # Flatter in the middle than a Gaussian: a desert is as dry a little off its middle.
    return np.asarray(strength * np.exp(-0.5 * far * far / (far + 0.7)))


def _continentality() -> Floats:
    """Return the share of land that the air crossed, at whole degrees, `(181, 361)`.

    Air comes from the west beyond 35 degrees of latitude, from the east nearer to the equator, and
    a third of the time from the other side; it forgets by and by what lies further upwind.
    """
    land = globe().land_share()
    east = np.maximum(np.cos(np.radians(np.arange(-89.5, 90.0))), 0.05)
    keep = np.exp(-KM_PER_BOX * east / UPWIND_KM)
    from_west = _upwind(land, keep)
    from_east = _upwind(land[:, ::-1], keep)[:, ::-1]
    westerly = np.interp(np.abs(np.arange(-89.5, 90.0)), (20.0, 40.0), (0.35, 0.7))[:, np.newaxis]
    share = westerly * from_west + (1.0 - westerly) * from_east
    for _ in range(4):  # a few degrees of blur across the winds
        padded = np.pad(share, ((1, 1), (0, 0)), mode="edge")
        share = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return _corners(np.clip(share * 1.2, 0.0, 1.0) ** 2)


def _upwind(land: Floats, keep: Floats) -> Floats:
    """Return the land west of every box, weighted by `keep` to the power of the boxes between."""
    result = np.empty_like(land)
    state = land.mean(axis=1)
    for col in (*range(360), *range(360)):  # once around to forget the start
        state = keep * state + (1.0 - keep) * land[:, col]
        result[:, col] = state
    return result


def _corners(boxes: Floats) -> Floats:
    """Return the means of the four boxes around whole degrees, `(181, 361)`."""
    padded = np.pad(np.pad(boxes, ((1, 1), (0, 0)), mode="edge"), ((0, 0), (1, 1)), mode="wrap")
    rows = padded[:-1] + padded[1:]
    return 0.25 * (rows[:, :-1] + rows[:, 1:])


def _look(table: Field, lon: Floats, lat: Floats) -> Field:
    """Interpolate a map of whole degrees."""
    col, along = _between((np.asarray(lon) + 180.0) % 360.0, 359)
    row, up = _between(np.asarray(lat) + 90.0, 179)
    low = table[row, col] + (table[row, col + 1] - table[row, col]) * along
    high = table[row + 1, col] + (table[row + 1, col + 1] - table[row + 1, col]) * along
    return np.asarray(low + (high - low) * up)


def _between(axis: Floats, last: int) -> tuple[NDArray[np.int64], Field]:
    """Return the whole degree below and the part beyond it."""
    below = np.clip(np.floor(axis), 0, last)
    return below.astype(np.int64), (axis - below).astype(np.float32)
