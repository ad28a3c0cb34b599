"""Rasters with ground control points and no grid: every pixel lies where the truth has it.

The true mapping is known everywhere, the reader sees 210 points of it, as in a Sentinel-1 image.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from rasterio.control import GroundControlPoint
from rasterio.enums import Resampling
from rasterio.errors import CRSError
from rasterio.warp import reproject

from eodata.providers.raster_file import RasterFile
from eodata.providers.warp import read_onto

REAL = Path(__file__).parents[1] / "data" / "sentinel1_points" / "iw-vv.tif"
SIZE = 300
DEGREES = "EPSG:4326"


@dataclass(frozen=True)
class Swath:
    """A raster of 10 m pixels that lies askew and bent around a place."""

    lon: float
    lat: float

    @property
    def plane(self) -> str:
        return f"+proj=aeqd +lon_0={self.lon} +lat_0={self.lat} +datum=WGS84 +units=m"

    def ground(self, col, row):
        """Return `(east, north)` of the middle [m] of pixel coordinates: the truth."""
        u, v = col / SIZE - 0.5, row / SIZE - 0.5
        east = -2900 * u - 620 * v + 80 * u * u - 40 * u * v + 25 * np.sin(4 * v)
        north = 610 * u - 2950 * v + 50 * v * v * u + 30 * np.cos(3 * u + v)
        return east, north

    def points(self, shift=0.0):
        col, row = np.meshgrid(np.linspace(0, SIZE - 1, 21), np.linspace(0, SIZE - 1, 10))
        to_degrees = Transformer.from_crs(self.plane, DEGREES, always_xy=True)
        lon, lat = to_degrees.transform(*self.ground(col, row))
        return [
            GroundControlPoint(col=c + shift, row=r, x=x, y=y, z=300.0)
            for c, r, x, y in zip(col.flat, row.flat, lon.flat, lat.flat, strict=True)
        ]

    def around(self, crs, resolution, n):
        x, y = Transformer.from_crs(DEGREES, crs, always_xy=True).transform(self.lon, self.lat)
        left, top = x - (n / 2 + 0.37) * resolution, y + n / 2 * resolution
        return GeoBox((n, n), Affine(resolution, 0, left, 0, -resolution, top), CRS(crs))

    def ground_of(self, grid):
        """Return `(east, north)` of the pixel centres of a grid, by pyproj alone."""
        col, row = np.meshgrid(np.arange(grid.shape[1]) + 0.5, np.arange(grid.shape[0]) + 0.5)
        to_plane = Transformer.from_crs(grid.crs.to_wkt(), self.plane, always_xy=True)
        return to_plane.transform(*(grid.affine @ (col, row)))


def write(path, layers, points):
    layers = np.asarray(layers)
    layers = layers[np.newaxis] if layers.ndim == 2 else layers
    count, height, width = layers.shape
    with rasterio.open(
        path, "w", driver="GTiff", count=count, height=height, width=width,
        dtype=layers.dtype, gcps=points, crs=DEGREES,
    ) as file:  # fmt: skip
        file.write(layers)
    return path


def read(path, grid, resampling="bilinear", nodata=None, band=1):
    with rasterio.open(path) as file:
        return read_onto(RasterFile(file, band, nodata, by_points=True), grid, resampling)


def errors(path, swath, grid, resampling="bilinear", shift=0.0):
    """Return how far each pixel lies from where its values say [source px]."""
    col, row = np.meshgrid(np.arange(SIZE) + 0.5, np.arange(SIZE) + 0.5)
    write(path, np.stack(swath.ground(col, row)), swath.points(shift))
    said = [read(path, grid, resampling, band=band) for band in (1, 2)]
    assert all(valid.all() for _, valid, _ in said)
    east, north = swath.ground_of(grid)
    return np.hypot(said[0][0] - east, said[1][0] - north) / 10


NETHERLANDS, FIJI, NORTH = Swath(5.0, 52.0), Swath(180.0, -17.0), Swath(20.0, 84.9)


@pytest.mark.parametrize(
    ("swath", "crs", "resolution", "n", "resampling"),
    [
        (NETHERLANDS, "EPSG:32631", 10, 180, "bilinear"),
        (NETHERLANDS, "EPSG:32631", 10, 60, "cubic"),
        (NETHERLANDS, "EPSG:32632", 5, 200, "bilinear"),
        (NETHERLANDS, "EPSG:32631", 40, 50, "average"),
        (NETHERLANDS, DEGREES, 1e-4, 120, "bilinear"),
        (FIJI, "EPSG:32760", 10, 120, "bilinear"),
        (FIJI, DEGREES, 1e-4, 120, "bilinear"),
        (NORTH, "EPSG:3413", 10, 120, "bilinear"),
    ],
)
def test_every_pixel_lies_where_the_truth_has_it(tmp_path, swath, crs, resolution, n, resampling):
    off = errors(tmp_path / "swath.tif", swath, swath.around(crs, resolution, n), resampling)
    assert off.mean() < 0.005, "what was measured when this was written: 0.001"
    assert off.max() < 0.03, "and 0.009"


def test_half_a_pixel_would_be_noticed(tmp_path):
    grid = NETHERLANDS.around("EPSG:32631", 10, 100)
    off = errors(tmp_path / "swath.tif", NETHERLANDS, grid, shift=0.5)
    assert off.mean() == pytest.approx(0.5, abs=0.03)


def test_points_that_count_centres_are_mended_by_moving_them(tmp_path):
    layer = np.arange(SIZE * SIZE, dtype="uint32").reshape(SIZE, SIZE)
    path = write(tmp_path / "centres.tif", layer, NETHERLANDS.points(shift=-0.5))
    with rasterio.open(path) as file:
        source = RasterFile(file, 1, None, by_points=True)
        source.grid = source.grid.moved(0.5, 0)
        mended, _, _ = read_onto(source, NETHERLANDS.around("EPSG:32631", 10, 40), "nearest")
    write(path, layer, NETHERLANDS.points())
    right, _, _ = read(path, NETHERLANDS.around("EPSG:32631", 10, 40), "nearest")
    assert (mended == right).mean() > 0.999


@pytest.mark.parametrize("resampling", ["bilinear", "cubic", "average"])
@pytest.mark.parametrize("resolution", [5, 10, 40])
def test_a_missing_value_never_reaches_its_neighbours(tmp_path, resampling, resolution):
    layer = np.full((SIZE, SIZE), 1000, "int16")
    layer[100:130, 100:130] = layer[::50, ::50] = -1
    path = write(tmp_path / "holes.tif", layer, NETHERLANDS.points())
    grid = NETHERLANDS.around("EPSG:32631", resolution, 1600 // resolution)
    values, valid, _ = read(path, grid, resampling, nodata=-1)
    assert (values[valid] == 1000).all()
    assert 0.005 < (~valid).mean() < 0.2


@pytest.mark.parametrize("resampling", ["nearest", "mode"])
def test_classes_stay_classes(tmp_path, resampling):
    layer = np.tile(np.array([[3, 200]], "uint8").repeat(20, 1).repeat(20, 0), (15, 8))[:, :SIZE]
    path = write(tmp_path / "classes.tif", layer, NETHERLANDS.points())
    values, valid, _ = read(path, NETHERLANDS.around("EPSG:32631", 30, 60), resampling)
    assert set(np.unique(values[valid])) == {3, 200}


def test_outside_nothing_is_valid(tmp_path):
    path = write(tmp_path / "small.tif", np.ones((SIZE, SIZE), "uint8"), NETHERLANDS.points())
    grid = NETHERLANDS.around("EPSG:32631", 30, 200)
    _, valid, _ = read(path, grid, "nearest")
    east, north = NETHERLANDS.ground_of(grid)
    ground = np.count_nonzero(valid) * 30**2 / (SIZE * 10) ** 2
    assert ground == pytest.approx(1.0, abs=0.05)
    assert not valid[np.hypot(east, north) > 2300].any()


def test_a_patch_of_a_large_raster_reads_little(tmp_path):
    path = write(tmp_path / "large.tif", np.ones((SIZE, SIZE), "uint16"), NETHERLANDS.points())
    _, valid, n_bytes = read(path, NETHERLANDS.around("EPSG:32631", 10, 20))
    assert valid.all()
    assert n_bytes < 40 * 40 * 2


def test_points_are_used_only_where_the_caller_wants_it():
    with rasterio.open(REAL) as file:
        with pytest.raises(CRSError, match="only 210 ground control points"):
            RasterFile(file, 1, None)
        assert RasterFile(file, 1, None, by_points=True).grid.shape == (170, 160)


def test_a_grid_goes_before_points_and_without_either_nothing_is_read(tmp_path, write_raster):
    layer = np.ones((8, 8), "uint8")
    with rasterio.open(write_raster(tmp_path / "grid.tif", layer)) as file:
        assert isinstance(RasterFile(file, 1, None, by_points=True).grid, GeoBox)
    path = write_raster(tmp_path / "nowhere.tif", layer, crs=None)
    with rasterio.open(path) as file, pytest.raises(CRSError, match="0 ground control points"):
        RasterFile(file, 1, None, by_points=True)


def test_real_pixels_lie_at_their_points():
    """The four points inside of the piece: a tiny grid on each shows the pixel it names."""
    with rasterio.open(REAL) as file:
        layer, (points, _) = file.read(1), file.gcps
    inside = [p for p in points if 0 < p.col < 160 and 0 < p.row < 170]
    assert len(inside) == 4
    for p in inside:
        grid = GeoBox((1, 1), Affine(2e-5, 0, p.x - 1e-5, 0, -2e-5, p.y + 1e-5), CRS(DEGREES))
        values, valid, _ = read(REAL, grid, "nearest")
        assert valid.item()
        assert values.item() == layer[int(p.row), int(p.col)]


def test_real_pixels_lie_where_gdal_puts_them_by_a_spline_and_not_by_a_polynomial(tmp_path):
    """GDAL's own warp is right to 0.125 px at best; its default polynomial misses the points."""
    with rasterio.open(REAL) as file:
        points, _ = file.gcps
    col, row = np.meshgrid(np.arange(160) + 0.5, np.arange(170) + 0.5)
    path = write(tmp_path / "ramp.tif", np.stack([col, row]), points)
    grid = GeoBox((80, 80), Affine(200, 0, 625_600, 0, -200, 1_124_000), CRS("EPSG:32643"))
    ours = np.stack([read(path, grid, band=band)[0] for band in (1, 2)])
    by_spline = np.hypot(*(ours - gdal(path, grid, SRC_METHOD="GCP_TPS")))
    assert by_spline.mean() < 0.05, "0.03 when this was written"
    assert by_spline.max() < 0.125
    by_polynomial = np.hypot(*(ours - gdal(path, grid)))
    assert by_polynomial.mean() > 0.2, "four full resolution pixels"


def gdal(path, grid, **options):
    with rasterio.open(path) as file:
        layers, (points, crs) = file.read(), file.gcps
    onto = np.zeros((2, *grid.shape))
    reproject(
        layers, onto, gcps=points, src_crs=crs, dst_crs=grid.crs.to_wkt(),
        dst_transform=grid.affine, resampling=Resampling.bilinear, XSCALE=1, YSCALE=1, **options,
    )  # fmt: skip
    return onto
