from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.orbits import SENTINEL2_HALF_SWATH_KM
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.sensors.classify import Scl
from eodata.sandbox.sensors.sentinel2 import NOISE, Sentinel2
from eodata.sandbox.sensors.spectra import BANDS, INDEX, spectra
from eodata.sandbox.sensors.view import SAMPLES, Kept
from tests.sandbox.sensors.toy_world import (
    LAYERS,
    ToyPass,
    ToyPlanet,
    ToyWeather,
    toy_item,
    window,
)

TRUTH = {
    "clear", "thick", "thin", "haze", "cloud", "shadow", "sunlight", "cloud_top", "cover", "green",
    "snow", "swath",
}  # fmt: skip
SEEN = window(600, 480 * 6, 48, 60)


def sensor(level: str = "l1c", planet: ToyPlanet | None = None, **sky: float) -> Sentinel2:
    return Sentinel2(level, SandboxSettings(), planet or ToyPlanet(), ToyWeather(**sky))


def render(made: Sentinel2, key: str, base=SEEN, **origin) -> np.ndarray:
    return made.render(toy_item(**origin), [key], base)[key]


@pytest.mark.parametrize("level", ["l1c", "l2a"])
def test_render_gives_every_layer_its_shape_and_dtype(level: str) -> None:
    numbers = sensor(level, thick=10).render(toy_item(level=level), list(LAYERS), SEEN)
    for key, layer in LAYERS.items():
        assert numbers[key].shape == (48 // layer.ratio, 60 // layer.ratio)
        assert numbers[key].dtype == layer.dtype
        assert (numbers[key] > 0).all()


@pytest.mark.parametrize("factor", [1, 4])
@pytest.mark.parametrize("key", ["B02", "B11", "B09", "SCL"])
@given(st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=5, deadline=None)
def test_window_alone_equals_window_of_a_larger_one(
    key: str, factor: int, row: int, col: int
) -> None:
    made, ratio = sensor("l2a", thick=10), LAYERS[key].ratio
    whole = render(made, key, window(600, 1200, 48, 48, factor), band_shifts={"B02": (3.0, -7.0)})
    part = render(
        made,
        key,
        window(600 + 6 * row, 1200 + 6 * col, 12, 18, factor),
        band_shifts={"B02": (3.0, -7.0)},
    )
    top, left = 6 * row // ratio, 6 * col // ratio
    np.testing.assert_array_equal(part, whole[top : top + 12 // ratio, left : left + 18 // ratio])


def test_reflectance_of_a_uniform_clear_field_is_its_spectrum() -> None:
    made = sensor("l2a", ToyPlanet((Cover.GRASS,), green=0, rough=0), haze=0.15)
    for key in ("B02", "B08", "B11", "B09"):
        rho = render(made, key).mean() / 1e4
        assert rho == pytest.approx(spectra().dry[Cover.GRASS, INDEX[key]], abs=2e-3)


def test_offset_moves_the_numbers_by_1000() -> None:
    old, new = (render(sensor(), "B03", offset_dn=dn).astype(int) for dn in (0, -1000))
    np.testing.assert_array_equal(new - old, 1000)


def test_valid_numbers_are_never_nodata() -> None:
    dark = ToyPlanet((Cover.SEA,))
    assert render(sensor("l2a", dark, haze=0.0), "B12").min() >= 1


def test_noise_is_that_of_the_detector_and_differs_by_item_and_band() -> None:
    flat = sensor("l2a", ToyPlanet((Cover.BROADLEAF_FOREST,), rough=0))
    base = window(600, 1200, 240, 240)
    here = render(flat, "B02", base).astype(float)
    assert here.std() / 1e4 == pytest.approx(NOISE[INDEX["B02"]], rel=0.1)
    later = render(flat, "B02", base, day=1).astype(float)
    other = render(flat, "B03", base).astype(float)
    for one in (later, other):
        assert abs(np.corrcoef(here.ravel(), one.ravel())[0, 1]) < 0.02


def test_swath_edge_is_nodata_and_only_there() -> None:
    lon_of_edge = 2.05 - SENTINEL2_HALF_SWATH_KM / 70
    item = toy_item(crossing=ToyPass(lon_of_edge))
    made, base = sensor(), window(120, 0, 48, 1368, factor=8)
    for key in ("B02", "B8A", "B10"):
        numbers = made.render(item, [key], base)[key]
        step = LAYERS[key].ratio
        seen = made.truth(item, base)["swath"][step // 2 :: step, step // 2 :: step]
        assert 0.1 < (numbers == 0).mean() < 0.9
        assert (seen == (numbers > 0)).mean() > 0.99


def test_item_without_data_is_all_zeros() -> None:
    for key in ("B02", "B01"):
        assert not render(sensor(), key, all_nodata=True).any()


@pytest.mark.parametrize("ratio", [1, 2, 6])
def test_samples_of_a_coarse_pixel_lie_about_its_centre(ratio: int) -> None:
    steps = np.array(SAMPLES.get(ratio, range(ratio)))
    assert (steps + 0.5).mean() == ratio / 2
    np.testing.assert_array_equal(np.sort(ratio - 1 - steps), steps)


@pytest.mark.parametrize(("key", "ratio"), [("B04", 1), ("B05", 2), ("B01", 6)])
def test_shift_of_whole_pixels_moves_the_picture(key: str, ratio: int) -> None:
    made = sensor("l2a", rough := ToyPlanet(rough=0.0))
    assert rough
    size = 10.0 * ratio
    still = render(made, key, window(600, 1200, 120, 120)).astype(int)
    moved = render(made, key, window(600, 1200, 120, 120), shift=(size, -2 * size)).astype(int)
    assert np.abs(moved[2:, 1:] - still[:-2, :-1]).max() < 40
    assert np.abs(moved - still).max() > 200


def test_shift_of_a_band_moves_it_as_the_shift_of_the_item_would() -> None:
    made = sensor("l2a")
    alone = render(made, "B02", band_shifts={"B02": (13.0, -27.0)})
    np.testing.assert_array_equal(alone, render(made, "B02", shift=(13.0, -27.0)))


def test_shift_of_one_band_leaves_the_others() -> None:
    made = sensor("l2a")
    plain, moved = (
        made.render(toy_item(band_shifts=shifts), ["B02", "B04"], SEEN)
        for shifts in ({}, {"B02": (30.0, 0.0)})
    )
    np.testing.assert_array_equal(plain["B04"], moved["B04"])
    assert (plain["B02"] != moved["B02"]).mean() > 0.5


def test_clear_truth_is_what_a_cloudless_corrected_item_shows() -> None:
    item = toy_item(level="l2a")
    made = sensor("l2a", haze=0.15)
    clear = made.truth(item, SEEN)["clear"]
    for key in ("B03", "B06", "B12"):
        step = LAYERS[key].ratio
        mean = clear[INDEX[key]].reshape(48 // step, step, 60 // step, step).mean((1, 3))
        numbers = made.render(item, [key], SEEN)[key] / 1e4
        np.testing.assert_allclose(numbers, mean, atol=4e-3, rtol=0.01)


def test_clear_truth_knows_no_cloud_and_no_shadow() -> None:
    item = toy_item()
    cloudy = sensor("l1c", thick=20, sunlit=0.3).truth(item, SEEN)
    clear = sensor("l1c").truth(item, SEEN)
    np.testing.assert_array_equal(cloudy["clear"], clear["clear"])
    assert cloudy["shadow"].all()


def test_truth_names_what_it_promises() -> None:
    truth = sensor(thick=20).truth(toy_item(), window(600, 1200, 100, 130))
    assert set(truth) == TRUTH
    assert truth["clear"].shape == (len(BANDS), 100, 130)
    assert all(field.shape[-2:] == (100, 130) for field in truth.values())
    assert truth["cloud"].dtype == truth["shadow"].dtype == truth["swath"].dtype == bool
    assert truth["cover"].dtype == np.uint8
    np.testing.assert_array_equal(truth["cloud"], truth["thick"] > 2)


def test_clouds_are_bright_and_classified() -> None:
    made, base = sensor("l2a", thick=30), window(600, 1200, 240, 240)
    item = toy_item(level="l2a")
    cloud = made.truth(item, base)["cloud"].reshape(120, 2, 120, 2).mean((1, 3))
    classes = made.render(item, ["SCL"], base)["SCL"]
    assert 0.05 < cloud.mean() < 0.95
    assert (classes[cloud == 1] == Scl.CLOUD_HIGH).all()
    assert not np.isin(classes[cloud == 0], (Scl.CLOUD_HIGH, Scl.CIRRUS)).any()


def test_bands_of_a_square_share_one_look_at_the_planet() -> None:
    planet = ToyPlanet()
    made = sensor("l1c", planet)
    for key in BANDS:
        render(made, key)
    assert planet.calls == 1


def test_kept_results_are_made_once_even_by_many_threads() -> None:
    made: list[int] = []
    slow = Kept(lambda key: made.append(key) or key * 2, 4)
    threads = [threading.Thread(target=slow, args=(n % 3,)) for n in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 1, 2]
    assert [slow(n) for n in range(6)] == [0, 2, 4, 6, 8, 10]


def test_kept_results_when_making_fails_then_tried_again() -> None:
    answers = iter([ZeroDivisionError, 5])

    def make(_: int) -> int:
        answer = next(answers)
        if answer is ZeroDivisionError:
            raise ZeroDivisionError
        return answer

    kept = Kept(make, 2)
    with pytest.raises(ZeroDivisionError):
        kept(1)
    assert kept(1) == 5
