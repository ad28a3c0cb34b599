"""Blocks of simulated ground with all that unlike sensors see of it, and planted shifts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from scipy import ndimage
from shapely.geometry import Point, box

from benchmarks.sandbox import places_of
from benchmarks.squares import Place, Square, at_ratio, squares
from eodata.core.reproject import WGS84, reproject
from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.core.span import Span
from eodata.pipeline.coregister.evidence import View
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.items import SandboxItem, coarser

Floats = NDArray[np.float32]
EDGE = 1026
"""Of a block [10 m px]: about 16 patches of 256, and a multiple of 6."""
BANDS = ("B04", "B08", "B11")
CLOUDY = (0.15, 0.65)
GROUND = {
    "Iowa": (-93.5, 42, 7), "Belgium": (3, 50.8, 6), "Ukraine": (36.2, 48.2, 6),
    "Madrid": (-3.7, 40.4, 7), "Sahara": (5, 27, 4), "Botswana": (25, -27, 7),
    "Brazil": (-55, -12, 7), "Punjab": (75.5, 30.8, 3), "Paris": (2.35, 48.86, 5),
    "Finland": (26, 62, 6), "Alps": (10.5, 46.8, 8), "Thailand": (104, 15.5, 1),
}  # fmt: skip
"""Longitude, latitude and month."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One block as everything sees it, on one grid of 10 m.

    Attributes:
        name: Of the place.
        cloud: Share of clouds and shadows.
        optical: Sentinel-2, bands of `BANDS`, valid where there are no clouds.
        optical_moved: The same, displaced by `optical_shift`.
        optical_shift: Planted (row, col) [px].
        radar: VV and VH [dB].
        radar_moved: The same, displaced by `radar_shift`.
        radar_shift: Planted (row, col) [px].
        classes: WorldCover of the pixels' centres.
        elevation: Copernicus DEM [m], bilinear.
    """

    name: str
    cloud: float
    optical: View
    optical_moved: View
    optical_shift: tuple[float, float]
    radar: View
    radar_moved: View
    radar_shift: tuple[float, float]
    classes: NDArray[Any]
    elevation: View


class Worlds:
    """One Earth twice: as it is, and with every item displaced by up to three pixels."""

    def __init__(self, seed: int = 1) -> None:
        planted = Defects(shift_rate=1, shift_px=3)
        self.still = SandboxArchive(SandboxSettings(seed=seed))
        self.moved = SandboxArchive(SandboxSettings(seed=seed, defects=planted))

    def blocks(self, count: int | None = None) -> Iterator[Block]:
        """Yield blocks of the first places, of each the clearest date and a cloudy one."""
        names = list(GROUND)[:count]
        places = places_of(tuple(GROUND[name] for name in names), days=45)
        for name, place in zip(names, places, strict=True):
            for item, row, col in self._dates(place):
                block = self._block(name, item, row, col)
                if block is not None:
                    yield block

    def _dates(self, place: Place) -> list[tuple[SandboxItem, int, int]]:
        found = []
        for square in squares(self.still, "sentinel-2-l1c", place):
            row, col = (max(n - EDGE // 4, 0) // 6 * 6 for n in (square.row, square.col))
            grid = square.item.base[row : row + EDGE, col : col + EDGE]
            truth = self.still.truth(square.item, coarser(grid, 8))
            if grid.shape == (EDGE, EDGE) and truth["swath"].all():
                cloud = float((truth["cloud"] | truth["shadow"]).mean())
                found.append((cloud, square.item, row, col))
        found.sort(key=lambda one: one[0])
        cloudy = [one for one in found[1:] if CLOUDY[0] <= one[0] <= CLOUDY[1]]
        return [one[1:] for one in (*found[:1], *cloudy[len(cloudy) // 2 :][:1])]

    def _block(self, name: str, item: SandboxItem, row: int, col: int) -> Block | None:
        grid = item.base[row : row + EDGE, col : col + EDGE]
        radar = self._radar_item(grid, item)
        if radar is None:
            return None
        optical, moved = (self._optical(a, item, row, col) for a in (self.still, self.moved))
        echoes = [_radar(archive, radar, grid) for archive in (self.still, self.moved)]
        return Block(
            name,
            1 - float(optical.valid.mean()),
            optical,
            moved,
            self._shift(item),
            echoes[0],
            echoes[1],
            self._shift(radar),
            _looked_up(self.still, "esa-worldcover", "map", grid, order=0)[0],
            whole(_looked_up(self.still, "cop-dem-glo-30", "data", grid, order=1)),
        )

    def _shift(self, item: SandboxItem) -> tuple[float, float]:
        east, north = self.moved.collections[item.collection].get(item.id).origin.shift
        return -north / 10, east / 10

    def _optical(self, archive: SandboxArchive, item: SandboxItem, row: int, col: int) -> View:
        item = archive.collections[item.collection].get(item.id)
        square = Square(item, row, col, EDGE)
        numbers = archive.read_many(item, {band: square.window(band) for band in BANDS})
        bands = [
            at_ratio(n.astype(np.float32), item.layers[b].ratio, 1) for b, n in numbers.items()
        ]
        truth = archive.truth(item, square.grid)
        return View(np.stack(bands) * np.float32(1e-4), ~(truth["cloud"] | truth["shadow"]))

    def _radar_item(self, grid: GeoBox, item: SandboxItem) -> SandboxItem | None:
        ground = reproject(box(*grid.boundingbox.bbox), str(grid.crs), WGS84, 1000)
        span = Span(item.datetime - timedelta(days=8), item.datetime + timedelta(days=8))
        found = self.still.collections["sentinel-1-grd"].find(ground.centroid.buffer(5e-4), span)
        for radar in islice(found, 12):
            same = radar.base.crs == grid.crs and radar.footprint.contains(ground)
            if same and np.isfinite(_radar(self.still, radar, grid).values).all():
                return radar
        return None


def whole(values: Floats) -> View:
    """Return a view that is valid everywhere."""
    return View(np.ascontiguousarray(values, np.float32), np.ones(values.shape[1:], np.bool_))


def cut(view: View, rows: slice, cols: slice) -> View:
    """Return a part of a view."""
    return View(view.values[:, rows, cols], view.valid[rows, cols])


def of_bands(view: View, bands: Sequence[int]) -> View:
    """Return some bands of a view."""
    return View(view.values[list(bands)], view.valid)


def _radar(archive: SandboxArchive, item: SandboxItem, grid: GeoBox) -> View:
    item = archive.collections[item.collection].get(item.id)
    affine = item.base.affine
    row, col = round((grid.affine.f - affine.f) / -10), round((grid.affine.c - affine.c) / 10)
    window = (row, row + EDGE), (col, col + EDGE)
    found = archive.read_many(item, {"vv": window, "vh": window})
    return whole(np.stack([found["vv"], found["vh"]]))


def _looked_up(
    archive: SandboxArchive, collection: str, key: str, grid: GeoBox, order: int
) -> Floats:
    """Return a map in degrees on the pixels of a grid, `(1, H, W)`; order 0 takes the nearest."""
    rows, cols = np.mgrid[:EDGE, :EDGE] + 0.5
    x, y = grid.affine.c + 10 * cols, grid.affine.f - 10 * rows
    lon, lat = Transformer.from_crs(str(grid.crs), 4326, always_xy=True).transform(x, y)
    middle = Point(lon.mean(), lat.mean()).buffer(1e-4)
    item = next(archive.collections[collection].find(middle, None))
    affine = item.base.affine
    at = np.stack([(lat - affine.f) / affine.e, (lon - affine.c) / affine.a]) - 0.5
    low, high = at.min((1, 2)).astype(int) - 2, at.max((1, 2)).astype(int) + 3
    known = archive.read(item, key, (low[0], high[0]), (low[1], high[1]))
    found = ndimage.map_coordinates(known, at - low[:, np.newaxis, np.newaxis], order=order)
    return found[np.newaxis]
