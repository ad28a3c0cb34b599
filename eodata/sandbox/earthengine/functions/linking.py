"""`linkCollection`: bands and properties of the image of another collection that matches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.functions.collections import first, gathered
from eodata.sandbox.earthengine.functions.filters import read
from eodata.sandbox.earthengine.functions.images import add_bands, select
from eodata.sandbox.earthengine.functions.joins import by_index
from eodata.sandbox.earthengine.registry import State, function
from eodata.sandbox.earthengine.values import (
    INDEX,
    Band,
    Canvas,
    Collection,
    Element,
    Image,
    Pixels,
    Source,
    with_properties,
)


@function("Image.linkCollection")
def link(
    state: State,
    input_: Image,
    image_collection: Collection,
    linked_bands: Any = None,
    linked_properties: Any = None,
    match_property_name: str = INDEX,
) -> Image:
    """Return an image with bands and properties of the one that matches, masked where none does."""
    names, properties = _names(linked_bands), _names(linked_properties)
    if not names and not properties:
        raise ExpressionError("Image.linkCollection: neither bands nor properties are named.")
    found = next(_matching(state, input_, image_collection, match_property_name), None)
    if not isinstance(found, Image):
        like = first(image_collection)
        if not isinstance(like, Image):
            raise ExpressionError("Image.linkCollection: the collection is empty.")
        linked = _masked(select(like, list(names)))
        return add_bands(input_, linked, overwrite=True) if names else input_
    linked = select(found, list(names))
    made = add_bands(input_, linked, overwrite=True) if names else input_
    return with_properties(made, {name: read(found, name) for name in properties})  # type: ignore[no-any-return]


def _matching(state: State, image: Image, collection: Collection, name: str) -> Iterator[Element]:
    if name == INDEX and collection.query is not None:
        return by_index(state, collection.query, name)(image)
    value = read(image, name)
    return (
        e for e in gathered(collection.elements) if value is not None and read(e, name) == value
    )


def _names(told: Any) -> list[str]:
    if told is None:
        return []
    return [told] if isinstance(told, str) else [str(name) for name in told]


def _masked(image: Image) -> Image:
    return replace(image, bands=tuple(Band(b.name, _nothing(b.source)) for b in image.bands))


def _nothing(source: Source) -> Source:
    def make(canvas: Canvas) -> Pixels:
        shape = canvas.grid.height, canvas.grid.width
        return Pixels(np.zeros(shape, source.kind.dtype), np.zeros(shape, bool))

    return replace(source, make=make, leaf=None)
