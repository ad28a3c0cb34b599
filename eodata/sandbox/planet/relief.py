"""Height and slope of the ground: mountains where they are on Earth, shaped by noise.

Large forms come from belts and from noise on the sphere at nodes 960 m apart, small ones from
noise in the metric frame at nodes 120 m apart; both are joined smoothly. Land rises from the real
coast, lakes lie flat, great plains are almost flat. At the border of two frames the small forms
fade out, so the ground goes on without a step worth the name.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.belts import lowlands, uplands
from eodata.sandbox.planet.globe import globe
from eodata.sandbox.planet.lattice import Field, Ints, hash01, ramp, salt, sphere_noise
from eodata.sandbox.planet.sites import ZONE_DEG, Floats, Sites, to_lonlat
from eodata.sandbox.planet.spline import spline, spline_slopes

WIDE_M, FINE_M = 960.0, 120.0
"""Distance of nodes of the large and of the small forms [m]."""
PLAIN_KM = (1600.0, 500.0, 160.0, 50.0)
PLAIN_M = (200.0, 110.0, 45.0, 15.0)
"""Size [km] and height [m] of the undulations of lowlands."""
RIDGE_KM = (36.0, 18.0, 9.0, 5.0)
"""Size of mountains and of their spurs [km]."""
BLOCK, BLOCKS = 64, 256
"""Edge of the blocks of fine nodes that are made in one go, and how many are kept, 16 kB each."""
DETAIL_M = (2400.0, 1050.0, 450.0)
"""Size of the small forms [m]."""
BEACH_KM = 0.35
"""The rise begins this far inland, so that no height spreads over the sea between nodes."""
RISE_KM = 5.0
"""Half of the height inland is reached this far from the coast."""
SHORE_KM = 6.0
"""Over this distance the ground comes down to a lake; it is flat from 0.7 km off the shore."""
FADE_KM = 2.0, 5.0
"""Between these distances from the border of a frame the small forms fade in."""
_ONE, _TWO = np.float32(1.0), np.float32(2.0)


class Relief:
    """The shape of the ground of one world. Threads may share it."""

    def __init__(self, seed: int) -> None:
        self._plain = salt(seed, "plain")
        self._ridge = salt(seed, "ridge")
        self._detail = salt(seed, "detail")
        self._hills = salt(seed, "hills")
        self._levels: dict[int, np.float32] = {}

    def elevation(self, sites: Sites) -> Field:
        """Return the height of the ground above the sea [m]; 0 on the sea."""
        height = spline(sites, FINE_M, lambda i, j: self._fine(sites.zone, i, j))
        return np.asarray(height[0])

    def slopes(self, sites: Sites) -> tuple[Field, Field]:
        """Return the rise towards the east and towards the north [m/m]."""
        return self.surface(sites)[1:]

    def surface(self, sites: Sites) -> tuple[Field, Field, Field]:
        """Return elevation and both slopes at the cost of one."""
        height, east, north = spline_slopes(
            sites, FINE_M, lambda i, j: self._fine(sites.zone, i, j)
        )
        return height[0], east[0], north[0]

    def _fine(self, zone: int, i: Ints, j: Ints) -> Field:
        """Return heights at fine nodes, `(1, …)`; of a full lattice from blocks that are kept."""
        if i.ndim == 1 or not (_is_full(i) and _is_full(j)):
            return self.heights(zone, i, j)
        left, low, width, height = int(i[0, 0]), int(j[0, 0]), i.size, j.size
        cols = range(left // BLOCK, (left + width - 1) // BLOCK + 1)
        rows = range(low // BLOCK, (low + height - 1) // BLOCK + 1)
        whole = np.block([[_block(self, zone, col, row) for col in cols] for row in rows])
        top, west = low - rows[0] * BLOCK, left - cols[0] * BLOCK
        return whole[np.newaxis, top : top + height, west : west + width]

    def heights(self, zone: int, i: Ints, j: Ints) -> Field:
        """Return heights at fine nodes, `(1, …)`."""
        nodes = Sites.nodes(zone, i, j, FINE_M)
        height, rough, coast, lake = spline(nodes, WIDE_M, lambda i, j: self._wide(zone, i, j))
        height = height + rough * self._small_forms(nodes)
        height = np.maximum(height, _TWO) * _rise(coast)
        lon, lat = _where(nodes, near := (lake > -SHORE_KM - 2.0))
        height[near] = self._settle(height[near], lon, lat)
        return np.asarray(height[np.newaxis])

    def _wide(self, zone: int, i: Ints, j: Ints) -> Field:
        """Return height inland, roughness [m], distance to coast and lakes [km] at wide nodes."""
        lon, lat = to_lonlat(Sites.nodes(zone, i, j, WIDE_M))
        height, rough = self._large_forms(lon, lat)
        middle = zone * ZONE_DEG - 183.0
        turn = np.abs((lon - middle + 180.0) % 360.0 - 180.0)
        border = (ZONE_DEG / 2 - turn) * 111.2 * np.cos(np.radians(lat))
        rough = rough * ramp(border.astype(np.float32), *FADE_KM)
        earth = globe()
        return np.stack([height, rough, earth.coast_km(lon, lat), earth.lake_km(lon, lat)])

    def _large_forms(self, lon: Floats, lat: Floats) -> tuple[Field, Field]:
        """Return the height that the ground would have far inland and its roughness [m]."""
        plain, (base, ridge) = lowlands(lon, lat), uplands(lon, lat, self._frayed(lon, lat))
        rest = _ONE - np.float32(0.95) * plain
        low = self._undulation(lon, lat)
        hilly = np.square(ramp(sphere_noise(lon, lat, 350.0, self._hills), -0.5, 0.9)) * rest
        ridges, spurs = self._ridges(lon, lat)
        hills = np.float32(120.0) * hilly * spurs
        height = (low + base + ridge * ridges) * rest + hills
        rough = (
            np.float32(2.5) + np.float32(30.0) * hilly + np.float32(0.26) * ridge * ridges * rest
        )
        return height, rough

    def _frayed(self, lon: Floats, lat: Floats) -> Field:
        """Return noise that makes the edges of belts irregular."""
        noise = sphere_noise(lon, lat, 260.0, self._hills + 1) * np.float32(0.7)
        return noise + sphere_noise(lon, lat, 90.0, self._hills + 2) * np.float32(0.3)

    def _undulation(self, lon: Floats, lat: Floats) -> Field:
        """Return the height of lowlands, never below the sea [m]."""
        height = np.full(np.shape(lon), np.float32(130.0))
        for number, (size, strength) in enumerate(zip(PLAIN_KM, PLAIN_M, strict=True)):
            noise = sphere_noise(lon, lat, size, self._plain + number)
            height += noise * np.float32(strength)
        bend = np.float32(60.0)
        return np.asarray((height + np.sqrt(height * height + bend * bend)) / _TWO)

    def _ridges(self, lon: Floats, lat: Floats) -> tuple[Field, Field]:
        """Return mountains, 0 (valley) to 1 (crest), and plain noise of their finer octaves.

        The zero lines of noise join up: those of the coarse octaves are valleys that go on and
        on, those of the fine ones are crests.
        """
        ridges, spurs = np.zeros(np.shape(lon), np.float32), np.zeros(np.shape(lon), np.float32)
        weight, share = _ONE, np.float32(0.5)
        for number, size in enumerate(RIDGE_KM):
            noise = sphere_noise(lon, lat, size, self._ridge + number)
            crest = _ONE - np.sqrt(noise * noise + np.float32(0.004))
            form = _ONE - crest * crest if number < 2 else crest * crest
            weight = weight * form
            ridges += share * np.sqrt(weight)
            spurs += share * noise
            share *= np.float32(0.6)
        return ridges, spurs

    def _small_forms(self, nodes: Sites) -> Field:
        """Return noise of a few hundred metres to a few kilometres, about -1 to 1.

        Its axes are turned against those of the frame, so that forms do not show these.
        """
        x, y = (axis.ravel() for axis in np.broadcast_arrays(nodes.x, nodes.y))
        turned = Sites(nodes.zone, 0.8 * x - 0.6 * y, 0.6 * x + 0.8 * y)
        total = np.zeros(x.shape, np.float32)
        for number, size in enumerate(DETAIL_M):
            total += _noise(turned, size, self._detail + number) * np.float32(0.45**number)
        return total.reshape(nodes.shape)

    def _settle(self, height: Field, lon: Floats, lat: Floats) -> Field:
        """Bring the ground down to the level of lakes, places `(N,)`."""
        if not height.size:
            return height
        far, lake = globe().lake_km(lon, lat), globe().lake(lon, lat)
        level = height.copy()
        for number in np.unique(lake[lake >= 0]):
            level[lake == number] = self._lake_level(int(number))
        flat = ramp(far, -SHORE_KM - 0.7, -0.7)
        return np.asarray(np.where(flat < _ONE, height + (level - height) * flat, level))

    def _lake_level(self, number: int) -> np.float32:
        """Return the level of a lake: among the lowest heights of its shore [m]."""
        if number not in self._levels:
            lon, lat = globe().lake_shore(number)
            step = -(-lon.size // 24)
            lon, lat = lon[::step].copy(), lat[::step].copy()
            height = self._large_forms(lon, lat)[0] * _rise(globe().coast_km(lon, lat))
            self._levels[number] = np.float32(np.sort(height)[height.size // 8])
        return self._levels[number]


def _rise(coast: Field) -> Field:
    """Return the share of the inland height that is reached at a distance from the coast [km]."""
    inland = np.maximum(coast - np.float32(BEACH_KM), np.float32(0.0))
    whole = np.float32((60.0 - BEACH_KM + RISE_KM) / (60.0 - BEACH_KM))
    return np.asarray(inland / (inland + np.float32(RISE_KM)) * whole)


def _noise(sites: Sites, spacing: float, seed: int) -> Field:
    """Return smooth noise with features of a size [m]; its spread is about that of [-1, 1]."""

    def nodes(i: Ints, j: Ints) -> Field:
        return hash01(seed, i, j, sites.zone)[np.newaxis] * np.float32(3.6) - np.float32(1.8)

    return np.asarray(spline(sites, spacing, nodes)[0])


@lru_cache(maxsize=BLOCKS)
def _block(relief: Relief, zone: int, col: int, row: int) -> Field:
    """Return the heights at fine nodes of one block, `(BLOCK, BLOCK)`."""
    steps = np.arange(BLOCK, dtype=np.int64)
    i, j = steps[np.newaxis] + col * BLOCK, steps[:, np.newaxis] + row * BLOCK
    block: Field = relief.heights(zone, i, j)[0]
    block.flags.writeable = False
    return block


def _is_full(numbers: Ints) -> bool:
    """Return whether rising numbers leave none out."""
    return int(numbers.flat[-1] - numbers.flat[0]) + 1 == numbers.size


def _where(nodes: Sites, chosen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return longitudes and latitudes of some nodes, `(N,)`."""
    x, y = np.broadcast_arrays(nodes.x, nodes.y)
    return to_lonlat(Sites(nodes.zone, x[chosen], y[chosen]))
