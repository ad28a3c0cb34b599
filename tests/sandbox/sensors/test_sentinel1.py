"""The numbers of Sentinel-1: speckle over the truth, noise, edges, and the two kinds of product."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.core.span import Span
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.sensors.sentinel1 import Sentinel1
from eodata.sandbox.sensors.sentinel1_items import NODATA_RTC
from eodata.sandbox.sensors.sentinel1_swath import strip_over
from tests.sandbox.sensors.checker_world import CheckerPlanet, part, part_at

BELGIUM = box(3.0, 50.8, 3.1, 50.9)
KEYS = ["vv", "vh"]


def year(start):
    return Span(datetime(start, 6, 1, tzinfo=UTC), datetime(start, 7, 1, tzinfo=UTC))


def sensor(kind="grd", seed=1, covers=(Cover.GRASS, Cover.LAKE), defects=None, **planet):
    sandbox = SandboxSettings(seed=seed, defects=Defects(**(defects or {})))
    made = Sentinel1(kind, sandbox, CheckerPlanet(covers, **planet))
    return made, next(made.find(BELGIUM, year(2019)))


def middle(item, size=64):
    return part(item, *(n // 2 // 480 * 480 for n in item.base.shape), size, size)


def across_edge(made, item, size=480):
    """A strip of the item from outside the far or the near edge to inside."""
    row = item.base.shape[0] // 2
    for col in range(0, item.base.shape[1] - size, size):
        base = part(item, row, col, 40, size)
        inside = strip_over(item.origin, base, 1).inside
        if inside.any() and not inside.all():
            return base
    raise AssertionError("the swath has no edge")


@pytest.mark.parametrize("kind", ["grd", "rtc"])
def test_numbers_are_float32_and_finite_inside(kind):
    made, item = sensor(kind)
    numbers = made.render(item, KEYS, middle(item))
    for key in KEYS:
        assert numbers[key].dtype == np.float32
        assert numbers[key].shape == (64, 64)
        assert np.isfinite(numbers[key]).all()
    assert list(made.render(item, ["vh"], middle(item))) == ["vh"]


@pytest.mark.parametrize("kind", ["grd", "rtc"])
@pytest.mark.parametrize("factor", [1, 4])
@given(row=st.integers(0, 100), col=st.integers(0, 80))
@settings(max_examples=4, deadline=None)
def test_a_window_alone_equals_the_window_of_a_larger_one(kind, factor, row, col):
    made, item = sensor(kind)
    top, left = (n // factor // 2 // 480 * 480 - 60 for n in item.base.shape)  # over a node
    whole = made.render(item, KEYS, part(item, top, left, 120, 140, factor))
    alone = made.render(item, KEYS, part(item, top + row, left + col, 20, 60, factor))
    for key in KEYS:
        np.testing.assert_array_equal(alone[key], whole[key][row : row + 20, col : col + 60])


def test_speckle_over_the_truth_has_4_4_looks():
    made, item = sensor(covers=(Cover.BROADLEAF_FOREST,))
    base = middle(item, 200)
    numbers, truth = made.render(item, KEYS, base), made.truth(item, base)
    noise = strip_over(item.origin, base, 1).noise
    for key in KEYS:
        ratio = 10 ** (numbers[key] / 10) / (10 ** (truth[f"sigma0_{key}"] / 10) + noise)
        assert ratio.mean() == pytest.approx(1, abs=0.02)
        assert 1 / ratio.var() == pytest.approx(4.4, abs=0.3)


def test_noise_shows_on_the_darkest_ground():
    made, item = sensor(covers=(Cover.LAKE,))
    base = middle(item, 200)
    power = 10 ** (made.render(item, ["vh"], base)["vh"] / 10)
    true = 10 ** (made.truth(item, base)["sigma0_vh"] / 10)
    # What is left of -23 to -28 dB after its removal.
    assert -36 < 10 * np.log10((power - true).mean()) < -28


def test_an_overview_has_less_speckle():
    made, item = sensor(covers=(Cover.BROADLEAF_FOREST,))
    full, coarse = (
        made.render(item, ["vv"], part(item, 4000 // f, 4000 // f, 60, 60, f))["vv"] for f in (1, 8)
    )
    assert coarse.std() < full.std() / 4


def test_both_kinds_are_one_acquisition():
    (grd, item), (rtc, same) = sensor("grd"), sensor("rtc")
    base = middle(item)
    decibels = grd.render(item, KEYS, base)
    power = rtc.render(same, KEYS, base)
    incidence = grd.truth(item, base)["incidence"]
    for key in KEYS:
        gamma = decibels[key] - 10 * np.log10(np.cos(np.radians(incidence)))
        np.testing.assert_allclose(10 * np.log10(power[key]), gamma, atol=1e-3)


def test_terrain_shows_in_sigma_and_is_flattened_in_gamma():
    def median(kind, slope):
        made, item = sensor(kind, covers=(Cover.GRASS,), slope=slope)
        return np.median(made.render(item, ["vv"], middle(item))["vv"])

    assert abs(median("grd", 0.3) - median("grd", 0.0)) > 1
    assert median("rtc", 0.3) == median("rtc", 0.0)


def test_beyond_the_swath_there_is_nothing():
    for kind, empty in (("grd", np.isnan), ("rtc", lambda v: v == NODATA_RTC)):
        made, item = sensor(kind)
        assert empty(made.render(item, ["vv"], part(item, 0, 0, 30, 30))["vv"]).all()
        base = across_edge(made, item)
        numbers, swath = made.render(item, ["vv"], base)["vv"], made.truth(item, base)["swath"]
        np.testing.assert_array_equal(empty(numbers), ~swath)


@pytest.mark.parametrize("kind", ["grd", "rtc"])
def test_old_items_hold_noise_and_zeros_beyond_the_edge(kind):
    made, _ = sensor(kind)
    item = next(made.find(BELGIUM, year(2017)))
    base = across_edge(made, item)
    numbers, truth = made.render(item, ["vv"], base)["vv"], made.truth(item, base)
    border = truth["border"]
    assert 20 < border.sum() / border.shape[0] < 130  # a few hundred metres to a kilometre
    assert not (border & truth["swath"]).any()
    level = numbers[border] if kind == "grd" else 10 * np.log10(numbers[border])
    assert -36 < np.median(level) < -25
    rest = numbers[~border & ~truth["swath"]]
    if kind == "grd":
        assert np.isnan(rest).all()
    else:
        assert set(np.unique(rest)) == {0, NODATA_RTC}


def test_neighbouring_frames_meet_without_gap():
    made, _ = sensor()
    found = {}
    for item in made.find(box(3.0, 49.0, 3.1, 53.0), year(2019)):
        key = item.properties["sat:relative_orbit"], item.properties["sat:orbit_state"]
        found.setdefault((key, item.datetime.date()), []).append(item)
    first, second = next(
        pair[:2]
        for pair in found.values()
        if len(pair) >= 2 and pair[0].base.crs == pair[1].base.crs
    )
    edge = first.footprint.intersection(second.footprint.buffer(0.01)).centroid
    base = part_at(first, edge.x, edge.y, 200)
    seen = [np.isfinite(made.render(i, ["vv"], base)["vv"]) for i in (first, second)]
    assert seen[0].any()
    assert seen[1].any()
    assert (seen[0] ^ seen[1]).all()


def test_incidence_runs_from_30_to_46_degrees_across_the_swath():
    made, item = sensor()
    row, cols = item.base.shape[0] // 2, item.base.shape[1]
    truth = made.truth(item, part(item, row // 100, 0, 1, cols // 100, factor=100))
    angles = truth["incidence"][truth["swath"]]
    assert angles.min() == pytest.approx(30.5, abs=0.6)
    assert angles.max() == pytest.approx(46, abs=0.6)


def test_the_truth_names_what_is_behind():
    made, item = sensor(moisture=0.3)
    truth = made.truth(item, middle(item))
    assert set(truth) == {
        "sigma0_vv", "sigma0_vh", "incidence", "moisture", "cover", "swath", "border",
    }  # fmt: skip
    assert set(np.unique(truth["cover"])) == {Cover.GRASS, Cover.LAKE}
    assert (truth["moisture"] == np.float32(0.3)).all()
    assert ((truth["incidence"] > 28) & (truth["incidence"] < 47)).all()
    dark = truth["sigma0_vv"][truth["cover"] == Cover.LAKE].mean()
    assert dark < truth["sigma0_vv"][truth["cover"] == Cover.GRASS].mean() - 3


def test_a_planted_shift_moves_ground_and_numbers():
    made, item = sensor(defects={"shift_rate": 1.0, "shift_px": 4})
    still, same = sensor()
    dx, dy = item.origin.shift
    assert (dx, dy) != (0.0, 0.0)
    base = middle(item, 200)
    moved = made.truth(item, base)["cover"]
    true = still.truth(same, base)["cover"]
    assert (moved != true).any()
    # The pixel at p shows what is at p - shift.
    col, row = round(dx / 10), round(-dy / 10)
    inner = slice(10, -10)
    rolled = np.roll(true, (row, col), (0, 1))[inner, inner]
    assert (moved[inner, inner] == rolled).mean() > 0.98


def test_an_item_can_be_lost_altogether():
    made, item = sensor(defects={"all_nodata": 1.0})
    assert np.isnan(made.render(item, ["vv"], middle(item))["vv"]).all()
    assert made.defects(item) == {"all_nodata": True}


def test_worlds_and_dates_have_their_own_speckle():
    made, item = sensor()
    other_world, same_item = sensor(seed=2)
    later = [i for i in made.find(BELGIUM, year(2019)) if i.base == item.base][1]
    one, two, three = (
        m.render(i, ["vv"], middle(i))["vv"]
        for m, i in ((made, item), (other_world, same_item), (made, later))
    )
    for other in (two, three):
        assert (one != other).mean() > 0.99


def shared_information(one, other, bins=16):
    """Mutual information of two images, each cut into classes of equal size."""
    edges = [np.quantile(image, np.linspace(0, 1, bins + 1)[1:-1]) for image in (one, other)]
    a, b = (np.searchsorted(e, i.ravel()) for e, i in zip(edges, (one, other), strict=True))
    joint = np.bincount(a * bins + b, minlength=bins * bins).reshape(bins, bins) / a.size
    alone = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    return float((joint[seen] * np.log(joint[seen] / alone[seen])).sum())


@pytest.mark.parametrize("key", KEYS)
def test_radar_and_plants_agree_best_without_a_shift(key):
    """On the planet itself: what is green and what scatters are patterns of the same fields."""
    planet = Planet(1)
    made = Sentinel1("grd", SandboxSettings(), planet)
    item = next(i for i in made.find(BELGIUM, year(2019)) if i.footprint.contains(BELGIUM))
    size, reach = 256, 3
    base = part_at(item, 3.03, 50.84, size + 2 * reach)
    seen = made.render(item, [key], base)[key]
    green = planet.season(planet.ground(base), item.datetime).green
    inner = green[reach:-reach, reach:-reach]
    found = {
        (row, col): shared_information(
            seen[reach + row : reach + row + size, reach + col : reach + col + size], inner
        )
        for row in range(-reach, reach + 1)
        for col in range(-reach, reach + 1)
    }
    assert max(found, key=found.__getitem__) == (0, 0)
