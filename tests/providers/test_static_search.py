"""Static catalogs on the web: the same items and pixels as from the folder that they lie in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box, mapping

from eodata.core.endpoint import Endpoint, StacLocation
from eodata.core.errors import NoItemsError, ProviderError
from eodata.core.product import ProviderEntry
from eodata.core.protocols import Query
from eodata.providers.archive import ArchiveProvider
from eodata.providers.raster_file import RasterFile
from eodata.providers.stac import StacProvider
from eodata.providers.warp import read_onto
from tests.providers.remote.file_server import Answer, FileServer

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "recipes" / "archives" / "demo"
POINTS = ROOT / "tests" / "data" / "sentinel1_points" / "iw-vv.tif"
GROUND = box(3.019, 50.813, 3.028, 50.819)
GRID = GeoBox((32, 32), Affine(20, 0, 501_360, 0, -20, 5_629_680), CRS("EPSG:32631"))


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer().running() as running:
        yield running


def provider_at(url: str, **entries: ProviderEntry) -> StacProvider:
    endpoint = Endpoint(name="stac", title="A catalog", url=url, patience=5)
    return StacProvider(StacLocation(endpoint=endpoint), entries)


@pytest.fixture
def demo(server: FileServer) -> StacProvider:
    """The demo's labels and elevation, without the thousand files of its images."""
    for folder in ("worldcereal-labels", "worldcereal-dem"):
        for path in (DEMO / folder).rglob("*"):
            if path.is_file():
                server.files[f"/{path.relative_to(DEMO).as_posix()}"] = path.read_bytes()
    catalog = json.loads((DEMO / "catalog.json").read_text())
    catalog["links"] = [link for link in catalog["links"] if "sentinel" not in str(link["href"])]
    server.files["/catalog.json"] = json.dumps(catalog).encode()
    return provider_at(f"{server.url}/catalog.json")


@pytest.mark.parametrize(
    ("collection", "band"), [("worldcereal-labels", "lc"), ("worldcereal-dem", "dem")]
)
def test_catalog_then_items_and_pixels_are_those_of_the_folder(
    demo: StacProvider, band_read, collection: str, band: str
) -> None:
    archive, query = ArchiveProvider(DEMO), Query(collection, GROUND, None)
    there, here = demo.search(query), archive.search(query)
    assert [i.id for i in there] == [i.id for i in here]
    assert there[0].footprint.equals(here[0].footprint)
    reads = [band_read(band, "nearest")]
    far, near = (p.read(i[0], reads, GRID) for p, i in ((demo, there), (archive, here)))
    assert far.valid[0].any()
    assert np.array_equal(far.values[0], near.values[0])
    assert np.array_equal(far.valid[0], near.valid[0])


def test_catalog_then_it_is_read_once(demo: StacProvider, server: FileServer) -> None:
    query = Query("worldcereal-dem", GROUND, None)
    demo.search(query)
    before = len(server.seen)
    demo.search(replace(query, footprint=box(0, 0, 1, 1)))
    assert len(server.seen) == before


def test_unknown_collection_then_the_nearest_is_named(demo: StacProvider) -> None:
    with pytest.raises(NoItemsError) as error:
        demo.search(Query("worldcereal-dam", GROUND, None))
    assert "worldcereal-dem" in str(error.value)


def test_broken_link_then_an_error_and_not_fewer_items(
    demo: StacProvider, server: FileServer
) -> None:
    item = next(path for path in server.files if path.count("/") == 3 and path.endswith(".json"))
    server.files.pop(item)
    with pytest.raises(ProviderError) as error:
        demo.search(Query(item.split("/")[1], GROUND, None))
    assert error.value.exit_code == 3


def test_server_that_fails_once_then_asked_again(demo: StacProvider, server: FileServer) -> None:
    server.due.append(Answer(status=503, headers={"Retry-After": "0"}))
    assert demo.search(Query("worldcereal-dem", GROUND, None))


def linked(kind: str, name: str, *links: tuple[str, str]) -> bytes:
    """A catalog or collection with links to others."""
    extent = {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[None, None]]}}
    own = {"license": "other", "extent": extent} if kind == "Collection" else {}
    told = [{"rel": rel, "href": href} for rel, href in links]
    fields = {"type": kind, "stac_version": "1.0.0", "id": name, "description": name}
    return json.dumps(fields | own | {"links": told}).encode()


