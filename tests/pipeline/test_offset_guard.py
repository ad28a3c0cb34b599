"""Does the guard see lying offsets, and does it leave honest items alone?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from shapely.geometry import box

from eodata.core.band import Band
from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.core.span import Span
from eodata.pipeline.offset_guard import OffsetFinding, judge_offset
from eodata.sandbox.archive import SandboxArchive

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "recipes" / "archives" / "demo" / "sentinel-2-l2a"
REAL = np.load(ROOT / "tests" / "data" / "offset_guard" / "l1c.npz")
L1C = (
    "B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12",
)  # fmt: skip
L2A = tuple(name for name in L1C if name != "B10")
DEMO_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")
HAZE = ("S2A_31UDS_20180305_0_L2A", "S2A_31UDS_20180401_0_L2A", "S2A_31UDS_20180908_0_L2A")
"""Thin clouds that lift the darkest pixels of blue and red to 0.1."""
CLEAR = "S2B_31UDS_20180419_0_L2A"
Numbers = NDArray[np.uint16]


def judge(
    dn: NDArray[np.generic],
    names: Sequence[str],
    offset: float,
    valid: NDArray[np.bool_] | None = None,
    radiometry: str = "",
) -> OffsetFinding:
    """The guard's finding where all bands are said to have one offset."""
    bands = [Band(name, "continuous", "uint16", 10.0, scale=1e-4) for name in names]
    here = np.ones(dn.shape[1:], np.bool_) if valid is None else valid
    level = radiometry or ("toa-reflectance" if "B10" in names else "boa-reflectance")
    return judge_offset(dn, here, [(1e-4, offset)] * len(bands), bands, level)


