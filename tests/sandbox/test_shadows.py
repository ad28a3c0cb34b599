from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from eodata.sandbox.planet.sites import Sites, from_lonlat
from eodata.sandbox.shadows import cut_by_sun
from eodata.sandbox.sun import sun_at

TIME = datetime(2021, 4, 10, 10, 40, tzinfo=UTC)


@pytest.mark.parametrize(("lon", "lat"), [(0.4, 62.0), (3.0, 45.0), (5.6, -33.0)])
def test_rays_lead_to_the_sun_in_the_axes_of_the_frame(lon, lat):
    zenith, azimuth = sun_at(lon, lat, TIME)
    far = 0.01  # degrees of arc towards the sun, so that north is true north
    ends = from_lonlat(
        31,
        np.array([lon, lon + far * np.sin(np.radians(azimuth)) / np.cos(np.radians(lat))]),
        np.array([lat, lat + far * np.cos(np.radians(azimuth))]),
    )
    direction = np.array([np.diff(ends.x)[0], np.diff(ends.y)[0]])
    direction /= np.hypot(*direction)

    (rays,) = cut_by_sun(Sites(31, ends.x[:1], ends.y[:1]), TIME, 100.0)

    step = np.array([rays.east[0], rays.north[0]])
    assert np.hypot(*step) == pytest.approx(np.tan(np.radians(zenith)), rel=1e-3)
    assert step / np.hypot(*step) == pytest.approx(direction, abs=0.006)
    assert rays.airmass[0] == pytest.approx(1 / np.cos(np.radians(zenith)), rel=1e-3)


def test_a_low_sun_casts_shadows_of_finite_length():
    site = Sites(31, np.array([500_000.0]), np.array([8_000_000.0]))

    (rays,) = cut_by_sun(site, datetime(2021, 12, 21, 23, tzinfo=UTC), 20_000.0)

    assert np.hypot(rays.east, rays.north)[0] == pytest.approx(np.tan(np.radians(80)))


def test_pieces_of_a_lattice_cover_it_and_have_the_sun_of_its_points():
    x, y = 399_000 + np.arange(50) * 900.0, 5_610_000 - np.arange(40) * 900.0
    lattice = Sites(31, x[np.newaxis, :], y[:, np.newaxis])
    grid_x, grid_y = np.broadcast_arrays(lattice.x, lattice.y)
    (single,) = cut_by_sun(Sites(31, grid_x.ravel(), grid_y.ravel()), TIME, 20_000.0)
    east = np.full((40, 50), np.nan)

    pieces = cut_by_sun(lattice, TIME, 20_000.0)
    for rays in pieces:
        assert np.isnan(east[rays.where]).all()
        assert east[rays.where].shape == rays.sites.shape
        east[rays.where] = rays.east

    assert len(pieces) > 4
    assert np.array_equal(east.ravel(), single.east)
