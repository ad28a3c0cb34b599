"""Collections as the API shows them, described from one of their own items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shapely.geometry import box

from eodata.sandbox.items import SandboxItem
from eodata.sandbox.serve.flavours.shape import JSON, Offer
from eodata.sandbox.serve.stac_item import (
    NOT_REAL,
    SYNTHETIC,
    WHOLE_EARTH,
    Places,
    extension,
    timestamp,
)

QUERYABLES = "http://www.opengis.net/def/rel/ogc/1.0/queryables"
LICENCE = "Apache-2.0"
SOMEWHERE = (box(4.3, 50.7, 4.4, 50.8), WHOLE_EARTH)
"""Ground on which an example is looked for: first where there is all of it, then everywhere."""
_OF_ONE_ITEM = ("href", "alternate", "proj:bbox", "proj:shape", "proj:transform", "proj:code")
_SUMMARISED = ("constellation", "instruments", "gsd")


def example(offer: Offer) -> SandboxItem | None:
    """Return one of a collection's items, None when it has none."""
    for ground in SOMEWHERE:
        item = next(offer.source.find(ground, None, newest_first=True), None)
        if item is not None:
            return item
    return None


def describe(offer: Offer, places: Places) -> JSON:
    """Return a collection as STAC writes it."""
    source, span, item = offer.source, offer.source.span, example(offer)
    home = places.collection(offer.id)
    in_core = offer.stac_version != "1.0.0"
    told = "simulated" in source.title.lower()
    return {
        "type": "Collection",
        "stac_version": offer.stac_version,
        "stac_extensions": [] if in_core else list(extension("item-assets/v1.0.0")),
        "id": offer.id,
        "title": source.title if told else f"{source.title} (simulated)",
        "description": f"{NOT_REAL}. {source.description}",
        "keywords": ["simulated", "synthetic", "sandbox"],
        "license": LICENCE,
        "providers": [
            {"name": "eodata sandbox", "roles": ["producer", "host"], "description": NOT_REAL}
        ],
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [[timestamp(span.start), timestamp(span.end)]]},
        },
        "summaries": {} if item is None else _summaries(offer, item),
        "item_assets": {} if item is None else _item_assets(offer, item, places),
        SYNTHETIC: True,
        **offer.shape.about,
        "links": [
            {"rel": "self", "type": "application/json", "href": home},
            {"rel": "parent", "type": "application/json", "href": places.api},
            {"rel": "root", "type": "application/json", "href": places.api},
            {"rel": "items", "type": "application/geo+json", "href": f"{home}/items"},
            {"rel": QUERYABLES, "type": "application/schema+json", "href": f"{home}/queryables"},
        ],
    }


def _summaries(offer: Offer, item: SandboxItem) -> JSON:
    """Return what holds for an example and is worth telling; lists, as summaries are."""
    properties = offer.shape.properties(item)
    found = {key: properties[key] for key in _SUMMARISED if properties.get(key) is not None}
    return {k: v if isinstance(v, list) else [v] for k, v in found.items()}


def _item_assets(offer: Offer, item: SandboxItem, places: Places) -> JSON:
    assets = offer.shape.assets(item, places)
    return {
        key: {name: value for name, value in asset.items() if name not in _OF_ONE_ITEM}
        for key, asset in assets.items()
    }


def queryables(offer: Offer | None, offers: Mapping[str, Offer], url: str) -> JSON:
    """Return the properties by which items can be searched, as a JSON schema.

    Args:
        offer: One collection, or None for what any of them has.
        offers: All collections.
        url: Of the answer.
    """
    found: JSON = {}
    for one in [offer] if offer else offers.values():
        item = example(one)
        found |= {} if item is None else one.outline_of(item)["properties"]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": url,
        "type": "object",
        "title": "Queryables",
        "description": NOT_REAL,
        "properties": {
            "id": {"type": "string"},
            "collection": {"type": "string"},
            "geometry": {"$ref": "https://geojson.org/schema/Geometry.json"},
            "datetime": {"type": "string", "format": "date-time"},
            **{k: v for k, v in ((k, _kind(v)) for k, v in found.items()) if v},
        },
        "additionalProperties": True,
    }


def _kind(value: Any) -> JSON:
    """Return the JSON schema of a property's example, empty for what cannot be compared."""
    kinds = {bool: "boolean", int: "number", float: "number", str: "string"}
    return {"type": kinds[type(value)]} if type(value) in kinds else {}