def demo(item: str) -> Numbers:
    """Real Level-2A without offset, `(10, 64, 64)`: coarse bands are repeated."""
    layers = []
    for name in DEMO_BANDS:
        with rasterio.open(DEMO / item / f"{name}.tif") as source:
            layer = source.read(1)
        layers.append(layer.repeat(64 // len(layer), 0).repeat(64 // len(layer), 1))
    return np.stack(layers)


def plus(dn: Numbers) -> Numbers:
    """The same ground with 1000 in its pixels."""
    return (dn + 1000).astype(np.uint16)


@pytest.fixture(scope="module")
def year() -> dict[str, Numbers]:
    """A real year, clear and overcast."""
    return {path.name: demo(path.name) for path in sorted(DEMO.glob("S2*"))}


def test_judge_when_a_real_year_is_honest_then_no_item_is_accused(year: dict[str, Numbers]) -> None:
    kept = {item: judge(dn, DEMO_BANDS, 0.0).verdict for item, dn in year.items()}
    added = {item: judge(plus(dn), DEMO_BANDS, -0.1).verdict for item, dn in year.items()}
    assert len(year) > 90
    assert [item for item, verdict in kept.items() if verdict == "contradicts"] == []
    assert [item for item, verdict in added.items() if verdict == "contradicts"] == []


def test_judge_when_a_real_year_lies_then_many_are_seen_and_none_is_praised(
    year: dict[str, Numbers],
) -> None:
    taken = [judge(dn, DEMO_BANDS, -0.1).verdict for dn in year.values()]
    held = [judge(plus(dn), DEMO_BANDS, 0.0).verdict for dn in year.values()]
    assert taken.count("contradicts") >= 0.4 * len(year)
    assert held.count("contradicts") >= 0.2 * len(year)
    assert "consistent" not in {*taken, *held}


@pytest.mark.parametrize("item", HAZE)
def test_judge_when_haze_lifts_everything_then_it_cannot_tell(
    item: str, year: dict[str, Numbers]
) -> None:
    assert judge(year[item], DEMO_BANDS, 0.0).verdict == "cannot tell"


def test_judge_when_it_accuses_then_the_reason_has_bands_levels_and_pixels() -> None:
    dn = demo(CLEAR)
    dn[:, 0, :5] = 0
    found = judge(dn, DEMO_BANDS, -0.1)
    level = np.sort(dn[DEMO_BANDS.index("B04")].ravel())[5:][int(0.05 * 4090)] / 10_000
    assert found.verdict == "contradicts"
    assert "the offset -0.1" in found.reason
    assert "4091 px" in found.reason
    assert "B04" in found.reason
    assert f"to {level:.3f}" in found.reason


@pytest.mark.parametrize("month", range(3))
def test_judge_when_real_level_1c_is_honest_then_consistent_and_turned_round_not(
    month: int,
) -> None:
    dn = REAL["togo"][month]
    assert judge(dn, L1C, 0.0).verdict == "consistent"
    assert judge(plus(dn), L1C, -0.1).verdict == "consistent"
    assert judge(dn, L1C, -0.1).verdict == "contradicts"
    lie = judge(plus(dn), L1C, 0.0)
    assert lie.verdict == "contradicts"
    assert "B10 0.10" in lie.reason


def test_judge_when_the_file_itself_holds_the_offset_then_the_truth_is_told() -> None:
    assert judge(REAL["chile"], L1C, -0.1).verdict == "consistent"
    assert judge(REAL["chile"], L1C, 0.0).verdict == "contradicts"


def test_judge_when_level_1c_is_read_without_b10_then_air_is_no_land() -> None:
    plants = plus(demo(CLEAR))
    assert judge(plants, DEMO_BANDS, 0.0).verdict == "contradicts"
    assert judge(plants, DEMO_BANDS, 0.0, radiometry="toa-reflectance").verdict == "cannot tell"


def test_judge_when_clouds_lift_b10_to_a_tenth_then_b09_tells_that_they_are_clouds() -> None:
    rng = np.random.default_rng(1)
    dn = rng.integers(6000, 7000, (13, 64, 64)).astype(np.uint16)
    dn[L1C.index("B10")] = rng.integers(1010, 1040, (64, 64))
    dn[L1C.index("B09")] //= 2
    assert judge(dn, L1C, 0.0).verdict != "contradicts"
    dn[L1C.index("B09")] = dn[L1C.index("B09")] // 2 + 500
    assert judge(dn, L1C, 0.0).verdict == "contradicts"


def test_judge_when_b10_is_uneven_then_it_is_cirrus() -> None:
    dn = np.full((13, 64, 64), 2000, np.uint16)
    dn[L1C.index("B10")] = np.linspace(1000, 1160, 4096).reshape(64, 64)
    assert judge(dn, L1C, 0.0).verdict == "cannot tell"
    dn[L1C.index("B10")] = 1020
    assert judge(dn, L1C, 0.0).verdict == "contradicts"


def test_judge_when_a_low_cloud_hides_all_but_b10_then_b10_is_enough() -> None:
    dn = np.full((13, 64, 64), 6000, np.uint16)
    dn[L1C.index("B10")] = 40
    found = judge(dn, L1C, -0.1)
    assert found.verdict == "contradicts"
    assert "B10 0.004" in found.reason


def test_judge_when_water_is_black_in_the_infrared_then_it_shows_the_offset() -> None:
    rng = np.random.default_rng(1)
    level = np.array([600, 500, 400, 300, 200, 60, 40, 30, 20, 25, 15, 10])[:, np.newaxis]
    water = (level + rng.integers(0, 20, (12, 1024))).astype(np.uint16).reshape(12, 32, 32)
    assert judge(plus(water), L2A, 0.0).verdict == "contradicts"
    assert judge(water, L2A, -0.1).verdict == "contradicts"
    assert judge(plus(water), L2A, -0.1).verdict == "consistent"


def test_judge_when_bare_ground_lies_grey_in_a_shadow_then_it_cannot_tell() -> None:
    rng = np.random.default_rng(1)
    level = np.array([990, 1000, 1100, 1250, 1300, 1400, 1450, 1480, 1500, 1520, 1560, 1380])
    dn = level[:, np.newaxis] + rng.integers(0, 100, (12, 4096))
    assert judge(dn.astype(np.uint16).reshape(12, 64, 64), L2A, 0.0).verdict == "cannot tell"


@pytest.mark.parametrize("offset", [0.0, -0.1])
def test_judge_when_nothing_is_dark_then_it_cannot_tell(offset: float) -> None:
    cloud = np.full((12, 64, 64), 6000, np.uint16)
    found = judge(cloud, L2A, offset)
    assert found.verdict == "cannot tell"
    assert "4096 px" in found.reason


def test_judge_when_too_few_pixels_are_valid_then_it_cannot_tell() -> None:
    dn = REAL["togo"][0]
    valid = np.zeros(dn.shape[1:], np.bool_)
    valid.ravel()[:255] = True
    found = judge(dn, L1C, -0.1, valid)
    assert found.verdict == "cannot tell"
    assert "256" in found.reason
    valid.ravel()[255] = True
    assert judge(dn, L1C, -0.1, valid).verdict == "contradicts"


def test_judge_when_nodata_is_called_valid_then_zeros_prove_nothing() -> None:
    cloud = np.full((12, 64, 64), 6000, np.uint16)
    cloud[:, :, :32] = 0
    assert judge(cloud, L2A, -0.1).verdict == "cannot tell"


def test_judge_when_one_band_is_broken_then_nobody_is_accused() -> None:
    cloud = np.full((12, 64, 64), 6000, np.uint16)
    cloud[L2A.index("B05"), :, :8] = 1
    assert judge(cloud, L2A, -0.1).verdict == "cannot tell"


def test_judge_when_only_blue_and_green_fall_below_zero_then_nobody_is_accused() -> None:
    shadow = np.full((12, 64, 64), 1100, np.uint16)
    shadow[:3] = 400
    assert judge(shadow, L2A, -0.1).verdict != "contradicts"


def test_judge_when_bands_differ_in_what_is_said_then_each_is_held_to_its_own() -> None:
    dn = demo(CLEAR)
    bands = [Band(name, "continuous", "uint16", 10.0, scale=1e-4) for name in DEMO_BANDS]
    valid = np.ones(dn.shape, np.bool_)
    stated = [(1e-4, -0.1 if name in ("B02", "B04") else 0.0) for name in DEMO_BANDS]
    found = judge_offset(dn, valid, stated, bands, "boa-reflectance")
    assert found.verdict == "contradicts"
    assert "B02" in found.reason
    assert "B12" not in found.reason


def test_judge_when_a_layer_is_no_reflectance_then_it_does_not_count() -> None:
    dn = np.concatenate([demo(CLEAR), np.full((1, 64, 64), 4, np.uint16)])
    with_classes = judge(plus(demo(CLEAR)), DEMO_BANDS, 0.0)
    dn[:-1] += 1000
    assert judge(dn, (*DEMO_BANDS, "SCL"), 0.0) == with_classes


DARK = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).integers(
        [[[200]]] * 10 + [[[1]]] + [[[200]]] * 2,
        [[[3000]]] * 10 + [[[45]]] + [[[3000]]] * 2,
        (13, 17, 17),
        np.uint16,
    )
)
"""Honest Level-1C: cirrus nearly black, the rest as it comes."""


