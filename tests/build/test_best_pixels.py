"""Composites of best pixels: what lies on top, where shadows fall, and that windows agree."""

from __future__ import annotations

from dataclasses import replace
from math import cos, radians, sin
from typing import Any

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import MultiPolygon, box

from eodata.build.acquire import ContradictedError
from eodata.build.best_pixels import Survey, best_image, survey
from eodata.build.composing import Image, guided
from eodata.build.score_grid import grid_azimuth
from eodata.core.composite import SchmittComposite
from eodata.core.errors import ProviderError
from eodata.core.outcome import Cost
from tests.build.fields import BYTES, FieldProvider, item, modality, passes, rolling, window

SPEC = SchmittComposite(by="schmitt-2019")
LEFT, TOP = 500_000.0, 5_600_000.0
GUIDES = 8
DARK = {
    "B01": 0.12,
    "B02": 0.06,
    "B03": 0.06,
    "B04": 0.03,
    "B08": 0.12,
    "B10": 0.002,
    "B11": 0.08,
    "B12": 0.05,
}
"""Ground that is dark enough to be a shadow, and scores no cloud at all."""
CLOUD = dict.fromkeys(DARK, 0.7) | {"B10": 0.1, "B11": 0.5, "B12": 0.4}


def hazy(score: float) -> dict[str, float]:
    """Ground whose cloud score is that of its blue band."""
    blue = 0.1 + 0.4 * score
    return DARK | {"B01": 0.4, "B02": blue, "B03": 0.3, "B04": 0.3}


def ground(colours: dict[str, float], tint: float = 0.0) -> Any:
    """The same reflectance everywhere; `tint` [DN] tells acquisitions apart."""
    return lambda band, x, y: 1e4 * colours[band] + tint + 0 * x * y


def where(inside: Any, colours: dict[str, float], otherwise: Any) -> Any:
    def field(band: str, x: Any, y: Any) -> Any:
        return np.where(inside(x, y), 1e4 * colours[band], otherwise(band, x, y))

    return field


def seen(inside: Any, otherwise: Any) -> Any:
    """Measured only inside."""
    return where(lambda x, y: ~inside(x, y), dict.fromkeys(DARK, float("nan")), otherwise)


def image_of(
    fields: dict[str, Any],
    cloudy: list[float],
    where: Any,
    *,
    spec: SchmittComposite = SPEC,
    gsd: float = 10.0,
    **sun: float,
) -> Image:
    plan = modality("B02", "B11", gsd=gsd, guided=True)
    rows = passes(*(item(name, **sun) for name in fields))
    return best_image(FieldProvider(fields), rows, plan, spec, where, cloudy)


# ---- what wins ----------------------------------------------------------------------------------


def test_each_pixel_comes_from_the_acquisition_without_a_cloud_there() -> None:
    fields = {
        "east": where(lambda x, y: x < LEFT + 400, CLOUD, ground(DARK)),
        "west": where(lambda x, y: x >= LEFT + 400, CLOUD, ground(DARK, tint=1)),
    }
    image = image_of(fields, [0.5, 0.5], window(40, 80))
    assert set(image.origin[:, :35].ravel()) == {1}
    assert set(image.origin[:, 45:].ravel()) == {0}
    assert image.layer.values[:, 0, 0].tolist() == [601, 801]
    assert image.layer.values[:, 0, -1].tolist() == [600, 800]
    assert image.layer.valid.all()


def test_equally_good_then_the_preferred_acquisition_wins() -> None:
    fields = {name: ground(DARK, tint) for tint, name in enumerate("abc")}
    assert set(image_of(fields, [0.5] * 3, window(10, 10)).origin.ravel()) == {0}


def test_clear_over_the_area_then_it_lies_on_top_even_where_another_scores_better() -> None:
    fields = {"best": ground(DARK), "kept": ground(hazy(0.15)), "last": ground(hazy(0.05))}
    assert set(image_of(fields, [0.3, 0.04, 0.3], window(10, 10)).origin.ravel()) == {1}
    assert set(image_of(fields, [0.3, 0.05, 0.3], window(10, 10)).origin.ravel()) == {0}
    none = SPEC.model_copy(update={"keep_below": 0.0})
    assert set(image_of(fields, [0.3, 0, 0], window(10, 10), spec=none).origin.ravel()) == {0}


