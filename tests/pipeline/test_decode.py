"""From an archive's DN to the store's."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from shapely.geometry import box

from eodata.core.band import Band
from eodata.core.derivation import ClassMask
from eodata.core.errors import ProviderError
from eodata.core.item import Asset, Item
from eodata.pipeline.decode import harmonise, stated_coding
from eodata.pipeline.derive import class_mask
from eodata.pipeline.derived_bands import derived_bands

RED = Band("B04", "continuous", "uint16", 10.0, scale=1e-4)
NEW = Asset("B04", "b04.tif", scale=1e-4, offset=-0.1)
OLD = Asset("B04", "b04.tif", scale=1e-4, offset=0.0)
ALL = np.arange(65_536, dtype=np.uint16).reshape(256, 256)
TRUE = np.ones((256, 256), np.bool_)


def test_harmonise_when_offset_is_that_of_baseline_0400_then_exactly_1000_less() -> None:
    out, clipped = harmonise(ALL, TRUE, NEW, RED)
    assert out.dtype == np.uint16
    np.testing.assert_array_equal(out, np.maximum(ALL.astype(int) - 1000, 0))
    np.testing.assert_array_equal(clipped, ALL < 1000)


def test_harmonise_when_before_0400_then_the_numbers_of_the_file() -> None:
    out, clipped = harmonise(ALL, TRUE, OLD, RED)
    np.testing.assert_array_equal(out, ALL)
    assert not clipped.any()


def test_harmonise_when_invalid_then_clipping_is_not_counted() -> None:
    valid = ALL >= 10
    _, clipped = harmonise(ALL, valid, NEW, RED)
    assert clipped.sum() == 990
    assert not clipped[~valid].any()


def test_harmonise_when_identical_then_no_copy_and_input_is_untouched() -> None:
    before = ALL.copy()
    out, _ = harmonise(ALL, TRUE, OLD, RED)
    assert np.shares_memory(out, ALL)
    harmonise(ALL, TRUE, NEW, RED)
    np.testing.assert_array_equal(ALL, before)


def test_harmonise_when_the_asset_states_nothing_then_the_scale_of_the_band() -> None:
    out, _ = harmonise(ALL, TRUE, Asset("B04", "x"), RED)
    np.testing.assert_array_equal(out, ALL)


def test_harmonise_when_the_store_keeps_an_offset_then_only_the_difference() -> None:
    shifted = Band("B04", "continuous", "uint16", 10.0, scale=1e-4, offset=-0.1)
    out, _ = harmonise(ALL, TRUE, NEW, shifted)
    np.testing.assert_array_equal(out, ALL)
    out, clipped = harmonise(ALL, TRUE, OLD, shifted)
    np.testing.assert_array_equal(out, np.minimum(ALL.astype(int) + 1000, 65_535))
    np.testing.assert_array_equal(clipped, ALL > 64_535)


def test_harmonise_when_signed_then_negative_reflectance_is_kept() -> None:
    signed = Band("B04", "continuous", "int16", 10.0, scale=1e-4)
    dn = np.array([[0, 999, 1000, 20_000]], np.uint16)
    out, clipped = harmonise(dn, np.ones((1, 4), np.bool_), NEW, signed)
    assert out.tolist() == [[-1000, -1, 0, 19_000]]
    assert not clipped.any()


def test_harmonise_when_the_physical_value_is_the_same_then_round_trip_in_both_scales() -> None:
    coarse = Asset("B04", "x", scale=2e-4, offset=0.3)
    wide = Band("B04", "continuous", "int32", 10.0, scale=1e-5, offset=0.01)
    out, _ = harmonise(ALL, TRUE, coarse, wide)
    physical = ALL.astype(np.float64) * 2e-4 + 0.3
    np.testing.assert_allclose(wide.physical(out, np.float64), physical, atol=5.1e-6)


DB = Band("vv", "continuous", "int16", 10.0, unit="dB", scale=0.01)


def test_harmonise_when_float_decibels_become_int16_then_hundredths() -> None:
    db = np.array([[-12.345, -0.004, 3.14159, 400.0, np.nan, -np.inf]], np.float32)
    valid = np.array([[True, True, True, True, False, True]])
    out, clipped = harmonise(db, valid, Asset("vv", "x", scale=1.0, offset=0.0), DB)
    assert out.dtype == np.int16
    assert out.tolist()[0][1:] == [0, 314, 32_767, 0, -32_768]
    assert out[0, 0] in (-1234, -1235)
    assert clipped.tolist() == [[False, False, False, True, False, True]]


def test_harmonise_when_float_stays_float_then_nan_stays_nan() -> None:
    vv = Band("vv", "continuous", "float32", 10.0, unit="dB")
    for dtype in (np.float32, np.float64):
        dn = np.array([[1.5, np.nan]], dtype)
        out, clipped = harmonise(dn, ~np.isnan(dn), Asset("vv", "x"), vv)
        assert out.dtype == np.float32
        assert out[0, 0] == 1.5
        assert np.isnan(out[0, 1])
        assert not clipped.any()


def test_harmonise_when_the_file_is_wider_than_the_band_then_clipped_and_counted() -> None:
    lc = Band("lc", "categorical", "uint8", 10.0, unit="")
    dn = np.array([[-1, 0, 255, 256]], np.int32)
    out, clipped = harmonise(dn, np.ones((1, 4), np.bool_), Asset("lc", "x"), lc)
    assert out.dtype == np.uint8
    assert out.tolist() == [[0, 0, 255, 255]]
    assert clipped.tolist() == [[True, False, False, True]]


def an_item(asset: Asset) -> Item:
    at = datetime(2018, 1, 1, tzinfo=UTC)
    return Item("S2A_x", "c", at, box(0, 0, 1, 1), {}, {asset.key: asset})


@pytest.mark.parametrize(("scale", "offset"), [(None, None), (1e-4, None), (None, -0.1)])
def test_stated_coding_when_not_stated_then_refused_for_good(
    scale: float | None, offset: float | None
) -> None:
    asset = Asset("B04", "x", scale=scale, offset=offset)
    with pytest.raises(ProviderError) as caught:
        stated_coding(an_item(asset), asset)
    assert caught.value.where == "item S2A_x, asset B04"
    assert not caught.value.retryable


def test_stated_coding_when_stated_as_zero_then_returned() -> None:
    assert stated_coding(an_item(OLD), OLD) == (OLD.scale, 0.0)


def test_class_mask_then_one_where_a_class_stands() -> None:
    values = np.array([[[3, 4], [8, 200]]], np.uint8)
    mask = class_mask(values, (3, 8, -1))
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[[1, 0], [1, 0]]]


def test_derived_band_then_a_legend_of_two_classes() -> None:
    spec = ClassMask.parse({"derive": "class-mask", "from": "scl", "classes": [3]}, "x")
    (band,) = derived_bands("cloud", spec, (), 20, None)
    assert (band.name, band.kind, band.dtype, band.gsd) == ("cloud", "categorical", "uint8", 20)
    assert [c[:2] for c in band.classes] == [(0, "no cloud"), (1, "cloud")]
