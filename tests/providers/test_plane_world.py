"""Rasters whose values are coordinates: whatever is read must say where it lies.

Errors are in source pixels, at target pixels whose ground lies at least two source pixels inside
the source: nearer to its edge an interpolation lacks neighbours and repeats the outermost pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from shapely.geometry import box

from eodata.core.protocols import Query
from eodata.providers.archive import ArchiveProvider

EARTH = box(-180, -90, 180, 90)
UTM31, UTM32 = "EPSG:32631", "EPSG:32632"
SINUSOIDAL = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
NORTH_UP = Affine(10, 0, 500_000, 0, -10, 5_600_000)
SOUTH_UP = Affine(10, 0, 500_000, 0, 10, 5_598_000)
MODIS = Affine(231.65635826, 0, -6671703.118, 0, -231.65635826, -1111950.5196667)
DEGREES = Affine(1 / 3600, 0, 3.0, 0, -1 / 3600, 51.0)
SIZE = 200


def around(source_crs: str, source: Affine, crs: str, resolution: float, n: int) -> GeoBox:
    """Return a grid of `n` x `n` pixels over the middle of the source, off any lattice."""
    to_target = Transformer.from_crs(source_crs, crs, always_xy=True)
    x, y = to_target.transform(*(source @ (SIZE / 2, SIZE / 2)))
    left, top = x - n * resolution / 2 + 0.37 * resolution, y + n * resolution / 2
    return GeoBox((n, n), Affine(resolution, 0, left, 0, -resolution, top), CRS(crs))


def on(source: Affine, step: Affine, n: int, crs: str = UTM31) -> GeoBox:
    return GeoBox((n, n), source @ step, CRS(crs))


def shift(x: float, y: float, scale: float = 1.0) -> Affine:
    return Affine.translation(x, y) @ Affine.scale(scale)


@dataclass(frozen=True)
class Case:
    crs: str
    source: Affine
    target: GeoBox
    resampling: str = "bilinear"


CASES = {
    "half a pixel off": Case(UTM31, NORTH_UP, on(NORTH_UP, shift(30.5, 40.5), 90)),
    "a third off, cubic": Case(UTM31, NORTH_UP, on(NORTH_UP, shift(30.3, 40.7), 90), "cubic"),
    "10 to 20 m": Case(UTM31, NORTH_UP, on(NORTH_UP, shift(30, 40, 2), 60), "average"),
    "10 to 25 m": Case(UTM31, NORTH_UP, on(NORTH_UP, shift(30.2, 40.6, 2.5), 50), "average"),
    "10 to 30 m, bilinear": Case(UTM31, NORTH_UP, on(NORTH_UP, shift(30.2, 40.6, 3), 40)),
    "20 to 10 m": Case(UTM31, NORTH_UP, on(NORTH_UP, shift(30, 40, 0.5), 100)),
    "UTM 31 to 32": Case(UTM31, NORTH_UP, around(UTM31, NORTH_UP, UTM32, 10, 90)),
    "UTM 31 to 32, coarser": Case(
        UTM31, NORTH_UP, around(UTM31, NORTH_UP, UTM32, 20, 50), "average"
    ),
    "degrees to UTM": Case("EPSG:4326", DEGREES, around("EPSG:4326", DEGREES, UTM31, 10, 150)),
    "degrees to UTM, coarser": Case(
        "EPSG:4326", DEGREES, around("EPSG:4326", DEGREES, UTM31, 60, 40), "average"
    ),
    "south up": Case(UTM31, SOUTH_UP, on(NORTH_UP, shift(30.25, 40), 90)),
    "rotated": Case(
        UTM31,
        NORTH_UP @ Affine.rotation(30),
        around(UTM31, NORTH_UP @ Affine.rotation(30), UTM31, 10, 60),
    ),
    "rotated, coarser": Case(
        UTM31,
        NORTH_UP @ Affine.rotation(30),
        around(UTM31, NORTH_UP @ Affine.rotation(30), UTM31, 20, 40),
        "average",
    ),
    "southern hemisphere": Case(
        "EPSG:32719", NORTH_UP, around("EPSG:32719", NORTH_UP, "EPSG:32718", 10, 90)
    ),
    "sinusoidal without EPSG code": Case(
        SINUSOIDAL, MODIS, around(SINUSOIDAL, MODIS, "EPSG:32721", 250, 90)
    ),
    "sinusoidal, much finer": Case(
        SINUSOIDAL, MODIS, around(SINUSOIDAL, MODIS, "EPSG:32721", 10, 90)
    ),
}


class Plane:
    """A source of `SIZE` x `SIZE` pixels whose two bands are the x and y of its pixel centres."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.origin = np.array(case.source @ (SIZE / 2, SIZE / 2))
        col, row = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
        x, y = case.source @ (col, row)
        self.layers = {"x": x - self.origin[0], "y": y - self.origin[1]}

    def write(self, archive, transform: Affine) -> ArchiveProvider:
        layers = {k: v.astype("float64") for k, v in self.layers.items()}
        archive.add("plane", layers, transform=transform, crs=self.case.crs)
        return ArchiveProvider(archive.save())

    def errors(self, provider: ArchiveProvider, band_read) -> np.ndarray:
        """Return how far each inner pixel lies from where its values say [source px]."""
        (item,) = provider.search(Query("c", EARTH, None))
        reads = [band_read(key, self.case.resampling) for key in ("x", "y")]
        pixels = provider.read(item, reads, self.case.target)
        said = ~self.case.source @ (
            pixels.values[0] + self.origin[0],
            pixels.values[1] + self.origin[1],
        )
        (u, v), inner = self.truth()
        assert inner.sum() > 1000
        assert pixels.valid[0][inner].all()
        return np.hypot(said[0] - u, said[1] - v)[inner]

    def truth(self):
        """Return the source coordinates of the target's pixel centres, by pyproj alone."""
        target = self.case.target
        height, width = target.shape
        col, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        to_source = Transformer.from_crs(target.crs.to_wkt(), self.case.crs, always_xy=True)
        u, v = ~self.case.source @ to_source.transform(*(target.affine @ (col, row)))
        inner = (np.minimum(u, v) > 5) & (np.maximum(u, v) < SIZE - 5)
        return (u, v), inner


