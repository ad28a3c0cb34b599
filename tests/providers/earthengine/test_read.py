"""Reads: masks, grids, tiles, halves, types."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from eodata.core.band import Band
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.errors import ProviderError, QuotaError
from eodata.core.modality_plan import BandRead
from eodata.core.product import ProviderEntry
from eodata.core.protocols import Query
from eodata.providers.earthengine import pixels
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.providers.earthengine.refusals import TooMuchError
from tests.providers.earthengine.fake import NORTH_UP, SOMEWHERE, UTM32, FakeEarthEngine, FakeImage

JUNE = datetime(2018, 6, 1, tzinfo=UTC)
SIZE = 128
GROUND = np.arange(SIZE * SIZE, dtype="uint16").reshape(SIZE, SIZE)
EVERYWHERE = np.ones((SIZE, SIZE), bool)
HOLE = EVERYWHERE.copy()
HOLE[40:60, 30:70] = False
CLASSES = np.where(GROUND % 3 == 0, 255, 4).astype("uint8")


def engine_of(**bands) -> FakeEarthEngine:
    return FakeEarthEngine([FakeImage("C/one", bands, JUNE)])


def read_of(asset: str, resampling: str = "nearest", **facts) -> BandRead:
    told = {"kind": "continuous", "dtype": "uint16", "gsd": 10.0} | facts
    return BandRead(Band(name=asset.lower(), **told), asset, resampling)


def grid_at(col: float, row: float, size: int, factor: float = 1.0) -> GeoBox:
    corner = NORTH_UP @ Affine.translation(col, row) @ Affine.scale(factor)
    return GeoBox((size, size), corner, UTM32)


def read(engine: FakeEarthEngine, reads, geobox: GeoBox, *, overviews: bool = False):
    entry = ProviderEntry(collection="C", radiometry="", overviews=overviews)
    provider = EarthEngineProvider(EarthEngineLocation(), engine, {"C": entry})
    (item,) = provider.search(Query("C", SOMEWHERE, None))
    return provider.read(item, reads, geobox)


def test_own_grid_then_pixels_are_copied_and_masked_ones_are_not_valid():
    engine = engine_of(B4=(GROUND, HOLE))
    found = read(engine, [read_of("B4")], grid_at(20, 30, 64))
    part = slice(30, 94), slice(20, 84)
    assert np.array_equal(found.valid[0], HOLE[part])
    assert np.array_equal(found.values[0][found.valid[0]], GROUND[part][HOLE[part]])
    assert found.values[0].dtype == np.uint16
    assert engine.tiles == [(64, 64)]


def test_zero_under_no_mask_then_it_is_a_measurement():
    dark = np.zeros((SIZE, SIZE), "uint16")
    found = read(engine_of(B4=(dark, HOLE)), [read_of("B4", nodata=0.0)], grid_at(0, 0, SIZE))
    assert np.array_equal(found.valid[0], HOLE)


def test_missing_class_under_no_mask_then_it_is_still_missing():
    reads = [read_of("LC", kind="categorical", dtype="uint8", nodata=255.0)]
    found = read(engine_of(LC=(CLASSES, HOLE)), reads, grid_at(0, 0, SIZE))
    assert np.array_equal(found.valid[0], HOLE & (CLASSES != 255))


def test_other_grid_then_masked_pixels_never_reach_their_neighbours():
    bright = np.where(HOLE, 1000, 0).astype("uint16")
    found = read(engine_of(B4=(bright, HOLE)), [read_of("B4", "bilinear")], grid_at(0.5, 0.5, 120))
    assert set(np.unique(found.values[0][found.valid[0]])) == {1000}
    assert not found.valid[0].all()


def test_bands_of_one_grid_then_they_are_one_request():
    engine = engine_of(
        B4=(GROUND, EVERYWHERE), B3=(GROUND + 7, HOLE), SCL=(GROUND[:64, :64], EVERYWHERE[:64, :64])
    )
    reads = [read_of("B3"), read_of("B4"), read_of("SCL"), read_of("B3")]
    found = read(engine, reads, grid_at(0, 0, 64))
    part = HOLE[:64, :64]
    assert len(engine.tiles) == found.requests == 2
    assert np.array_equal(found.values[0][part], GROUND[:64, :64][part] + 7)
    assert np.array_equal(found.values[1], GROUND[:64, :64])
    assert np.array_equal(found.values[3], found.values[0])
    assert [valid.all() for valid in found.valid] == [False, True, True, False]
    assert np.array_equal(found.valid[0], part)


def test_elsewhere_then_nothing_is_asked_for():
    engine = engine_of(B4=(GROUND, EVERYWHERE))
    found = read(engine, [read_of("B4")], grid_at(900, 900, 16))
    assert not found.valid[0].any()
    assert (engine.tiles, found.requests, found.bytes_read) == ([], 0, 0)


def test_edge_then_no_pixel_beyond_the_image_is_asked_for():
    engine = engine_of(B4=(GROUND, EVERYWHERE))
    found = read(engine, [read_of("B4")], grid_at(100, -10, 64))
    assert engine.tiles == [(54, 28)]
    assert found.valid[0].sum() == 54 * 28


def test_window_when_it_is_larger_than_one_answer_then_the_parts_fit_together(monkeypatch):
    monkeypatch.setattr(pixels, "MOST_BYTES", 5_000)
    engine = engine_of(B4=(GROUND, HOLE))
    found = read(engine, [read_of("B4")], grid_at(3, 5, 100))
    assert len(engine.tiles) == found.requests > 5
    assert all(height * width * 3 <= 5_000 for height, width in engine.tiles)
    assert np.array_equal(found.valid[0], HOLE[5:105, 3:103])
    assert np.array_equal(found.values[0][found.valid[0]], GROUND[5:105, 3:103][HOLE[5:105, 3:103]])


def test_memory_when_it_does_not_suffice_then_halves_are_asked_for():
    def trouble(grid):
        size = grid["dimensions"]
        if size["width"] * size["height"] > 2_000:
            raise TooMuchError("earthengine", "User memory limit exceeded.")

    engine = engine_of(B4=(GROUND, HOLE))
    engine.trouble = trouble
    found = read(engine, [read_of("B4")], grid_at(0, 0, SIZE))
    assert np.array_equal(found.values[0][found.valid[0]], GROUND[HOLE])
    assert np.array_equal(found.valid[0], HOLE)
    assert found.requests == len(engine.tiles) == 15 + 16


def test_memory_when_it_never_suffices_then_the_server_s_word_comes_out():
    def trouble(grid):
        raise TooMuchError("earthengine", "User memory limit exceeded.")

    engine = engine_of(B4=(GROUND, HOLE))
    engine.trouble = trouble
    with pytest.raises(ProviderError, match="User memory limit exceeded"):
        read(engine, [read_of("B4")], grid_at(0, 0, SIZE))
    assert len(engine.tiles) < 10


def test_quota_when_it_is_used_up_then_the_read_ends_with_that():
    def trouble(grid):
        raise QuotaError("earthengine", "the project's quota is used up")

    engine = engine_of(B4=(GROUND, HOLE), SCL=(CLASSES[:9, :9], HOLE[:9, :9]))
    engine.trouble = trouble
    with pytest.raises(QuotaError):
        read(engine, [read_of("B4"), read_of("SCL")], grid_at(0, 0, 9))


@pytest.mark.parametrize("error", [ProviderError("earthengine", "reset", retryable=True)])
def test_request_when_it_fails_once_then_the_read_counts_both(error):
    told = [error]

    def trouble(grid):
        if told:
            raise told.pop()

    engine = engine_of(B4=(GROUND, HOLE))
    engine.trouble = trouble
    found = read(engine, [read_of("B4")], grid_at(0, 0, 8))
    assert (found.requests, found.retried) == (2, 1)


def test_coarse_target_then_a_level_of_the_pyramid_is_asked_for():
    engine = engine_of(B4=(GROUND // 4, EVERYWHERE))
    found = read(engine, [read_of("B4", "average")], grid_at(0, 0, 16, 8), overviews=True)
    assert engine.tiles == [(16, 16)]
    assert engine.grids[0]["affineTransform"]["scaleX"] == 80
    expected = (GROUND // 4).reshape(16, 8, 16, 8).mean(axis=(1, 3))
    assert np.abs(found.values[0] - expected).max() <= 0.5


@pytest.mark.parametrize(
    ("read_", "overviews"),
    [
        (read_of("B4", "average"), False),
        (read_of("B4", "nearest"), True),
        (read_of("B4", "mode", kind="categorical"), True),
        (read_of("B4", "average", unit="dB"), True),
    ],
)
def test_coarse_target_when_levels_are_no_means_of_the_pixels_then_these_are_read(read_, overviews):
    engine = engine_of(B4=(GROUND // 1000, EVERYWHERE))
    read(engine, [read_], grid_at(0, 0, 16, 8), overviews=overviews)
    assert engine.grids[0]["affineTransform"]["scaleX"] == 10


def test_double_precision_then_it_is_read_as_the_product_has_it():
    decibels = np.linspace(-25, 0, SIZE * SIZE).reshape(SIZE, SIZE)
    engine = engine_of(VV=(decibels, HOLE))
    reads = [read_of("VV", dtype="float32", unit="dB")]
    found = read(engine, reads, grid_at(0, 0, SIZE))
    assert found.values[0].dtype == np.float32
    assert np.array_equal(found.values[0][HOLE], decibels.astype("float32")[HOLE])


def test_answer_when_it_has_other_pixels_then_it_is_asked_again_and_refused(monkeypatch):
    engine = engine_of(B4=(GROUND, HOLE))
    whole = engine.compute_pixels
    answers = []

    def short(where, asked):
        answers.append(where)
        return whole(where, asked)[1:]

    monkeypatch.setattr(engine, "compute_pixels", short)
    monkeypatch.setattr("eodata.providers.earthengine.governor.drawn", lambda *_: 0.0)
    with pytest.raises(ProviderError, match=r"asked for \(8, 8\) pixels of B4") as caught:
        read(engine, [read_of("B4")], grid_at(0, 0, 8))
    assert caught.value.retryable
    assert len(answers) > 1


def test_answer_when_its_numbers_are_of_a_wider_type_then_they_must_fit(monkeypatch):
    engine = engine_of(B4=(GROUND, EVERYWHERE))
    whole = engine.compute_pixels

    def wide(where, asked):
        made = whole(where, asked)
        names = made.dtype.names
        other = np.zeros(made.shape, [(names[0], "int32"), (names[1], "uint8")])
        other[names[0]], other[names[1]] = made[names[0]].astype("int32") + extra, made[names[1]]
        return other

    monkeypatch.setattr(engine, "compute_pixels", wide)
    extra = 0
    found = read(engine, [read_of("B4")], grid_at(0, 0, 8))
    assert np.array_equal(found.values[0], GROUND[:8, :8])
    extra = -5
    with pytest.raises(ProviderError, match="int32 numbers that are no uint16"):
        read(engine, [read_of("B4")], grid_at(0, 0, 8))


def test_item_when_it_tells_no_grid_then_planning_again_is_advised():
    engine = engine_of(B4=(GROUND, HOLE))
    provider = EarthEngineProvider(EarthEngineLocation(), engine, {})
    (item,) = provider.search(Query("C", SOMEWHERE, None))
    item.properties.clear()
    with pytest.raises(ProviderError, match="Plan again"):
        provider.read(item, [read_of("B4")], grid_at(0, 0, 8))
