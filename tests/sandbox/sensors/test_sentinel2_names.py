"""Names of Sentinel-2 products."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from eodata.sandbox.sensors.sentinel2_names import (
    baseline_at,
    generated_at,
    offset_of,
    read_id,
    reprocessed,
)

REAL = [
    "S2A_MSIL2A_20230815T095031_N0509_R079_T33TWL_20230815T155057",
    "S2B_MSIL2A_20240828T174909_N0511_R141_T13TEF_20240828T214916",
    "S2A_MSIL1C_20170613T101031_N0205_R022_T33UUP_20170613T101608",
    "S2A_MSIL1C_20230306T104921_N0510_R051_T32VLK_20240820T000248",
]


@pytest.mark.parametrize("text", REAL)
def test_ids_turn_round(text):
    named = read_id(text)
    assert named.id == text
    assert named.tile in text
    assert named.orbit == int(text.split("_R")[1][:3])


@pytest.mark.parametrize("text", ["", "S2A", REAL[0].replace("0815", "1315"), REAL[0] + ".SAFE"])
def test_what_is_no_id_is_none(text):
    assert read_id(text) is None


def test_names_beside_the_id_are_those_of_a_real_product():
    """But for the processing centre, which is the sandbox."""
    made = read_id(REAL[0]).properties(42547)
    assert made["s2:datatake_id"] == "GS2A_20230815T095031_042547_N05.09"
    assert made["s2:product_type"] == "S2MSI2A"
    tile = "S2A_OPER_MSI_L2A_TL_SBOX_20230815T155057_A042547_T33TWL_N05.09"
    assert made["s2:granule_id"] == tile


@pytest.mark.parametrize(
    ("level", "day", "baseline"),
    [
        ("l1c", "2017-06-13", "02.05"),
        ("l1c", "2018-01-03", "02.06"),
        ("l2a", "2022-01-24", "03.01"),
        ("l2a", "2022-01-25", "04.00"),
        ("l2a", "2023-08-15", "05.09"),
        ("l2a", "2024-07-22", "05.10"),
        ("l2a", "2024-07-23", "05.11"),
    ],
)
def test_baselines_follow_the_calendar(level, day, baseline):
    assert baseline_at(level, datetime.fromisoformat(day).replace(tzinfo=UTC)) == baseline


def test_numbers_are_shifted_since_baseline_04():
    assert [offset_of(b) for b in ("02.14", "03.01", "04.00", "05.11")] == [0, 0, -1000, -1000]


def test_products_come_hours_after_sensing():
    sensed = datetime(2020, 6, 1, 10, 30, 15, 123_000, tzinfo=UTC)
    for luck in (0.0, 0.5, 0.999):
        made = generated_at("l2a", sensed, luck)
        assert timedelta(hours=3) < made - sensed < timedelta(hours=11)
        assert made.microsecond == 0


@pytest.mark.parametrize(
    ("baseline", "again"),
    [("02.06", "05.00"), ("04.00", "05.10"), ("05.09", "05.10"), ("05.11", "05.11")],
)
@pytest.mark.parametrize("luck", [0.0, 0.999])
def test_reprocessing_is_later_and_of_a_later_baseline(baseline, again, luck):
    since = {"02.06": 2018, "04.00": 2022, "05.09": 2023, "05.11": 2025}[baseline]
    made = datetime(since, 6, 1, tzinfo=UTC)
    found, later = reprocessed(baseline, made, luck)
    assert found == again
    assert later - made >= timedelta(days=1)
