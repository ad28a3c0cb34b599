"""How a band gets from its own grid to that of a patch, when the recipe does not say. Pure."""

from __future__ import annotations

from eodata.core.band import Kind
from eodata.core.errors import RecipeError

EQUAL = 1e-6
"""Pixel sizes that differ by less than this fraction are equal."""


def default_resampling(kind: Kind, source_gsd: float, target_gsd: float) -> str:
    """Return the method that moves nothing and invents nothing.

    Numbers are averaged when they get coarser and interpolated otherwise; classes are reduced by
    majority when they get coarser and copied otherwise. A source on the very grid of the patch is
    copied whatever the method, so `bilinear` costs nothing there and is right where the grids are
    shifted against each other.

    >>> default_resampling("continuous", 10, 20), default_resampling("categorical", 20, 10)
    ('average', 'nearest')

    Args:
        kind: What may be done with the numbers.
        source_gsd: Pixel size of the band [m].
        target_gsd: Pixel size of the patch [m].

    Raises:
        RecipeError: A bitmask would get coarser.
    """
    coarser = target_gsd > source_gsd * (1.0 + EQUAL)
    if kind == "continuous":
        return "average" if coarser else "bilinear"
    if kind == "bitmask" and coarser:
        raise RecipeError(
            "gsd",
            f"a bitmask of {source_gsd:g} m is asked for at {target_gsd:g} m",
            "bits can neither be averaged nor counted, and nearest moves a map by half a source "
            "pixel when it gets coarser.",
            f"Use a gsd of {source_gsd:g} m or finer for this modality, or leave the band out.",
        )
    return "mode" if coarser else "nearest"
