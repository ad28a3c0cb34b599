from __future__ import annotations

import numpy as np
import pytest

from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.sensors.classify import BANDS_USED, Evidence, Scl, classify
from eodata.sandbox.sensors.spectra import INDEX, spectra


def told(
    rho: np.ndarray,
    cloud: float = 0.0,
    cirrus: float = 0.0,
    sunlight: float = 1.0,
    water: float = 0.0,
) -> int:
    fields = (np.full((1, 1), v, np.float32) for v in (cloud, cirrus, sunlight, water))
    bands = {band: np.full((1, 1), rho[INDEX[band]], np.float32) for band in BANDS_USED}
    return int(classify(Evidence(bands, *fields))[0, 0])


DRY, LEAFY, SNOW = spectra().dry, spectra().leafy, spectra().snow


@pytest.mark.parametrize(
    ("rho", "expected"),
    [
        (LEAFY[Cover.GRASS], Scl.VEGETATION),
        (LEAFY[Cover.NEEDLELEAF_FOREST], Scl.VEGETATION),
        (DRY[Cover.BARE], Scl.BARE),
        (DRY[Cover.SUMMER_CROP], Scl.BARE),
        (SNOW, Scl.SNOW),
        (np.full(13, 0.05), Scl.DARK),
        (np.full(13, 0.45), Scl.CLOUD_MEDIUM),
    ],
)
def test_clear_ground_is_told_by_its_colours(rho: np.ndarray, expected: Scl) -> None:
    assert told(rho) == expected


@pytest.mark.parametrize("rho", [DRY[Cover.SEA], DRY[Cover.LAKE], LEAFY[Cover.LAKE]])
def test_water_is_water(rho: np.ndarray) -> None:
    assert told(rho, water=1) == Scl.WATER


@pytest.mark.parametrize(
    ("sky", "expected"),
    [
        ({"cloud": 0.6}, Scl.CLOUD_HIGH),
        ({"cloud": 0.2}, Scl.CLOUD_MEDIUM),
        ({"cirrus": 0.05}, Scl.CIRRUS),
        ({"cirrus": 0.05, "cloud": 0.6}, Scl.CLOUD_HIGH),
        ({"sunlight": 0.2}, Scl.SHADOW),
        ({"sunlight": 0.6}, Scl.UNCLASSIFIED),
        ({"sunlight": 0.2, "cloud": 0.6}, Scl.CLOUD_HIGH),
    ],
)
def test_the_sky_goes_before_the_ground(sky: dict[str, float], expected: Scl) -> None:
    assert told(LEAFY[Cover.GRASS], **sky) == expected


def test_classes_are_bytes() -> None:
    one = np.ones((2, 3), np.float32)
    classes = classify(Evidence(dict.fromkeys(BANDS_USED, one), one, one, one, one))
    assert classes.dtype == np.uint8
    assert classes.shape == (2, 3)
