"""Faults of a simulated Earth Engine: mended where waiting or asking for less helps, else told."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata import resources
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.errors import AuthError, ProviderError, QuotaError
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Pixels, Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.sandbox.earthengine.server import EarthEngineServer

SETTINGS = SandboxSettings(seed=5)
GRID = GeoBox((64, 64), Affine(10, 0, 649_100, 0, -10, 5_324_900), CRS("EPSG:32632"))
JUNE = Span(datetime(2018, 6, 1, tzinfo=UTC), datetime(2018, 6, 5, tzinfo=UTC))
COLLECTION = "COPERNICUS/S2_SR_HARMONIZED"
BANDS = {"B4": "B04", "B11": "B11"}


@contextmanager
def served(faults: str = ""):
    with EarthEngineServer(SETTINGS, faults=faults) as server:
        yield server, EarthEngineProvider(EarthEngineLocation.at(server.url))


def read_all(provider: EarthEngineProvider) -> Pixels:
    items = provider.search(Query(COLLECTION, box(11.00, 48.05, 11.02, 48.06), JUNE))
    table = resources.products()["sentinel-2-l2a"]
    reads = [BandRead(table.band(name).to_band(), key, "bilinear") for key, name in BANDS.items()]
    return provider.read(items[0], reads, GRID)


@pytest.fixture(scope="module")
def sound() -> Pixels:
    with served() as (_, provider):
        return read_all(provider)


@pytest.mark.parametrize(
    "faults",
    [
        "compute:429-bare@1",
        "compute:aggregations@1,list:429-bare@1",
        "compute:503@2,list:500@1",
        "compute:429@1,retry_after=0",
        "compute:memory@1",
        "compute:timeout@2",
        "reset@1,reset@4",
        "reset@5,reset@7",
        "truncate@5,truncate@6",
        "429=0.2,503=0.2,reset=0.1,truncate=0.1,retry_after=0,seed=5",
    ],
)
def test_fault_that_passes_then_the_pixels_are_the_same_and_the_attempts_are_counted(sound, faults):
    with served(faults) as (server, provider):
        found = read_all(provider)
        met = [one for one in server.log.requests if one.fault]
        asked = [one for one in server.log.requests if "computePixels" in one.path]
    for one, other in zip(found.values + found.valid, sound.values + sound.valid, strict=True):
        assert np.array_equal(one, other)
    assert found.requests == len(asked) >= 2
    assert met
    assert found.requests > 2 or not faults.startswith("compute")


@pytest.mark.parametrize(
    ("faults", "kind", "words"),
    [
        ("compute:403=1", AuthError, "does not have permission"),
        ("compute:401=1", AuthError, "credentials are not accepted"),
        ("compute:memory=1", ProviderError, "User memory limit exceeded"),
        ("list:403=1", AuthError, "does not have permission"),
    ],
)
def test_fault_that_stays_then_the_server_s_words_are_told(faults, kind, words):
    with served(faults) as (_, provider), pytest.raises(kind, match=words) as caught:
        read_all(provider)
    assert not caught.value.retryable


def test_band_that_is_none_then_it_is_refused_before_a_request(sound):
    with served() as (_, provider):
        items = provider.search(Query(COLLECTION, box(11.00, 48.05, 11.02, 48.06), JUNE))
        read = BandRead(resources.products()["sentinel-2-l2a"].bands[0].to_band(), "B99", "nearest")
        with pytest.raises(ProviderError, match="B99"):
            provider.read(items[0], [read], GRID)


def test_server_that_is_gone_then_the_error_may_be_mended_by_waiting(monkeypatch):
    monkeypatch.setattr("eodata.providers.earthengine.governor.drawn", lambda *_: 0.0)
    with served() as (_, provider):
        pass
    with pytest.raises(ProviderError) as caught:
        read_all(provider)
    assert caught.value.retryable
    assert not isinstance(caught.value, QuotaError)
