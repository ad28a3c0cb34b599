"""The archive that ships with eodata is valid STAC, complete, and small."""

import copy
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from pystac.errors import STACValidationError
from pystac.validation import JsonSchemaSTACValidator, validate_dict

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = ROOT / "recipes" / "archives" / "demo"
SCHEMAS = ROOT / "tests" / "data" / "stac_schemas"
ITEMS = {
    "sentinel-2-l2a": 91,
    "sentinel-1-grd": 109,
    "worldcereal-dem": 1,
    "worldcereal-labels": 1,
}
LIMIT_BYTES = 8_000_000


def read(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def item_paths(collection: str) -> list[Path]:
    return sorted((ARCHIVE / collection).glob("*/*.json"))


ALL_ITEMS = [path for collection in ITEMS for path in item_paths(collection)]


@pytest.fixture(scope="module")
def validator() -> JsonSchemaSTACValidator:
    """A validator that knows the schemas kept here, each under the address its path spells."""
    validator = JsonSchemaSTACValidator()
    validator.schema_cache = {
        f"https://{path.relative_to(SCHEMAS).as_posix()}": read(path)
        for path in SCHEMAS.rglob("*.json")
    }
    return validator


@pytest.fixture
def item(request: pytest.FixtureRequest) -> dict:
    return copy.deepcopy(read(item_paths(request.param)[0]))


@pytest.mark.parametrize("collection", ITEMS)
def test_items_are_valid(collection: str, validator: JsonSchemaSTACValidator) -> None:
    paths = item_paths(collection)
    assert len(paths) == ITEMS[collection]
    for path in paths:
        content = read(path)
        checked = validate_dict(content, validator=validator)
        assert len(checked) == 1 + len(content["stac_extensions"])


@pytest.mark.parametrize("collection", ITEMS)
def test_collections_are_valid(collection: str, validator: JsonSchemaSTACValidator) -> None:
    content = read(ARCHIVE / collection / "collection.json")
    checked = validate_dict(content, validator=validator)
    assert len(checked) == 1 + len(content["stac_extensions"])


def test_the_catalog_is_valid(validator: JsonSchemaSTACValidator) -> None:
    assert validate_dict(read(ARCHIVE / "catalog.json"), validator=validator)


BROKEN = [
    ("sentinel-2-l2a", ("geometry",), {"type": "Polygon", "coordinates": [[[3.0, 50.8]]]}),
    ("sentinel-2-l2a", ("properties", "datetime"), None),
    ("sentinel-2-l2a", ("properties", "eo:cloud_cover"), 120),
    ("sentinel-2-l2a", ("properties", "grid:code"), "31UDS"),
    ("sentinel-2-l2a", ("properties", "proj:code"), 32631),
    ("sentinel-2-l2a", ("properties", "sat:relative_orbit"), 0),
    ("sentinel-2-l2a", ("properties", "view:sun_azimuth"), 400),
    ("sentinel-2-l2a", ("assets", "B02", "eo:bands", 0, "common_name"), "azure"),
    ("sentinel-2-l2a", ("assets", "B02", "raster:scale"), "0.0001"),
    ("sentinel-2-l2a", ("assets", "B02", "data_type"), "int12"),
    ("sentinel-2-l2a", ("assets", "B02", "proj:shape"), [64]),
    ("sentinel-1-grd", ("properties", "sar:frequency_band"), "Q"),
    ("sentinel-1-grd", ("properties", "sat:orbit_state"), "rising"),
    ("worldcereal-dem", ("properties", "end_datetime"), None),
    ("worldcereal-labels", ("assets", "lc", "classification:classes", 0, "value"), "zero"),
]


@pytest.mark.parametrize(("item", "where", "value"), BROKEN, indirect=["item"])
def test_a_broken_item_is_not_valid(
    item: dict, where: tuple, value: object, validator: JsonSchemaSTACValidator
) -> None:
    validate_dict(item, validator=validator)
    holder = item
    for key in where[:-1]:
        holder = holder[key]
    holder[where[-1]] = value
    with pytest.raises(STACValidationError):
        validate_dict(item, validator=validator)


@pytest.mark.parametrize("collection", ITEMS)
def test_assets_open_and_are_as_described(collection: str) -> None:
    described = set()
    for path in item_paths(collection):
        content = read(path)
        for asset in content["assets"].values():
            raster_path = (path.parent / asset["href"]).resolve()
            described.add(raster_path)
            with rasterio.open(raster_path) as raster:
                assert raster.crs.to_string() == content["properties"]["proj:code"]
                assert list(raster.transform)[:6] == asset["proj:transform"]
                assert list(raster.shape) == asset["proj:shape"]
                assert raster.dtypes == (asset["data_type"],)
                np.testing.assert_equal(raster.nodata, float(asset["nodata"]))
                assert not raster.read(1, masked=True).mask.all()
    assert described == {path.resolve() for path in (ARCHIVE / collection).rglob("*.tif")}


def test_the_archive_is_small() -> None:
    sizes = [path.stat().st_size for path in ARCHIVE.rglob("*") if path.is_file()]
    assert sum(sizes) <= LIMIT_BYTES


def test_links_are_relative_and_lead_somewhere() -> None:
    for path in ARCHIVE.rglob("*.json"):
        for link in read(path)["links"]:
            assert link["rel"] != "self"
            assert "://" not in link["href"]
            assert not Path(link["href"]).is_absolute()
            assert (path.parent / link["href"]).is_file()


def test_walking_the_catalog_finds_every_item() -> None:
    catalog = pystac.Catalog.from_file(str(ARCHIVE / "catalog.json"))
    found = Counter(item.collection_id for item in catalog.get_items(recursive=True))
    assert found == ITEMS


def test_bounding_boxes_enclose_the_footprints() -> None:
    for path in ALL_ITEMS:
        content = read(path)
        ring = np.array(content["geometry"]["coordinates"][0])
        assert content["bbox"] == [*ring.min(axis=0), *ring.max(axis=0)]


def test_inferred_properties_are_there() -> None:
    for path in ALL_ITEMS:
        properties = read(path)["properties"]
        assert set(properties["eodata:inferred"]) <= set(properties)


def test_every_pass_is_on_one_of_its_missions_two_orbits() -> None:
    orbits = {"sentinel-2-l2a": {51, 94}, "sentinel-1-grd": {59, 161}}
    for collection, expected in orbits.items():
        properties = [read(path)["properties"] for path in item_paths(collection)]
        assert {each["sat:relative_orbit"] for each in properties} == expected
        assert all(each["datetime"].startswith("2018-") for each in properties)
        times = [each["datetime"] for each in properties]
        assert len(set(times)) == len(times)


def test_platforms_agree_with_the_view_angles() -> None:
    # The platform is derived from the time; on orbit 51 the viewing azimuth, which the source
    # measured, tells the two satellites apart as well.
    for path in item_paths("sentinel-2-l2a"):
        properties = read(path)["properties"]
        if properties["sat:relative_orbit"] == 51:
            second = properties["view:azimuth"] > 105.4
            assert properties["platform"] == ("sentinel-2b" if second else "sentinel-2a")