def test_several_clear_over_the_area_then_the_least_cloudy_on_top_as_far_as_it_was_there() -> None:
    fields = {
        "second": ground(DARK),
        "first": seen(lambda x, y: x < LEFT + 50, ground(DARK, 1)),
        "scored": ground(DARK, 2),
    }
    image = image_of(fields, [0.04, 0.01, 0.2], window(4, 10))
    assert image.origin[0].tolist() == [1] * 5 + [0] * 5


def test_clear_ones_leave_a_gap_then_the_best_of_the_others_fills_it() -> None:
    fields = {
        "clear": seen(lambda x, y: x < LEFT + 200, ground(DARK)),
        "cloudy": ground(CLOUD),
        "hazy": ground(hazy(0.1)),
    }
    image = image_of(fields, [0.01, 0.9, 0.4], window(4, 40))
    assert image.origin[0].tolist() == [0] * 20 + [2] * 20


def test_clear_ones_fill_all_then_nothing_is_scored() -> None:
    fields = {"clear": ground(DARK), "other": ground(CLOUD)}
    provider = FieldProvider(fields)
    rows = passes(*map(item, fields))
    plan = modality("B02", "B11", guided=True)
    best_image(provider, rows, plan, SPEC, window(9, 9), [0.0, 1.0])
    assert provider.reads == [("clear", 2, (9, 9))]


def test_costs_of_scores_and_pixels_add_up_and_losers_are_not_read() -> None:
    fields = {"a": ground(hazy(0.1)), "b": ground(CLOUD), "c": ground(DARK)}
    provider = FieldProvider(fields)
    rows = passes(*map(item, fields))
    plan = modality("B02", "B11", guided=True)
    image = best_image(provider, rows, plan, SPEC, window(9, 9), [0.5] * 3)
    assert [(n, bands) for n, bands, _ in provider.reads] == [
        *((name, GUIDES) for name in "abc"),
        ("c", 2),
    ]
    assert image.layer.cost == Cost(4 * BYTES, 4)


# ---- edges --------------------------------------------------------------------------------------


def test_pixels_that_only_the_coarse_grid_promised_come_from_another_acquisition() -> None:
    # Centres of 20 m lie at 10, 30 …; those of 10 m at 5, 15, 25 …
    striped = seen(lambda x, y: x % 20 > 8, ground(DARK))
    fields = {"worse": ground(hazy(0.2)), "hazy": ground(hazy(0.1)), "striped": striped}
    image = image_of(fields, [0.9, 0.5, 0.5], window(4, 8))
    assert image.origin[0].tolist() == [1, 2] * 4
    assert image.layer.valid.all()


def test_a_pixel_that_nobody_has_is_not_valid_and_nobody_is_read_twice_for_it() -> None:
    striped = seen(lambda x, y: x % 20 > 8, ground(DARK))
    fields = {"a": striped, "b": striped}
    provider = FieldProvider(fields)
    plan = modality("B02", "B11", guided=True)
    image = best_image(provider, passes(*map(item, "ab")), plan, SPEC, window(4, 8), [0.5, 0.5])
    assert image.layer.valid[0].tolist() == [False, True] * 4
    assert image.layer.values[0, 0].tolist() == [0, 600] * 4
    assert [(n, bands) for n, bands, _ in provider.reads if bands == 2] == [("a", 2), ("b", 2)]


def test_beyond_all_swaths_nothing_is_valid() -> None:
    half = seen(lambda x, y: x < LEFT + 40, ground(hazy(0.1)))
    image = image_of({"a": half, "b": half}, [0.5, 0.5], window(4, 8))
    assert image.origin[0].tolist() == [0] * 4 + [-1] * 4
    assert image.layer.valid[0].tolist() == [True] * 4 + [False] * 4


# ---- shadows ------------------------------------------------------------------------------------

QUADRANTS = [0.0, 45.0, 135.0, 180.0, 225.0, 315.0]
ZENITH = 45.0


