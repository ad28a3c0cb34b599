"""The expression of a request: some bands of an image, each with a band that says where it holds.

The client can build such expressions from its own classes, but downloads the list of all functions
first, in every process. These few calls need none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from affine import Affine
from ee import encodable

VALID = "_valid"
"""Follows a band's name in the name of its validity."""
HALF = 0.5
"""On levels of the pyramid validity is a share; on the pixels themselves it is 0 or 1."""


class Call(encodable.Encodable):
    """One call of a function of Earth Engine."""

    def __init__(self, function: str, **arguments: Any) -> None:
        self._function, self._arguments = function, arguments

    def encode(self, encoder: Callable[[Any], Any]) -> Any:
        """Return the form of the old API, which nobody asks for."""
        raise NotImplementedError(self._function)

    def encode_cloud_value(self, encoder: Callable[[Any], Any]) -> Any:
        """Return the node of the expression."""
        arguments = {
            name: {"valueReference": encoder(value)} for name, value in self._arguments.items()
        }
        return {"functionInvocationValue": {"functionName": self._function, "arguments": arguments}}


def load(image: str) -> Call:
    """Return an image of the catalogue."""
    return Call("Image.load", id=image)


def select(image: Call, bands: Sequence[str]) -> Call:
    """Return some bands of an image, in this order."""
    return Call("Image.select", input=image, bandSelectors=list(bands))


def constant(value: float) -> Call:
    """Return an image that is the same number everywhere."""
    return Call("Image.constant", value=value)


def cast(image: Call, dtype: str) -> Call:
    """Return an image in a type of pixels that NumPy names so."""
    names = {"float32": "toFloat", "float64": "toDouble"}
    return Call(f"Image.{names.get(dtype, f'to{dtype.capitalize()}')}", value=image)


def binary(operation: str, image1: Call, image2: Call | float) -> Call:
    """Return what an operation such as `add` makes of two images, or of an image and a number."""
    other = image2 if isinstance(image2, Call) else constant(image2)
    return Call(f"Image.{operation}", image1=image1, image2=other)


def masked(image: Call, mask: Call) -> Call:
    """Return an image without the pixels where another is 0 or masked."""
    return Call("Image.updateMask", image=image, mask=mask)


def filled(image: Call) -> Call:
    """Return an image with 0 where it is masked, and beyond its edges."""
    return Call("Image.unmask", input=image, value=constant(0), sameFootprint=False)


def on_grid(function: str, image: Call, crs: str, affine: Affine) -> Call:
    """Return what `reproject` or `setDefaultProjection` makes of an image and a grid.

    Args:
        function: Its name.
        image: The image.
        crs: Code or WKT.
        affine: From pixel corners to the CRS.
    """
    return Call(
        f"Image.{function}",
        image=image,
        crs=Call("Projection", crs=crs),
        crsTransform=[affine.a, affine.b, affine.c, affine.d, affine.e, affine.f],
    )


def bands_with_validity(image: Call, bands: Sequence[str]) -> Call:
    """Return bands of an image in order, followed by their validity in the same order.

    The server's validity becomes a band of its own, 0 or 1: under a pixel that is masked the answer
    holds zeros, which are numbers like others.
    """
    chosen = select(image, bands)
    share = Call("Image.mask", image=chosen)
    holds = Call("Image.gte", image1=share, image2=constant(HALF))
    named = Call(
        "Image.rename",
        input=Call("Image.toByte", value=holds),
        names=[band + VALID for band in bands],
    )
    return Call("Image.addBands", dstImg=chosen, srcImg=named)
