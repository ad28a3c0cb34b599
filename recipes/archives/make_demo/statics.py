"""Make the items that stand for the whole year: elevation and labels."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from grid import TILE, item_fields
from items import CLASSIFICATION, GRID, PROJECTION, Item, Json, asset, iso
from legends import CT_CLASSES, LC_CLASSES, classes
from rasters import Pixels
from source import START, open_source, read_elevation

YEAR_END = "2018-12-31T23:59:59Z"


def static_properties(gsd: int) -> Json:
    """Gather the properties of an item that stands for the whole year."""
    return {
        "datetime": None,
        "start_datetime": iso(START),
        "end_datetime": YEAR_END,
        **item_fields(gsd),
        "eodata:inferred": ["start_datetime", "end_datetime"],
    }


def dem_items(source: Path) -> Iterator[Item]:
    """Make the one item of the elevation model."""
    pixels = read_elevation(source)
    note = "The origin does not state which elevation model this is."
    yield Item(
        id=f"worldcereal_dem_{TILE}",
        properties=static_properties(20) | {"eodata:note": note},
        extensions=[GRID, PROJECTION],
        assets={"dem": asset("dem", pixels, "Elevation", band="elevation", unit="m")},
        rasters={"dem": pixels},
    )


def label_asset(key: str, pixels: Pixels, title: str, known: Sequence[Sequence[Any]]) -> Json:
    """Describe one layer of labels with its legend.

    Raises:
        ValueError: If a pixel has a code that the legend lacks.
    """
    if not set(np.unique(pixels)) <= {row[0] for row in known}:
        raise ValueError(f"{key} has a code without a class")
    legend: Json = {"classification:classes": classes(known)}
    return asset(key, pixels, title, "labels", band=key, **legend)


def label_items(source: Path) -> Iterator[Item]:
    """Make the one item of the land-cover and crop-type labels."""
    dataset = open_source(source, "OUTPUT_POLY-110_10m_*.nc")
    land, crop = dataset["LC"][:].astype("uint8"), dataset["CT"][:]
    if not np.array_equal(land, dataset["LC"][:]):
        raise ValueError("the land-cover codes do not fit eight bits")
    yield Item(
        id=f"worldcereal_labels_{TILE}_2018",
        properties=static_properties(10),
        extensions=[CLASSIFICATION, GRID, PROJECTION],
        assets={
            "lc": label_asset("lc", land, "Land cover", LC_CLASSES),
            "ct": label_asset("ct", crop, "Crop type", CT_CLASSES),
        },
        rasters={"lc": land, "ct": crop},
    )
