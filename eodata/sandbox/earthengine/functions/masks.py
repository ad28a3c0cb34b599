"""Masks: taken, set, narrowed, filled; pixels replaced where another image says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.functions.bandwise import spread
from eodata.sandbox.earthengine.functions.convert import constant, to_float
from eodata.sandbox.earthengine.functions.images import select
from eodata.sandbox.earthengine.ground import plain
from eodata.sandbox.earthengine.pixeltype import FLOAT, of_number, union
from eodata.sandbox.earthengine.registry import function
from eodata.sandbox.earthengine.values import Band, Canvas, Geometry, Image, Pixels, Source, Valid

Narrow = Callable[[Pixels, Pixels], Pixels]


@function("Image.mask")
def mask(image: Image, mask: Image | None = None) -> Image:
    """Return the mask as an image of 0 and 1, or the image with another mask."""
    if mask is None:
        bands = [Band(band.name, _mask_of(band.source)) for band in image.bands]
        return replace(image, bands=tuple(bands))
    return _with(image, mask, "Image.mask", lambda a, m: Pixels(a.values, _set(m)))


@function("Image.updateMask")
def update_mask(image: Image, mask: Image) -> Image:
    """Return the image masked where it was or where the mask is zero or masked itself."""
    return _with(image, mask, "Image.updateMask", lambda a, m: Pixels(a.values, a.valid & _set(m)))


@function("Image.selfMask")
def self_mask(image: Image) -> Image:
    """Return the image masked where it is zero."""
    return _with(image, image, "Image.selfMask", lambda a, m: Pixels(a.values, a.valid & _set(m)))


@function("Image.unmask")
def unmask(input_: Image, value: Image | None = None, same_footprint: bool = True) -> Image:
    """Return the image with another's values and mask where it is masked.

    With `sameFootprint`, only where the footprint of the image is.
    """
    filling = Image((constant(0),)) if value is None else value
    ground = input_.ground if same_footprint else None
    pairs = zip(input_.bands, spread(input_.bands, filling, "Image.unmask"), strict=True)
    bands = tuple(Band(band.name, _filled(band.source, other, ground)) for band, other in pairs)
    return replace(input_, bands=bands, ground=ground)


@function("Image.where")
def where(input_: Image, test: Image, value: Image) -> Image:
    """Return the image with another's values where a test is not zero.

    Where the test or the value is masked nothing changes; what was masked stays so.
    """
    tests = spread(input_.bands, test, "Image.where")
    values = spread(input_.bands, value, "Image.where")
    bands = [
        Band(band.name, _replaced(band.source, one, other))
        for band, one, other in zip(input_.bands, tests, values, strict=True)
    ]
    return replace(input_, bands=tuple(bands))


@function("Image.clip")
def clip(input_: Image, geometry: Geometry) -> Image:
    """Return the image masked where pixel centres lie outside of a geometry."""
    bands = tuple(Band(band.name, _cut(band.source, geometry)) for band in input_.bands)
    shared = input_.ground and plain(input_.ground.shape.intersection(geometry.shape))
    return replace(input_, bands=bands, ground=shared or geometry)


@function("Image.remap")
def remap(
    image: Image,
    from_: list[Any],
    to: list[Any],
    default_value: Any = None,
    band_name: str | None = None,
) -> Image:
    """Return one band as `remapped`, in which some values have become others.

    Other values become the default, or masked without one.
    """
    if len(from_) != len(to):
        raise ExpressionError("Image.remap: the lists differ in length.")
    chosen = image if band_name is None else select(image, [band_name])
    if not chosen.bands:
        raise ExpressionError("Image.remap: the image has no bands.")
    old, new = ([float(to_float(value)) for value in values] for values in (from_, to))
    other = None if default_value is None else to_float(default_value)
    source = _remapped(chosen.bands[0].source, dict(zip(old, new, strict=True)), other)
    return replace(image, bands=(Band("remapped", source),))


def _remapped(source: Source, table: dict[float, float], other: float | None) -> Source:
    def make(canvas: Canvas) -> Pixels:
        values, valid = canvas.pixels(source)
        found = np.searchsorted(old, values).clip(0, len(old) - 1)
        known = old[found] == values
        made = np.where(known, new[found], 0.0 if other is None else other)
        return Pixels(made, valid & (known if other is None else True))

    if not table:
        raise ExpressionError("Image.remap: the lists are empty.")
    old = np.array(sorted(table))
    new = np.array([table[value] for value in sorted(table)])
    results = [*table.values(), *([] if other is None else [other])]
    kind = union([of_number(value) for value in results])
    return replace(source, kind=kind, make=make, leaf=None)


def _with(image: Image, other: Image, who: str, narrow: Narrow) -> Image:
    masks = spread(image.bands, other, who)
    pairs = zip(image.bands, masks, strict=True)
    bands = tuple(Band(band.name, _narrowed(band.source, one, narrow)) for band, one in pairs)
    return replace(image, bands=bands)


def _narrowed(source: Source, other: Source, narrow: Narrow) -> Source:
    def make(canvas: Canvas) -> Pixels:
        return narrow(canvas.pixels(source), canvas.pixels(other))

    return replace(source, make=make, leaf=None)


def _set(pixels: Pixels) -> Valid:
    """Return where a mask lets pixels through: it is above zero and not masked itself."""
    return np.asarray(pixels.valid & np.greater(pixels.values, 0))


def _mask_of(source: Source) -> Source:
    def make(canvas: Canvas) -> Pixels:
        valid = canvas.pixels(source).valid
        return Pixels(valid.astype(np.float32), np.ones_like(valid))

    return replace(source, kind=FLOAT, make=make, leaf=None)


def _filled(source: Source, other: Source, ground: Geometry | None) -> Source:
    def make(canvas: Canvas) -> Pixels:
        own, new = canvas.pixels(source), canvas.pixels(other)
        valid = own.valid | new.valid
        if ground is not None:
            valid &= canvas.inside(ground) | own.valid
        return Pixels(np.where(own.valid, own.values, new.values), valid)

    return replace(source, kind=union([source.kind, other.kind]), make=make, leaf=None)


def _replaced(source: Source, test: Source, value: Source) -> Source:
    def make(canvas: Canvas) -> Pixels:
        own, when, new = (canvas.pixels(s) for s in (source, test, value))
        due = when.valid & (when.values != 0) & new.valid & own.valid
        return Pixels(np.where(due, new.values, own.values), own.valid)

    return replace(source, kind=union([source.kind, value.kind]), make=make, leaf=None)


def _cut(source: Source, ground: Geometry) -> Source:
    def make(canvas: Canvas) -> Pixels:
        values, valid = canvas.pixels(source)
        return Pixels(values, valid & canvas.inside(ground))

    return replace(source, make=make, leaf=None)
