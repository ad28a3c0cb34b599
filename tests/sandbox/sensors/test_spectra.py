from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.planet.cover import CROP, FOREST, WATER, Cover
from eodata.sandbox.sensors.spectra import (
    BANDS,
    INDEX,
    LEVELS,
    bareness,
    mixtures,
    spectra,
)

KNOWN = spectra()


def ndvi(rows: np.ndarray) -> np.ndarray:
    red, nir = rows[..., INDEX["B04"]], rows[..., INDEX["B08"]]
    return (nir - red) / (nir + red)


def test_spectra_have_thirteen_bands_for_every_cover() -> None:
    assert KNOWN.dry.shape == KNOWN.leafy.shape == (len(Cover), len(BANDS))
    assert KNOWN.dry.dtype == np.float32


@pytest.mark.parametrize("member", ["dry", "leafy"])
def test_reflectances_of_ground_lie_between_nothing_and_snow(member: str) -> None:
    rows = getattr(KNOWN, member)
    assert (rows > 0).all()
    assert (rows < 0.7).all()


@pytest.mark.parametrize("cover", [*FOREST, *CROP, Cover.GRASS, Cover.SHRUB, Cover.GARDEN])
def test_leaves_make_plants_greener(cover: Cover) -> None:
    assert ndvi(KNOWN.leafy[cover]) > 0.6
    assert ndvi(KNOWN.leafy[cover]) > ndvi(KNOWN.dry[cover]) + 0.1
    assert KNOWN.leafy[cover, INDEX["B11"]] < KNOWN.dry[cover, INDEX["B11"]]


@pytest.mark.parametrize("cover", WATER)
def test_water_is_darkest_in_the_infrared(cover: Cover) -> None:
    assert KNOWN.dry[cover, INDEX["B11"]] < 0.02
    assert ndvi(KNOWN.dry[cover]) < 0


def test_snow_is_bright_to_the_eye_and_dark_in_the_short_wave_infrared() -> None:
    assert KNOWN.snow[INDEX["B03"]] > 0.85
    assert KNOWN.snow[INDEX["B11"]] < 0.1


def test_clouds_of_ice_are_darker_in_the_short_wave_infrared_than_those_of_water() -> None:
    b11 = INDEX["B11"]
    assert KNOWN.ice_cloud[b11] < KNOWN.water_cloud[b11] < KNOWN.water_cloud[INDEX["B03"]]


def test_mixtures_run_from_dry_to_leafy() -> None:
    table = mixtures()
    assert table.shape == (len(BANDS), len(Cover) * LEVELS)
    first, last = Cover.GRASS * LEVELS, Cover.GRASS * LEVELS + LEVELS - 1
    np.testing.assert_allclose(table[:, first], KNOWN.dry[Cover.GRASS], rtol=1e-6)
    np.testing.assert_allclose(table[:, last], KNOWN.leafy[Cover.GRASS], rtol=1e-6)


def test_shares_by_cover_lie_between_0_and_1() -> None:
    assert bareness().shape == (len(Cover),)
    assert ((bareness() >= 0) & (bareness() <= 1)).all()
    assert bareness()[Cover.BARE] > bareness()[Cover.NEEDLELEAF_FOREST]