@given(DARK)
@settings(max_examples=50, deadline=None)
def test_judge_when_1000_are_added_to_dark_pixels_then_the_verdict_flips(dn: Numbers) -> None:
    assert judge(dn, L1C, 0.0).verdict == "consistent"
    assert judge(plus(dn), L1C, 0.0).verdict == "contradicts"
    assert judge(plus(dn), L1C, -0.1).verdict == "consistent"
    assert judge(dn, L1C, -0.1).verdict == "contradicts"


@given(arrays(np.uint16, (13, 17, 17)), st.permutations(range(17)), st.sampled_from([0.0, -0.1]))
@settings(max_examples=50, deadline=None)
def test_judge_when_pixels_are_shuffled_then_nothing_changes(
    dn: Numbers, order: list[int], offset: float
) -> None:
    assert judge(dn[:, order][:, :, order], L1C, offset) == judge(dn, L1C, offset)


@given(DARK, arrays(np.uint16, (13, 17, 17)), arrays(np.bool_, (17, 17)), st.booleans())
@settings(max_examples=50, deadline=None)
def test_judge_when_pixels_are_invalid_then_their_numbers_do_not_matter(
    dn: Numbers, other: Numbers, valid: NDArray[np.bool_], lies: bool
) -> None:
    valid = valid.repeat(2, 0).repeat(2, 1)
    dn, other = (a.repeat(2, 1).repeat(2, 2) for a in (dn, other))
    dirty = np.where(valid, dn, other)
    offset = -0.1 if lies else 0.0
    assert judge(dirty, L1C, offset, valid) == judge(dn, L1C, offset, valid)
    whole = np.broadcast_to(valid, dn.shape)
    assert judge(dirty, L1C, offset, whole) == judge(dn, L1C, offset, valid)


def sandbox_items(settings: SandboxSettings, year: int) -> Iterator[tuple[Numbers, float]]:
    """Small windows of Level-1C over fields in the sun, with the offset that is stated."""
    archive = SandboxArchive(settings)
    start = datetime(year, 7, 1, tzinfo=UTC)
    ground = box(3.3, 50.8, 3.301, 50.801)
    for item in archive.collections["sentinel-2-l1c"].find(
        ground, Span(start, start + timedelta(days=24))
    ):
        if item.footprint.area > 1.4:  # square degrees: all of a tile
            windows = {
                key: ((4800 // layer.ratio, 5280 // layer.ratio),) * 2
                for key, layer in item.layers.items()
                if key in L1C
            }
            numbers = archive.read_many(item, windows)
            fine = [
                numbers[key].repeat(480 // len(numbers[key]), 0).repeat(480 // len(numbers[key]), 1)
                for key in L1C
            ]
            yield np.stack(fine).astype(np.uint16), float(item.layers["B02"].offset or 0)


@pytest.mark.parametrize("year", [2019, 2023])
def test_judge_when_the_sandbox_plants_lying_flags_then_they_are_told_from_honest_ones(
    year: int,
) -> None:
    honest = SandboxSettings(seed=3)
    lying = SandboxSettings(seed=3, defects=Defects(wrong_offset=1.0))
    true = [judge(dn, L1C, offset).verdict for dn, offset in sandbox_items(honest, year)]
    false = [judge(dn, L1C, offset).verdict for dn, offset in sandbox_items(lying, year)]
    assert "contradicts" not in true
    assert "consistent" not in false
    assert "contradicts" in false
    assert len(true) == len(false) > 2
