"""Operations that images of several bands share: which bands meet, and what becomes of masks.

What two images give keeps no metadata, what is made of one alone keeps it. Results that are no
finite numbers, such as the logarithm of zero, are masked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.pixeltype import PixelType
from eodata.sandbox.earthengine.values import Band, Canvas, Image, Pixels, Source

Array: TypeAlias = NDArray[Any]
Change = Callable[[Array], Array]
Compute = Callable[[Array, Array], Array]
Retype = Callable[[PixelType], PixelType]
Widen = Callable[[PixelType, PixelType], PixelType]


def spread(like: tuple[Band, ...], image: Image, who: str) -> list[Source]:
    """Return a source of an image for each of some bands.

    One band serves all. As many as there are go by name when the names are the same, else by order.

    Raises:
        ExpressionError: There is another number of bands.
    """
    if len(image.bands) == 1:
        return [image.bands[0].source] * len(like)
    if len(image.bands) != len(like):
        raise ExpressionError(
            f"{who}: images of {len(like)} and {len(image.bands)} bands cannot be matched."
        )
    known = {band.name: band.source for band in image.bands}
    if set(known) == {band.name for band in like}:
        return [known[band.name] for band in like]
    return [band.source for band in image.bands]


def binary(image1: Image, image2: Image, who: str, compute: Compute, widen: Widen) -> Image:
    """Return what an operation makes of each matched pair of bands.

    Names are those of the image with more bands, else of the first.
    """
    if not image1.bands or not image2.bands:
        raise ExpressionError(f"{who}: an image has no bands.")
    longer = image1 if len(image1.bands) >= len(image2.bands) else image2
    left, right = (spread(longer.bands, image, who) for image in (image1, image2))
    sources = [paired(a, b, compute, widen) for a, b in zip(left, right, strict=True)]
    return Image(
        tuple(Band(b.name, s) for b, s in zip(longer.bands, sources, strict=True)),
        ground=image1.ground,
    )


def each(image: Image, compute: Change, widen: Retype) -> Image:
    """Return an image with every band changed by itself."""
    return replace(
        image, bands=tuple(Band(b.name, changed(b.source, compute, widen)) for b in image.bands)
    )


def changed(source: Source, compute: Change, widen: Retype) -> Source:
    """Return a source whose numbers are computed from another's."""

    def make(canvas: Canvas) -> Pixels:
        values, valid = canvas.pixels(source)
        with np.errstate(all="ignore"):
            return _finite(compute(_working(values)), valid)

    return Source(widen(source.kind), make, source.projection, shape=source.shape)


def paired(one: Source, other: Source, compute: Compute, widen: Widen) -> Source:
    """Return a source whose numbers are computed from two others', valid where both are."""

    def make(canvas: Canvas) -> Pixels:
        a, b = canvas.pixels(one), canvas.pixels(other)
        with np.errstate(all="ignore"):
            made = compute(_working(a.values), _working(b.values))
        return _finite(made, a.valid & b.valid)

    return Source(widen(one.kind, other.kind), make, one.projection, shape=one.shape)


def cast(source: Source, kind: PixelType) -> Source:
    """Return a source in another type: fractions are cut off, what is out of range is clipped."""
    if kind.precision != "int":
        return changed(source, lambda a: a.astype(np.float64), lambda _: kind)
    high = np.nextafter(2.0**63, 0) if kind.high >= 2**63 - 1 else kind.high

    def compute(values: Array) -> Array:
        return np.clip(np.trunc(values), kind.low, high).astype(np.int64)

    return changed(source, compute, lambda _: kind)


def _working(values: Array) -> Array:
    """Return numbers in the type that is computed in: 64 bits, whole or not."""
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)


def _finite(values: Array, valid: Array) -> Pixels:
    if values.dtype.kind == "f":
        valid = valid & np.isfinite(values)
    return Pixels(values, valid)
