from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from eodata.sandbox.systems import Moment, Systems, sphere_noises
from tests.sandbox.climates import Even


def on_sphere(lon, lat):
    lam, phi = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def test_noises_have_mean_0_variance_1_and_are_independent():
    lat, lon = np.meshgrid(np.arange(-60, 61, 3.0), np.arange(-180, 180, 3.0))

    noises = sphere_noises(on_sphere(lon, lat), (300.0, 300.0, 150.0), 9).reshape(3, -1)

    assert np.abs(noises.mean(axis=1)).max() < 0.06
    assert noises.std(axis=1) == pytest.approx([1.0, 1.0, 1.0], abs=0.08)
    assert np.abs(np.corrcoef(noises) - np.eye(3)).max() < 0.08


def test_the_sky_has_no_seam_at_the_date_line_and_at_the_poles():
    moment = Moment.of(datetime(2021, 6, 1, 10, tzinfo=UTC))
    systems = Systems(3, Even())
    lat = np.linspace(-80, 80, 41)

    west, east = (systems.at(np.full(41, lon), lat, moment) for lon in (-179.9999, 179.9999))
    pole = systems.at(np.linspace(-180, 180, 12), np.full(12, 89.9999), moment)

    for name in west:
        assert west[name] == pytest.approx(east[name], abs=1e-3)
        assert np.ptp(pole[name]) < 1e-3


def test_days_differ_and_hours_of_a_day_are_alike():
    systems = Systems(3, Even())
    lat, lon = np.meshgrid(np.arange(40, 60, 1.0), np.arange(0, 40, 1.0))
    noon = datetime(2021, 6, 1, 12, tzinfo=UTC)

    now, soon, tomorrow = (
        systems.at(lon, lat, Moment.of(noon + timedelta(minutes=m)))["front"] for m in (0, 5, 1440)
    )

    assert np.abs(soon - now).mean() < 0.02
    assert np.abs(tomorrow - now).mean() > 0.1


def test_a_day_of_weather_begins_at_22_utc():
    last = Moment.of(datetime(2021, 6, 1, 21, 59, 59, tzinfo=UTC))
    first = Moment.of(datetime(2021, 6, 1, 22, tzinfo=UTC))

    assert (first.day, first.seconds) == (last.day + 1, 0.0)
    assert last.seconds == 86399.0


def test_clear_regions_have_exactly_no_cloud_and_lows_all():
    systems = Systems(1, Even())
    lat, lon = np.meshgrid(np.arange(-60, 61, 2.0), np.arange(-180, 180, 2.0))
    sky = systems.at(lon, lat, Moment.of(datetime(2021, 6, 1, 12, tzinfo=UTC)))

    for name in ("cumulus", "deck", "front", "cirrus"):
        assert sky[name].min() == 0
        assert (sky[name] == 0).mean() > 0.1
        assert sky[name].max() <= 1
    assert sky["front"].max() > 0.99
    assert sky["haze"].min() >= np.float32(0.03)
    assert sky["haze"].max() <= np.float32(0.6)


def test_warm_air_holds_more_water():
    moment = Moment.of(datetime(2021, 7, 20, 12, tzinfo=UTC))
    lat, lon = np.meshgrid(np.arange(40, 60, 2.0), np.arange(0, 60, 2.0))

    warm, cold = (Systems(1, Even(warmth=t)).at(lon, lat, moment)["vapour"] for t in (20.0, -10.0))

    assert (warm > cold).all()
    assert 0.3 <= cold.mean() < 1.2 < 2.0 < warm.mean() <= 6.0
