"""A card comes back from its file as it went in, and a wrong one says what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eodata.catalog.card import (
    Card,
    CardLabels,
    CardModality,
    CardShift,
    Counts,
    Extent,
    PatchEdge,
    Provenance,
)
from eodata.catalog.card import SplitProof as Proof
from eodata.core.errors import RecipeError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
SOME = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
COUNT = st.none() | st.integers(0, 10**12)
COUNTS = st.dictionaries(SOME, st.integers(0, 10**6), max_size=3)
METRES = st.none() | st.floats(1e-3, 1e7)
INSTANT = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (Hypothesis adds the zone)


@st.composite
def extents(draw: st.DrawFn) -> Extent:
    west, east = sorted(draw(st.tuples(st.floats(-180, 180), st.floats(-180, 180))))
    south, north = sorted(draw(st.tuples(st.floats(-90, 90), st.floats(-90, 90))))
    start, end = sorted(draw(st.tuples(INSTANT, INSTANT).filter(lambda t: t[0] != t[1])))
    bbox = draw(st.sampled_from([None, (west, south, east, north)]))
    return Extent(bbox=bbox, span=draw(st.sampled_from([None, (start, end)])))


PIXELS = st.none() | st.floats(0, 100)
SHIFTS = st.builds(
    CardShift,
    to=SOME,
    measured=st.integers(0, 10**9),
    not_measured=st.integers(0, 10**9),
    moved=st.integers(0, 10**9),
    median_px=PIXELS,
    p95_px=PIXELS,
    largest_px=PIXELS,
    limit_px=st.none() | st.floats(1e-3, 100),
    beyond=COUNT,
)
MODALITIES = st.builds(
    CardModality,
    name=SOME,
    product=TEXT,
    sensor=TEXT,
    bands=st.lists(TEXT, max_size=4).map(tuple),
    gsd=METRES,
    unit=TEXT,
    radiometry=TEXT,
    role=st.sampled_from(["input", "target"]),
    synthetic=st.booleans(),
    shift=st.none() | SHIFTS,
)
LABELS = st.builds(
    CardLabels, name=SOME, modality=TEXT, classes=st.lists(TEXT, max_size=3).map(tuple)
)
CARDS = st.builds(
    Card,
    name=SOME,
    title=SOME,
    version=st.integers() | TEXT,
    source=st.sampled_from(["built", "published"]),
    synthetic=st.booleans(),
    description=TEXT,
    task=TEXT,
    keywords=st.lists(TEXT, max_size=4).map(tuple),
    licence=SOME,
    attribution=st.lists(TEXT, max_size=3).map(tuple),
    citation=TEXT,
    homepage=TEXT,
    where=TEXT,
    modalities=st.lists(MODALITIES, max_size=2).map(tuple),
    labels=st.lists(LABELS, max_size=2).map(tuple),
    extent=extents(),
    counts=st.builds(
        Counts, samples=COUNT, by_split=COUNTS, by_status=COUNTS, steps=COUNT, outcomes=COUNTS
    ),
    patch=st.builds(PatchEdge, metres=METRES, pixels=st.none() | st.integers(1, 10**5)),
    crs=st.lists(TEXT, max_size=2).map(tuple),
    files=COUNT,
    size_bytes=COUNT,
    split=st.none() | st.builds(Proof, rule=TEXT, asked_m=METRES, measured_m=METRES),
    provenance=st.builds(
        Provenance,
        created_utc=st.none() | INSTANT,
        plan_digest=TEXT,
        tools=st.dictionaries(SOME, TEXT | st.lists(st.integers(), max_size=2), max_size=2),
    ),
)


HARD = ("\x85", "a\u2028b", "tail\n", " lead", "1.10", "no", "2018-01-01", "a: b # c", "line\nline")


@pytest.mark.parametrize("text", HARD)
def test_a_text_that_yaml_could_misread_comes_back(text: str) -> None:
    card = Card(name=text, title=text, version=text, source="built", licence=text, keywords=(text,))
    assert Card.parse(yaml.safe_load(card.dumps()), "card") == card


def test_an_instant_keeps_its_second() -> None:
    span = (datetime(2018, 1, 1, 10, 30, 5, tzinfo=UTC), datetime(2018, 1, 2, tzinfo=UTC))
    card = Card(name="a", title="A", source="built", licence="MIT", extent=Extent(span=span))
    assert Card.parse(yaml.safe_load(card.dumps()), "card").extent.span == span


@given(card=CARDS)
def test_a_card_comes_back_from_yaml_as_it_was(card: Card) -> None:
    assert Card.parse(yaml.safe_load(card.dumps()), "card") == card


def test_yaml_is_for_people(tmp_path: Path) -> None:
    card = Card(
        name="eurosat",
        title="EuroSAT: land use from Sentinel-2",
        source="published",
        licence="MIT",
        keywords=("land-use", "classification"),
        modalities=(CardModality(name="s2", bands=("B04", "B03"), gsd=10),),
        extent=Extent(bbox=(-10, 35, 30, 70), span=("2017-01-01", "2018-01-01")),
    )
    text = card.dumps()
    assert text.startswith("name: eurosat\ntitle: 'EuroSAT: land use from Sentinel-2'\n")
    assert "keywords: [land-use, classification]\n" in text
    assert "  bbox: [-10.0, 35.0, 30.0, 70.0]\n  span: [2017-01-01, 2018-01-01]\n" in text
    assert "!!" not in text and "null" not in text and "{}" not in text
    (tmp_path / "card.yaml").write_text(text, encoding="utf-8")
    assert Card.load(tmp_path / "card.yaml") == card


LEAST = "name: a\ntitle: A\nsource: published\nlicence: MIT\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: [", "no plain YAML"),
        ("- 1", "not a mapping"),
        ("name: a\ntitle: A\nsource: built\n", "licence: the key is missing"),
        (LEAST + "licences: MIT\n", 'Did you mean "licence"?'),
        (LEAST + "version: 1.10\n", "version"),
        (LEAST + "extent: {bbox: [10, 0, 5, 1]}\n", "west <= east"),
        (LEAST + "extent: {span: [2019-01-01, 2018-01-01]}\n", "is not after the start"),
        (LEAST + "extent: {span: [soon, later]}\n", "extent.span"),
        (LEAST + "extent: {span: [1, 2]}\n", "ISO 8601"),
        (LEAST + "title: !!python/object/apply:os.getcwd []\n", "no plain YAML"),
    ],
)
def test_load_refuses_with_the_file_and_a_reason(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "card.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        Card.load(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
