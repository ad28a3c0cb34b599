"""Finding items in a static catalog: ground, time, order, and what is refused."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime

import numpy as np
import pystac
import pytest
from shapely.geometry import box, mapping

from eodata.core.errors import ProviderError
from eodata.core.protocols import Query
from eodata.core.span import Span
from eodata.core.where import Where
from eodata.providers.archive import ArchiveProvider

EARTH = box(-180, -90, 180, 90)
SMALL = np.ones((4, 4), "uint8")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def ids(root, collection="c", footprint=EARTH, span=None) -> list[str]:
    return [i.id for i in ArchiveProvider(root).search(Query(collection, footprint, span))]


def edit(root, path, change) -> None:
    file = root / path
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def only_item(root):
    (item,) = ArchiveProvider(root).search(Query("c", EARTH, None))
    return item


def refused(root, collection="c") -> ProviderError:
    with pytest.raises(ProviderError) as error:
        ids(root, collection)
    return error.value


def test_items_are_ordered_by_time_then_id(archive):
    for item_id, when in (("b", "2018-06-02"), ("z", "2018-06-01"), ("a", "2018-06-02")):
        archive.add(item_id, {"v": SMALL}, when=when)
    assert ids(archive.save()) == ["z", "a", "b"]


def test_only_the_collection_asked_for_is_searched(archive):
    archive.add("one", {"v": SMALL})
    archive.add("other", {"v": SMALL}, collection="d")
    assert ids(archive.save(), "d") == ["other"]


def test_a_span_includes_its_start_and_excludes_its_end(archive):
    for day in (1, 2, 3):
        archive.add(f"i{day}", {"v": SMALL}, when=f"2018-06-0{day}T10:00:00")
    root = archive.save()
    span = Span(at("2018-06-01T10:00:00"), at("2018-06-03T10:00:00"))
    assert ids(root, span=span) == ["i1", "i2"]


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        ("2017-01-01", "2017-06-01", True),
        ("2016-01-01", "2017-01-01", False),
        ("2016-01-01", "2017-01-02", True),
        ("2017-12-31", "2019-01-01", True),
        ("2018-01-01", "2019-01-01", False),
        ("2016-01-01", "2019-01-01", True),
    ],
)
def test_a_item_of_a_year_is_found_by_overlap(archive, start, end, found):
    item = archive.add("year", {"v": SMALL})
    item.datetime = None
    item.properties |= {
        "start_datetime": "2017-01-01T00:00:00Z",
        "end_datetime": "2018-01-01T00:00:00Z",
    }
    root = archive.save()
    assert ids(root, span=Span(at(start), at(end))) == (["year"] if found else [])
    assert only_item(root).datetime == at("2017-01-01")


def test_touching_edges_are_no_shared_ground(archive):
    archive.add("west", {"v": SMALL}, footprint=mapping(box(0, 0, 1, 1)))
    archive.add("east", {"v": SMALL}, footprint=mapping(box(1, 0, 2, 1)))
    assert ids(archive.save(), footprint=box(1, 0, 1.5, 1)) == ["east"]


def test_an_item_that_is_linked_twice_is_found_once(archive):
    archive.add("twin", {"v": SMALL})
    root = archive.save()

    def link_again(content):
        content["links"] += [link for link in content["links"] if link["rel"] == "item"]

    edit(root, "c/collection.json", link_again)
    assert ids(root) == ["twin"]


def test_nested_catalogs_are_followed(archive, tmp_path):
    archive.add("deep", {"v": SMALL})
    collection = archive.catalog.get_child("c")
    archive.catalog.remove_child("c")
    middle = pystac.Catalog("middle", "Between root and collection.")
    archive.catalog.add_child(middle)
    middle.add_child(collection)
    assert ids(archive.save()) == ["deep"]


def test_the_root_may_be_a_file_a_folder_or_a_collection(archive):
    archive.add("one", {"v": SMALL})
    root = archive.save()
    for path in (root, str(root), root / "catalog.json", root / "c" / "collection.json"):
        assert ids(path) == ["one"]


def test_hrefs_are_relative_to_the_root_and_properties_are_chosen(archive):
    item = archive.add("one", {"v": SMALL})
    item.properties |= {
        "platform": "sentinel-2a",
        "eo:cloud_cover": 12.5,
        "sat:relative_orbit": 51,
        "created": "2020-01-01T00:00:00Z",
        "updated": "2020-01-01T00:00:00Z",
        "title": "x",
    }
    found = only_item(archive.save())
    assert found.assets["v"].href == "c/one/v.tif"
    assert found.properties == {
        "platform": "sentinel-2a",
        "eo:cloud_cover": 12.5,
        "sat:relative_orbit": 51,
    }


def test_a_moved_archive_yields_the_same_items(archive, tmp_path):
    archive.add("one", {"v": SMALL})
    root = archive.save()
    before = only_item(root).to_json()
    root.rename(tmp_path / "moved")
    assert only_item(tmp_path / "moved").to_json() == before


def test_scale_offset_and_nodata_are_read_from_stac_1_1(archive):
    item = archive.add("one", {"asset": SMALL, "band": SMALL, "inf": SMALL, "none": SMALL})
    facts = {"raster:scale": 0.0001, "raster:offset": -0.1, "nodata": 0, "file:size": 123}
    item.assets["asset"].extra_fields |= facts
    item.assets["band"].extra_fields |= {"bands": [facts], "nodata": 7}
    item.assets["inf"].extra_fields |= {"nodata": "-inf"}
    found = only_item(archive.save()).assets
    assert (found["asset"].scale, found["asset"].offset, found["asset"].nodata) == (1e-4, -0.1, 0)
    assert found["asset"].size_bytes == 123
    assert (found["band"].scale, found["band"].offset, found["band"].nodata) == (1e-4, -0.1, 0)
    assert found["inf"].nodata == -np.inf
    assert (found["none"].scale, found["none"].offset, found["none"].nodata) == (None, None, None)


def test_scale_offset_and_nodata_are_read_from_stac_1_0(archive):
    archive.add("one", {"v": SMALL})
    root = archive.save()

    def as_version_1_0(content):
        content["stac_version"] = "1.0.0"
        content["stac_extensions"] = ["https://stac-extensions.github.io/raster/v1.1.0/schema.json"]
        content["assets"]["v"]["raster:bands"] = [{"scale": 0.5, "offset": 2, "nodata": "nan"}]
        content["assets"]["v"]["eo:bands"] = [{"name": "B02"}]

    edit(root, "c/one/one.json", as_version_1_0)
    asset = only_item(root).assets["v"]
    assert (asset.scale, asset.offset, asset.nodata, asset.band) == (0.5, 2, None, 1)


def test_the_bands_of_a_stack_have_keys_of_their_own(archive):
    item = archive.add("one", {"stack": SMALL, "green": SMALL})
    bands = [{"name": "red", "nodata": 3}, {"name": "green"}, {"name": "blue", "raster:scale": 2}]
    item.assets["stack"].extra_fields["bands"] = bands
    found = only_item(archive.save()).assets
    assert {k: (a.band, a.href.rsplit("/", 1)[1]) for k, a in found.items()} == {
        "stack": (1, "stack.tif"),
        "red": (1, "stack.tif"),
        "green": (1, "green.tif"),
        "blue": (3, "stack.tif"),
    }
    assert (found["red"].nodata, found["blue"].scale) == (3, 2)


def test_a_band_name_in_two_stacks_means_neither(archive):
    item = archive.add("one", {"data": SMALL, "preview": SMALL})
    for key in ("data", "preview"):
        item.assets[key].extra_fields["bands"] = [{"name": "red"}, {"name": "nir"}]
    assert set(only_item(archive.save()).assets) == {"data", "preview"}


def test_assets_that_are_no_rasters_are_left_out(archive):
    item = archive.add("one", {"v": SMALL})
    item.add_asset("thumbnail", pystac.Asset("https://x.org/t.jpg", media_type="image/jpeg"))
    item.add_asset("metadata", pystac.Asset("./m.xml"))
    assert set(only_item(archive.save()).assets) == {"v"}


def test_a_remote_raster_keeps_its_address_without_the_token(archive):
    item = archive.add("one", {"v": SMALL})
    item.add_asset("r", pystac.Asset("https://u:p@x.org/r.tif?sig=secret", media_type="image/tiff"))
    assert only_item(archive.save()).assets["r"].href == "https://x.org/r.tif"


def test_a_file_url_is_a_local_path(archive):
    item = archive.add("one", {"v": SMALL})
    path = archive.root / "c" / "one" / "v.tif"
    root = archive.save()
    edit(root, "c/one/one.json", lambda c: c["assets"]["v"].update(href=path.as_uri()))
    assert only_item(root).assets["v"].href == "c/one/v.tif"
    assert item.id == "one"


def test_an_asset_outside_of_the_archive_is_refused(archive):
    archive.add("one", {"v": SMALL})
    root = archive.save()
    edit(root, "c/one/one.json", lambda c: c["assets"]["v"].update(href="../../../x.tif"))
    error = refused(root)
    assert "outside" in error.found
    assert error.where.endswith("one.json")
    assert "x.tif" in error.found


def test_a_missing_catalog_is_named(tmp_path):
    error = refused(tmp_path / "nowhere")
    assert error.where == str(tmp_path / "nowhere" / "catalog.json")
    assert error.exit_code == 3


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"type": "Feature"}', "\x00"])
@pytest.mark.parametrize("path", ["catalog.json", "c/collection.json", "c/one/one.json"])
def test_a_broken_file_is_named(archive, path, text):
    archive.add("one", {"v": SMALL})
    root = archive.save()
    (root / path).write_text(text)
    error = refused(root)
    assert error.where == str(root / path)
    assert error.fix


def test_a_link_into_the_void_is_named(archive):
    archive.add("one", {"v": SMALL})
    root = archive.save()
    (root / "c/one/one.json").unlink()
    assert refused(root).where == str(root / "c/one/one.json")


def test_a_link_to_another_machine_is_refused_without_a_request(archive):
    archive.add("one", {"v": SMALL})
    root = archive.save()

    def go_remote(content):
        (link,) = (link for link in content["links"] if link["rel"] == "item")
        link["href"] = "https://example.org/one.json?token=secret"

    edit(root, "c/collection.json", go_remote)
    error = refused(root)
    assert error.where == "https://example.org/one.json"
    assert "another machine" in error.found


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda c: c.update(geometry=None), "geometry"),
        (lambda c: c.update(geometry={"type": "Polygon", "coordinates": []}), "empty"),
        (lambda c: c.update(geometry={"type": "Blob"}), "one"),
        (lambda c: c["properties"].update(datetime=None), "datetime"),
        (lambda c: c["properties"].update(datetime="yesterday"), "yest"),
        (lambda c: c["assets"]["v"].update(nodata="none"), "none"),
        (lambda c: c["assets"]["v"].pop("href"), "href"),
    ],
)
def test_an_item_without_place_time_or_sense_is_named(archive, change, part):
    archive.add("one", {"v": SMALL})
    root = archive.save()
    edit(root, "c/one/one.json", change)
    error = refused(root)
    assert error.where == str(root / "c/one/one.json")
    assert part in str(error)


def test_an_unknown_collection_lists_what_there_is(archive):
    archive.add("one", {"v": SMALL}, collection="sentinel-2-l2a")
    archive.add("two", {"v": SMALL}, collection="dem")
    error = refused(archive.save(), "sentinel-2-l2")
    assert "dem, sentinel-2-l2a" in error.because
    assert error.fix == 'Did you mean "sentinel-2-l2a"?'


def test_a_pickle_carries_no_items(archive):
    archive.add("one", {"v": SMALL})
    provider = ArchiveProvider(archive.save())
    size = len(pickle.dumps(provider))
    provider.search(Query("c", EARTH, None))
    assert len(pickle.dumps(provider)) == size


def test_an_offset_that_was_applied_already_is_not_applied_again(archive):
    archive.add("one", {"v": SMALL})
    root = archive.save()

    def state(applied):
        def change(content):
            content["properties"]["earthsearch:boa_offset_applied"] = applied
            content["assets"]["v"] |= {"raster:scale": 0.0001, "raster:offset": -0.1}

        return change

    edit(root, "c/one/one.json", state(True))
    assert only_item(root).assets["v"].offset == 0.0
    edit(root, "c/one/one.json", state(False))
    assert only_item(root).assets["v"].offset == -0.1


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["properties"].update({"view:sun_azimuth": float("nan")}),
        lambda c: c["properties"].update({"eo:cloud_cover": "n/a"}),
        lambda c: c["assets"]["v"].update({"raster:scale": float("nan")}),
    ],
)
def test_numbers_that_are_none_are_refused_with_the_file(archive, change):
    archive.add("one", {"v": SMALL})
    root = archive.save()
    edit(root, "c/one/one.json", change)
    error = refused(root)
    assert "one.json" in error.where
    # Where orjson is installed pystac reads with it, and NaN is no JSON at all.
    assert "broken" in error.found or "no valid STAC" in error.found


def test_two_items_of_one_id_are_refused(archive):
    archive.add("one", {"v": SMALL})
    archive.add("two", {"v": SMALL}, when="2018-07-01")
    root = archive.save()
    edit(root, "c/two/two.json", lambda c: c.update({"id": "one"}))
    assert "two different items have the id one" in refused(root).found


def test_only_items_whose_properties_match_are_found(archive):
    for item_id, platform, cloud in (("a", "S2A", 10), ("b", "S2B", 10), ("c", "s2a", 90)):
        archive.add(item_id, {"v": SMALL}).properties |= {
            "platform": platform,
            "eo:cloud_cover": cloud,
        }
    archive.add("silent", {"v": SMALL})
    provider = ArchiveProvider(archive.save())

    def found(**where):
        return [i.id for i in provider.search(Query("c", EARTH, None, Where.parse(where)))]

    assert found() == ["a", "b", "c", "silent"]
    assert found(platform="s2A") == ["a", "c"]
    assert found(platform="S2A", **{"eo:cloud_cover": {"max": 10}}) == ["a"]
    assert found(platform="S2C") == []


def test_catalogs_that_link_in_a_circle_then_each_is_read_once(archive):
    archive.add("one", {"v": SMALL})
    root = archive.save()
    (collection,) = [path.relative_to(root) for path in root.rglob("collection.json")]
    edit(root, collection, lambda c: c["links"].append({"rel": "child", "href": "../catalog.json"}))
    assert ids(root) == ["one"]
