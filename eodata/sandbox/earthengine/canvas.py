"""Pixels of whole images on one grid: each source is computed once, within a budget."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry import MultiPoint

from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.images import Leaf, PixelGrid
from eodata.sandbox.earthengine.places import lonlat
from eodata.sandbox.earthengine.sampling import sample
from eodata.sandbox.earthengine.survey import needed
from eodata.sandbox.earthengine.together import make_ready
from eodata.sandbox.earthengine.values import Geometry, Pixels, Source, Valid

MOST_PIXELS = 4_000_000_000
"""Pixels of all steps of one evaluation: 2000 steps on 48 MB, 60,000 steps on 256 x 256."""
PER_SOURCE = 5_000
"""What it costs to begin with a source [pixels]."""
KEPT_BYTES = 128_000_000
LARGEST = 100_000_000
"""Pixels of one grid; a reprojection to finer pixels than the output's can ask for many."""


@dataclass(slots=True)
class Budget:
    """Work that is left [pixels]; canvases of one evaluation share it."""

    left: int = MOST_PIXELS

    def spend(self, pixels: int) -> None:
        """Take work away.

        Raises:
            ExpressionError: There is not enough left.
        """
        self.left -= pixels
        if self.left < 0:
            raise ExpressionError("The computation is too large: fewer images or pixels will do.")


@dataclass(slots=True, eq=False)
class PlainCanvas:
    """One grid. Sources that were computed are remembered up to `KEPT_BYTES`.

    Attributes:
        archive: Holds the pixels of leaves.
        grid: The pixels.
        budget: Of the evaluation.
    """

    archive: SandboxArchive
    grid: PixelGrid
    budget: Budget = field(default_factory=Budget)
    _made: OrderedDict[Source, Pixels] = field(default_factory=OrderedDict)
    _sampled: dict[tuple[Leaf, str], Pixels] = field(default_factory=dict)
    _inside: dict[int, tuple[Geometry, Valid]] = field(default_factory=dict)
    _size: int = 0

    def pixels(self, source: Source) -> Pixels:
        """Return a source's pixels, in its type and 0 where masked."""
        if source in self._made:
            self._made.move_to_end(source)
            return self._made[source]
        self.budget.spend(self.grid.width * self.grid.height + PER_SOURCE)
        made = _settled(source.make(self), source.kind.dtype)
        self._keep(source, made)
        return made

    def sampled(self, leaf: Leaf, method: str) -> Pixels:
        """Return a band of the catalogue."""
        known = self._sampled.get((leaf, method))
        return known or Pixels(*sample(leaf, self.archive, self.grid, method))

    def prepare(self, sources: Iterable[Source]) -> None:
        """Look up what sources need image by image, as long as all of it can be kept.

        The archive makes the bands of one image together for little more than one of them; a
        reduction goes band by band through all images.
        """
        wanted = needed(sources, self.grid)
        size = self.grid.width * self.grid.height
        if sum(size * (np.dtype(leaf.dtype).itemsize + 1) for leaf, _ in wanted) > KEPT_BYTES:
            return
        by_record: dict[int, list[tuple[Leaf, str]]] = {}
        for leaf, method in wanted:
            by_record.setdefault(id(leaf.record), []).append((leaf, method))
        for lookups in by_record.values():
            make_ready([leaf for leaf, _ in lookups], self.archive, self.grid)
            self._sampled.update({each: self.sampled(*each) for each in lookups})

    def beside(self, grid: PixelGrid) -> PlainCanvas:
        """Return a canvas of another grid that draws on the same budget.

        Raises:
            ExpressionError: The grid is too large.
        """
        if grid.width * grid.height > LARGEST:
            raise ExpressionError(f"A reprojection takes {grid.width} x {grid.height} pixels.")
        return PlainCanvas(self.archive, grid, self.budget)

    def inside(self, ground: Geometry) -> Valid:
        """Return which pixel centres lie in a geometry, `(H, W)`."""
        known = self._inside.get(id(ground))
        if known is None:
            self.budget.spend(self.grid.width * self.grid.height)
            known = ground, _inside(ground, self.grid)
            self._inside[id(ground)] = known
        return known[1]

    def _keep(self, source: Source, made: Pixels) -> None:
        self._made[source] = made
        self._size += made.values.nbytes + made.valid.nbytes
        while self._size > KEPT_BYTES and len(self._made) > 1:
            _, old = self._made.popitem(last=False)
            self._size -= old.values.nbytes + old.valid.nbytes


def _settled(made: Pixels, dtype: str) -> Pixels:
    """Return pixels in a type, 0 where masked, that nobody may change."""
    values = np.where(made.valid, made.values, 0).astype(dtype, copy=False)
    values.flags.writeable = False
    made.valid.flags.writeable = False
    return Pixels(values, made.valid)


def _inside(ground: Geometry, grid: PixelGrid) -> Valid:
    shape = grid.height, grid.width
    lon, lat = (np.broadcast_to(part, shape) for part in lonlat(grid.geobox))
    if not ground.shape.is_empty and np.isfinite(lon).all() and np.ptp(lon) < 180:
        # Where the outline holds the hull of the edges it holds every pixel.
        edge = np.r_[0 : grid.width]
        rim = [(lon[0, edge], lat[0, edge]), (lon[-1, edge], lat[-1, edge])]
        rim += [(lon[:, 0], lat[:, 0]), (lon[:, -1], lat[:, -1])]
        hull = MultiPoint(np.concatenate([np.column_stack(part) for part in rim])).envelope
        if ground.shape.contains(hull):
            return np.ones(shape, bool)
        if ground.shape.disjoint(hull):
            return np.zeros(shape, bool)
    own = shapely.from_wkb(shapely.to_wkb(ground.shape))  # other threads may share the outline
    shapely.prepare(own)
    return np.asarray(shapely.contains_xy(own, lon, lat))
