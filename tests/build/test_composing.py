"""Medians and mosaics in time of an archive whose pixels are known."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from odc.geo.geobox import GeoBox

from eodata.build import composing
from eodata.build.acquire import ContradictedError
from eodata.build.composing import Image, Pass, highest_image, median_image, top_image
from eodata.core.errors import ProviderError
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead, ModalityPlan
from eodata.core.protocols import Pixels, Provider
from tests.build.fields import BYTES, FieldProvider, item, modality, passes, read_of, window

GAP = float("nan")


def by_first_band(
    provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
) -> Image:
    return highest_image(provider, passes, modality, window, 0)


MAKERS = [median_image, top_image, by_first_band]


def flat(value: float) -> Any:
    return lambda band, x, y: value + 0 * x * y


def west(value: float, east: float = GAP) -> Any:
    """Measured west of the third column of `window(…)` alone, unless there is a value for it."""
    return lambda band, x, y: np.where(x < 500_020, value, east) + 0 * y


def per_band(**values: float) -> Any:
    return lambda band, x, y: values[band] + 0 * x * y


def made(maker: Any, fields: dict[str, Any], *bands: str, **more: Any) -> Image:
    return maker(
        FieldProvider(fields),
        passes(*(item(name) for name in fields)),
        modality(*(bands or ("B02",)), **more),
        window(2, 4),
    )


def test_median_then_every_pixel_and_band_is_that_of_all_who_saw_it() -> None:
    fields = {
        "a": per_band(B02=100, B03=900),
        "b": per_band(B02=300, B03=700),
        "c": per_band(B02=200, B03=800),
    }
    image = made(median_image, fields, "B02", "B03")
    assert image.layer.values[:, 0, 0].tolist() == [200, 800]
    assert image.layer.valid.all()
    assert image.origin is None


def test_median_at_the_edge_of_a_swath_then_only_those_count_that_were_there() -> None:
    image = made(median_image, {"a": west(100), "b": flat(500), "c": west(200)})
    assert image.layer.values[0, 0].tolist() == [200, 200, 500, 500]
    assert image.layer.valid.all()


def test_median_of_two_then_halves_go_to_the_even_neighbour() -> None:
    assert made(median_image, {"a": flat(4), "b": flat(5)}).layer.values[0, 0, 0] == 4
    assert made(median_image, {"a": flat(5), "b": flat(6)}).layer.values[0, 0, 0] == 6


@pytest.mark.parametrize("maker", MAKERS)
def test_where_nobody_was_then_nothing_is_valid_and_numbers_are_fill(maker: Any) -> None:
    image = made(maker, {"a": west(100), "b": west(200)})
    assert image.layer.valid[0].tolist() == [True, True, False, False]
    assert image.layer.values[0, 0, 2:].tolist() == [0, 0]


@pytest.mark.parametrize("maker", MAKERS)
def test_floats_then_the_gap_is_not_a_number(maker: Any) -> None:
    image = maker(FieldProvider({"a": west(-12.5)}), passes(radar("a")), of_radar(), window(2, 4))
    assert image.layer.values[0, 0, :2].tolist() == [-12.5, -12.5]
    assert np.isnan(image.layer.values[0, 0, 2:]).all()


def of_radar() -> ModalityPlan:
    read = read_of("vv", "float32")
    return replace(modality("vv"), reads=(read,), bands=(read.band,))


def radar(name: str) -> Item:
    one = item(name)
    return Item(name, "c", one.datetime, one.footprint, {}, {"vv": Asset("vv", "vv")})


def test_top_then_the_first_that_saw_a_pixel_fills_all_its_bands() -> None:
    fields = {"late": west(100), "mid": flat(200), "early": flat(300)}
    image = made(top_image, fields, "B02", "B03")
    assert image.layer.values[:, 1].tolist() == [[100, 100, 200, 200]] * 2
    assert image.origin is not None
    assert image.origin[0].tolist() == [0, 0, 1, 1]


def test_top_then_those_below_a_full_image_are_not_read() -> None:
    provider = FieldProvider({"a": west(1), "b": flat(2), "c": flat(3)})
    top_image(provider, passes(*map(item, "abc")), modality("B02"), window(2, 4))
    assert [name for name, _, _ in provider.reads] == ["a", "b"]


def stacked(fields: dict[str, Any], bands: Sequence[str], where: GeoBox) -> np.ndarray:
    """Return what the fields hold, `(N, C, H, W)`, NaN for not measured."""
    x = where.affine.c + (np.arange(where.shape[1]) + 0.5)[np.newaxis, :] * where.affine.a
    y = where.affine.f + (np.arange(where.shape[0]) + 0.5)[:, np.newaxis] * where.affine.e
    return np.array([[field(band, x, y) for band in bands] for field in fields.values()])


@pytest.mark.parametrize("band", [0, 1, 2])
@pytest.mark.parametrize("levels", [10_000, 6])
def test_highest_then_every_pixel_is_the_one_that_a_search_finds(band: int, levels: int) -> None:
    bands, where = ("B02", "B03", "B08"), window(31, 43)
    fields = {name: noise(seed, levels) for seed, name in enumerate("abcdef")}
    plan = modality(*bands)
    image = highest_image(FieldProvider(fields), passes(*map(item, fields)), plan, where, band=band)
    assert image.origin is not None
    dn = stacked(fields, bands, where)
    ties = 0
    for row, col in np.ndindex(*where.shape):
        seen = [k for k in range(len(fields)) if not np.isnan(dn[k, :, row, col]).any()]
        if not seen:
            assert not image.layer.valid[row, col]
            assert image.origin[row, col] == -1
            continue
        best = max(dn[k, band, row, col] for k in seen)
        equal = [k for k in seen if dn[k, band, row, col] == best]
        assert image.origin[row, col] == equal[0], "the first of equal ones"
        assert image.layer.values[:, row, col].tolist() == dn[equal[0], :, row, col].tolist()
        ties += len(equal) > 1
    assert 0.9 < image.layer.valid.mean() < 1
    assert (ties > 100) == (levels == 6)


def test_highest_at_the_edge_of_a_swath_then_a_lower_number_fills_what_is_left() -> None:
    fields = {"low": flat(5), "zero": flat(0), "high": west(900), "same": west(900)}
    image = made(by_first_band, fields)
    assert image.layer.values[0, 0].tolist() == [900, 900, 5, 5]
    assert image.origin is not None
    assert image.origin[0].tolist() == [2, 2, 0, 0]
    rows = passes(*map(item, fields))
    assert json.loads(image.told(rows, slice(0, 2), slice(0, 4))) == {
        "from": {"low": 0.5, "high": 0.5}
    }


def test_highest_then_zero_is_a_number_like_others() -> None:
    image = made(by_first_band, {"nothing": flat(GAP), "dark": flat(0)})
    assert image.layer.valid.all()
    assert image.origin is not None
    assert set(image.origin.ravel()) == {1}


def test_highest_then_what_is_not_valid_in_another_band_never_wins() -> None:
    def no_red(band: str, x: Any, y: Any) -> Any:
        return np.where(band == "B04", GAP, 9000) + 0 * x * y

    image = made(by_first_band, {"half": no_red, "whole": flat(100)}, "B02", "B04")
    assert (image.layer.values == 100).all()
    assert image.layer.valid.all()


class Careless(FieldProvider):
    """An archive that takes NaN for measured."""

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        found = super().read(item, reads, geobox)
        values = [
            np.where(valid, numbers, np.nan).astype(numbers.dtype)
            for numbers, valid in zip(found.values, found.valid, strict=True)
        ]
        return Pixels(tuple(values), tuple(np.ones_like(valid) for valid in found.valid))


@pytest.mark.parametrize("order", ["abc", "bac", "cba"])
@pytest.mark.parametrize("archive", [FieldProvider, Careless])
def test_highest_of_floats_then_not_a_number_never_wins(archive: Any, order: str) -> None:
    fields = {"a": west(-20.5), "b": west(GAP, -12.5), "c": flat(-25.25)}
    image = by_first_band(archive(fields), passes(*map(radar, order)), of_radar(), window(2, 4))
    assert image.layer.values[0, 0].tolist() == [-20.5, -20.5, -12.5, -12.5]
    assert image.layer.valid.all()


def test_highest_then_no_more_than_one_acquisition_is_held() -> None:
    where, plan = window(400, 400), modality("B02", "B03", "B04", "B08")
    one = 400 * 400 * 2 * 4

    def most(count: int) -> int:
        names = [f"i{k}" for k in range(count)]
        provider = FieldProvider({name: flat(k) for k, name in enumerate(names)})
        tracemalloc.start()
        by_first_band(provider, passes(*map(item, names)), plan, where)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    assert most(12) - most(3) < one // 4


def test_a_sample_tells_what_share_of_it_comes_from_which_acquisition() -> None:
    image = made(top_image, {"late": west(100), "early": flat(300)})
    rows = passes(item("late"), item("early"))
    assert json.loads(image.told(rows, slice(0, 2), slice(0, 4))) == {
        "from": {"late": 0.5, "early": 0.5}
    }
    assert json.loads(image.told(rows, slice(0, 2), slice(1, 4)))["from"]["late"] == 0.3333
    assert json.loads(image.told(rows, slice(0, 1), slice(2, 4))) == {"from": {"early": 1.0}}


def test_a_sample_without_a_pixel_or_a_choice_tells_nothing() -> None:
    rows = passes(item("a"), item("b"))
    empty = made(top_image, {"a": west(100), "b": west(300)})
    assert empty.told(rows, slice(0, 2), slice(2, 4)) == ""
    both = made(median_image, {"a": flat(100), "b": flat(300)})
    assert both.told(rows, slice(0, 2), slice(0, 4)) == ""


@pytest.mark.parametrize("maker", MAKERS)
def test_costs_of_all_that_was_read_add_up(maker: Any) -> None:
    cost = made(maker, {"a": west(1), "b": west(2), "c": flat(3)}).layer.cost
    assert (cost.bytes_read, cost.requests) == (3 * BYTES, 3)


def with_offset(name: str) -> Item:
    """An item whose archive states an offset of -0.1."""
    return item(name, offset=-0.1)


def test_clipped_numbers_are_counted_where_they_were_taken() -> None:
    # DN 400 less the offset of 1000 is below zero.
    fields = {"low": west(400), "high": flat(3000)}
    plan = modality("B02", "B03")
    rows = passes(*map(with_offset, fields))
    top = top_image(FieldProvider(fields), rows, plan, window(2, 4)).layer
    assert top.clipped[0].tolist() == [2, 2, 0, 0]
    assert top.values[0, 0].tolist() == [0, 0, 2000, 2000]
    best = by_first_band(FieldProvider(fields), rows, plan, window(2, 4)).layer
    assert not best.clipped.any(), "what was painted over does not count"
    alone = by_first_band(FieldProvider(fields), rows[:1], plan, window(2, 4)).layer
    assert alone.clipped[0].tolist() == [2, 2, 0, 0]
    turned = top_image(FieldProvider(fields), rows[::-1], plan, window(2, 4)).layer
    assert not turned.clipped.any()
    middle = median_image(FieldProvider(fields), rows, plan, window(2, 4)).layer
    assert middle.clipped[0].tolist() == [2, 2, 0, 0]


def test_clipped_numbers_of_pixels_that_are_not_valid_do_not_count_in_a_median() -> None:
    def no_green(band: str, x: Any, y: Any) -> Any:
        return np.where(band == "B02", 400, GAP) + 0 * x * y

    rows = passes(*map(with_offset, ("half", "whole")))
    provider = FieldProvider({"half": no_green, "whole": flat(3000)})
    image = median_image(provider, rows, modality("B02", "B03"), window(2, 4))
    assert not image.layer.clipped.any()


# An offset of -0.1 is contradicted by pixels of B10 that are black without it.
BLACK, GREY = 15, 2000
LARGE = window(40, 40)


def judged(maker: Any, fields: dict[str, Any], where: Any = LARGE) -> Image:
    plan = modality("B02", "B10", states_offset=True)
    return maker(FieldProvider(fields), passes(*map(with_offset, fields)), plan, where)


def test_top_when_one_contradicts_its_archive_then_it_is_left_out() -> None:
    image = judged(top_image, {"liar": per_band(B02=3000, B10=BLACK), "other": flat(GREY)})
    assert (image.layer.values == GREY - 1000).all()
    assert set(image.origin.ravel()) == {1}  # type: ignore[union-attr]
    assert image.layer.cost.requests == 2


def test_highest_when_one_contradicts_its_archive_then_it_is_left_out() -> None:
    fields = {"a": flat(GREY), "liar": per_band(B02=9000, B10=BLACK), "b": flat(GREY + 200)}
    image = judged(by_first_band, fields)
    assert (image.layer.values == GREY + 200 - 1000).all()
    assert set(image.origin.ravel()) == {2}  # type: ignore[union-attr]
    assert image.layer.cost.requests == 3


def test_median_when_one_contradicts_its_archive_then_it_is_left_out() -> None:
    fields = {
        "a": flat(GREY),
        "liar": per_band(B02=9000, B10=BLACK),
        "b": flat(GREY + 200),
    }
    image = judged(median_image, fields)
    assert (image.layer.values == GREY + 100 - 1000).all()
    assert image.layer.cost.requests == 3


@pytest.mark.parametrize("maker", MAKERS)
def test_when_all_contradict_their_archive_then_the_step_says_why(maker: Any) -> None:
    with pytest.raises(ContradictedError, match=r"offset: item b: .*B10") as raised:
        judged(maker, {"a": flat(BLACK), "b": flat(BLACK)})
    assert raised.value.cost.requests == 2


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("retryable", [True, False])
def test_when_one_cannot_be_read_then_there_is_no_image(maker: Any, retryable: bool) -> None:
    provider = FieldProvider({"a": west(1), "b": flat(2)})
    provider.broken["b"] = ProviderError("item b", "it is gone", retryable=retryable)
    with pytest.raises(ProviderError, match="it is gone") as raised:
        maker(provider, passes(item("a"), item("b")), modality("B02"), window(2, 4))
    assert raised.value.retryable is retryable
    assert raised.value.cost.bytes_read == BYTES, "what was read before it counts too"


def noise(seed: int, levels: int = 10_000) -> Any:
    """A field of numbers that are unlike from pixel to pixel, a tenth of them missing."""

    def field(band: str, x: Any, y: Any) -> Any:
        mixed = np.sin(x * 12.9898 + y * 78.233 + seed * 37.719 + int(band[1:])) * 43758.5453
        part = mixed - np.floor(mixed)
        return np.where(part < 0.1, GAP, np.rint(levels * part))

    return field


@pytest.mark.parametrize("limit", [1, 3_000, 9_000])
def test_a_median_in_strips_equals_the_whole(monkeypatch: Any, limit: int) -> None:
    fields = {name: noise(seed) for seed, name in enumerate("abcde")}
    rows, plan, where = passes(*map(item, fields)), modality("B02", "B03"), window(37, 23)
    whole = median_image(FieldProvider(fields), rows, plan, where)
    monkeypatch.setattr(composing, "STACK_BYTES", limit)
    provider = FieldProvider(fields)
    strips = median_image(provider, rows, plan, where)
    assert len(provider.reads) > 5
    np.testing.assert_array_equal(strips.layer.values, whole.layer.values)
    np.testing.assert_array_equal(strips.layer.valid, whole.layer.valid)
    np.testing.assert_array_equal(strips.layer.clipped, whole.layer.clipped)
    assert strips.layer.cost.requests == len(provider.reads)


def test_a_median_in_strips_when_one_strip_gives_the_lie_then_no_strip_has_the_liar(
    monkeypatch: Any,
) -> None:
    def late_liar(band: str, x: Any, y: Any) -> Any:
        dark = (band == "B10") & (y < 5_600_000 - 200)
        return np.where(dark, BLACK, 9000) + 0 * x

    fields = {"a": flat(GREY), "liar": late_liar, "b": flat(GREY + 200)}
    monkeypatch.setattr(composing, "STACK_BYTES", 40 * 6 * 3 * 20)  # twenty of forty rows
    image = judged(median_image, fields)
    assert (image.layer.values == GREY + 100 - 1000).all()
    assert image.layer.cost.requests == 3 + 3 + 2 + 2
