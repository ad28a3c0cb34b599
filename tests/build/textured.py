"""An archive of a textured world, whose items are displaced by known amounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from scipy import ndimage

from eodata.build.reference import Reference
from eodata.core.band import Band
from eodata.core.coregistration import Alignment
from eodata.core.errors import ProviderError
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead, ModalityPlan
from eodata.core.outcome import Cost
from eodata.core.protocols import Pixels
from eodata.pipeline.coregister.view import shrunk, view_of
from tests.build.fields import item as plain_item
from tests.build.fields import modality as plain_modality

PX = 10.0
"""Metres per pixel of the world, in which shifts are told."""
LEFT, TOP = 500_000.0, 5_600_000.0
MARGIN, EDGE = 40, 400
BLACK = 15
READ = Cost(100, 1, 0)
"""What every read of the archive takes."""
Place = tuple[float, float]


@lru_cache(maxsize=4)
def texture(seed: int = 0) -> NDArray[np.float64]:
    """Return ground of standard deviation 1 without detail finer than 2 pixels."""
    noise = np.random.default_rng(seed).normal(size=(EDGE, EDGE))
    smooth = ndimage.gaussian_filter(noise, 1.2, mode="wrap")
    return np.asarray(smooth / smooth.std())


def ground(x: NDArray[np.float64], y: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    """Return the world at some places [m]."""
    rows, cols = (TOP - y) / PX + MARGIN - 0.5, (x - LEFT) / PX + MARGIN - 0.5
    return np.asarray(
        ndimage.map_coordinates(texture(seed), [rows, cols], order=3, mode="grid-wrap")
    )


class Textured:
    """An archive that shows the world where it does not belong.

    Attributes:
        shifts: By item or `item/band`: what belongs at (row, col) stands at (row + first, col +
            second) [px of 10 m]; both add up.
        flat: Items or `item/band` without any texture.
        black: `item/band` that are darker than an offset of 1000 allows.
        deaf: Items that are always read on the grid that was asked for first.
        broken: By item, the call that fails, counted from 1.
        worlds: By item, the seed of another world.
        grids: Item and grid of every read so far.
    """

    name = "textured"
    synthetic = True

    def __init__(self, shifts: Mapping[str, Place] | None = None) -> None:
        self.shifts = dict(shifts or {})
        self.flat: set[str] = set()
        self.black: set[str] = set()
        self.deaf: set[str] = set()
        self.broken: dict[str, int] = {}
        self.worlds: dict[str, int] = {}
        self.grids: list[tuple[str, GeoBox]] = []

    def search(self, query: object) -> Sequence[Item]:
        return ()

    def check_access(self, item: Item, reads: Sequence[BandRead]) -> None:
        """Nothing is needed."""

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        earlier = [grid for name, grid in self.grids if name == item.id]
        self.grids.append((item.id, geobox))
        if self.broken.get(item.id) == len(earlier) + 1:
            error = ProviderError(f"item {item.id}", "HTTP 500", retryable=True)
            error.cost = READ
            raise error
        grid = earlier[0] if item.id in self.deaf and earlier else geobox
        values = tuple(self._shown(item.id, read.band, grid) for read in reads)
        return Pixels(values, tuple(v > 0 for v in values), READ.bytes_read, READ.requests)

    def _shown(self, name: str, band: Band, grid: GeoBox) -> NDArray[np.generic]:
        own = f"{name}/{band.name}"
        (row, col), (more_rows, more_cols) = (self.shifts.get(k, (0.0, 0.0)) for k in (name, own))
        parts = max(1, round(grid.affine.a / PX))  # longer pixels are means of what they cover
        height, width = (parts * n for n in grid.shape)
        cols, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        x, y = grid.affine @ (cols / parts, rows / parts)
        seed = self.worlds.get(name, 0)
        seen = ground(x - PX * (col + more_cols), y + PX * (row + more_rows), seed)
        if {name, own} & self.flat:
            seen = np.zeros_like(seen)
        if own in self.black:
            return np.full(tuple(grid.shape), BLACK, band.dtype)
        means = seen.reshape(height // parts, parts, width // parts, parts).mean(axis=(1, 3))
        shown = np.rint(3000 + 500 * means) if np.dtype(band.dtype).kind == "u" else means
        return shown.astype(band.dtype)

    def reads_of(self, name: str) -> int:
        """Return how often an item was read."""
        return sum(one == name for one, _ in self.grids)


def window(rows: int, cols: int, gsd: float = PX) -> GeoBox:
    """A window from the north-west corner of the world on."""
    return GeoBox((rows, cols), Affine(gsd, 0, LEFT, 0, -gsd, TOP), CRS("EPSG:32631"))


def item(name: str) -> Item:
    return plain_item(name)


def liar(name: str) -> Item:
    """An item whose archive states an offset, and whose black pixels contradict it."""
    assets = {band: Asset(band, band, scale=1e-4, offset=-0.1) for band in ("B02", "B10")}
    return replace(plain_item(name), assets=assets)


def optical(
    *bands: str, gsd: float = PX, steady: int | None = None, **keys: object
) -> ModalityPlan:
    """A modality of single acquisitions, compared by all its bands with the step s2@0."""
    plain = plain_modality(*bands, gsd=gsd)
    which = tuple(range(len(bands)))
    alignment = Alignment("s2", which, which, "optical", "optical", alike=True, moves=True)
    return replace(
        plain,
        composite="",
        steady_band=steady,
        alignment=replace(alignment, **keys),  # type: ignore[arg-type]
    )


def reference(
    where: GeoBox, modality: ModalityPlan, gsd: float = PX, archive: Textured | None = None
) -> Reference:
    """What the item `still` shows, on the longer pixels of both, as `reference_of` would."""
    alignment = modality.alignment
    assert alignment is not None
    height, width = (round(n * modality.gsd / gsd) for n in where.shape)
    reads = [modality.reads[i] for i in alignment.bands]
    found = (archive or Textured()).read(item("still"), reads, window(height, width, gsd))
    bands = [read.band for read in reads]
    view = view_of(np.stack(found.values), found.valid[0], bands, alignment.to_sight)
    common = max(gsd, modality.gsd)
    return Reference(
        "s2@0", alignment, shrunk(view, round(common / gsd)), round(common / modality.gsd)
    )