def test_catalogs_that_link_in_a_circle_then_each_is_looked_at_once(server: FileServer) -> None:
    server.files |= {
        "/catalog.json": linked("Catalog", "root", ("child", "./a.json"), ("child", "./b.json")),
        "/a.json": linked("Catalog", "a", ("child", "./catalog.json")),
        "/b.json": linked("Collection", "things"),
    }
    with pytest.raises(NoItemsError) as error:
        provider_at(f"{server.url}/catalog.json").search(Query("thinks", GROUND, None))
    assert "things" in error.value.fix


def test_collection_in_a_collection_then_its_items_are_its_own(server: FileServer) -> None:
    item = {
        "type": "Feature", "stac_version": "1.0.0", "links": [], "assets": {},
        "properties": {"datetime": "2020-01-01T00:00:00Z"},
        "geometry": mapping(GROUND), "bbox": [*GROUND.bounds],
    }  # fmt: skip
    server.files |= {
        "/catalog.json": linked(
            "Collection", "outer", ("child", "./inner.json"), ("item", "./one.json")
        ),
        "/inner.json": linked("Collection", "inner", ("item", "./two.json")),
        "/one.json": json.dumps(item | {"id": "one", "collection": "outer"}).encode(),
        "/two.json": json.dumps(item | {"id": "two", "collection": "inner"}).encode(),
    }
    provider = provider_at(f"{server.url}/catalog.json")
    found = {name: provider.search(Query(name, GROUND, None)) for name in ("outer", "inner")}
    assert {name: [i.id for i in items] for name, items in found.items()} == {
        "outer": ["one"], "inner": ["two"],
    }  # fmt: skip


def test_file_that_is_no_stac_then_said_so(server: FileServer) -> None:
    server.files["/catalog.json"] = b'{"type": "Catalog"}'
    with pytest.raises(ProviderError) as error:
        provider_at(f"{server.url}/catalog.json").search(Query("things", GROUND, None))
    assert "no STAC" in error.value.found


@pytest.fixture
def radar(server: FileServer) -> str:
    """One radar image that has ground control points only."""
    with rasterio.open(POINTS) as dataset:
        points, _ = dataset.gcps
    lon, lat = [p.x for p in points], [p.y for p in points]
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": "one", "collection": "grd", "links": [],
        "properties": {"datetime": "2020-01-01T00:00:00Z"},
        "geometry": mapping(box(min(lon), min(lat), max(lon), max(lat))),
        "bbox": [min(lon), min(lat), max(lon), max(lat)],
        "assets": {"vv": {"href": "vv.tif", "type": "image/tiff"}},
    }  # fmt: skip
    extent = {"spatial": {"bbox": [item["bbox"]]}, "temporal": {"interval": [[None, None]]}}
    collection = {
        "type": "Collection", "stac_version": "1.0.0", "id": "grd", "description": "radar",
        "license": "other", "extent": extent, "links": [{"rel": "item", "href": "./one.json"}],
    }  # fmt: skip
    server.files |= {
        "/collection.json": json.dumps(collection).encode(),
        "/one.json": json.dumps(item).encode(),
        "/vv.tif": POINTS.read_bytes(),
    }
    return f"{server.url}/collection.json"


def test_points_when_the_table_says_so_then_placed_by_them(radar: str, band_read) -> None:
    entry = ProviderEntry(collection="grd", radiometry="amplitude-dn", placed_by="points")
    provider = provider_at(radar, grd=entry)
    (item,) = provider.search(Query("grd", box(-180, -80, 180, 80), None))
    with rasterio.open(POINTS) as dataset:
        height, width = dataset.shape
        inside = min(
            dataset.gcps[0], key=lambda p: abs(p.row - height / 2) + abs(p.col - width / 2)
        )
        west, north = inside.x - 0.1, inside.y + 0.1
        grid = GeoBox((40, 40), Affine(0.005, 0, west, 0, -0.005, north), CRS("EPSG:4326"))
        values, valid, _ = read_onto(
            RasterFile(dataset, 1, item.assets["vv"].nodata or dataset.nodata or 0, True),
            grid,
            "bilinear",
        )
    pixels = provider.read(item, [band_read("vv", "bilinear")], grid)
    assert pixels.valid[0].any()
    assert np.array_equal(pixels.valid[0], valid)
    assert np.array_equal(pixels.values[0][valid], values[valid])


def test_points_when_no_table_says_so_then_refused(radar: str, band_read) -> None:
    provider = provider_at(radar)
    (item,) = provider.search(Query("grd", box(-180, -80, 180, 80), None))
    with pytest.raises(ProviderError) as error:
        provider.read(item, [band_read("vv", "bilinear")], GRID)
    assert "ground control points" in str(error.value)
