"""The provider `sandbox`: which of its numbers are powers."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from shapely.geometry import box

from eodata.core.protocols import Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.providers.sandbox import SandboxProvider
from eodata.sandbox import plane

QUERY = Query(
    "sentinel-1-grd",
    box(11.00, 48.05, 11.02, 48.06),
    Span(datetime(2018, 6, 1, tzinfo=UTC), datetime(2018, 6, 20, tzinfo=UTC)),
)


@pytest.fixture(params=["planet", "plane"])
def world(request):
    provider = SandboxProvider(SandboxSettings(mode=request.param))
    item = provider.search(QUERY)[0]
    return provider, item, provider.archive.collections[item.collection].get(item.id)


def lattice(record, step: Affine, n: int) -> GeoBox:
    """Return a grid that starts at a pixel of the item in the middle of the query."""
    place = QUERY.footprint.centroid
    onto = Transformer.from_crs("EPSG:4326", record.base.crs.to_wkt(), always_xy=True)
    col, row = ~record.base.affine @ onto.transform(place.x, place.y)
    corner = record.base.affine @ Affine.translation(np.floor(col), np.floor(row))
    return GeoBox((n, n), corner @ step, record.base.crs)


@pytest.mark.parametrize("world", ["planet"], indirect=True)
def test_coarser_pixels_have_the_mean_power_of_finer_ones(world, band_read):
    provider, item, record = world
    reads = [band_read("vv", "average", unit="dB")]
    fine = provider.read(item, reads, lattice(record, Affine.identity(), 64))
    coarse = provider.read(item, reads, lattice(record, Affine.scale(4), 16))
    assert fine.valid[0].all()
    power = 10 ** (fine.values[0].astype("float64") / 10)
    expected = 10 * np.log10(power.reshape(16, 4, 16, 4).mean(axis=(1, 3)))
    assert np.abs(coarse.values[0] - expected).max() < 1e-5


@pytest.mark.parametrize("world", ["plane"], indirect=True)
def test_positions_of_the_plane_world_are_no_powers(world, band_read):
    provider, item, record = world
    grid = lattice(record, Affine.translation(0.5, 0.25), 32)
    pixels = provider.read(item, [band_read("vv", "bilinear", unit="dB")], grid)
    col, row = np.meshgrid(np.arange(32) + 0.5, np.arange(32) + 0.5)
    expected = plane.number_at(record, "vv", *(~record.base.affine @ (grid.affine @ (col, row))))
    assert pixels.valid[0].all()
    assert np.abs(pixels.values[0] - expected).max() < 0.02