@pytest.mark.parametrize("azimuth", QUADRANTS)
def test_the_shadow_of_a_cloud_outside_of_the_window_is_seen(azimuth: float) -> None:
    # A cloud of 2 km, 5 km towards the sun from the middle of the window: at that height it
    # throws its shadow here, and over there everything is clear.
    middle = LEFT + 500, TOP - 500
    at = (
        middle[0] + 5000 * sin(radians(azimuth)),
        middle[1] + 5000 * cos(radians(azimuth)),
    )
    near = where(lambda x, y: np.hypot(x - at[0], y - at[1]) < 1000, CLOUD, ground(DARK))
    opposite = 2 * middle[0] - at[0], 2 * middle[1] - at[1]
    far = where(lambda x, y: np.hypot(x - opposite[0], y - opposite[1]) < 1000, CLOUD, ground(DARK))
    sun = {"view__sun_azimuth": azimuth, "view__sun_elevation": 90 - ZENITH}
    hazes = ground(hazy(0.05))
    shadowed = image_of({"a": near, "hazy": hazes}, [0.5, 0.5], window(100, 100), **sun)
    assert shadowed.origin[50, 50] == 1
    lit = image_of({"a": far, "hazy": hazes}, [0.5, 0.5], window(100, 100), **sun)
    assert lit.origin[50, 50] == 0


def test_the_sun_is_taken_from_grid_north() -> None:
    # At 45 degrees east this grid's north points west, so a sun in the east stands above.
    here = GeoBox((100, 100), Affine(10, 0, 0, 0, -10, 0), "EPSG:3413")
    cloud = where(lambda x, y: np.hypot(x - 500, y - 4500) < 1000, CLOUD, ground(DARK))
    fields = {"a": cloud, "hazy": ground(hazy(0.05))}
    place = box(44.9, 84.9, 45.1, 85.1)
    items = [
        replace(item(name, view__sun_azimuth=90.0, view__sun_elevation=45.0), footprint=place)
        for name in fields
    ]
    plan = modality("B02", guided=True)
    image = best_image(FieldProvider(fields), passes(*items), plan, SPEC, here, [0.5, 0.5])
    assert image.origin[50, 50] == 1


# ---- windows agree ------------------------------------------------------------------------------

NAMES = "abcd"


def weather(seed: int) -> Any:
    """Drifting clouds over dark ground in another haze everywhere, and a swath that ends."""
    sky, haze = rolling(seed, 900.0), rolling(seed + 100, 300.0)
    slant = (0.0, 0.3, -0.4, 0.6)[seed]
    end = (700.0, 900.0, 300.0, 1200.0)[seed]

    def field(band: str, x: Any, y: Any) -> Any:
        clouds = np.clip((sky(band, x, y) - 0.5) / 0.1, 0.0, 1.0)
        thin = hazy(0.0)[band] + (hazy(0.15)[band] - hazy(0.0)[band]) * haze(band, x, y)
        numbers = 1e4 * (clouds * CLOUD[band] + (1 - clouds) * thin) + seed
        inside = x - LEFT - 60 + slant * (y - TOP + 60) < end
        return np.where(inside, np.rint(numbers), np.nan)

    return field


WORLD = {name: weather(seed) for seed, name in enumerate(NAMES)}


@pytest.mark.parametrize(
    ("azimuth", "gsd", "score_gsd", "cuts"),
    [
        (45.0, 10.0, 20.0, (48, 40)),
        (135.0, 10.0, 20.0, (48, 40)),
        (225.0, 10.0, 20.0, (48, 40)),
        (315.0, 10.0, 20.0, (48, 40)),
        (160.0, 10.0, 20.0, (47, 33)),  # off the lattice of the scores
        (160.0, 20.0, 20.0, (21, 30)),
        (160.0, 60.0, 20.0, (7, 9)),
        (160.0, 10.0, 10.0, (31, 40)),
        (160.0, 10.0, 60.0, (41, 29)),
    ],
)
def test_windows_of_an_area_agree_however_it_is_cut(
    azimuth: float, gsd: float, score_gsd: float, cuts: tuple[int, int]
) -> None:
    n = round(960 / gsd)
    low = SPEC.shadows.model_copy(update={"highest": 1500.0})  # narrower margins, quicker
    spec = SPEC.model_copy(update={"gsd": score_gsd, "shadows": low})
    sun = {"view__sun_azimuth": azimuth, "view__sun_elevation": 50.0}
    cloudy = [0.3, 0.2, 0.01, 0.4]
    area = window(n, n, gsd, LEFT + 60, TOP - 60)
    options = {"spec": spec, "gsd": gsd, **sun}
    whole = image_of(WORLD, cloudy, area, **options)
    assert len(np.unique(whole.origin)) >= 3, "the test says nothing if one wins everywhere"
    bounds = [((0, cut), (cut, n)) for cut in cuts]
    for r0, r1 in bounds[0]:
        for c0, c1 in bounds[1]:
            part = image_of(WORLD, cloudy, area[r0:r1, c0:c1], **options)
            np.testing.assert_array_equal(part.origin, whole.origin[r0:r1, c0:c1])
            np.testing.assert_array_equal(part.layer.values, whole.layer.values[:, r0:r1, c0:c1])
            np.testing.assert_array_equal(part.layer.valid, whole.layer.valid[r0:r1, c0:c1])