def assert_in_place(errors: np.ndarray) -> None:
    assert errors.mean() < 0.02
    assert errors.max() < 0.2


@pytest.mark.parametrize("name", CASES)
def test_every_pixel_lies_where_it_says(name, archive, band_read):
    plane = Plane(CASES[name])
    errors = plane.errors(plane.write(archive, plane.case.source), band_read)
    assert_in_place(errors)
    assert errors.max() < 0.005, "what was measured when this was written: 0.002"


@pytest.mark.parametrize("name", CASES)
def test_half_a_pixel_would_be_noticed(name, archive, band_read):
    plane = Plane(CASES[name])
    shifted = plane.case.source @ Affine.translation(0.5, 0.0)
    errors = plane.errors(plane.write(archive, shifted), band_read)
    with pytest.raises(AssertionError):
        assert_in_place(errors)
    assert errors.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("resampling", ["nearest", "bilinear", "cubic", "average", "mode"])
def test_the_sources_own_grid_is_copied(resampling, archive, band_read):
    case = Case(UTM31, NORTH_UP, on(NORTH_UP, shift(30, 40), 90), resampling)
    plane = Plane(case)
    assert plane.errors(plane.write(archive, NORTH_UP), band_read).max() == 0.0


def test_nearest_moves_a_coarser_map_by_half_a_pixel(archive, band_read):
    """The reason why classes that get coarser are read with `mode`."""
    plane = Plane(Case(UTM31, NORTH_UP, on(NORTH_UP, shift(30, 40, 2), 60), "nearest"))
    errors = plane.errors(plane.write(archive, NORTH_UP), band_read)
    assert errors.mean() == pytest.approx(np.hypot(0.5, 0.5))
