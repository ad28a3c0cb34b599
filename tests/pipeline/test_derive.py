"""Every derivation on small images whose answer is known."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from eodata.core.band import Band
from eodata.core.derivation import (
    S2_CLOUDLESS_BANDS,
    ClassMap,
    ClassMask,
    CloudScore,
    CloudShadowRules,
    Derived,
    S2Cloudless,
    Stretch,
    Threshold,
)
from eodata.core.modality_plan import ModalityPlan
from eodata.pipeline.cloud_score import RULE_BANDS, cloud_score, cloud_shadow_rules
from eodata.pipeline.derive import Derivation, class_map, class_mask, derive, stretch
from eodata.pipeline.derived_bands import derived_bands

ALL = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
EDGE = 24


def modality(name: str, *bands: Band, **more: Any) -> ModalityPlan:
    return ModalityPlan(
        name=name,
        gsd=10.0,
        static=False,
        role="input",
        reads=(),
        bands=bands,
        provider="",
        product="p",
        collection="",
        radiometry="",
        **more,
    )


def reflectance(name: str) -> Band:
    return Band(name, "continuous", "uint16", 10.0, scale=1e-4, nodata=0)


L1C = modality("l1c", *map(reflectance, ALL))
CLASSES = modality("lc", Band("LC", "categorical", "uint8", 10.0, unit=""))
SCORES = modality("score", Band("score", "continuous", "float32", 10.0))


def derived(
    spec: Derived, source: ModalityPlan, values: Any, valid: Any = None, **more: Any
) -> Derivation:
    bands = derived_bands("new", spec, source.bands, 10.0, None)
    plan = modality("new", *bands, derive=spec.derive, source=source.name, **more)
    values = np.asarray(values)
    seen = np.ones((len(values), *values.shape[2:]), np.bool_) if valid is None else valid
    found = derive(spec, plan, source, values, np.asarray(seen))
    assert found.values.dtype == plan.dtype
    assert found.values.shape == (len(values), len(bands), *values.shape[2:])
    assert found.valid.shape == found.values[:, 0].shape
    return found


def images(count: int, seed: int = 0) -> NDArray[np.uint16]:
    """Level-1C with bright squares that score as clouds."""
    rng = np.random.default_rng(seed)
    dn = rng.integers(400, 2500, (count, 13, EDGE, EDGE)).astype(np.uint16)
    dn[:, 10] = 20
    for n in range(count):
        dn[n, :, : 8 + n, :12] = 7000
        dn[n, 11:, : 8 + n, :12] = 5000
    return dn


SPECTRAL = [
    CloudScore(derive="schmitt-score", **{"from": "l1c"}),
    CloudShadowRules(derive="cloud-shadow-rules", **{"from": "l1c"}),
    Stretch(derive="stretch", **{"from": "l1c"}),
]


@pytest.mark.parametrize("spec", SPECTRAL, ids=lambda spec: spec.derive)
def test_a_batch_equals_its_images_one_by_one(spec: Derived) -> None:
    values = images(5)
    valid = np.random.default_rng(1).random((5, EDGE, EDGE)) > 0.1
    together = derived(spec, L1C, values, valid)
    for n in range(5):
        alone = derived(spec, L1C, values[n : n + 1], valid[n : n + 1])
        np.testing.assert_array_equal(together.values[n], alone.values[0])
        np.testing.assert_array_equal(together.valid[n], alone.valid[0])
        assert together.measured[n : n + 1] == alone.measured


# ---- classes ------------------------------------------------------------------------------------


def test_class_mask_marks_its_classes_of_any_shape() -> None:
    assert class_mask(np.array([[3, 8], [9, 4]]), [8, 9]).tolist() == [[0, 1], [1, 0]]


def test_class_mask_keeps_validity() -> None:
    spec = ClassMask(derive="class-mask", classes=(8, 9), **{"from": "lc"})
    valid = np.array([[[True, False, True]]])
    found = derived(spec, CLASSES, np.array([[[[8, 9, 1]]]], np.uint8), valid)
    assert found.values[0, 0, 0].tolist() == [1, 1, 0]
    np.testing.assert_array_equal(found.valid, valid)


def test_class_map_replaces_classes_and_knows_no_others() -> None:
    new, known = class_map(np.array([1, 2, 0, 255], np.uint8), [(1, 7), (2, 7), (255, 3)])
    assert new.tolist() == [7, 7, 0, 3]
    assert known.tolist() == [True, True, False, True]


def test_class_map_makes_unlisted_classes_invalid_and_keeps_what_was() -> None:
    spec = ClassMap(derive="class-map", scheme="s", **{"from": "lc"})
    valid = np.array([[[True, False, True]]])
    found = derived(
        spec, CLASSES, np.array([[[[1, 1, 9]]]], np.uint8), valid, recode=((1, 4), (2, 5))
    )
    assert found.values[0, 0, 0].tolist() == [4, 4, 0]
    assert found.valid[0, 0].tolist() == [True, False, False]


def test_one_band_of_several_is_taken() -> None:
    names = modality(
        "mixed",
        Band("B02", "continuous", "uint16", 10.0, scale=0.5),
        Band("SCL", "categorical", "uint16", 10.0, unit=""),
    )
    values = np.array([[[[8, 2]], [[2, 8]]]], np.uint16)
    mask = ClassMask(derive="class-mask", classes=(8,), **{"from": "mixed"})
    assert derived(mask, names, values, takes=1).values[0, 0, 0].tolist() == [0, 1]
    high = Threshold(derive="threshold", above=2, **{"from": "mixed"})
    assert derived(high, names, values, takes=0).values[0, 0, 0].tolist() == [1, 0]


# ---- clouds -------------------------------------------------------------------------------------


def physical(dn: NDArray[np.uint16], valid: NDArray[np.bool_]) -> dict[str, NDArray[np.float32]]:
    return {
        name: np.where(valid, dn[c] * np.float32(1e-4), np.float32(np.nan))
        for c, name in enumerate(ALL)
    }


def test_the_cloud_score_is_that_of_reflectance_and_unseen_pixels_take_no_part() -> None:
    values, valid = images(1), np.ones((1, EDGE, EDGE), np.bool_)
    valid[0, 5:9, 10:20] = False
    found = derived(SPECTRAL[0], L1C, values, valid)
    np.testing.assert_array_equal(found.values[0, 0], cloud_score(physical(values[0], valid[0])))
    assert found.values[0, 0, 0, 0] > 0.9
    assert found.values[0, 0, -1, -1] < 0.2
    # What stands in an invalid pixel makes no difference.
    spoilt = values.copy()
    spoilt[:, :, 5:9, 10:20] = 9999
    again = derived(SPECTRAL[0], L1C, spoilt, valid)
    np.testing.assert_array_equal(again.values[0, 0][valid[0]], found.values[0, 0][valid[0]])


def test_cloud_and_shadow_rules_are_those_of_reflectance() -> None:
    values, valid = images(1), np.ones((1, EDGE, EDGE), np.bool_)
    found = derived(SPECTRAL[1], L1C, values, valid)
    bands = {name: physical(values[0], valid[0])[name] for name in RULE_BANDS}
    np.testing.assert_array_equal(found.values[0, 0], cloud_shadow_rules(bands, 0.2))
    assert found.values[0, 0, 0, 0] == 1


def test_cloud_and_shadow_rules_pass_their_threshold_on() -> None:
    values, valid = images(1), np.ones((1, EDGE, EDGE), np.bool_)
    strict = CloudShadowRules(derive="cloud-shadow-rules", threshold=0.9, **{"from": "l1c"})
    bands = physical(values[0], valid[0])
    expected = cloud_shadow_rules(bands, 0.9)
    assert (expected != cloud_shadow_rules(bands, 0.2)).any()
    np.testing.assert_array_equal(derived(strict, L1C, values).values[0, 0], expected)


def test_cloud_and_shadow_rules_do_not_look_at_unseen_pixels() -> None:
    values, valid = images(1), np.ones((1, EDGE, EDGE), np.bool_)
    valid[0, :, -6:] = False
    results = []
    for dn in (0, 20_000):
        values[0, :, :, -6:] = dn
        results.append(derived(SPECTRAL[1], L1C, values, valid).values[0, 0][valid[0]])
    np.testing.assert_array_equal(*results)


def test_s2cloudless_gets_its_bands_in_its_order() -> None:
    pytest.importorskip("s2cloudless")
    from eodata.pipeline.s2cloudless import cloud_probability

    spec = S2Cloudless(derive="s2cloudless", **{"from": "l1c"})
    values = images(2)
    found = derived(spec, L1C, values)
    order = [ALL.index(name) for name in S2_CLOUDLESS_BANDS]
    expected = cloud_probability(values[:, order] * np.float32(1e-4))
    np.testing.assert_allclose(found.values[:, 0], expected, atol=1e-6)
    backwards = modality("l1c", *map(reflectance, ALL[::-1]))
    again = derived(spec, backwards, values[:, ::-1])
    np.testing.assert_array_equal(again.values, found.values)


def test_a_score_becomes_a_mask() -> None:
    score = derived(SPECTRAL[0], L1C, images(2))
    spec = Threshold(derive="threshold", above=0.2, **{"from": "score"})
    mask = derived(spec, SCORES, score.values, score.valid)
    np.testing.assert_array_equal(mask.values[:, 0], score.values[:, 0] > 0.2)
    assert 0 < mask.values.mean() < 1


@pytest.mark.parametrize(
    ("limits", "expected"),
    [({"above": 0.5}, [0, 0, 1]), ({"below": 0.5}, [1, 0, 0]), ({"above": 0.4}, [0, 1, 1])],
)
def test_a_threshold_is_that_of_physical_values(limits: Any, expected: list[int]) -> None:
    spec = Threshold(derive="threshold", **limits, **{"from": "s"})
    percent = modality("s", Band("s", "continuous", "uint8", 10.0, scale=0.125))
    found = derived(spec, percent, np.array([[[[2, 4, 6]]]], np.uint8))
    assert found.values[0, 0, 0].tolist() == expected


def test_a_threshold_looks_around_as_far_as_asked() -> None:
    values = np.zeros((1, 1, 9, 9), np.float32)
    values[0, 0, 4, 4] = 1.0
    wide = Threshold(derive="threshold", above=0.5, dilation_size=2, **{"from": "score"})
    assert derived(wide, SCORES, values).values.sum() == 13  # a disc of two pixels
    mean = Threshold(derive="threshold", above=0.1, average_over=1, **{"from": "score"})
    assert derived(mean, SCORES, values).values.sum() == 5


# ---- grey ---------------------------------------------------------------------------------------


def test_stretch_cuts_at_deviations_about_the_mean_of_valid_pixels() -> None:
    numbers = np.array([[0.0, 2.0, 4.0, 1000.0]], np.float32)
    valid = np.array([[True, True, True, False]])
    grey, (low, high) = stretch(numbers, valid, 1.0)
    deviation = np.sqrt(8 / 3)
    assert (low, high) == pytest.approx((2 - deviation, 2 + deviation))
    assert grey[0].tolist() == [0, 128, 255, 0]
    assert grey.dtype == np.uint8


def test_stretch_can_be_undone_but_for_rounding() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.uniform(-20, 5, (40, 40)).astype(np.float32)
    grey, (low, high) = stretch(numbers, np.ones((40, 40), np.bool_), 2.5)
    undone = low + grey / 255 * (high - low)
    assert np.abs(undone - numbers).max() <= (high - low) / 255 / 2 + 1e-5


def test_stretch_of_even_ground_is_black_and_its_limits_are_the_value() -> None:
    grey, limits = stretch(np.full((2, 2), 3.0, np.float32), np.ones((2, 2), np.bool_), 2.5)
    assert limits == (3.0, 3.0)
    assert not grey.any()


def test_stretch_without_a_valid_pixel_has_no_limits() -> None:
    grey, limits = stretch(np.full((2, 2), np.nan, np.float32), np.zeros((2, 2), np.bool_), 2.5)
    assert np.isnan(limits).all()
    assert not grey.any()


def test_stretch_of_gaps_of_floats_is_no_warning_and_no_number() -> None:
    radar = modality("s1", Band("vv", "continuous", "float32", 10.0, unit="dB"))
    values = np.array([[[[-10.0, np.nan, -12.0]]]], np.float32)
    spec = Stretch(derive="stretch", **{"from": "s1"})
    found = derived(spec, radar, values, ~np.isnan(values[:, 0]))
    assert found.values[0, 0, 0, 1] == 0
    assert json.loads(found.measured[0])["limits"]["vv"] == pytest.approx([-13.5, -8.5])


def test_stretch_tells_of_each_image_and_of_none_without_pixels() -> None:
    spec = Stretch(derive="stretch", **{"from": "l1c"})
    valid = np.ones((2, EDGE, EDGE), np.bool_)
    valid[1] = False
    found = derived(spec, L1C, images(2), valid)
    assert list(json.loads(found.measured[0])["limits"]) == list(ALL)
    assert found.measured[1] == ""
    assert [band.name for band in derived_bands("g", spec, L1C.bands, 10.0, None)] == list(ALL)
