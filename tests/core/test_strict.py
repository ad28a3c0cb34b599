"""Errors from files carry the key, also from nested validators."""

from __future__ import annotations

import pytest
from pydantic import Field, model_validator

from eodata.core.errors import RecipeError
from eodata.core.strict import Strict


class Inner(Strict):
    with_: int = Field(default=1, alias="with")
    low: int = 0
    high: int = 9

    @model_validator(mode="after")
    def _ordered(self) -> Inner:
        if self.low > self.high:
            raise RecipeError("elsewhere", f"{self.low} > {self.high}", "the rule.", "Swap.")
        return self


class Outer(Strict):
    name: str
    inner: Inner = Inner()
    several: tuple[Inner, ...] = ()


def refused(data: object) -> RecipeError:
    with pytest.raises(RecipeError) as caught:
        Outer.parse(data, "f.yaml")
    return caught.value


def test_nested_rule_when_broken_then_key_path_and_its_own_parts() -> None:
    error = refused({"name": "x", "several": [{}, {"low": 10}]})
    assert error.where == "f.yaml: several.1"
    assert (error.found, error.because, error.fix) == ("10 > 9", "the rule.", "Swap.")


def test_unknown_key_when_the_field_has_an_alias_then_names_the_alias() -> None:
    assert refused({"name": "x", "inner": {"wiht": 1}}).fix == 'Did you mean "with"?'


def test_several_problems_then_the_first_with_the_others_as_notes() -> None:
    error = refused({"inner": {"low": "a", "high": "b"}})
    assert error.where == "f.yaml: name"
    assert [note.split(":")[1].strip() for note in error.__notes__] == ["inner.low", "inner.high"]


def test_key_that_is_no_text_then_still_named() -> None:
    assert refused({"name": "x", 7: 1}).where == "f.yaml: 7"
