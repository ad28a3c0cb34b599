"""Published normalisations against their formulas, on real items, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from eodata.core.band import Band
from eodata.core.errors import RecipeError
from eodata.datasets import SCALINGS, TargetSteps, open_dataset
from eodata.datasets.scaled_bands import bind
from eodata.datasets.scalings import DB, REFLECTANCE

DN = np.array([0, 1, 2000, 9999, 10_000, 15_000], np.float64)
DECIBEL = np.array([-60, -32.5, -30, -25, -10, 0, 3], np.float64)
MEANS = {"B02": (1226.4215, 741.6254), "B8A": (2409.1128, 1136.1942), "B12": (1356.0801, 991.48016)}

S2_FORMULAS = {
    "uncrtaints": lambda dn, band: np.clip(dn, 0, 10_000) / 10_000,
    "dfc2020": lambda dn, band: np.clip(dn, 0, 10_000) / 10_000,
    "sen12tp": lambda dn, band: np.clip(dn, 0, 10_000) / 10_000,
    "dsen2-cr": lambda dn, band: np.clip(dn, 0, 10_000) / 2000,
    "sen12ms": lambda dn, band: (dn - MEANS[band][0]) / MEANS[band][1],
}
LOW = {"vv": -25.0, "vh": -32.5}
S1_MEANS = {"vv": (-11.76858, 4.525339), "vh": (-18.294598, 4.3586307)}
S1_FORMULAS = {
    "uncrtaints": lambda db, band: (np.clip(db, -25, 0) + 25) / 25,
    "dfc2020": lambda db, band: np.clip(db, -25, 0) / 25 + 1,
    "sen12tp": lambda db, band: np.clip(db, LOW[band], 0) / LOW[band],
    "dsen2-cr": lambda db, band: 2 * (np.clip(db, LOW[band], 0) - LOW[band]) / -LOW[band],
    "sen12ms": lambda db, band: (np.clip(db, -25, 0) - S1_MEANS[band][0]) / S1_MEANS[band][1],
}
S1_MISSING = {
    "uncrtaints": (0.0, 0.0),
    "dfc2020": (1.0, 1.0),
    "sen12tp": (1.0, 1.0),
    "dsen2-cr": (0.0, 0.0),
    "sen12ms": (11.76858 / 4.525339, 18.294598 / 4.3586307),
}


def s2_band(name: str, **changes) -> Band:
    return Band(name, "continuous", "uint16", 10.0, **{"scale": 1e-4, **changes})


def s1_bands() -> tuple[Band, ...]:
    return tuple(Band(name, "continuous", "float32", 10.0, "dB") for name in ("vv", "vh"))


def scale(name: str, bands, radiometry: str, physical: np.ndarray) -> np.ndarray:
    """Scale the same numbers in every band, all valid; `(n,)` in, `(C, n)` out."""
    values = np.tile(physical.astype(np.float32), (1, len(bands), 1, 1))
    valid = np.ones((1, 1, len(physical)), np.bool_)
    bind(name, "m", bands, radiometry, where="scaling").apply(values, valid)
    return values[0, :, 0]


def test_every_scaling_of_the_table_is_tested_here():
    table = {(row.name, row.quantity) for row in SCALINGS}
    assert len(table) == len(SCALINGS)
    assert table == {(n, REFLECTANCE) for n in S2_FORMULAS} | {(n, DB) for n in S1_FORMULAS}
    assert all(row.formula and row.interval and row.source for row in SCALINGS)


@pytest.mark.parametrize("name", S2_FORMULAS)
def test_reflectance_is_scaled_as_published(name):
    bands = [s2_band(band) for band in MEANS]
    scaled = scale(name, bands, "toa-reflectance", DN / 10_000)
    for channel, band in enumerate(MEANS):
        assert np.allclose(scaled[channel], S2_FORMULAS[name](DN, band), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize("name", S1_FORMULAS)
def test_backscatter_is_scaled_as_published(name):
    scaled = scale(name, s1_bands(), "sigma0-db", DECIBEL)
    for channel, band in enumerate(("vv", "vh")):
        assert np.allclose(scaled[channel], S1_FORMULAS[name](DECIBEL, band), rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "quantity", "interval"),
    [
        ("uncrtaints", REFLECTANCE, (0, 1)),
        ("dsen2-cr", REFLECTANCE, (0, 5)),
        ("uncrtaints", DB, (0, 1)),
        ("dsen2-cr", DB, (0, 2)),
        ("sen12tp", DB, (0, 1)),
    ],
)
def test_the_ends_of_the_interval_are_exact(name, quantity, interval):
    if quantity == DB:
        scaled = scale(name, s1_bands(), "sigma0-db", np.array([-99.0, 99.0]))
    else:
        scaled = scale(name, [s2_band("B02")], "boa-reflectance", np.array([-1.0, 2.0]))
    assert np.array_equal(np.sort(scaled, axis=1), [list(interval)] * len(scaled))


@pytest.mark.parametrize("name", S1_FORMULAS)
def test_pixels_without_a_number_are_what_the_source_makes_of_them(name):
    bands = s1_bands()
    values = np.full((1, 2, 1, 3), -10, np.float32)
    values[..., 1] = np.nan
    valid = np.array([[[True, True, False]]])
    bind(name, "s1", bands, "sigma0-db", where="scaling").apply(values, valid)
    usual = scale(name, bands, "sigma0-db", np.array([-10.0]))[:, 0]
    assert np.allclose(values[0, :, 0, 0], usual)
    for column in (1, 2):
        assert np.allclose(values[0, :, 0, column], S1_MISSING[name])


@pytest.mark.parametrize("row", SCALINGS, ids=lambda row: f"{row.name}-{row.quantity}")
def test_invert_gives_back_what_was_not_clipped(row):
    bands = s1_bands() if row.quantity == DB else [s2_band(band) for band in MEANS]
    radiometry = "sigma0-db" if row.quantity == DB else "toa-reflectance"
    inside = np.array([-24.0, -7.5, 0.0] if row.quantity == DB else [0.0, 0.3, 0.99])
    scaled = scale(row.name, bands, radiometry, inside)[:, None]
    scaling = bind(row.name, "m", bands, radiometry, where="scaling")
    for back in (scaling.invert(scaled), scaling.invert(torch.from_numpy(scaled)).numpy()):
        assert np.allclose(back[:, 0], inside, rtol=1e-5, atol=1e-5)


def test_invert_keeps_type_and_gradient_of_a_tensor(series):
    scaling = open_dataset(series.path, scaling="dsen2-cr").scalings["s2"]
    prediction = torch.rand(2, 5, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    physical = scaling.invert(prediction)
    assert physical.dtype == torch.float64
    physical.sum().backward()
    assert prediction.grad.unique().tolist() == [0.2]


def test_items_are_scaled_per_modality_and_the_rest_stays_physical(series):
    physical = open_dataset(series.path)
    scaled = open_dataset(series.path, scaling={"s2": "dsen2-cr", "s1": "dfc2020"})
    for before, after in zip(physical, scaled, strict=True):
        s2 = torch.clamp(before["s2"], 0, 1) / 0.2
        assert torch.allclose(after["s2"], s2)
        valid = before["valid"]["s1"][:, None]
        s1 = torch.where(valid, torch.clamp(before["s1"], -25, 0) / 25 + 1, 1.0)
        assert torch.allclose(after["s1"], s1, atol=1e-6)
        assert torch.equal(after["dem"], before["dem"])
        assert torch.equal(after["cloud"], before["cloud"])
    assert sorted(scaled.scalings) == ["s1", "s2"]
    assert physical.scalings == {}


def test_one_name_scales_every_modality_that_it_fits(series):
    one = open_dataset(series.path, scaling="uncrtaints")
    each = open_dataset(series.path, scaling={"s2": "uncrtaints", "s1": "uncrtaints"})
    assert all(
        torch.equal(a[n], b[n]) for a, b in zip(one, each, strict=True) for n in series.values
    )


def test_targets_are_scaled_as_inputs_are(series):
    dataset = open_dataset(series.path, steps=TargetSteps(), scaling="dsen2-cr")
    plain = open_dataset(series.path, steps=TargetSteps())
    scaled, physical = dataset[0]["target"]["s2"], plain[0]["target"]["s2"]
    assert torch.allclose(scaled, torch.clamp(physical, 0, 1) * 5)


def test_dn_of_one_modality_leaves_the_others_decoded(series):
    item = open_dataset(series.path, scaling={"s2": "dn"})[2]
    assert item["s2"].dtype == torch.int32
    assert np.array_equal(item["s2"].numpy(), series.values["s2"][2])
    assert item["s1"].dtype == torch.float32
    assert not item["s1"].isnan().any()


def test_dn_as_the_one_name_is_decode_false(series):
    named, raw = open_dataset(series.path, scaling="dn"), open_dataset(series.path, decode=False)
    for name in series.values:
        assert named[1][name].dtype == raw[1][name].dtype
        assert np.array_equal(named[1][name].numpy(), raw[1][name].numpy(), equal_nan=True)


def test_physical_as_the_one_name_is_the_default(series):
    item = open_dataset(series.path, modalities=["dem"], scaling="physical")[0]
    assert torch.equal(item["dem"], open_dataset(series.path)[0]["dem"])


def test_offsets_of_a_store_do_not_matter_to_the_papers_numbers():
    shifted = s2_band("B04", offset=-0.1)
    physical = shifted.physical(np.array([1000, 3000, 11_000]))
    scaled = scale("dsen2-cr", [shifted], "boa-reflectance", physical)
    assert np.allclose(scaled[0], [0, 1, 5])


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"scaling": "unit"}, ['no scaling "unit"']),
        ({"scaling": {"s2": "uncrtaint"}}, ["scaling['s2']", 'Did you mean "uncrtaints"']),
        ({"scaling": {"s3": "dn"}}, ["scaling['s3']", "not opened"]),
        ({"scaling": {"dem": "uncrtaints"}}, ["height of dem is elevation [m]", "reflectance or"]),
        ({"scaling": {"cloud": "uncrtaints"}}, ["cloud of cloud is class", '"physical"']),
        ({"scaling": {"s2": "sen12ms"}}, ["no number for band B01", "b02, b03", "bands={…}"]),
        ({"scaling": "uncrtaints", "modalities": ["dem", "cloud"]}, ["fits none of dem, cloud"]),
        ({"scaling": "dn", "decode": False}, ["scaling='dn' and decode=False"]),
    ],
)
def test_what_cannot_be_scaled_is_said_with_a_way_out(series, arguments, parts):
    with pytest.raises(RecipeError) as caught:
        open_dataset(series.path, **arguments)
    for part in parts:
        assert part in str(caught.value)


def test_a_store_that_does_not_say_what_its_ratios_are_is_not_believed(source):
    with pytest.raises(RecipeError, match=r"B02 of s2 is of no stated radiometry \[1\]"):
        open_dataset(source.path, scaling={"s2": "uncrtaints"})


def test_linear_power_is_a_ratio_but_no_reflectance():
    linear = [Band("vv", "continuous", "float32", 10.0, "1")]
    with pytest.raises(RecipeError, match=r"vv of s1 is gamma0-linear \[1\]"):
        bind("uncrtaints", "s1", linear, "gamma0-linear", where="scaling")


def test_bands_of_two_quantities_are_refused():
    mixed = [*s1_bands(), Band("angle", "continuous", "float32", 10.0, "degrees")]
    with pytest.raises(RecipeError, match="angle of s1"):
        bind("uncrtaints", "s1", mixed, "sigma0-db", where="scaling")
    with pytest.raises(RecipeError, match="vv of both"):
        bind("uncrtaints", "both", [s2_band("B02"), *s1_bands()], "toa-reflectance", where="s")


def test_ten_bands_can_be_scaled_where_thirteen_cannot(series):
    dataset = open_dataset(series.path, bands={"s2": ["B04", "B02"]}, scaling={"s2": "sen12ms"})
    item, plain = dataset[0], open_dataset(series.path, bands={"s2": ["B04", "B02"]})[0]
    valid = plain["valid"]["s2"]
    for channel, (mean, std) in enumerate([(1139.6792, 960.1045), (1226.4215, 741.6254)]):
        expected = (plain["s2"][:, channel][valid] * 10_000 - mean) / std
        assert torch.allclose(item["s2"][:, channel][valid], expected, atol=1e-4)
        assert not item["s2"][:, channel][~valid].any()
