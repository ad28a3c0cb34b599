"""Bands of one image, made together: most of the work for a square of ground serves all of them.

The archive keeps what it has made. Band by band, a large window or several requests at once would
drop the ground of a square before its next band is due, and make it again for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from odc.geo.geobox import GeoBox

from eodata.sandbox.archive import SandboxArchive, Window
from eodata.sandbox.earthengine.images import Leaf, PixelGrid
from eodata.sandbox.earthengine.places import Floats, locate
from eodata.sandbox.earthengine.sampling import TIE_PX, level
from eodata.sandbox.items import SandboxItem


def make_ready(leaves: Iterable[Leaf], archive: SandboxArchive, grid: PixelGrid) -> None:
    """Have the pixels of bands made on which a grid looks, so that sampling finds them.

    Bands that a coarse grid reads from their pyramids are left to the sampling.

    Args:
        leaves: Bands of any images.
        archive: Holds their pixels.
        grid: Of the output.
    """
    output = grid.geobox
    records: dict[int, tuple[SandboxItem, dict[str, Window]]] = {}
    for leaf in leaves:
        if level(leaf.grid, output) > 1:
            continue
        window = under(leaf.grid, output)
        if window is not None:
            _, windows = records.setdefault(id(leaf.record), (leaf.record, {}))
            windows[leaf.key] = window
    for record, windows in records.values():
        if len(windows) > 1:
            archive.read_many(record, windows)


def under(source: GeoBox, output: GeoBox) -> Window | None:
    """Return rows and columns of a source that an output's pixel centres lie in.

    None when all of them lie outside.
    """
    places = locate(source, output)
    rows, cols = _hull(places.row, source.shape[0]), _hull(places.col, source.shape[1])
    return None if rows is None or cols is None else (rows, cols)


def _hull(places: Floats, size: int) -> tuple[int, int] | None:
    finite = places[np.isfinite(places)]
    if not finite.size:
        return None
    # As sampling rounds: a pixel more could mean a square more.
    first = max(math.floor(finite.min() + TIE_PX), 0)
    last = min(math.floor(finite.max() + TIE_PX) + 1, size)
    return (first, last) if first < last else None
