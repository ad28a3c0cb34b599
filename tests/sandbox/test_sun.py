from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from eodata.sandbox.sun import sun_at

# Mean sun angles and sensing times in the metadata of Sentinel-2 tiles (T33TWL, and in the Arctic
# T47XML, T47XMJ, T46XES), at the tile's centre. Contains Copernicus Sentinel data 2023, 2024.
TILES = [
    ("2023-08-18T10:08:08.248993+00:00", 15.7031614, 45.5572745, 34.3368985, 156.7045930),
    ("2023-08-10T09:58:11.590246+00:00", 15.7031614, 45.5572745, 32.8920345, 150.5241044),
    ("2023-08-15T09:58:11.662849+00:00", 15.7031614, 45.5572745, 34.2354277, 151.8320947),
    ("2024-04-19T09:55:49.024000+00:00", 96.2776384, 81.4555954, 75.1644684, 247.3470326),
    ("2024-04-19T09:55:49.024000+00:00", 96.7454816, 79.6656371, 74.5598581, 248.2681164),
    ("2024-04-19T09:55:49.024000+00:00", 96.6928997, 82.3454101, 75.5586478, 247.5404084),
]


@pytest.mark.parametrize(("time", "lon", "lat", "zenith", "azimuth"), TILES)
def test_agrees_with_the_metadata_of_real_tiles(time, lon, lat, zenith, azimuth):
    found = sun_at(lon, lat, datetime.fromisoformat(time))

    assert found == pytest.approx((zenith, azimuth), abs=0.06)


def test_stands_overhead_on_the_equator_at_an_equinox():
    # Equinox of 2024-03-20 03:06 UTC; the equation of time is -7.4 minutes then.
    zenith, _ = sun_at(
        180.0 - (3.1 - 7.4 / 60) * 15.0, 0.0, datetime(2024, 3, 20, 3, 6, tzinfo=UTC)
    )

    assert zenith < 0.05


def test_goes_from_east_over_south_to_west_in_the_north_and_over_north_in_the_south():
    noon = datetime(2021, 6, 21, 12, tzinfo=UTC)
    hours = [sun_at(0.0, 50.0, noon + timedelta(hours=h))[1] for h in (-6, 0, 6)]

    assert hours[0] < 90 < 175 < hours[1] < 185 < 270 < hours[2]
    assert min(sun_at(0.0, -50.0, noon)[1], 360 - sun_at(0.0, -50.0, noon)[1]) < 5


def test_arrays_and_zones_of_time_give_the_same_numbers():
    lon, lat = np.meshgrid(np.linspace(-180, 180, 7), np.linspace(-90, 90, 5))
    time = datetime(2020, 2, 29, 9, 30, tzinfo=UTC)

    zenith, azimuth = sun_at(lon, lat, time)
    elsewhere = sun_at(lon, lat, time.astimezone(timezone(timedelta(hours=5))))

    assert zenith.shape == azimuth.shape == lon.shape
    assert np.array_equal(elsewhere, (zenith, azimuth))
    assert sun_at(lon[2, 3], lat[2, 3], time)[0] == pytest.approx(zenith[2, 3], abs=1e-9)
    assert ((azimuth >= 0) & (azimuth < 360)).all()
