"""Write items, collections and the catalog as STAC, the same way every time."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grid import CRS, footprint
from items import CLASSIFICATION, GRID, VIEW, Item, Json
from legends import SCL_CLASSES, classes
from rasters import write_geotiff

STAC_VERSION = "1.1.0"
SUMMARISED = ("platform", "sat:orbit_state", "sat:relative_orbit", "eodata:radiometry")
CLOUD = "eo:cloud_cover"


@dataclass(frozen=True)
class Collection:
    """What a collection says of itself, and how its items are read.

    Attributes:
        id: The collection's id, which names its folder too.
        title: A short title.
        description: What it holds.
        providers: Who made the data.
        read: Reads the items from the source folder.
    """

    id: str
    title: str
    description: str
    providers: Sequence[Json]
    read: Callable[[Path], Iterator[Item]]


def link(rel: str, href: str, media_type: str = "application/json", **fields: str) -> Json:
    """Make a link."""
    return {"rel": rel, "href": href, "type": media_type, **fields}


def head(kind: str, name: str, extensions: Sequence[str] | None = None) -> Json:
    """Begin a STAC object; a catalog names no extensions at all."""
    used = {} if extensions is None else {"stac_extensions": list(extensions)}
    return {"type": kind, "stac_version": STAC_VERSION, **used, "id": name}


def write_json(path: Path, content: Json) -> None:
    """Write JSON the same way every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def write_item(folder: Path, collection: str, item: Item) -> None:
    """Write an item and its rasters into a folder of the item's own."""
    geometry, bbox = footprint()
    content = {
        **head("Feature", item.id, item.extensions),
        "geometry": geometry,
        "bbox": bbox,
        "properties": item.properties,
        "links": [
            link("root", "../../catalog.json"),
            link("parent", "../collection.json"),
            link("collection", "../collection.json"),
        ],
        "assets": item.assets,
        "collection": collection,
    }
    write_json(folder / item.id / f"{item.id}.json", content)
    for key, pixels in item.rasters.items():
        write_geotiff(folder / item.id / f"{key}.tif", pixels)


def values_of(items: Sequence[Item], name: str) -> list[Any]:
    """List a property's values, of the items that have it."""
    return [item.properties[name] for item in items if name in item.properties]


def summaries(items: Sequence[Item]) -> Json:
    """Summarise the properties of a collection's items."""
    found: Json = {"proj:code": [CRS]}
    for name in SUMMARISED:
        if values := values_of(items, name):
            found[name] = sorted(set(values))
    if clouds := values_of(items, CLOUD):
        found[CLOUD] = {"minimum": min(clouds), "maximum": max(clouds)}
    return found


def item_assets(item: Item) -> Json:
    """Describe the assets that every item of a collection has, with the SCL's legend."""
    described = {
        key: {name: value for name, value in content.items() if name != "href"}
        for key, content in item.assets.items()
    }
    if "SCL" in described:
        described["SCL"]["classification:classes"] = classes(SCL_CLASSES)
    return described


def interval(items: Sequence[Item]) -> list[str]:
    """Tell the first and last time of a collection's items."""

    def times(edge: str) -> list[str]:
        return [item.properties["datetime"] or item.properties[edge] for item in items]

    return [min(times("start_datetime")), max(times("end_datetime"))]


def collection_extensions(item: Item) -> list[str]:
    """Name the extensions whose fields the collection of an item itself carries."""
    used = set(item.extensions) - {GRID, VIEW}
    if "SCL" in item.assets:
        used.add(CLASSIFICATION)
    return sorted(used)


def collection_content(collection: Collection, items: Sequence[Item]) -> Json:
    """Describe a collection of at least one item."""
    return {
        **head("Collection", collection.id, collection_extensions(items[0])),
        "title": collection.title,
        "description": collection.description,
        "license": "other",
        "providers": list(collection.providers),
        "extent": {
            "spatial": {"bbox": [footprint()[1]]},
            "temporal": {"interval": [interval(items)]},
        },
        "summaries": summaries(items),
        "item_assets": item_assets(items[0]),
        "links": [
            link("root", "../catalog.json"),
            link("parent", "../catalog.json"),
            link("license", "../LICENCE.md", "text/markdown"),
            *(link("item", f"./{item.id}/{item.id}.json") for item in items),
        ],
    }


def write_collection(root: Path, collection: Collection, items: Sequence[Item]) -> None:
    """Write a collection and all its items, in place of what was there."""
    folder = root / collection.id
    shutil.rmtree(folder, ignore_errors=True)
    write_json(folder / "collection.json", collection_content(collection, items))
    for item in items:
        write_item(folder, collection.id, item)


def write_catalog(root: Path, collections: Sequence[Collection]) -> None:
    """Write the catalog over the collections."""
    content = {
        **head("Catalog", "eodata-demo"),
        "title": "eodata demo archive",
        "description": "A real year of a 640 m patch in Flanders (tile 31UDS, 2018): Sentinel-2,"
        " Sentinel-1, elevation, and land cover. Contains modified Copernicus Sentinel data 2018.",
        "links": [
            link("root", "./catalog.json"),
            link("license", "./LICENCE.md", "text/markdown"),
            *(link("child", f"./{c.id}/collection.json", title=c.title) for c in collections),
        ],
    }
    write_json(root / "catalog.json", content)
