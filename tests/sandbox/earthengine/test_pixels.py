"""Bodies of requests: grids, limits and formats."""

from __future__ import annotations

import io

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from rasterio.io import MemoryFile

from eodata.sandbox.earthengine.encoding import EncodedBand, encode
from eodata.sandbox.earthengine.errors import EngineError
from eodata.sandbox.earthengine.grids import grid_json, native, read_grid, type_json
from eodata.sandbox.earthengine.images import SINUSOIDAL, PixelGrid, code_of
from eodata.sandbox.earthengine.limits import check_bands, check_bytes, check_shape
from eodata.sandbox.earthengine.mosaics import MODIS_GRID
from eodata.sandbox.earthengine.pixels import read_body

OWN = GeoBox((40, 30), Affine(20, 0, 600_000, 0, -20, 5_400_000), "EPSG:32632")
GRID = PixelGrid(3, 2, (10, 0, 500, 0, -10, 900), "EPSG:32632")


def test_a_grid_that_is_left_out_is_the_image_s():
    assert read_grid(None, OWN) == native(OWN)
    assert native(OWN) == PixelGrid(30, 40, (20, 0, 600_000, 0, -20, 5_400_000), "EPSG:32632")
    assert native(OWN).geobox == OWN


def test_a_grid_is_read_with_its_shear_and_its_crs():
    said = {
        "dimensions": {"width": 5, "height": 4},
        "affineTransform": {"scaleX": 2, "shearX": 1, "translateX": 7, "scaleY": -3, "shearY": 0.5},
        "crsCode": "EPSG:3857",
    }
    assert read_grid(said, OWN) == PixelGrid(5, 4, (2, 1, 7, 0.5, -3, 0), "EPSG:3857")
    by_text = {**said, "crsCode": None, "crsWkt": OWN.crs.to_wkt()}
    assert read_grid(by_text, None).geobox.crs.epsg == 32632


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({}, "unbounded image"),
        ({"dimensions": {"width": 1, "height": 1}}, "A grid needs"),
        ({"dimensions": {"width": "x", "height": 1}}, "A grid needs|Invalid pixel grid"),
        ({"dimensions": {"width": 1}, "affineTransform": {"scaleX": 1}, "crsCode": "EPSG:4326"},
         "Invalid pixel grid"),
        ({"dimensions": {"width": 1, "height": 1}, "affineTransform": {"scaleX": 1},
          "crsCode": "EPSG:4326"}, "cannot be inverted"),
        ({"dimensions": {"width": 1, "height": 1}, "affineTransform": {"size": 1},
          "crsCode": "EPSG:4326"}, "unknown terms"),
        ({"dimensions": {"width": 1, "height": 1}, "affineTransform": {"scaleX": 1, "scaleY": 1},
          "crsCode": "Munich"}, "could not be parsed: Munich"),
    ],
)  # fmt: skip
def test_what_is_no_grid_is_refused(said, message):
    with pytest.raises(EngineError, match=message) as refused:
        read_grid(said, None)
    assert refused.value.status == 400


def test_the_sinusoidal_grid_has_earth_engine_s_code():
    assert code_of(MODIS_GRID) == SINUSOIDAL
    told = grid_json(MODIS_GRID)
    assert told["crsCode"] == "SR-ORG:6974"
    assert told["affineTransform"]["translateX"] == pytest.approx(-20_015_109.354, abs=0.01)
    assert told["dimensions"] == {"width": 86_400, "height": 43_200}
    assert read_grid(None, MODIS_GRID).geobox.crs == MODIS_GRID.crs


def test_types_are_told_as_assets_tell_them():
    assert type_json("uint8") == {"precision": "INT", "range": {"max": 255}}
    assert type_json("int16") == {"precision": "INT", "range": {"min": -32768, "max": 32767}}
    assert type_json("float32") == {"precision": "FLOAT"}
    assert type_json("float64") == {"precision": "DOUBLE"}


def sized(width, height):
    return PixelGrid(width, height, GRID.affine, GRID.crs)


def test_the_limits_are_those_of_earth_engine():
    check_shape(sized(32_768, 32_768))
    check_bands(1024)
    check_bytes(sized(4096, 6144), ["uint16"])
    check_bytes(sized(4096, 2048), ["uint16", "float32"])
    for message, check in (
        ("32769x1. must be less than or equal to 32768", lambda: check_shape(sized(32_769, 1))),
        ("1x0. must be positive", lambda: check_shape(sized(1, 0))),
        ("1025. must be less than or equal to 1024", lambda: check_bands(1025)),
        (
            "50339840 bytes. must be less than or equal to 50331648 bytes",
            lambda: check_bytes(sized(4096, 6145), ["uint16"]),
        ),
    ):
        with pytest.raises(EngineError, match=message) as refused:
            check()
        assert refused.value.status == 400


def test_bands_come_back_from_either_format():
    bands = [
        EncodedBand("B4", np.arange(6, dtype="uint16").reshape(2, 3)),
        EncodedBand("angle", np.linspace(30, 46, 6, dtype="float32").reshape(2, 3)),
    ]
    array = np.load(io.BytesIO(encode("NPY", bands, GRID)))
    assert array.dtype == [("B4", "<u2"), ("angle", "<f4")]
    with MemoryFile(encode("GEO_TIFF", bands, GRID)) as memory, memory.open() as tiff:
        assert tiff.dtypes == ("float32", "float32")
        assert tiff.transform[:6] == GRID.affine
        for number, band in enumerate(bands, 1):
            assert (tiff.read(number) == band.values).all()
            assert (array[band.name] == band.values).all()
    with pytest.raises(EngineError, match="JPEG is unsupported by the sandbox: NPY, GEO_TIFF"):
        encode("JPEG", bands, GRID)


@pytest.mark.parametrize("raw", [b"{", b"[1]", b"\xff"])
def test_bodies_that_are_no_objects_are_refused(raw):
    with pytest.raises(EngineError, match="Invalid JSON payload received"):
        read_body(raw)
    assert read_body(b"") == {}


def test_bodies_that_are_too_large_are_refused():
    assert read_body(b"{}" + b" " * (10 * 2**20 - 2)) == {}
    with pytest.raises(EngineError, match="payload size exceeds the limit: 10485760 bytes"):
        read_body(b"{}" + b" " * (10 * 2**20 - 1))
