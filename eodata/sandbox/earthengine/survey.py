"""Which bands of the catalogue an image needs: it is computed on one pixel that reads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from eodata.sandbox.earthengine.images import Leaf, PixelGrid
from eodata.sandbox.earthengine.values import Canvas, Geometry, Pixels, Source, Valid

ONE = 1, 1


class ElsewhereError(Exception):
    """A source is computed on another grid first; what it needs there is left out."""


@dataclass(slots=True, eq=False)
class Survey:
    """A canvas of one pixel that notes what is looked up.

    Attributes:
        grid: The pixel.
        found: Bands of the catalogue and how they are looked up, in order.
    """

    grid: PixelGrid
    found: dict[tuple[Leaf, str], None] = field(default_factory=dict)
    _made: dict[Source, Pixels] = field(default_factory=dict)

    def pixels(self, source: Source) -> Pixels:
        """Return a pixel of no meaning."""
        if source not in self._made:
            try:
                made = source.make(self)
            except ElsewhereError:
                made = _blank(source.kind.dtype)
            self._made[source] = Pixels(made.values.astype(source.kind.dtype), made.valid)
        return self._made[source]

    def sampled(self, leaf: Leaf, method: str) -> Pixels:
        """Note a band."""
        self.found[leaf, method] = None
        return _blank(leaf.dtype)

    def beside(self, grid: PixelGrid) -> Canvas:
        """Go no further."""
        del grid
        raise ElsewhereError

    def inside(self, ground: Geometry) -> Valid:
        """Return that the pixel is inside."""
        del ground
        return np.ones(ONE, bool)


def needed(sources: Iterable[Source], grid: PixelGrid) -> list[tuple[Leaf, str]]:
    """Return the bands of the catalogue that sources need on a grid, and how each is looked up."""
    survey = Survey(PixelGrid(1, 1, grid.affine, grid.crs))
    for source in sources:
        survey.pixels(source)
    return list(survey.found)


def _blank(dtype: str) -> Pixels:
    return Pixels(np.zeros(ONE, dtype), np.zeros(ONE, bool))
