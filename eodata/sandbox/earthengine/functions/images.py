"""Images of the catalogue and constants; their bands, chosen, named and put together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from eodata.sandbox.earthengine.expression_errors import ExpressionError, UnsupportedError
from eodata.sandbox.earthengine.functions.convert import constant, to_float, to_image
from eodata.sandbox.earthengine.ground import plain
from eodata.sandbox.earthengine.images import CatalogueImage, Leaf, code_of
from eodata.sandbox.earthengine.patterns import pattern
from eodata.sandbox.earthengine.pixeltype import DOUBLE, of_dtype
from eodata.sandbox.earthengine.registry import State, function
from eodata.sandbox.earthengine.values import (
    START,
    Band,
    Canvas,
    Date,
    Feature,
    Image,
    Pixels,
    Projection,
    Source,
)

MOST_BANDS = 5000


def of_catalogue(record: CatalogueImage) -> Image:
    """Return an image of the catalogue."""
    bands = tuple(Band(name, of_leaf(leaf)) for name, leaf in record.bands.items())
    return Image(bands, record.properties, record.id, plain(record.footprint))


def of_leaf(leaf: Leaf, method: str = "nearest") -> Source:
    """Return a band of the catalogue, looked up by a method."""

    def make(canvas: Canvas) -> Pixels:
        return canvas.sampled(leaf, method)

    grid = leaf.grid
    affine = grid.affine
    terms = (affine.a, affine.b, affine.c, affine.d, affine.e, affine.f)
    shape = int(grid.shape[0]), int(grid.shape[1])
    return Source(of_dtype(leaf.dtype), make, Projection(code_of(grid), terms), leaf, shape)


@function("Image.load")
def load(state: State, id_: str, version: int = -1) -> Image:
    """Return an image by its asset id."""
    if version != -1:
        raise UnsupportedError("Image.load", "version")
    try:
        return of_catalogue(state.catalogue.image(id_))
    except LookupError:
        raise ExpressionError(
            f"Image.load: Image asset '{id_}' not found "
            "(does not exist or caller does not have access)."
        ) from None


@function("Image.constant")
def constants(value: Any) -> Image:
    """Return an image that is the same everywhere; a list gives a band for each number."""
    if not isinstance(value, list):
        return Image((constant(_number(value)),))
    names = ["constant", *(f"constant_{k}" for k in range(1, len(value)))]
    return Image(tuple(constant(_number(v), n) for v, n in zip(value, names, strict=False)))


@function("Image.select")
def select(input_: Image, band_selectors: list[Any], new_names: list[str] | None = None) -> Image:
    """Return some bands by name, number or regular expression."""
    found = [band for selector in band_selectors for band in _selected(input_, selector)]
    if new_names is not None:
        found = _named(found, new_names, "Image.select")
    return replace(input_, bands=unique(found))


@function("Image.rename")
def rename(input_: Image, names: list[str]) -> Image:
    """Return the image with other names of bands."""
    return replace(input_, bands=unique(_named(input_.bands, names, "Image.rename")))


@function("Image.slice")
def part(image: Image, start: int, end: int | None = None) -> Image:
    """Return bands by number; negative ones count from the end."""
    return replace(image, bands=image.bands[start:end])


@function("Image.addBands")
def add_bands(
    dst_img: Image, src_img: Image, names: list[str] | None = None, overwrite: bool = False
) -> Image:
    """Return the first image with bands of the second."""
    added = [b for name in names for b in _selected(src_img, name)] if names else src_img.bands
    bands = list(dst_img.bands)
    for band in added:
        at = [k for k, known in enumerate(bands) if known.name == band.name]
        if overwrite and at:
            bands[at[0]] = band
        else:
            bands.append(band)
    return replace(dst_img, bands=unique(bands))


@function("Image.cat")
def cat(images: list[Any]) -> Image:
    """Return all bands of some images, with the metadata of the first."""
    several = [to_image(image) for image in images]
    if not several:
        return Image(())
    return replace(several[0], bands=unique([b for image in several for b in image.bands]))


@function("Image.bandNames")
def band_names(image: Image) -> list[str]:
    """Return the names of the bands."""
    return image.names


@function("Image.bandTypes")
def band_types(image: Image) -> dict[str, Any]:
    """Return the types of the bands by name."""
    return {band.name: band.source.kind for band in image.bands}


@function("Image.metadata")
def metadata(image: Image, property_: str, name: str | None = None) -> Image:
    """Return a number of the metadata as an image of type double."""
    value = image.properties.get(property_)
    number = float(to_float(value.millis if isinstance(value, Date) else value))

    def make(canvas: Canvas) -> Pixels:
        shape = canvas.grid.height, canvas.grid.width
        return Pixels(np.full(shape, number), np.ones(shape, bool))

    return Image((Band(name or property_, Source(DOUBLE, make)),))


@function("Image.date")
def date(image: Image) -> Date:
    """Return when the image begins."""
    start = image.properties.get(START)
    if start is None:
        raise ExpressionError("Image.date: the image has no system:time_start.")
    return Date(int(start))


@function("Image.id", "Feature.id")
def identity(element: Image | Feature) -> str | None:
    """Return the last part of the id, as the index of the element."""
    return element.properties.get("system:index") or element.id


def unique(bands: Sequence[Band]) -> tuple[Band, ...]:
    """Return bands, those with a name that was there before followed by a number."""
    if len(bands) > MOST_BANDS:
        raise ExpressionError(f"An image may have at most {MOST_BANDS} bands.")
    taken: set[str] = set()
    found = []
    for band in bands:
        name, k = band.name, 0
        while name in taken:
            k += 1
            name = f"{band.name}_{k}"
        taken.add(name)
        found.append(Band(name, band.source))
    return tuple(found)


def _selected(image: Image, selector: Any) -> list[Band]:
    """Return the bands that a selector means."""
    if isinstance(selector, str):
        exact = [band for band in image.bands if band.name == selector]
        found = exact or _matching(image, selector)
        if not found:
            raise ExpressionError(
                f"Image.select: Band pattern '{selector}' did not match any bands. "
                f"Available bands: [{', '.join(image.names)}]"
            )
        return found
    number = int(to_float(selector))
    if not -len(image.bands) <= number < len(image.bands):
        raise ExpressionError(f"Image.select: there is no band {number}.")
    return [image.bands[number]]


def _matching(image: Image, selector: str) -> list[Band]:
    if re.fullmatch(r"\w+", selector):  # nothing but a name
        return []
    compiled = pattern(selector, "Image.select")
    return [band for band in image.bands if compiled.fullmatch(band.name)]


def _named(bands: Sequence[Band], names: Sequence[str], who: str) -> list[Band]:
    if len(bands) != len(names):
        raise ExpressionError(f"{who}: {len(names)} names for {len(bands)} bands.")
    return [Band(name, band.source) for name, band in zip(names, bands, strict=True)]


def _number(value: Any) -> float:
    if isinstance(value, list | dict | str):
        raise UnsupportedError("Image.constant", "values that are no numbers")
    return to_float(value)
