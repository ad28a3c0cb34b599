"""Builds from archives in trouble: what could be had is there, and what is missing has a reason.

All builds run against one server per form of archive, whose faults change from test to test. Each
test calls the archive by a patience of its own, so that no connection, header or token is shared.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas
import pytest

from eodata import resources
from eodata.core.retry import RetryPolicy
from eodata.core.sandbox_spec import SandboxSettings
from eodata.providers import stac
from tests.e2e.troubled import RECIPE, Archive, assert_same_store, lost_shards, told_by_ledger
from tests.providers.served import Servers

pytestmark = pytest.mark.e2e

LATENCY, SLOW = 0.03, 4_000_000
OF_ASSETS = {
    "latency": f"latency={LATENCY},jitter=0.05",
    "bandwidth": f"bandwidth={SLOW}",
    "concurrency": "asset:concurrency=2,retry_after=0",
    "429": "asset:429=0.2",
    "429-date": "asset:429-date=0.2,retry_after=0",
    "429-bare": "asset:429-bare@2-4",
    "500": "asset:500=0.2",
    "502": "asset:502=0.2",
    "503": "asset:503=0.2",
    "reset": "asset:reset=0.2",
    "hang": "asset:hang@3-4",
    "truncate": "asset:truncate=0.15",
    "corrupt": "asset:corrupt=0.2,seed=2",
    "all at once": "503=0.05,reset=0.05,truncate=0.05,429=0.05,latency=0.01",
}
OF_SEARCHES = {
    "latency": f"latency={LATENCY}",
    "bandwidth": f"bandwidth={SLOW}",
    "concurrency": "search:concurrency=1,retry_after=0",
    "429": "search:429@1",
    "429-date": "search:429-date@2,retry_after=0",
    "429-bare": "search:429-bare@1",
    "500": "search:500@2-3",
    "502": "search:502@2-3",
    "503": "search:503@1-3",
    "reset": "search:reset@2",
    "hang": "search:hang@1",
    "truncate": "search:truncate@1",
    "corrupt": "search:corrupt@2",
    # The pages of a server are counted from its start, so no schedule can name the first.
    "duplicate": "duplicate@every2",
    "skip": "skip@every5",
    "duplicate and skip": "duplicate@every3,skip@every7",
}
OF_TOKENS = {
    "latency": f"latency={LATENCY}",
    "429": "sign:429@1",
    "429-date": "sign:429-date@1,retry_after=0",
    "429-bare": "sign:429-bare@1",
    "500": "sign:500@1-2",
    "502": "sign:502@1",
    "503": "sign:503@1",
    "reset": "sign:reset@1",
    "hang": "sign:hang@1",
    "truncate": "sign:truncate@1",
    "corrupt": "sign:corrupt@1",
    "expired": "expired=0.1",
    "expired at once": "expired@1",
}
_patience = itertools.count(1)


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with Servers(SandboxSettings(seed=5)) as servers:
        yield servers


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have the table's rows, but wait for a second only, and search by small pages."""
    patience = 1.0 + next(_patience) / 10_000
    rows = {
        name: row.model_copy(update={"patience": patience, "page": 5})
        for name, row in resources.endpoints().items()
    }
    monkeypatch.setattr(resources, "endpoints", lambda: rows)
    monkeypatch.setenv("EODATA_HOME", str(tmp_path / "home"))


@pytest.fixture
def archive_of(servers: Servers, tmp_path: Path) -> Iterator[Callable[[str], Archive]]:
    used: list[Archive] = []

    def archive_of(flavour: str) -> Archive:
        used.append(Archive(servers, flavour, tmp_path))
        used[-1].have("")
        return used[-1]

    yield archive_of
    for archive in used:
        archive.have("")