@pytest.mark.parametrize("gsd", [10.0, 20.0, 60.0])
def test_the_right_ground_is_picked_at_any_pixel_size(gsd: float) -> None:
    fields = {
        "south": where(lambda x, y: y > TOP - 1200, CLOUD, ground(DARK)),
        "north": where(lambda x, y: y <= TOP - 1200, CLOUD, ground(DARK, 1)),
    }
    n = round(2400 / gsd)
    # The sun in the west, so that no shadow crosses the border.
    sun = {"view__sun_azimuth": 270.0}
    origin = image_of(fields, [0.5, 0.5], window(n, 5, gsd), gsd=gsd, **sun).origin
    border = round(200 / gsd)
    assert set(origin[: n // 2 - border].ravel()) == {1}
    assert set(origin[n // 2 + border :].ravel()) == {0}


# ---- what goes wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("told", [{"view__sun_azimuth": None}, {"view__sun_elevation": "high"}])
def test_an_archive_that_does_not_say_where_the_sun_stood_is_refused(told: Any) -> None:
    with pytest.raises(ProviderError, match="does not state view:sun_azimuth") as raised:
        image_of({"a": ground(DARK)}, [0.5], window(4, 4), **told)
    assert not raised.value.retryable
    assert "item a" in str(raised.value)


@pytest.mark.parametrize("elevation", [-3.0, 0.0, 4.9, 91.0])
def test_a_sun_near_or_below_the_horizon_is_refused(elevation: float) -> None:
    with pytest.raises(ProviderError, match=r"sun_elevation: \{min: 10\}"):
        image_of({"a": ground(DARK)}, [0.5], window(4, 4), view__sun_elevation=elevation)


@pytest.mark.parametrize("retryable", [True, False])
def test_one_that_cannot_be_read_fails_the_image(retryable: bool) -> None:
    provider = FieldProvider({"a": ground(hazy(0.1)), "b": ground(DARK)})
    provider.broken["b"] = ProviderError("item b", "it is gone", retryable=retryable)
    plan, rows = modality("B02", guided=True), passes(item("a"), item("b"))
    with pytest.raises(ProviderError, match="it is gone") as raised:
        best_image(provider, rows, plan, SPEC, window(4, 4), [0.5, 0.5])
    assert raised.value.retryable is retryable
    assert raised.value.cost == Cost(BYTES, 1)


LARGE = window(40, 40)
CLEAR = ground(dict.fromkeys(DARK, 0.3))
LIAR = ground(DARK)
"""With a stated offset of -0.1 it is contradicted: B10 is black."""


def judged(fields: dict[str, Any], cloudy: list[float]) -> Image:
    plan = modality("B02", guided=True, states_offset=True)
    rows = passes(*(item(name, offset=-0.1) for name in fields))
    return best_image(FieldProvider(fields), rows, plan, SPEC, LARGE, cloudy)


def test_one_that_contradicts_its_archive_is_left_out() -> None:
    image = judged({"liar": LIAR, "other": CLEAR}, [0.5, 0.5])
    assert set(image.origin.ravel()) == {1}
    assert image.layer.cost.requests == 3


def test_all_contradict_their_archives_then_the_step_says_why() -> None:
    with pytest.raises(ContradictedError, match="offset: item b") as raised:
        judged({"a": LIAR, "b": LIAR}, [0.5, 0.5])
    assert raised.value.cost == Cost(2 * BYTES, 2)


def test_one_that_was_not_believed_over_the_area_is_not_believed_in_a_window_either() -> None:
    image = judged({"unbelieved": CLEAR, "other": CLEAR}, [float("nan"), 0.9])
    assert set(image.origin.ravel()) == {1}


# ---- surveys ------------------------------------------------------------------------------------

WIDE = window(50, 50, 60.0)


def surveyed(provider: FieldProvider, *names: str, offset: float = 0.0) -> Survey:
    plan = modality("B02", guided=True, states_offset=bool(offset))
    rows = passes(*(item(name, offset=offset) for name in names))
    return survey(provider, rows, plan, SPEC, WIDE)


def test_a_survey_tells_the_cloudy_share_of_what_was_measured() -> None:
    tenth = where(lambda x, y: x < LEFT + 300, CLOUD, ground(DARK))
    fields = {
        "clear": ground(DARK),
        "tenth": tenth,
        "fifth": seen(lambda x, y: x < LEFT + 1500, tenth),
        "absent": seen(lambda x, y: x < 0, ground(DARK)),
        "cloudy": ground(CLOUD),
    }
    found = surveyed(FieldProvider(fields), *fields)
    # The mean filter moves the border by up to a pixel of fifty.
    assert found.cloudy[0] == 0.0
    assert found.cloudy[1] == pytest.approx(0.1, abs=0.021)
    assert found.cloudy[2] == pytest.approx(0.2, abs=0.041)
    assert np.isnan(found.cloudy[3])
    assert found.cloudy[4] == 1.0
    assert found.cost == Cost(5 * BYTES, 5)


def test_a_survey_believes_no_contradicted_acquisition() -> None:
    found = surveyed(FieldProvider({"liar": LIAR, "b": CLEAR}), "liar", "b", offset=-0.1)
    assert np.isnan(found.cloudy[0])
    assert found.cloudy[1] >= 0.0
    assert found.cost.requests == 2


def test_a_survey_of_contradicted_acquisitions_alone_says_why() -> None:
    with pytest.raises(ContradictedError, match="offset: item b") as raised:
        surveyed(FieldProvider({"a": LIAR, "b": LIAR}), "a", "b", offset=-0.1)
    assert raised.value.cost.requests == 2


def test_a_survey_that_cannot_be_made_costs_what_was_read() -> None:
    provider = FieldProvider({"a": ground(DARK), "b": ground(DARK)})
    provider.broken["b"] = ProviderError("item b", "too busy", retryable=True)
    with pytest.raises(ProviderError, match="too busy") as raised:
        surveyed(provider, "a", "b")
    assert raised.value.cost == Cost(BYTES, 1)


# ---- grids --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lon", "lat", "crs", "expected"),
    [
        (3.0, 50.0, "EPSG:32631", 0.0),
        (5.9, 50.0, "EPSG:32631", -2.9 * sin(radians(50))),  # grid north lies east of true north
        (0.1, 50.0, "EPSG:32631", 2.9 * sin(radians(50))),
        (-45.0, 85.0, "EPSG:3413", 0.0),
        (45.0, 85.0, "EPSG:3413", -90.0),
    ],
)
def test_the_sun_stands_where_the_grid_says(
    lon: float, lat: float, crs: str, expected: float
) -> None:
    place = box(lon - 0.01, lat - 0.01, lon + 0.01, lat + 0.01)
    assert grid_azimuth(0.0, place, crs) == pytest.approx(expected, abs=0.01)
    assert grid_azimuth(160.0, place, crs) == pytest.approx(160 + expected, abs=0.01)


def test_the_sun_over_an_item_that_crosses_the_date_line() -> None:
    parts = MultiPolygon([box(179.9, 60, 180, 61), box(-180, 60, -178.5, 61)])
    west = grid_azimuth(0.0, box(-180, 60, -178.5, 61), "EPSG:32601")
    assert grid_azimuth(0.0, parts, "EPSG:32601") == west


def test_guides_are_averaged_when_they_get_coarser() -> None:
    plan = guided(modality("B02", guided=True), 60.0)
    assert {read.resampling for read in plan.reads} == {"average"}
    assert {read.resampling for read in guided(plan, 10.0).reads} == {"bilinear"}
    assert (plan.gsd, plan.validity, plan.composite) == (60.0, None, "")
