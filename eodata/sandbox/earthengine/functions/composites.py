"""Many images become one: mosaics and reductions, band by band.

All images of a collection must have the same bands, in any order; those of the first name them.
Composites have no metadata, no end and no grid of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions import stacks
from eodata.sandbox.earthengine.functions.collections import gathered
from eodata.sandbox.earthengine.functions.images import unique
from eodata.sandbox.earthengine.functions.reducers import (
    SIMPLE,
    OfStack,
    Reducer,
    all_of,
    any_of,
)
from eodata.sandbox.earthengine.functions.stacks import Array
from eodata.sandbox.earthengine.pixeltype import union
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import (
    INDEX,
    Band,
    Canvas,
    Collection,
    Image,
    Pixels,
    Source,
    Valid,
)

MOST_STACKED = 1_000_000_000
"""Pixels of all images of one band at once."""
REDUCED_AT_ONCE = 1 << 23
REDUCED = ("median", "mean", "min", "max", "count", "sum", "product", "mode")


def _images(collection: Collection, who: str) -> list[Image]:
    found = []
    for element in gathered(collection.elements):
        if not isinstance(element, Image):
            raise ExpressionError(f"{who}: the collection holds something that is no image.")
        found.append(element)
    return found


def _by_band(images: Sequence[Image], who: str) -> list[tuple[str, list[Source]]]:
    """Return the sources of each band, in the order of the images."""
    if not images:
        return []
    names = images[0].names
    tables = [{band.name: band.source for band in image.bands} for image in images]
    for table in tables:
        if set(table) != set(names):
            raise ExpressionError(
                f"{who}: Expected a homogeneous image collection, but an image with incompatible "
                f"bands was encountered: {sorted(table)} instead of {sorted(names)}."
            )
    return [(name, [table[name] for table in tables]) for name in names]


def _reduced(sources: list[Source], reducer: Reducer, who: str) -> Source:
    reduce = reducer.of_stack
    if reduce is None or reducer.repeats:
        raise UnsupportedError(who, f"of pixels with Reducer.{reducer.name}")
    kinds = [source.kind for source in sources]
    dtype = union(kinds).dtype

    def make(canvas: Canvas) -> Pixels:
        shape = len(sources), canvas.grid.height, canvas.grid.width
        if math.prod(shape) > MOST_STACKED:
            raise ExpressionError(f"{who}: User memory limit exceeded.")
        values, valid = np.empty(shape, dtype), np.empty(shape, bool)
        for k, source in enumerate(sources):
            values[k], valid[k] = canvas.pixels(source)
        return _by_rows(reduce, values, valid)

    return Source(reducer.widen(kinds), make)


def _by_rows(reduce: OfStack, values: Array, valid: Valid) -> Pixels:
    """Reduce a stack some rows at a time: reductions copy what they are given several times."""
    count, height, width = values.shape
    step = max(REDUCED_AT_ONCE // max(count * width, 1), 1)
    starts = range(0, max(height, 1), step)
    parts = [reduce(values[:, k : k + step], valid[:, k : k + step]) for k in starts]
    made, shown = (np.concatenate(side) for side in zip(*parts, strict=True))
    return Pixels(made, shown)


def _composite(collection: Collection, reducer: Reducer, who: str, suffix: str = "") -> Image:
    bands = _by_band(_images(collection, who), who)
    return Image(tuple(Band(n + suffix, _reduced(sources, reducer, who)) for n, sources in bands))


@function("ImageCollection.mosaic")
def mosaic(collection: Collection) -> Image:
    """Return the last image on top, the ones before where it is masked."""
    top = Reducer("last", lambda values: values, stacks.last_valid)
    return _composite(collection, top, "ImageCollection.mosaic")


@function("ImageCollection.reduce")
def reduce_images(collection: Collection, reducer: Reducer, parallel_scale: float = 1.0) -> Image:
    """Return what a reducer makes of each band, named `band_output`."""
    del parallel_scale
    return _composite(collection, reducer, "ImageCollection.reduce", f"_{reducer.name}")


@function("Image.reduce")
def reduce_bands(image: Image, reducer: Reducer) -> Image:
    """Return what a reducer makes of all bands together, named as its output."""
    if not image.bands:
        raise ExpressionError("Image.reduce: the image has no bands.")
    reduced = _reduced([band.source for band in image.bands], reducer, "Image.reduce")
    first = image.bands[0].source
    source = replace(reduced, projection=first.projection, shape=first.shape)
    return replace(image, bands=(Band(reducer.name, source),))


@function("ImageCollection.qualityMosaic")
def quality_mosaic(collection: Collection, quality_band: str) -> Image:
    """Return all bands of the image in which a band is largest, the last of equal ones."""
    who = "ImageCollection.qualityMosaic"
    bands = _by_band(_images(collection, who), who)
    qualities = dict(bands).get(quality_band)
    if bands and qualities is None:
        raise ExpressionError(f"{who}: there is no band {quality_band!r}.")
    return Image(tuple(Band(n, _chosen(sources, qualities or [])) for n, sources in bands))


@function("ImageCollection.toBands")
def to_bands(collection: Collection) -> Image:
    """Return the bands of all images as `index_band`."""
    images = _images(collection, "ImageCollection.toBands")
    return Image(
        unique(
            [
                Band(f"{image.properties.get(INDEX, number)}_{band.name}", band.source)
                for number, image in enumerate(images)
                for band in image.bands
            ]
        )
    )


def _chosen(sources: list[Source], qualities: list[Source]) -> Source:
    def make(canvas: Canvas) -> Pixels:
        shape = canvas.grid.height, canvas.grid.width
        best, chosen = np.full(shape, -np.inf), np.zeros(shape, kind.dtype)
        valid = np.zeros(shape, bool)
        for source, quality in zip(sources, qualities, strict=True):
            rated, own = canvas.pixels(quality), canvas.pixels(source)
            better = rated.valid & (rated.values >= best)
            best = np.where(better, rated.values, best)
            chosen = np.where(better, own.values, chosen)
            valid = np.where(better, own.valid, valid)
        return Pixels(chosen, valid)

    kind = union([source.kind for source in sources])
    return Source(kind, make)


def _register(name: str, reducer: Reducer) -> None:
    @function(f"reduce.{name}")
    def apply(collection: Collection) -> Image:
        return _composite(collection, reducer, f"reduce.{name}")


for _name in REDUCED:
    _register(_name, SIMPLE[_name])
_register("or", any_of())
_register("and", all_of())
