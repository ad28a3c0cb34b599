"""What a recipe may say about references, and what modalities show of the ground."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
from pydantic import ValidationError

from eodata.core.band import Band
from eodata.core.coregistration import Alignment, CoregisterSpec, nests, sight_of
from eodata.core.recipe import Checks
from eodata.core.recipe_modality import SourceModality
from eodata.core.shift import Shift

RED = Band("B04", "continuous", "uint16", 10.0, common_name="red")
NIGHT = Band("avg_rad", "continuous", "float32", 500.0)
CLASSES = Band("SCL", "categorical", "uint8", 20.0)
QUALITY = Band("qa", "bitmask", "uint16", 30.0)
VV = Band("vv", "continuous", "float32", 10.0, "dB")


def spec_of(told: object) -> CoregisterSpec | None:
    modality = SourceModality.model_validate({"product": "sentinel-2-l2a", "coregister_to": told})
    return modality.coregister_to


# --- CoregisterSpec


def test_one_word_then_it_is_a_modality() -> None:
    assert spec_of("s1") == CoregisterSpec(modality="s1")


def test_mapping_then_every_key_is_read() -> None:
    told = {"modality": "s1", "step": 2, "least": 0.25, "reach": 9}
    assert spec_of(told) == CoregisterSpec(modality="s1", step=2, least=0.25, reach=9)
    assert spec_of({"item": "S2A_1"}) == CoregisterSpec(item="S2A_1")


def test_nothing_said_then_the_modality_is_not_moved() -> None:
    assert SourceModality(product="sentinel-2-l2a").coregister_to is None


def test_empty_mapping_then_it_is_moved_onto_its_own_clearest_step() -> None:
    found = spec_of({})
    assert found is not None
    assert (found.modality, found.step, found.item) == ("", None, "")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"step": 1, "item": "S2A_1"}, "step and item exclude each other"),
        ({"step": 0, "item": "S2A_1"}, "step and item exclude each other"),
        ({"modalty": "s1"}, "modalty"),
        ({"step": -1}, "step"),
        ({"least": 1.5}, "least"),
        ({"reach": 0}, "reach"),
        ({"reach": 33}, "reach"),
        (3, "coregister_to"),
    ],
)
def test_wish_that_says_too_much_then_it_is_refused(told: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        spec_of(told)


@pytest.mark.parametrize("key", [{"coregister_to": "s1"}, {"coregister_bands": "SCL"}])
def test_follower_that_shall_be_moved_then_it_is_refused(key: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="so the leader is moved"):
        SourceModality.model_validate({"product": "sentinel-2-l2a", "follow": "s2", **key})


# --- what bands show


@pytest.mark.parametrize(
    ("bands", "sight"),
    [
        ([RED], "optical"),
        ([CLASSES, RED], "optical"),
        ([VV], "radar"),
        ([CLASSES, VV], "radar"),
        ([CLASSES], "classes"),
        ([NIGHT, CLASSES], "classes"),
        ([NIGHT], None),
        ([QUALITY], None),
        ([replace(RED, kind="bitmask")], None),
        ([], None),
    ],
)
def test_sight_is_that_of_the_bands(bands: list[Band], sight: str | None) -> None:
    assert sight_of(bands) == sight
    assert sight_of(iter(bands)) == sight


@pytest.mark.parametrize(
    ("gsd", "other", "whole"),
    [(10, 10, True), (10, 20, True), (60, 10, True), (10, 15, False), (30, 20, False)],
)
def test_pixels_nest_when_one_size_is_a_multiple(gsd: float, other: float, whole: bool) -> None:
    assert nests(gsd, other) is whole
    assert nests(gsd / 3, other / 3) is whole  # no exact binary fractions


# --- Alignment


@pytest.mark.parametrize(
    "alignment",
    [
        Alignment("s2", (0, 1), (2,), "radar", "optical", alike=False),
        Alignment("s2", (0,), (0,), "optical", "optical", True, True, 3, "", 0.25, 9),
        Alignment("s2", (0,), (0,), "optical", "optical", True, True, None, "S2A_1"),
    ],
)
def test_alignment_comes_back_from_json(alignment: Alignment) -> None:
    assert Alignment.from_json(json.loads(json.dumps(asdict(alignment)))) == alignment


# --- Checks


def test_limit_of_shifts_that_nobody_measures_then_it_is_refused() -> None:
    with pytest.raises(ValidationError, match="max_shift_px needs measure_shifts"):
        Checks(measure_shifts=False, max_shift_px=1.0)


@pytest.mark.parametrize("limit", [0.0, -1.0])
def test_limit_that_nothing_can_pass_then_it_is_refused(limit: float) -> None:
    with pytest.raises(ValidationError, match="max_shift_px"):
        Checks(max_shift_px=limit)


def test_shifts_are_measured_and_not_judged_unless_said() -> None:
    checks = Checks()
    assert (checks.measure_shifts, checks.max_shift_px) == (True, None)
    assert Checks(max_shift_px=1.0).beyond_shift == "reject"
    assert Checks(measure_shifts=False).max_shift_px is None


# --- Shift


def test_shift_has_a_length_when_both_numbers_are_known() -> None:
    assert Shift("s2@0", 3.0, -4.0).length == 5.0
    assert Shift("s2@0", 0.0, 0.0).length == 0.0
    assert Shift("s2@0").length is None
    assert Shift("s2@0", row=1.0).length is None
