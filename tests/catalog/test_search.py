"""Which cards are found, and in which order."""

from __future__ import annotations

import pytest

from eodata.catalog.card import Card, CardModality, Extent
from eodata.catalog.criteria import parse_span
from eodata.catalog.search import search_cards


def make(name: str, **fields: object) -> Card:
    return Card(**{"name": name, "title": name, "source": "published", "licence": "MIT", **fields})


S1 = CardModality(name="s1", product="sentinel-1-grd", sensor="Sentinel-1 C-SAR")
S2 = CardModality(name="optical", product="sentinel-2-l2a", sensor="Sentinel-2A/B MSI")
L57 = CardModality(name="past", sensor="Landsat 57")
CARDS = [
    (None, make("zebra", title="Clouds and clouds", task="cloud-removal", modalities=(S1, S2))),
    (None, make("alpha", description="Clouds over fields", task="crops, cloud removal")),
    (None, make("clouds", title="Something else", modalities=(S1,))),
    (None, make("clouds-2", title="Clouds", keywords=("clouds", "SAR"), modalities=(L57,))),
    (
        None,
        make(
            "place",
            extent=Extent(bbox=(3, 50, 4, 51), span=("2018-01-01", "2019-01-01")),
        ),
    ),
]


def names(**criteria: object) -> list[str]:
    return [card.name for _, card in search_cards(CARDS, **criteria)]


def test_without_criteria_all_are_found_by_name() -> None:
    assert names() == ["alpha", "clouds", "clouds-2", "place", "zebra"]


def test_the_exact_name_comes_first_then_most_hits_then_name() -> None:
    assert names(text="CLOUDS") == ["clouds", "clouds-2", "alpha", "zebra"]


def test_every_word_must_stand_somewhere() -> None:
    assert names(text="clouds fields") == ["alpha"]
    assert names(text="sar clouds") == ["clouds-2"]
    assert names(text="clouds nowhere") == []


@pytest.mark.parametrize("task", ["cloud-removal", "Cloud Removal", "cloud_removal"])
def test_a_task_is_found_however_it_is_spelt(task: str) -> None:
    assert names(task=task) == ["alpha", "zebra"]
    assert names(task="cloud") == []


@pytest.mark.parametrize(
    "sensor", ["sentinel-1", "s1", "S1", "sentinel1", "Sentinel 1", "S1A", "sentinel-1-grd"]
)
def test_a_sensor_is_found_however_it_is_spelt(sensor: str) -> None:
    assert names(sensor=sensor) == ["clouds", "zebra"]


@pytest.mark.parametrize(
    ("sensor", "found"),
    [
        ("s2", ["zebra"]),
        ("optical", ["zebra"]),
        ("msi", ["zebra"]),
        ("landsat", ["clouds-2"]),
        ("landsat-5", []),
        ("sentinel-3", []),
        ("--", []),
    ],
)
def test_a_sensor_is_no_mere_piece_of_a_word(sensor: str, found: list[str]) -> None:
    assert names(sensor=sensor) == found


def test_place_and_time_must_be_stated_and_meet() -> None:
    assert names(bbox=(3.5, 50.5, 9, 60)) == ["place"]
    assert names(bbox=(4.1, 50, 5, 51)) == []
    assert names(span=parse_span("2018-12")) == ["place"]
    # The end is excluded: a set of 2018 holds nothing of 2019.
    assert names(span=parse_span("2019")) == []
