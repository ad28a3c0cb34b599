"""The planet: its ground on any grid, and what the seasons make of it."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from datetime import datetime
from threading import Lock
from typing import Any

from odc.geo.geobox import GeoBox

from eodata.sandbox.planet.climate import Climate
from eodata.sandbox.planet.ground import Ground, Season
from eodata.sandbox.planet.landscape import FLOATS, Landscape
from eodata.sandbox.planet.relief import Relief
from eodata.sandbox.planet.season import Land, as_land, season
from eodata.sandbox.planet.sites import Sites, cut, paint

KEPT, KEPT_PX = 64, 8_000_000
"""Largest number of grounds kept, and of their pixels, 53 bytes each."""
Key = tuple[GeoBox, tuple[float, float]]


class Planet:
    """One simulated Earth. Threads may share it.

    Attributes:
        seed: Another seed, another Earth; coasts, cities and deserts stay where they are.
        climate: Of this Earth.
        relief: Of this Earth.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.climate = Climate(seed)
        self.relief = Relief(seed)
        self._landscape = Landscape(seed, self.climate, self.relief)
        self._lock = Lock()
        self._grounds: OrderedDict[Key, Future[Land]] = OrderedDict()

    def ground(self, geobox: GeoBox, shift: tuple[float, float] = (0.0, 0.0)) -> Ground:
        """Return the ground of a grid; the last ones asked for are kept.

        Args:
            geobox: Any CRS. Each pixel takes what is at its centre.
            shift: Displacement `(x, y)` of the world [m of the grid's CRS]: the pixel at `p`
                shows what is at `p - shift`.

        Returns:
            Arrays of the grid's shape. They are shared, so nobody can write to them.
        """
        key = geobox, shift
        with self._lock:
            found = self._grounds.get(key)
            if found is not None:
                self._grounds.move_to_end(key)
            else:
                mine: Future[Land] = Future()
                self._grounds[key] = mine
        if found is None:
            self._make(key, mine)
            found = mine
        return found.result()

    def ground_at(self, sites: Sites) -> Ground:
        """Return the ground at sites of one frame; nothing is kept."""
        return self._landscape.ground(sites)

    def season(self, ground: Ground, time: datetime) -> Season:
        """Return what the time of year makes of a ground of this planet."""
        return season(as_land(ground), time, self.seed)

    def _make(self, key: Key, mine: Future[Land]) -> None:
        """Make a ground for all threads that wait for it."""
        try:
            mine.set_result(_frozen(self._painted(*key)))
        except BaseException as error:
            mine.set_exception(error)
            with self._lock:
                self._grounds.pop(key, None)
            raise
        with self._lock:
            self._forget()

    def _painted(self, geobox: GeoBox, shift: tuple[float, float]) -> Land:
        def evaluate(sites: Sites) -> tuple[Any, ...]:
            land = self._landscape.ground(sites)
            return (land.cover, *(getattr(land, name) for name in FLOATS))

        height, width = geobox.shape
        arrays: tuple[Any, ...] = paint(cut(geobox, shift), (height, width), evaluate)
        return Land(**dict(zip(("cover", *FLOATS), arrays, strict=True)))

    def _forget(self) -> None:
        """Drop the grounds that nobody asked for in the longest time."""
        pixels = sum(key[0].shape[0] * key[0].shape[1] for key in self._grounds)
        while len(self._grounds) > 1 and (len(self._grounds) > KEPT or pixels > KEPT_PX):
            (geobox, _), _ = self._grounds.popitem(last=False)
            pixels -= geobox.shape[0] * geobox.shape[1]


def _frozen(land: Land) -> Land:
    for name in ("cover", *FLOATS):
        getattr(land, name).setflags(write=False)
    return land
