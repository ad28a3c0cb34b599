"""The card of a built store says what is in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import geopandas
import pandas as pd
import pytest

from eodata.catalog.card import Card, CardLabels, CardShift
from eodata.catalog.describe import make_card, write_card
from eodata.catalog.shifts import sum_up
from eodata.core.errors import StoreError
from eodata.core.label_plan import LabelPlan
from eodata.store.files import CARD

REFERENCE_STEP = 13
CREATED = datetime(2026, 2, 3, 14, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def card(built) -> Card:
    return make_card(built.root, built.plan, built.products, CREATED)


def test_counts_agree_with_the_tables(built, card: Card) -> None:
    samples = geopandas.read_parquet(built.root / "samples.parquet")
    done = samples[samples["status"] == "done"]
    assert card.counts.samples == len(done) == 3
    assert card.counts.by_status == dict(Counter(samples["status"])) == {"done": 3, "failed": 1}
    assert card.counts.by_split == {"test": 1, "train": 1, "val": 1}
    steps = pd.read_parquet(built.root / "steps.parquet")
    assert card.counts.outcomes == dict(Counter(steps["status"]))
    assert card.counts.steps == 30


def test_extent_holds_every_done_sample_and_little_more(built, card: Card) -> None:
    samples = geopandas.read_parquet(built.root / "samples.parquet")
    found = samples[samples["status"] == "done"].total_bounds
    west, south, east, north = card.extent.bbox
    assert west <= found[0] and south <= found[1] and east >= found[2] and north >= found[3]
    assert max(abs(a - b) for a, b in zip(card.extent.bbox, found, strict=True)) < 2e-6
    assert [t.date().isoformat() for t in card.extent.span] == ["2018-01-01", "2018-12-27"]


def test_split_is_proven_by_the_distance_measured(card: Card) -> None:
    # Rows 1 (train, right edge 500320) and 2 (val, left edge 503320) are 3 km apart.
    assert card.split.measured_m == pytest.approx(3000)
    assert card.split.rule == "by cell of 160 m"


def test_facts_of_plan_and_products_are_told(built, card: Card) -> None:
    assert (card.name, card.source, card.synthetic) == ("flatland", "built", False)
    assert card.keywords == ("time-series", "belgium", "sar")
    # Two Sentinel products share one notice; a product without one is told by its title.
    assert card.attribution == (
        "Contains modified Copernicus Sentinel data (free)",
        "Labels of Flanders (free)",
        "Product dem (free)",
    )
    assert [m.name for m in card.modalities] == list(built.plan.modalities)
    s1 = next(m for m in card.modalities if m.name == "s1")
    assert (s1.sensor, s1.bands, s1.gsd, s1.unit) == ("sentinel-1", ("vv", "vh"), 10.0, "dB")
    assert next(m.role for m in card.modalities if m.name == "landcover") == "target"
    assert (card.patch.metres, card.patch.pixels, card.crs) == (160.0, 16, ("EPSG:32631",))
    assert card.provenance.plan_digest == built.plan.digest
    assert card.provenance.created_utc == CREATED


def test_misfits_are_summed_up_per_compared_modality(compared) -> None:
    card = make_card(compared.root, compared.plan, compared.products, CREATED)
    steps = pd.read_parquet(compared.root / "steps.parquet")
    told = {m.name: m.shift for m in card.modalities}
    assert [name for name, shift in told.items() if shift] == ["s2", "s1", "landcover"]
    for name, reference in (("s2", REFERENCE_STEP), ("s1", None), ("landcover", None)):
        mine = steps[(steps["modality"] == name) & (steps["step"] != reference)]
        mine = mine[mine["status"] == "done"]
        lengths = sorted(mine["shift"].dropna())
        shift = told[name]
        assert (shift.measured, shift.not_measured) == (
            len(lengths),
            len(mine) - len(lengths),
        )
        assert shift.largest_px == pytest.approx(lengths[-1], abs=5e-5)
        assert shift.median_px == pytest.approx(lengths[len(lengths) // 2], abs=5e-5)
        assert shift.p95_px <= shift.largest_px
        assert (shift.to, shift.limit_px) == ("s2", 1.0)
    # s2 lies 0.6 px away, but in the rejected step 2.5 px, in all rows but the one below clouds.
    assert (told["s2"].largest_px, told["s2"].beyond, told["s2"].moved) == (0.6, 3, 0)
    assert (told["s1"].largest_px, told["s1"].beyond) == (0.15, 0)
    assert told["s1"].moved == told["s1"].measured > 0
    assert told["landcover"].median_px == 0.559  # hypot(0.5, 0.25) with four digits


def test_what_is_not_compared_has_no_misfit_in_the_card(built, card: Card) -> None:
    assert "shift" not in card.dumps()


def test_a_modality_where_nothing_is_measured_has_no_numbers(compared) -> None:
    steps = pd.read_parquet(compared.root / "steps.parquet")
    blind = sum_up(compared.plan.modalities["s1"], steps[steps["row"] == 2], None)
    assert blind == CardShift(to="s2", measured=0, not_measured=27)


def test_labels_are_told_with_their_legend(built) -> None:
    legend = ((1, "field", "00ff00"), (2, "wood", "008800"))
    plan = replace(built.plan, labels=(LabelPlan("use", "landcover", legend, (), 0.1),))
    card = make_card(built.root, plan, built.products, CREATED)
    assert card.labels == (CardLabels(name="use", modality="landcover", classes=("field", "wood")),)
    told = "- name: use\n  modality: landcover\n  classes: [field, wood]\n"
    assert f"\nlabels:\n{told}" in card.dumps()
    assert "labels:" not in make_card(built.root, built.plan, built.products, CREATED).dumps()


def test_shared_keys_of_places_are_told_by_split(built) -> None:
    (name, area), *others = built.plan.areas.items()
    areas = {name: replace(area, season="summer", scene="100"), **dict(others)}
    card = make_card(built.root, replace(built.plan, areas=areas), built.products, CREATED)
    here = {
        placed.split
        for patch, placed in zip(built.plan.patches, built.plan.placed, strict=True)
        if patch.area == name
    }
    assert card.split is not None
    assert card.split.keys == dict.fromkeys(here, ("summer_100",))
    assert make_card(built.root, built.plan, built.products, CREATED).split.keys == {}


def test_writing_the_card_does_not_change_what_it_says(build_store) -> None:
    built = build_store(pixels=16, steps=2)
    card = make_card(built.root, built.plan, built.products, CREATED)
    (built.root / "ledger.sqlite").write_bytes(b"grows")
    write_card(built.root, card)
    assert Card.load(built.root / CARD) == card
    assert make_card(built.root, built.plan, built.products, CREATED) == card
    data = [p for p in (built.root / "data.zarr").rglob("*") if p.is_file()]
    assert card.files == len(data) + 2


def test_synthetic_pixels_are_told(build_store) -> None:
    built = build_store(pixels=16, steps=2, synthetic=True)
    card = make_card(built.root, built.plan, built.products, CREATED)
    assert card.synthetic and all(m.synthetic for m in card.modalities)
    assert "synthetic: true\n" in card.dumps()


def test_write_card_where_a_file_stands_says_so(tmp_path: Path, card: Card) -> None:
    (tmp_path / "store").write_text("")
    with pytest.raises(StoreError):
        write_card(tmp_path / "store", card)
