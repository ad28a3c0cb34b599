"""The planet: its ground on any grid, and what the seasons make of it."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from datetime import datetime
from threading import Lock
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.sandbox.planet.climate import Climate
from eodata.sandbox.planet.corners import Masks, alike, unlike
from eodata.sandbox.planet.displacement import STILL, Displacement
from eodata.sandbox.planet.ground import Ground, Season
from eodata.sandbox.planet.landscape import FLOATS, Landscape
from eodata.sandbox.planet.relief import Relief
from eodata.sandbox.planet.season import Land, as_land, season
from eodata.sandbox.planet.sites import Sites, cut, paint, scattered

KEPT, KEPT_PX = 64, 8_000_000
"""Largest number of grounds kept, and of their pixels, 53 bytes each."""
Key = tuple[Affine, int, int, str, Displacement, bool]
"""A grid in parts, which are faster to tell apart, its displacement, and whether with corners."""


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

    def ground(
        self, geobox: GeoBox, displacement: Displacement = STILL, *, corners: bool = False
    ) -> Land:
        """Return the ground of a grid; the last ones asked for are kept.

        Args:
            geobox: Any CRS. Each pixel takes what is at its centre.
            displacement: Of the world on this grid.
            corners: Whether to look at the corners of pixels too, which costs a fifth more.

        Returns:
            Arrays of the grid's shape. They are shared, so nobody can write to them.
        """
        height, width = geobox.shape
        key = geobox.affine, height, width, str(geobox.crs), displacement, corners
        with self._lock:
            found = self._grounds.get(key)
            if found is not None:
                self._grounds.move_to_end(key)
            else:
                mine: Future[Land] = Future()
                self._grounds[key] = mine
        if found is None:
            self._make(key, geobox, mine)
            found = mine
        return found.result()

    def ground_at(self, sites: Sites) -> Ground:
        """Return the ground at sites of one frame; nothing is kept."""
        return self._landscape.ground(sites)

    def season(self, ground: Ground, time: datetime) -> Season:
        """Return what the time of year makes of a ground of this planet."""
        return season(as_land(ground), time, self.seed)

    def _make(self, key: Key, geobox: GeoBox, mine: Future[Land]) -> None:
        """Make a ground for all threads that wait for it."""
        try:
            mine.set_result(_frozen(self._painted(geobox, *key[-2:])))
        except BaseException as error:
            mine.set_exception(error)
            with self._lock:
                self._grounds.pop(key, None)
            raise
        with self._lock:
            self._forget()

    def _painted(self, geobox: GeoBox, displacement: Displacement, corners: bool) -> Land:
        names = ("cover", *FLOATS, "corners") if corners else ("cover", *FLOATS)

        def evaluate(sites: Sites) -> tuple[Any, ...]:
            land = self._landscape.ground(sites, corners=corners)
            return tuple(getattr(land, name) for name in names)

        pieces = cut(geobox, displacement)
        arrays: tuple[Any, ...] = paint(pieces, (geobox.shape[0], geobox.shape[1]), evaluate)
        land = Land(**dict(zip(names, arrays, strict=True)))
        off_lattice = [
            piece.where
            for piece in pieces
            if piece.where is not None and not piece.sites.is_lattice
        ]
        if off_lattice and land.corners is not None:
            where = np.logical_or.reduce(off_lattice)
            self._paint_corners(land.corners, land, where, geobox, displacement)
        return land

    def _paint_corners(
        self,
        masks: Masks,
        land: Land,
        where: NDArray[np.bool_],
        geobox: GeoBox,
        displacement: Displacement,
    ) -> None:
        """Find the corners of pixels that are no lattice, where there is a border between them."""
        pixels = land.cover, land.phase
        row, col = np.nonzero(unlike(pixels) & where[:-1, :-1])
        for sites, some in scattered(geobox, row + 1.0, col + 1.0, displacement):
            place = row[some], col[some]
            masks[place] = alike(pixels, place, self._landscape.borders(sites))

    def _forget(self) -> None:
        """Drop the grounds that nobody asked for in the longest time."""
        pixels = sum(height * width for _, height, width, *_ in self._grounds)
        while len(self._grounds) > 1 and (len(self._grounds) > KEPT or pixels > KEPT_PX):
            (_, height, width, *_), _ = self._grounds.popitem(last=False)
            pixels -= height * width


def _frozen(land: Land) -> Land:
    for name in ("cover", *FLOATS):
        getattr(land, name).setflags(write=False)
    if land.corners is not None:
        land.corners.setflags(write=False)
    return land