@pytest.fixture(scope="module")
def whole(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the store that an archive without faults gives, built once."""
    known: dict[str, Path] = {}

    def whole(flavour: str) -> Path:
        if flavour not in known:
            archive = Archive(servers, flavour, tmp_path_factory.mktemp("recipe"))
            archive.have("")
            known[flavour] = tmp_path_factory.mktemp("whole") / "store"
            assert archive.build(known[flavour]).exit_code == 0
        return known[flavour]

    return whole


@pytest.mark.parametrize("kind", OF_ASSETS)
def test_trouble_with_files_changes_no_byte(archive_of, whole, tmp_path, kind):
    expected, archive = whole("earth-search"), archive_of("earth-search")
    archive.have(OF_ASSETS[kind])
    report = archive.build(tmp_path / "store")
    assert archive.met("503" if kind == "all at once" else kind)
    assert report.exit_code == 0, report.reasons
    assert_same_store(tmp_path / "store", expected)


@pytest.mark.parametrize("kind", OF_SEARCHES)
@pytest.mark.parametrize("flavour", ["earth-search", "planetary-computer", "cdse"])
def test_trouble_with_searches_changes_no_plan(archive_of, kind, flavour):
    archive = archive_of(flavour)
    archive.recipe.write_text(RECIPE.replace("2022-06-11", "2022-07-01"))
    expected = archive.plan().plan
    archive.have(OF_SEARCHES[kind])
    found = archive.plan().plan
    assert found.digest == expected.digest
    assert found.items == expected.items
    # One client alone never has so many searches under way.
    assert kind == "concurrency" or all(archive.met(one) for one in kind.split(" and "))


@pytest.mark.parametrize("kind", OF_TOKENS)
def test_trouble_with_tokens_changes_no_byte(archive_of, whole, tmp_path, kind):
    expected, archive = whole("planetary-computer"), archive_of("planetary-computer")
    stac._new_line.cache_clear()  # else a token of the build before might do
    archive.have(OF_TOKENS[kind])
    report = archive.build(tmp_path / "store")
    assert archive.met(kind.removesuffix(" at once"))
    assert report.exit_code == 0, report.reasons
    assert_same_store(tmp_path / "store", expected)


def test_a_file_that_is_gone_costs_its_step_alone_and_has_a_reason(archive_of, whole, tmp_path):
    expected, archive, store = whole("earth-search"), archive_of("earth-search"), tmp_path / "store"
    archive.lose("s2")
    report = archive.build(store)
    assert report.exit_code == 8
    assert (report.permanent, report.retryable) == (1, 0)
    steps = pandas.read_parquet(store / "steps.parquet")
    lost = steps[steps["status"] == "failed"]
    assert set(lost["modality"]) == {"s2"}
    assert lost["step"].nunique() == 1
    assert len(lost) == steps["row"].nunique()
    (reason,) = set(lost["reason"])
    (item,) = {names[0] for names in lost["items"]}
    assert item in reason
    assert "404" in reason
    assert {r for r, retryable in told_by_ledger(store) if not retryable} == {reason}
    assert lost_shards(store, expected) == {"s2", "s2_valid"}
    archive.have("")
    assert archive.build(store).exit_code == 0
    assert_same_store(store, expected)


def test_a_recipe_may_allow_for_files_that_are_gone(archive_of, tmp_path):
    archive = archive_of("earth-search")
    archive.recipe.write_text(RECIPE + "checks: {max_failed: 0.5}\n")
    archive.lose("s2")
    assert archive.build(tmp_path / "store").exit_code == 9


def test_files_that_stay_damaged_are_failures_for_good_and_never_pixels(
    archive_of, whole, tmp_path
):
    expected, archive, store = whole("earth-search"), archive_of("earth-search"), tmp_path / "store"
    archive.have("asset:corrupt=1")
    report = archive.build(store)
    assert report.exit_code == 8
    assert (report.permanent, report.retryable) == (2, 0)
    steps = pandas.read_parquet(store / "steps.parquet")
    assert set(steps["status"]) == {"failed"}
    assert steps["valid"].max() == 0.0
    for items, reason in zip(steps["items"], steps["reason"], strict=True):
        assert items[0] in reason
        assert "fetched 3 times" in reason
        assert "eodata-" not in reason  # what GDAL knows the file by
    archive.have("")
    assert archive.build(store).exit_code == 0
    assert_same_store(store, expected)


def test_an_outage_ends_the_build_and_the_next_one_completes_it(
    archive_of, whole, tmp_path, monkeypatch
):
    monkeypatch.setattr("eodata.providers.breaker.COOL_DOWN_S", 0.1)
    expected, archive, store = whole("earth-search"), archive_of("earth-search"), tmp_path / "store"
    archive.have("asset:503@4-")
    report = archive.build(store, RetryPolicy(attempts=1))
    assert report.exit_code == 8
    assert report.retryable
    assert not report.permanent
    assert report.retried > 0, "requests of failed attempts are in the ledger too"
    archive.have("")
    report = archive.build(store)
    assert report.exit_code == 0, report.reasons
    assert_same_store(store, expected)
