"""Speckle is gamma noise of 4.4 looks, by absolute pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest

from eodata.sandbox.sensors.speckle import LOOKS, dice, quantiles, quantiles_db

COLS, ROWS = np.arange(400)[np.newaxis, :], np.arange(300)[:, np.newaxis]


@pytest.mark.parametrize("looks", [1.0, 4.4, 17.6, 4.4 * 64])
def test_quantiles_have_mean_1_and_the_wanted_looks(looks):
    values = quantiles(looks).astype(np.float64)
    assert values.mean() == pytest.approx(1, abs=1e-3)
    assert 1 / values.var() == pytest.approx(looks, rel=2e-3)
    assert (np.diff(values) >= 0).all()


def test_one_look_is_the_exponential_distribution():
    values = quantiles(1.0)
    for share in (0.001, 0.1, 0.5, 0.9, 0.999):
        found = values[int(share * 65536)]
        assert found == pytest.approx(-math.log(1 - share), rel=0.02)


def test_decibels_are_those_of_the_quantiles():
    np.testing.assert_allclose(10 ** (quantiles_db(LOOKS) / 10), quantiles(LOOKS), rtol=1e-5)


def test_drawn_speckle_has_the_looks_and_no_memory():
    table, drawn = quantiles(LOOKS), dice(7, COLS, ROWS)
    values = {key: table[drawn[key]] for key in ("vv", "vh")}
    for field in values.values():
        assert field.mean() == pytest.approx(1, abs=0.01)
        assert 1 / field.var() == pytest.approx(4.4, abs=0.15)
        assert abs(np.corrcoef(field[:, 1:].ravel(), field[:, :-1].ravel())[0, 1]) < 0.02
        assert abs(np.corrcoef(field[1:].ravel(), field[:-1].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(values["vv"].ravel(), values["vh"].ravel())[0, 1]) < 0.02


def test_items_differ_and_pixels_keep_their_speckle():
    whole = dice(7, COLS, ROWS)["vv"]
    np.testing.assert_array_equal(dice(7, COLS[:, 30:40], ROWS[5:9])["vv"], whole[5:9, 30:40])
    assert (dice(8, COLS, ROWS)["vv"] != whole).mean() > 0.99
