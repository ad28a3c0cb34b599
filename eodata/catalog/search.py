"""Find datasets by their cards."""

from __future__ import annotations

import re
from collections.abc import Iterable

from eodata.catalog.card import Card
from eodata.catalog.criteria import BBox
from eodata.catalog.index import Entry
from eodata.core.span import Span


def search_cards(
    cards: Iterable[Entry],
    *,
    text: str | None = None,
    task: str | None = None,
    sensor: str | None = None,
    bbox: BBox | None = None,
    span: Span | None = None,
) -> list[Entry]:
    """Return the cards that meet every criterion given; case never matters.

    A card that does not state its place or time is left out when one is asked for.

    Args:
        cards: As `index.cards` returns them.
        text: Words that must all stand in name, title, description, keywords or task.
        task: For example `cloud-removal`; spaces, hyphens and underscores are the same.
        sensor: A constellation (`sentinel-1`, `s1`, `Sentinel1`), a product id or a modality name.
        bbox: Ground that the card's extent must touch [degrees].
        span: Time that the card's span must overlap.

    Returns:
        First the card whose name is `text`, then by number of places where the words stand, then
        by name.
    """
    words = (text or "").lower().split()
    found = [
        (entry, _hits(entry[1], words))
        for entry in cards
        if _is_for(entry[1], task) and _has_sensor(entry[1], sensor)
        if _touches(entry[1], bbox) and _overlaps(entry[1], span)
    ]
    exact = " ".join(words)
    ranked = [(e[1].name.lower() != exact, -sum(hits), e) for e, hits in found if all(hits)]
    ranked.sort(key=lambda r: (r[0], r[1], r[2][1].name.lower(), str(r[2][0] or "")))
    return [entry for _, _, entry in ranked]


def _hits(card: Card, words: list[str]) -> list[int]:
    """Return for each word in how many parts of the card it stands."""
    parts = [card.name, card.title, card.description, card.task, *card.keywords]
    lowered = [part.lower() for part in parts]
    return [sum(word in part for part in lowered) for word in words]


def _is_for(card: Card, task: str | None) -> bool:
    return task is None or _plain(task) in {_plain(part) for part in card.task.split(",")}


def _has_sensor(card: Card, sensor: str | None) -> bool:
    if sensor is None:
        return True
    wanted = _sensor_word(sensor)
    known = (
        word
        for m in card.modalities
        for phrase in (m.name, m.product, m.sensor)
        for word in (phrase, *phrase.split())
    )
    return any(_starts_with(_sensor_word(word), wanted) for word in known)


def _starts_with(word: str, wanted: str) -> bool:
    """Tell whether `word` is `wanted` or goes on from it, but not inside a number.

    >>> _starts_with("sentinel2l2a", "sentinel2"), _starts_with("landsat57", "landsat5")
    (True, False)
    """
    if not wanted or not word.startswith(wanted):
        return False
    rest = word[len(wanted) :]
    return not (wanted[-1].isdigit() and rest[:1].isdigit())


def _sensor_word(phrase: str) -> str:
    """Return one spelling per sensor.

    >>> {_sensor_word(w) for w in ("S1", "s-1", "sentinel-1", "Sentinel 1", "SENTINEL1", "S1A")}
    {'sentinel1'}
    """
    word = _plain(phrase)
    match = re.fullmatch(r"s(?:entinel)?(\d)([a-d]?)", word)
    return f"sentinel{match[1]}" if match else word


def _plain(phrase: str) -> str:
    return re.sub(r"[^a-z0-9]", "", phrase.lower())


def _touches(card: Card, bbox: BBox | None) -> bool:
    if bbox is None:
        return True
    if card.extent.bbox is None:
        return False
    west, south, east, north = card.extent.bbox
    return bbox[0] <= east and west <= bbox[2] and bbox[1] <= north and south <= bbox[3]


def _overlaps(card: Card, span: Span | None) -> bool:
    if span is None:
        return True
    if card.extent.span is None:
        return False
    start, end = card.extent.span
    return start < span.end and span.start < end
