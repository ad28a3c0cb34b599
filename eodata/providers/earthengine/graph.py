"""The expression of a request: some bands of an image, each with a band that says where it holds.

The client can build such expressions from its own classes, but downloads the list of all functions
first, in every process. These few calls need none of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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
