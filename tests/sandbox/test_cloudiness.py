from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.cloudiness import Means
from tests.sandbox.climates import Even


def test_dry_land_is_clear_and_wet_land_and_stormy_seas_are_cloudy():
    lon, lat = np.array([10.0, -30.0, -40.0]), np.array([24.0, 55.0, 20.0])

    dry = Means(Even(wetness=0.0)).at(lon, lat)[0]
    wet = Means(Even(wetness=0.9)).at(lon, lat)[0]

    assert dry[0] == pytest.approx(0.12, abs=0.03)
    assert wet[0] == pytest.approx(0.62, abs=0.05)
    assert dry[1] == wet[1] > dry[2] > 0.45


def test_summers_are_wet_in_the_tropics_and_dry_around_the_mediterranean():
    gain = Means(Even()).at(np.array([22.0, -4.0]), np.array([12.0, 39.0]))[1]

    assert gain[0] > 0.15
    assert gain[1] < -0.08


def test_maps_are_continuous_across_the_date_line():
    means = Means(Even())
    lat = np.linspace(-90, 90, 61)

    west, east = (means.at(np.full(61, lon), lat) for lon in (-180.0, 179.99999))

    assert np.array(west) == pytest.approx(np.array(east), abs=1e-3)
