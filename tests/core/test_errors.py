"""Errors say what, why and what to do, and survive a process boundary."""

from __future__ import annotations

import pickle

import pytest

from eodata.core import errors
from eodata.core.errors import EodataError, ProviderError, QuotaError, RecipeError, nearest

EXIT_CODES = {
    "EodataError": 1,
    "RecipeError": 2,
    "GridError": 2,
    "ProviderError": 3,
    "AuthError": 4,
    "QuotaError": 5,
    "NoItemsError": 6,
    "StoreError": 7,
    "IncompleteError": 8,
    "InterruptedBuildError": 130,
}
CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, EodataError)
]


def test_exit_codes_of_all_classes_are_those_of_the_documentation() -> None:
    assert {c.__name__: c.exit_code for c in CLASSES} == EXIT_CODES


def test_exit_codes_of_success_differ_from_those_of_errors() -> None:
    assert errors.EXIT_OK == 0
    assert errors.EXIT_GAPS not in EXIT_CODES.values()


@pytest.mark.parametrize("cls", CLASSES)
def test_error_when_pickled_then_keeps_type_parts_and_notes(cls: type[EodataError]) -> None:
    error = cls("item a", "it is broken", "the rule", "mend it")
    error.add_note("more")
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert type(twin) is cls
    assert (twin.where, twin.found, twin.because, twin.fix) == (
        "item a",
        "it is broken",
        "the rule",
        "mend it",
    )
    assert str(twin) == str(error)
    assert twin.__notes__ == ["more"]


@pytest.mark.parametrize("cls", [c for c in CLASSES if issubclass(c, ProviderError)])
def test_provider_error_when_pickled_then_keeps_retry_advice(cls: type[ProviderError]) -> None:
    error = cls("asset", "busy", retryable=True, retry_after=2.5)
    twin = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (twin.retryable, twin.retry_after) == (True, 2.5)


def test_provider_error_when_nothing_said_then_is_not_retryable() -> None:
    error = QuotaError("asset", "gone")
    assert (error.retryable, error.retry_after) == (False, None)


def test_message_when_all_parts_given_then_one_line_each() -> None:
    text = str(RecipeError("demo.yaml: area", "42", "it is odd.", "Use 40."))
    assert text.splitlines() == ["demo.yaml: area: 42", "  it is odd.", "  Use 40."]


def test_message_when_parts_are_empty_then_leaves_their_lines_out() -> None:
    assert str(EodataError("", "boom")) == "boom"
    assert str(EodataError("here", "boom", "", "Stop.")).splitlines() == ["here: boom", "  Stop."]


def test_nearest_when_spelling_is_close_then_names_the_original_case() -> None:
    assert nearest("b8a", ["B8A", "B04"]) == 'Did you mean "B8A"?'


def test_nearest_when_nothing_is_close_then_lists_all_sorted() -> None:
    assert nearest("xyzzy", ["red", "nir"]) == "Known: nir, red."


def test_nearest_when_nothing_is_known_then_says_so() -> None:
    assert nearest("red", []) == "There are none."


def test_nearest_then_a_word_that_was_begun_comes_before_one_of_similar_letters() -> None:
    known = ["sentinel-1-grd", "sentinel-2-l1c"]
    assert nearest("sentinel-1", known) == 'Did you mean "sentinel-1-grd"?'
    assert nearest("sentinel-2l1c", known) == 'Did you mean "sentinel-2-l1c"?'
