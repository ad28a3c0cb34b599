"""The forms in which archives show their items, one module for each.

shape               what a form is
sentinel2           what all of them need of Sentinel-2
described           collections in any of these forms
sandbox             plain STAC 1.1
earth_search        Earth Search v1
planetary_computer  Planetary Computer, with signed URLs
cdse                Copernicus Data Space Ecosystem
"""

from __future__ import annotations

from collections.abc import Mapping

from eodata.core.errors import RecipeError, nearest
from eodata.sandbox.items import Collection
from eodata.sandbox.serve.flavours.cdse import CDSE
from eodata.sandbox.serve.flavours.earth_search import EARTH_SEARCH
from eodata.sandbox.serve.flavours.planetary_computer import PLANETARY_COMPUTER
from eodata.sandbox.serve.flavours.sandbox import SANDBOX
from eodata.sandbox.serve.flavours.shape import Flavour, Offer

FLAVOURS = {f.name: f for f in (SANDBOX, EARTH_SEARCH, PLANETARY_COMPUTER, CDSE)}


def flavour(name: str) -> Flavour:
    """Return a flavour by name.

    Raises:
        RecipeError: There is no such flavour.
    """
    if name not in FLAVOURS:
        raise RecipeError(
            "flavour", f'"{name}"', "no archive of that name is imitated.", nearest(name, FLAVOURS)
        )
    return FLAVOURS[name]


def offers(chosen: Flavour, collections: Mapping[str, Collection]) -> dict[str, Offer]:
    """Return what a flavour offers of the collections that there are, by its own ids."""
    return {
        name: Offer(name, shape, collections[shape.source], chosen.stac_version)
        for name, shape in chosen.shapes.items()
        if shape.source in collections
    }
