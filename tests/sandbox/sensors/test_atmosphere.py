from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.sandbox.sensors.atmosphere import (
    Air,
    Look,
    air_of,
    cloud_reflectance,
    corrected_air,
    haze_effect,
    observed,
    skylight,
    vapour_root,
)
from eodata.sandbox.sensors.spectra import BANDS, INDEX

B02, B03, B04, B08, B8A, B09, B10, B11 = (
    INDEX[b] for b in ("B02", "B03", "B04", "B08", "B8A", "B09", "B10", "B11")
)
AIR = air_of(40.0)


def one(value: float) -> np.ndarray:
    return np.full(1, value, np.float32)


def look(
    haze: float = 0.1,
    vapour: float = 2.0,
    thick: float = 0.0,
    top_vapour: float = 1.0,
    ice: float = 0.0,
    thin: float = 0.0,
) -> Look:
    return Look(
        pressure=one(1),
        haze=haze_effect(one(haze)),
        vapour=vapour_root(one(vapour)),
        vapour_top=vapour_root(one(top_vapour)),
        cloud=cloud_reflectance(one(thick), 0.11) if thick else None,
        ice=one(ice),
        cirrus=cloud_reflectance(one(thin), 0.15) if thin else None,
    )


def seen(rho: float, band: int, air: Air = AIR, **hanging: float) -> float:
    return float(observed(one(rho), look(**hanging), air, band)[0])


# Medians of two places in Sentinel-2 products of both levels (crops in Tanzania at 1200 m and in
# Chile at 170 m): reflectance of the surface, reflectance above the air, of B02 B03 B04 B08 B11.
PAIRS = [
    (38.0, 0.15, [0.0784, 0.1116, 0.1560, 0.2652, 0.3657], [0.1234, 0.1272, 0.1583, 0.2475, 0.337]),
    (50.0, 0.10, [0.0454, 0.0652, 0.0816, 0.2032, 0.2227], [0.1045, 0.0921, 0.0924, 0.1843, 0.204]),
]


@pytest.mark.parametrize(("zenith", "haze", "below", "above"), PAIRS)
def test_air_turns_real_surface_into_real_top_of_atmosphere(zenith, haze, below, above) -> None:
    air = air_of(zenith)
    made = [seen(r, b, air, haze=haze) for r, b in zip(below, (B02, B03, B04, B08, B11), strict=1)]
    np.testing.assert_allclose(made, above, rtol=0.1)


def test_path_is_blue() -> None:
    path = [seen(0, b) for b in (B02, B03, B04, B08)]
    assert path == sorted(path, reverse=True)
    assert path[0] > 5 * path[3]


def test_haze_brightens_dark_ground_and_dims_bright_ground() -> None:
    assert seen(0.02, B02, haze=0.6) > seen(0.02, B02, haze=0.1) + 0.01
    assert seen(0.8, B04, haze=0.6) < seen(0.8, B04, haze=0.1)


def test_air_throws_the_light_of_bright_ground_back_at_it() -> None:
    path, grey, white = (seen(rho, B02) for rho in (0.0, 0.4, 0.8))
    assert white - path > 2.05 * (grey - path)


def test_vapour_darkens_band_9_and_blinds_band_10() -> None:
    assert seen(0.3, B09, vapour=4) < seen(0.3, B09, vapour=1) < 0.6 * seen(0.3, B8A)
    assert seen(0.3, B10) < 0.003


def test_band_10_sees_high_clouds_not_low_ones() -> None:
    low = seen(0.2, B10, thick=20, top_vapour=1.2)
    high = seen(0.2, B10, thick=20, top_vapour=0.03, ice=1)
    assert low < 0.02
    assert high > 0.15
    assert seen(0.2, B10, thin=0.3) > 5 * seen(0.2, B10)


def test_clouds_hide_the_ground_and_grow_white() -> None:
    dark, bright = (seen(rho, B04, thick=60) for rho in (0.02, 0.4))
    assert bright - dark < 0.07
    assert dark > 0.7
    assert seen(0.02, B11, thick=60) < 0.85 * dark


@given(st.floats(0, 60), st.sampled_from([B02, B04, B08]))
def test_thicker_clouds_over_dark_ground_are_never_darker(thick: float, band: int) -> None:
    assert seen(0.05, band, thick=thick + 1) >= seen(0.05, band, thick=thick) - 1e-6


def test_ice_absorbs_more_than_water_at_1600_nm() -> None:
    assert seen(0.1, B11, thick=20, ice=1) < 0.8 * seen(0.1, B11, thick=20, ice=0)


@pytest.mark.parametrize("band", [k for k, b in enumerate(BANDS) if b != "B10"])
@pytest.mark.parametrize("haze", [0.05, 0.15, 0.4])
def test_correction_leaves_small_errors_of_either_sign(band: int, haze: float) -> None:
    assert seen(0.2, band, corrected_air(40.0), haze=haze) == pytest.approx(0.2, abs=0.01)


def test_correction_brightens_clouds() -> None:
    assert seen(0.1, B03, corrected_air(60.0), thick=30) > seen(0.1, B03, air_of(60.0), thick=30)


def test_shadows_are_blue_and_low_sun_gives_more_skylight() -> None:
    share = skylight(40.0)
    assert 0.2 < share[B02] < 0.4
    assert share[B11] < 0.1
    assert (skylight(65.0) > share).all()


def test_air_when_the_sun_grazes_then_finite() -> None:
    for air in (air_of(90.0), corrected_air(90.0)):
        assert all(np.isfinite(getattr(air, name)).all() for name in Air.__dataclass_fields__)
