"""What a DN means."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import numpy as np
import pytest

from eodata.core.band import Band

RED = Band("B04", "continuous", "uint16", 10.0, scale=1e-4, offset=-0.1)


def test_physical_then_scaled_and_shifted() -> None:
    dn = np.array([[0, 1000, 11_000]], np.uint16)
    assert RED.physical(dn)[0].tolist() == pytest.approx([-0.1, 0.0, 1.0], abs=1e-7)
    assert RED.physical(dn).dtype == np.float32
    assert RED.physical(dn, np.float64).dtype == np.float64


def test_physical_when_nothing_to_do_then_still_a_copy() -> None:
    dn = np.array([1.0, 2.0], np.float32)
    out = Band("vv", "continuous", "float32", 10.0, "dB").physical(dn)
    out[0] = 9
    assert dn[0] == 1


def test_fill_is_nan_for_floats_and_zero_for_integers() -> None:
    assert math.isnan(Band("vv", "continuous", "float32", 10.0).fill)
    assert RED.fill == 0


def test_nodata_when_nan_then_left_out_so_that_json_stays_strict() -> None:
    band = Band("vv", "continuous", "float32", 10.0, nodata=float("nan"))
    assert band.nodata is None
    assert Band("dem", "continuous", "int16", 10.0, nodata=-32767).nodata == -32767
    json.dumps(asdict(band), allow_nan=False)
    assert band == Band("vv", "continuous", "float32", 10.0)
