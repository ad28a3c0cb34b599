"""Bands of one item that lie apart by known amounts: measured, moved onto one of them, told of."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from eodata.build.band_shifts import BandShifts, Place, band_shifts
from eodata.build.moving import Move, MovedProvider
from eodata.core.band import Band
from eodata.core.errors import ProviderError
from eodata.core.modality_plan import BandRead, ModalityPlan
from eodata.core.outcome import FREE, Cost
from tests.build.textured import READ, Textured, item, liar, optical, window

NAMES = ("B02", "B03", "B04")
WINDOW = window(160, 192)
NEAR = 0.1
ITEM = item("a")


def steady(band: int = 0, *names: str) -> ModalityPlan:
    return optical(*(names or NAMES), steady=band)


def near(places: Mapping[str, Place]) -> dict[str, object]:
    return {band: pytest.approx(place, abs=NEAR) for band, place in places.items()}


def found(archive: Textured, modality: ModalityPlan | None = None) -> BandShifts:
    return band_shifts(archive, ITEM, modality or steady(), WINDOW)


def test_bands_that_lie_apart_then_each_is_moved_onto_the_steady_one() -> None:
    archive = Textured({"a/B03": (1.0, -0.5), "a/B04": (0.0, 2.25)})
    told = found(archive)
    assert told.moved == near({"B03": (1.0, -0.5), "B04": (0.0, 2.25)})
    assert told.left == near({"B03": (0.0, 0.0), "B04": (0.0, 0.0)})
    assert told.cost == Cost(400, 4)  # all at once, then each band where it stands
    moved = MovedProvider(archive, {"a": Move(WINDOW, bands=told.moved)})
    values = moved.read(ITEM, steady().reads, WINDOW).values
    for other in values[1:]:
        assert np.median(np.abs(other.astype(float) - values[0])) < 40


def test_other_steady_band_then_the_others_are_moved_onto_that() -> None:
    told = found(Textured({"a/B03": (1.0, -0.5)}), steady(1))
    assert told.moved == near({"B02": (-1.0, 0.5), "B04": (-1.0, 0.5)})


def test_item_that_is_displaced_as_a_whole_then_its_bands_are_not() -> None:
    told = found(Textured({"a": (3.0, -2.0)}))
    assert told.moved == {}
    assert told.left == near({"B03": (0.0, 0.0), "B04": (0.0, 0.0)})
    assert told.cost == READ


@pytest.mark.parametrize(("apart", "moved"), [(0.04, set()), (0.3, {"B03"})])
def test_small_shifts_then_they_are_told_and_left_alone(apart: float, moved: set[str]) -> None:
    archive = Textured({"a/B03": (apart, 0.0)})
    told = found(archive)
    assert set(told.moved) == moved
    assert set(told.left) == {"B03", "B04"}
    assert told.left["B03"] == pytest.approx((0.0 if moved else apart, 0.0), abs=0.05)
    assert archive.reads_of("a") == (1 if not moved else 1 + 2)


def test_band_that_shows_nothing_then_it_stays_and_is_not_told_of() -> None:
    archive = Textured({"a/B03": (1.0, 0.0)})
    archive.flat = {"a/B04"}
    told = found(archive)
    assert set(told.moved) == set(told.left) == {"B03"}


def test_steady_band_shows_nothing_then_all_stay() -> None:
    archive = Textured({"a/B03": (1.0, 0.0)})
    archive.flat = {"a/B02"}
    assert (found(archive).moved, found(archive).left) == ({}, {})


def test_archive_that_ignores_the_grid_then_no_band_is_moved() -> None:
    archive = Textured({"a/B03": (1.0, -0.5)})
    archive.deaf = {"a"}
    told = found(archive)
    assert told.moved == {}
    assert told.left == near({"B03": (1.0, -0.5), "B04": (0.0, 0.0)})


def test_bands_of_classes_then_they_are_not_compared() -> None:
    classes = Band("SCL", "categorical", "uint16", 10.0)
    modality = steady()
    modality = replace(
        modality,
        reads=(*modality.reads, BandRead(classes, "B08", "nearest")),
        bands=(*modality.bands, classes),
    )
    told = found(Textured({"a/SCL": (2.0, 2.0)}), modality)
    assert set(told.left) == {"B03", "B04"}


def test_band_of_longer_pixels_then_its_shift_counts_in_those_of_the_modality() -> None:
    modality = steady()
    coarse = replace(modality.bands[2], gsd=20.0)
    reads = (*modality.reads[:2], BandRead(coarse, "B04", "nearest"))
    modality = replace(modality, reads=reads, bands=tuple(read.band for read in reads))
    told = found(Textured({"a/B03": (1.0, -0.5), "a/B04": (2.0, -3.0)}), modality)
    assert told.moved["B03"] == pytest.approx((1.0, -0.5), abs=NEAR)
    assert told.moved["B04"] == pytest.approx((2.0, -3.0), abs=2 * NEAR)


@pytest.mark.parametrize(("call", "cost"), [(1, Cost(100, 1)), (2, Cost(200, 2))])
def test_item_that_cannot_be_read_then_the_error_tells_what_it_took(call: int, cost: Cost) -> None:
    archive = Textured({"a/B03": (1.0, -0.5)})
    archive.broken = {"a": call}
    with pytest.raises(ProviderError, match="item a") as failed:
        found(archive)
    assert failed.value.cost == cost


def test_item_that_contradicts_its_archive_then_its_bands_stay() -> None:
    archive = Textured({"a/B02": (1.0, 0.0)})
    archive.black = {"a/B10"}
    modality = replace(optical("B02", "B10", steady=1), states_offset=True)
    told = band_shifts(archive, liar("a"), modality, WINDOW)
    assert (told.moved, told.left, told.cost) == ({}, {}, READ)


def test_no_steady_band_then_nothing_can_be_asked() -> None:
    with pytest.raises(ValueError, match="s2 has no steady band"):
        found(Textured(), optical(*NAMES))


def test_shifts_then_they_are_told_as_json() -> None:
    told = BandShifts(
        {"B03": (1.23456, np.float64(-0.5))},  # type: ignore[dict-item]
        {"B03": (0.01, 0.00004), "B04": (0.25, -0.125)},
    )
    assert json.loads(json.dumps(told.to_json())) == {
        "B03": {"shift": [0.01, 0.0], "moved": [1.2346, -0.5]},
        "B04": {"shift": [0.25, -0.125], "moved": [0.0, 0.0]},
    }
    assert BandShifts().to_json() == {}
    assert BandShifts().cost == FREE


def test_measured_bands_then_their_json_tells_what_is_left() -> None:
    told = json.loads(json.dumps(found(Textured({"a/B03": (1.0, -0.5)})).to_json()))
    assert set(told) == {"B03", "B04"}
    assert told["B03"]["moved"] == pytest.approx([1.0, -0.5], abs=NEAR)
    assert math.hypot(*told["B03"]["shift"]) < NEAR
    assert told["B04"]["moved"] == [0.0, 0.0]
