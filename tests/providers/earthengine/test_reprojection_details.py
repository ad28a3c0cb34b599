"""What Earth Engine brings onto the grid: missing pixels, classes, powers, requests, refusals."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from affine import Affine
from ee import serializer
from odc.geo import CRS
from odc.geo.geobox import GeoBox

from eodata.core.errors import ProviderError
from eodata.providers.earthengine import pixels
from eodata.providers.earthengine.reprojection import Warp
from eodata.sandbox.earthengine.vendored import algorithms
from tests.providers.earthengine.made import (
    UTM31,
    both,
    engine_of,
    grid_at,
    read_of,
    served,
    spotted,
)
from tests.providers.earthengine.test_same_pixels import assert_same, north_up
from tests.sandbox.earthengine.graphing import TERMS

HOLED = {
    "shifted": grid_at(3.3, 2.6, 1, 40),
    "half a pixel off": grid_at(3.5, 2.5, 1, 40),
    "over the edge": grid_at(-10.3, -7.7, 1, 40),
    "coarser over the edge": grid_at(-9, -7, 2, 20),
    "three times coarser": grid_at(1.4, 1.4, 3, 16),
    "next zone": north_up(183_130, 5_708_790, 10, 44, CRS("EPSG:32632")),
}


@pytest.mark.parametrize("how", ["bilinear", "cubic", "nearest"])
@pytest.mark.parametrize("name", HOLED)
def test_missing_pixels_reach_no_neighbour_and_are_invalid_where_ours_are(name, how):
    engine = engine_of(B4=spotted())
    found, ours = both(engine, [read_of("B4", how)], HOLED[name])
    assert 0.3 < ours.valid[0].mean() < 1
    assert np.array_equal(found.valid[0], ours.valid[0])
    holds = found.valid[0]
    off = np.abs(found.values[0].astype(int) - ours.values[0].astype(int))[holds]
    assert off.max() <= 1
    assert (found.values[0][~holds] == 0).all()


@pytest.mark.parametrize("how", ["nearest", "mode"])
def test_missing_classes_are_invalid_even_under_no_mask(how):
    classes = np.random.default_rng(2).integers(1, 4, (60, 60)).astype("uint8")
    classes[10:30, 10:30] = 255
    engine = engine_of(SCL=classes)
    reads = [read_of("SCL", how, kind="categorical", dtype="uint8", nodata=255.0)]
    found, ours = both(engine, reads, grid_at(2, 2, 2, 20))
    assert np.array_equal(found.valid[0], ours.valid[0])
    assert not found.valid[0].all()
    assert not (found.values[0] == 255).any()


def test_commonest_class_of_whole_pixels_is_ours_and_of_equal_ones_the_smallest():
    classes = np.random.default_rng(3).integers(1, 6, (60, 60)).astype("uint8")
    engine = engine_of(SCL=classes)
    reads = [read_of("SCL", "mode", kind="categorical", dtype="uint8")]
    found, ours = both(engine, reads, grid_at(3, 3, 3, 18))
    assert_same(found, ours)


def test_commonest_class_of_parts_of_pixels_lies_within_half_a_pixel():
    """A straight border between two classes, seen by larger pixels that are shifted and turned."""
    col = np.arange(90) + 0.5
    classes = np.where(col[np.newaxis, :] + 0.3 * col[:, np.newaxis] < 60, 2, 7).astype("uint8")
    engine = engine_of(SCL=classes)
    reads = [read_of("SCL", "mode", kind="categorical", dtype="uint8")]
    turned = Affine.translation(20, 10) @ Affine.rotation(20) @ Affine.scale(2.5)
    for place in (turned, Affine.translation(8.3, 5.7) @ Affine.scale(2.5)):
        grid = GeoBox((16, 16), Affine(*TERMS) @ place, UTM31)
        found = served(engine, reads, grid)
        x, y = np.meshgrid(np.arange(16) + 0.5, np.arange(16) + 0.5)
        u, v = place @ (x, y)
        distance = (u + 0.3 * v - 60) / np.hypot(1, 0.3)
        wrong = (found.values[0] == 2) != (distance < 0)
        assert not (wrong & (np.abs(distance) > 0.5)).any()
        assert set(np.unique(found.values[0])) == {2, 7}


def test_halves_are_rounded_to_even():
    values = np.array([[1, 2, 2, 3], [1, 2, 2, 3], [4, 5, 5, 6], [4, 5, 5, 6]], "uint16")
    engine = engine_of(B4=np.tile(values, (4, 4)))
    found, ours = both(engine, [read_of("B4", "average")], grid_at(0, 0, 2, 8))
    assert found.values[0][:2, :2].tolist() == [[2, 2], [4, 6]]
    assert_same(found, ours)


def test_bands_of_one_type_and_pixel_size_are_one_request():
    engine = engine_of(B3=spotted(), B4=spotted(seed=3), SCL=spotted().astype("uint8"))
    scl = read_of("SCL", "nearest", kind="categorical", dtype="uint8")
    found, ours = both(engine, [read_of("B4"), scl, read_of("B3")], HOLED["shifted"])
    assert found.requests == 2
    assert engine.dtypes[:2] in ([{"uint16"}, {"uint8"}], [{"uint8"}, {"uint16"}])
    for k in range(3):
        assert np.array_equal(found.valid[k], ours.valid[k])


def test_large_windows_are_cut_under_the_limits_and_pixels_stay_the_same(monkeypatch):
    engine = engine_of(B4=spotted())
    whole = served(engine, [read_of("B4")], HOLED["three times coarser"])
    engine.grids.clear()
    monkeypatch.setattr(pixels, "MOST_BYTES", 200)
    cut = served(engine, [read_of("B4")], HOLED["three times coarser"])
    assert cut.requests > 3
    assert all(height * width * 3 <= 200 for height, width in engine.grids)
    assert_same(cut, whole)


def test_what_the_server_cannot_compute_is_asked_for_in_smaller_tiles():
    engine = engine_of(B4=spotted())
    whole = served(engine, [read_of("B4")], HOLED["shifted"])
    engine.grids.clear()
    engine.most_px = 500
    small = served(engine, [read_of("B4")], HOLED["shifted"])
    assert len(engine.grids) > 3
    assert_same(small, whole)


def test_only_what_meets_the_image_is_asked_for():
    engine = engine_of(B4=spotted())
    served(engine, [read_of("B4")], HOLED["over the edge"])
    assert max(engine.grids[0]) < 40
    far = served(engine, [read_of("B4")], grid_at(500, 0, 1, 20))
    assert far.requests == 0
    assert not far.valid[0].any()


def test_number_that_is_no_power_is_refused():
    levels = np.full((60, 60), -12.0, "float32")
    levels[30, 30] = -9999
    engine = engine_of(VV=levels)
    reads = [read_of("VV", dtype="float32", unit="dB")]
    for grid in (grid_at(0.5, 0.5, 1, 50), grid_at(0, 0, 5, 12)):
        with pytest.raises(ProviderError, match="undeclared nodata value"):
            served(engine, reads, grid)
    assert served(engine, reads, grid_at(0.5, 0.5, 1, 20)).valid[0].all()


def test_power_is_averaged_where_its_pixels_are_whole():
    levels = np.tile(np.array([[0, 10], [20, 30]], "float32"), (30, 30))
    engine = engine_of(VV=levels)
    found = served(engine, [read_of("VV", dtype="float32", unit="dB")], grid_at(0, 0, 2, 20))
    assert found.values[0] == pytest.approx(10 * np.log10(1111 / 4), abs=1e-5)


def test_decibels_in_integers_are_refused():
    engine = engine_of(VV=spotted())
    with pytest.raises(ProviderError, match="Decibels as uint16"):
        served(engine, [read_of("VV", unit="dB")], HOLED["shifted"])


def test_grid_that_is_too_coarse_is_refused():
    engine = engine_of(B4=spotted())
    with pytest.raises(ProviderError, match="takes 300 x 300 pixels") as refused:
        served(engine, [read_of("B4")], grid_at(0, 0, 300, 1))
    assert "warped_by: client" in str(refused.value)


def calls(node: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Return all calls of an expression below a node."""
    if isinstance(node, dict) and set(node) == {"valueReference"}:
        return calls(values[node["valueReference"]], values)
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    own = [node] if isinstance(node, dict) and "functionName" in node else []
    return own + [call for part in inside for call in calls(part, values)]


@pytest.mark.parametrize(
    ("how", "dtype"),
    [("bilinear", name) for name in ("uint8", "int8", "uint16", "int16", "uint32", "int32")]
    + [("cubic", "float64"), ("nearest", "uint8"), ("mode", "uint8"), ("decibel", "float32")],
)
def test_expressions_take_functions_and_arguments_that_earth_engine_has(how, dtype):
    told = json.loads(algorithms())["algorithms"]
    known = {one["name"].removeprefix("algorithms/"): one.get("arguments", []) for one in told}
    own, target = grid_at(0, 0, 1, 60), HOLED["coarser over the edge"]
    method, bel = ("average", 0.1) if how == "decibel" else (how, None)
    warp = Warp(
        "A/B", own, "EPSG:32631", target, ((0, 20), (0, 20)), (2, 2), method, dtype, 0.0, bel
    )
    graph = serializer.encode(warp.picture(["B4"]))
    found = calls(graph["values"][graph["result"]], graph["values"])
    assert len(found) > 8
    for call in found:
        arguments = known[call["functionName"]]
        needed = {one["argumentName"] for one in arguments if not one.get("optional")}
        assert needed <= set(call["arguments"]) <= {one["argumentName"] for one in arguments}
