"""Which parts of items an answer holds: the `fields` of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JSON = dict[str, Any]
DEFAULT = ("geometry", "bbox", "links", "assets", "properties.datetime")
"""What empty fields stand for, beside `ALWAYS`; see the Fields extension of the STAC API."""
ALWAYS = ("type", "stac_version", "id", "collection")
"""What every answer has, so that clients can read it."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Parts that are wanted.

    Attributes:
        include: Paths such as `properties.datetime`; None for all, empty for the default ones.
        exclude: Paths that are not wanted, unless they are included by the same name.
    """

    include: frozenset[str] | None
    exclude: frozenset[str]

    @property
    def assets(self) -> bool:
        """True when an answer has assets, links or both, so that they must be made."""
        if self.include is None:
            return not {"assets", "links"} <= self.exclude
        return not self.include or any(p.split(".")[0] in ("assets", "links") for p in self.include)

    def cut(self, item: JSON) -> JSON:
        """Return an item with what is wanted."""
        if self.include is None:
            kept = item
        else:
            kept = {key: item[key] for key in ALWAYS}
            for path in self.include or DEFAULT:
                _copy(item, kept, path.split("."))
        for path in self.exclude - (self.include or frozenset()) - set(ALWAYS):
            kept = _without(kept, path.split("."), self.include or frozenset(), path)
        return kept


def read_fields(words: list[str] | None) -> Fields | None:
    """Read `+a,b,-c` of a GET request; None when nothing is said."""
    # A plus that was not escaped comes as a blank.
    words = [word.strip() for word in words or [] if word.strip()]
    if not words:
        return None
    exclude = frozenset(word[1:] for word in words if word.startswith("-"))
    include = frozenset(word.lstrip("+") for word in words if not word.startswith("-"))
    return Fields(include or None, exclude)


def _copy(item: JSON, kept: JSON, path: list[str]) -> None:
    head, *rest = path
    if not isinstance(item, dict) or head not in item:
        return
    if not rest:
        kept[head] = item[head]
    elif isinstance(item[head], dict):
        # A new dict, because what stands there may belong to the item.
        kept[head] = dict(kept.get(head, {}))
        _copy(item[head], kept[head], rest)


def _without(item: JSON, path: list[str], included: frozenset[str], whole: str) -> JSON:
    """Return an item without a path, but with what is included below it."""
    head, *rest = path
    if head not in item:
        return item
    if rest:
        inner = item[head]
        cut = _without(inner, rest, included, whole) if isinstance(inner, dict) else inner
        return {**item, head: cut}
    if any(one.startswith(f"{whole}.") for one in included):
        return item  # only what was included is there
    return {key: value for key, value in item.items() if key != head}
