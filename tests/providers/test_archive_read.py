"""Reading assets of a static catalog: nodata rules, and damage that must not become pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pystac
import pytest
import rasterio
import rasterio.shutil
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.core.errors import ProviderError
from eodata.core.protocols import Query
from eodata.providers.archive import ArchiveProvider

EARTH = box(-180, -90, 180, 90)
NORTH_UP = Affine(10, 0, 500_000, 0, -10, 5_600_000)
GRID = GeoBox((256, 256), NORTH_UP, CRS("EPSG:32631"))
NOISE = np.random.default_rng(5).integers(1, 4000, (256, 256)).astype("uint16")
TILES = {"tiled": True, "blockxsize": 64, "blockysize": 64}
LAYOUTS = {
    "strips": {},
    "strips-deflate": {"compress": "deflate"},
    "strips-lzw": {"compress": "lzw", "predictor": 2},
    "one-strip": {"blockysize": 256},
    "tiles": TILES,
    "tiles-zstd": TILES | {"compress": "zstd"},
    "cog": {"driver": "COG", "blocksize": 128, "interleave": "BAND"},
    "jpeg2000": {"driver": "JP2OpenJPEG", "quality": 100, "reversible": True, "interleave": "BAND"},
}


def opened(archive):
    provider = ArchiveProvider(archive.save())
    (item,) = provider.search(Query("c", EARTH, None))
    return provider, item


def refused(provider, item, reads, grid=GRID) -> ProviderError:
    with pytest.raises(ProviderError) as error:
        provider.read(item, reads, grid)
    assert not error.value.retryable
    return error.value


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("layout", [k for k in LAYOUTS if k not in ("cog", "jpeg2000")])
@pytest.mark.parametrize("part", [0.0, 0.003, 0.02, 0.3, 0.5, 0.9, 0.999, 1.0])
def test_a_file_that_was_cut_off_is_refused(archive, band_read, layout, part):
    archive.add("one", {"v": NOISE}, **LAYOUTS[layout])
    provider, item = opened(archive)
    path = archive.root / item.assets["v"].href
    data = path.read_bytes()
    assert (provider.read(item, [band_read("v")], GRID).values[0] == NOISE).all()
    path.write_bytes(data[: min(int(len(data) * part), len(data) - 1)])
    error = refused(provider, item, [band_read("v")])
    assert error.where == item.assets["v"].href
    assert str(archive.root) not in str(error)
    assert "one" in error.found
    assert error.because
    assert error.fix


@pytest.mark.parametrize("layout", ["cog", "jpeg2000"])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.3, 0.5, 0.9, 0.99])
def test_other_formats_that_were_cut_off_are_refused(tmp_path, write_raster, layout, part):
    from eodata.providers.raster_file import RasterFile
    from eodata.providers.warp import read_onto

    path = write_raster(tmp_path / "v", NOISE, **LAYOUTS[layout])
    with rasterio.open(path) as source:
        assert (read_onto(RasterFile(source, 1, None), GRID, "nearest")[0] == NOISE).all()
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    with pytest.raises(rasterio.errors.RasterioIOError), rasterio.open(path) as source:
        read_onto(RasterFile(source, 1, None), GRID, "nearest")


@pytest.mark.parametrize("layout", ["strips-deflate", "tiles-zstd", "strips-lzw"])
def test_a_file_with_corrupt_bytes_is_refused(archive, band_read, layout):
    archive.add("one", {"v": NOISE}, **LAYOUTS[layout])
    provider, item = opened(archive)
    path = archive.root / item.assets["v"].href
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    refused(provider, item, [band_read("v")])


def test_damage_outside_of_the_window_does_no_harm(archive, band_read):
    archive.add("one", {"v": NOISE}, **TILES)
    provider, item = opened(archive)
    path = archive.root / item.assets["v"].href
    path.write_bytes(path.read_bytes()[:-100])
    corner = GeoBox((64, 64), NORTH_UP, CRS("EPSG:32631"))
    assert (provider.read(item, [band_read("v")], corner).values[0] == NOISE[:64, :64]).all()


def test_an_environment_that_ignores_read_errors_is_overruled(archive, band_read):
    archive.add("one", {"v": NOISE}, compress="deflate")
    provider, item = opened(archive)
    path = archive.root / item.assets["v"].href
    path.write_bytes(path.read_bytes()[:-5000])
    with rasterio.Env(GTIFF_IGNORE_READ_ERRORS=True):
        refused(provider, item, [band_read("v")])


def test_a_file_of_another_size_than_stated_is_refused(archive, band_read):
    item = archive.add("one", {"v": NOISE})
    item.assets["v"].extra_fields["file:size"] = 1234
    provider, item = opened(archive)
    error = refused(provider, item, [band_read("v")])
    assert "1234 bytes" in error.because


def test_a_missing_file_is_named(archive, band_read):
    archive.add("one", {"v": NOISE})
    provider, item = opened(archive)
    path = archive.root / item.assets["v"].href
    path.unlink()
    error = refused(provider, item, [band_read("v")])
    assert error.where == item.assets["v"].href
    assert str(archive.root) not in str(error)
    assert "missing" in error.found


def test_a_missing_asset_names_those_present(archive, band_read):
    archive.add("one", {"B02": NOISE, "B03": NOISE})
    error = refused(*opened(archive), [band_read("B2")])
    assert error.where == "item one"
    assert "B02, B03" in error.because
    assert "Did you mean" not in error.fix  # another band would be wrong data


def test_a_remote_asset_is_refused_without_a_request(archive, band_read):
    item = archive.add("one", {"v": NOISE})
    item.add_asset("r", pystac.Asset("https://example.org/r.tif", media_type="image/tiff"))
    error = refused(*opened(archive), [band_read("r")])
    assert "another machine" in error.found


def test_an_item_from_elsewhere_cannot_lead_out_of_the_archive(archive, band_read):
    archive.add("one", {"v": NOISE})
    provider, item = opened(archive)
    for href in ("../../etc/passwd", "/etc/passwd"):
        away = replace(item, assets={"v": replace(item.assets["v"], href=href)})
        assert "outside" in refused(provider, away, [band_read("v")]).found


def test_a_format_that_may_point_elsewhere_is_refused(archive, band_read):
    archive.add("one", {"v": NOISE})
    provider, item = opened(archive)
    path = archive.root / item.assets["v"].href
    outside = path.rename(archive.root.parent / "outside.tif")
    rasterio.shutil.copy(outside, path, driver="VRT")
    with rasterio.open(path) as source:
        assert (source.read(1) == NOISE).all(), "GDAL itself would follow it"
    assert "VRT" in refused(provider, item, [band_read("v")]).because


def test_a_band_that_the_file_lacks_is_refused(archive, band_read):
    item = archive.add("one", {"v": NOISE})
    item.assets["v"].extra_fields["bands"] = [{"name": "red"}, {"name": "nir"}]
    assert "has 1" in refused(*opened(archive), [band_read("nir")]).because


def test_the_bands_of_a_stack_are_read_by_name(archive, band_read):
    item = archive.add("one", {"s": np.stack([NOISE, NOISE + 1])})
    item.assets["s"].extra_fields["bands"] = [{"name": "red"}, {"name": "nir"}]
    provider, item = opened(archive)
    pixels = provider.read(item, [band_read("nir"), band_read("red")], GRID)
    assert (pixels.values[0] == NOISE + 1).all()
    assert (pixels.values[1] == NOISE).all()


@pytest.mark.parametrize(
    ("catalog", "file", "product", "expected"),
    [(1, 2, 3, 1), (None, 2, 3, 2), (None, None, 3, 3), (None, None, None, None), (0, 2, 3, 0)],
)
def test_nodata_is_that_of_the_catalog_then_file_then_product(
    archive, band_read, catalog, file, product, expected
):
    ramp = np.arange(16, dtype="uint8").reshape(4, 4)
    item = archive.add("one", {"v": ramp}, nodata=file)
    if catalog is not None:
        item.assets["v"].extra_fields["nodata"] = catalog
    provider, item = opened(archive)
    grid = GeoBox((4, 4), NORTH_UP, CRS("EPSG:32631"))
    (valid,) = provider.read(item, [band_read("v", nodata=product)], grid).valid
    assert ramp[~valid].tolist() == ([] if expected is None else [expected])


def test_side_files_count_whatever_the_environment_says(archive, band_read):
    archive.add("one", {"v": NOISE})
    provider, item = opened(archive)
    path = archive.root / item.assets["v"].href
    band = f'<PAMRasterBand band="1"><NoDataValue>{NOISE[0, 0]}</NoDataValue></PAMRasterBand>'
    path.with_name("v.tif.aux.xml").write_text(f"<PAMDataset>{band}</PAMDataset>")
    hide = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": False}
    with rasterio.Env(**hide):
        with rasterio.open(path) as source:
            assert source.nodata is None, "the environment hides the side file"
        (valid,) = provider.read(item, [band_read("v")], GRID).valid
    assert (valid == (NOISE[0, 0] != NOISE)).all()
