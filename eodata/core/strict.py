"""The base of everything that people write in files: strict models with errors they can act on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from eodata.core.errors import RecipeError, nearest


class Strict(BaseModel):
    """A frozen model that refuses unknown keys and names the nearest known one."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {field.alias or name for name, field in cls.model_fields.items()}
            names = known | set(cls.model_fields)
            for key in data:
                if key not in names:
                    raise PydanticCustomError(
                        "unknown_key", "{fix}", {"key": str(key), "fix": nearest(str(key), known)}
                    )
        return data

    @classmethod
    def parse(cls, data: object, source: str) -> Self:
        """Validate raw data from a file.

        Args:
            data: What the file says, as plain dicts and lists.
            source: Name of the file, for messages.

        Raises:
            RecipeError: Something is wrong; further problems stand in its notes.
        """
        if not isinstance(data, Mapping):
            raise RecipeError(
                source,
                f"the file holds {type(data).__name__}, not a mapping of keys to values",
                "",
                "Start it with lines such as `name: my-dataset`.",
            )
        try:
            return cls.model_validate(dict(data))
        except ValidationError as error:
            raise _as_recipe_error(error, source) from None


def settings_in(text: str, option: str, known: Collection[str], example: str) -> dict[str, str]:
    """Read `key=value` pairs, parted by spaces or commas.

    Args:
        text: What a person wrote behind an option.
        option: Its name, for messages.
        known: The keys that there are.
        example: How it is written.

    Raises:
        RecipeError: A key is none of these or stands twice, or has no value.
    """
    told: dict[str, str] = {}
    for part in text.replace(",", " ").split():
        key, _, value = part.partition("=")
        if key not in known:
            raise RecipeError(option, f'there is no setting "{key}"', "", nearest(key, known))
        if not value:
            raise RecipeError(option, f'"{part}" has no value', "", f"Write it as {example}.")
        if key in told:
            raise RecipeError(option, f"{key} stands twice", "one of them counts.", "Remove one.")
        told[key] = value
    return told


def _as_recipe_error(error: ValidationError, source: str) -> RecipeError:
    problems = [_problem(e, source) for e in error.errors(include_url=False)]
    first, rest = problems[0], problems[1:]
    for other in rest:
        first.add_note(str(other))
    return first


def _problem(detail: Any, source: str) -> RecipeError:
    # Tags of unions stand in the location in angle brackets; people did not write them.
    path = [str(part) for part in detail["loc"] if not str(part).startswith("<")]
    if detail["type"] == "unknown_key":
        key = ".".join([*path, detail["ctx"]["key"]])
        return RecipeError(f"{source}: {key}", "there is no such key", "", detail["ctx"]["fix"])
    key = ".".join(path) or "(top level)"
    if detail["type"] == "missing":
        return RecipeError(f"{source}: {key}", "the key is missing", "", "Add it.")
    inner = detail.get("ctx", {}).get("error")
    if isinstance(inner, RecipeError):
        # A rule of a whole model knows better than pydantic which key of it is wrong.
        key = inner.where if inner.where.startswith(".".join(path)) else key
        return RecipeError(f"{source}: {key}", inner.found, inner.because, inner.fix)
    shown = repr(detail["input"])
    shown = shown if len(shown) <= 80 else shown[:77] + "..."
    return RecipeError(
        f"{source}: {key}", f"{shown}", _sentence(detail["msg"]), "Correct the value."
    )


def _sentence(text: str) -> str:
    text = text.removeprefix("Value error, ")
    return text[:1].lower() + text[1:] + ("" if text.endswith(".") else ".")
