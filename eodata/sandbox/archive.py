"""All simulated archives behind one search and one read, without any protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odc.geo.geobox import GeoBox

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox import plane
from eodata.sandbox.cells import CellCache, Numbers, assemble, cell_grid, cells_under
from eodata.sandbox.items import Collection, SandboxItem
from eodata.sandbox.sensors.registry import open_collections

CACHE_BYTES = 256_000_000
Window = tuple[tuple[int, int], tuple[int, int]]
"""Rows and columns, each half-open, in pixels of a layer."""


class SandboxArchive:
    """One simulated Earth as its archives show it. Threads may share it.

    Attributes:
        settings: Which Earth, which defects.
        collections: By id.
    """

    def __init__(self, settings: SandboxSettings | None = None) -> None:
        self.settings = settings or SandboxSettings()
        self.collections: Mapping[str, Collection] = open_collections(self.settings)
        self._cells = CellCache(CACHE_BYTES)

    def read(
        self,
        item: SandboxItem,
        key: str,
        rows: tuple[int, int],
        cols: tuple[int, int],
        factor: int = 1,
    ) -> Numbers:
        """Return a window of a layer.

        Args:
            item: One record.
            key: One of its layers.
            rows: Half-open, in pixels of `item.grid(key, factor)`; at least 0. What lies beyond
                the last pixel of the item is simulated like the rest.
            cols: Likewise.
            factor: 1, or how many times as coarse the overview is.

        Returns:
            `(rows, cols)` DN in the layer's dtype. The same pixels whatever the window.
        """
        size = item.cell // item.layers[key].ratio
        return assemble(
            rows,
            cols,
            size,
            item.layers[key].dtype,
            lambda row, col: self._cell(item, (key,), factor, row, col)[key],
        )

    def read_many(self, item: SandboxItem, windows: Mapping[str, Window]) -> dict[str, Numbers]:
        """Return a window of each of several layers; what they share is computed once."""
        wanted: dict[tuple[int, int], list[str]] = {}
        for key, (rows, cols) in windows.items():
            for place in cells_under(rows, cols, item.cell // item.layers[key].ratio):
                wanted.setdefault(place, []).append(key)
        made = {place: self._cell(item, keys, 1, *place) for place, keys in sorted(wanted.items())}

        def window(key: str) -> Numbers:
            layer = item.layers[key]
            size = item.cell // layer.ratio
            return assemble(*windows[key], size, layer.dtype, lambda r, c: made[r, c][key])

        return {key: window(key) for key in windows}

    def truth(self, item: SandboxItem, base: GeoBox) -> dict[str, Numbers]:
        """Return what holds behind an item's numbers, by name; see the collection's `truth`.

        Args:
            item: One record.
            base: A part of the item's base grid.
        """
        return self.collections[item.collection].truth(item, base)

    def defects(self, item: SandboxItem) -> dict[str, Any]:
        """Return the defects that were planted in an item, empty when none."""
        return self.collections[item.collection].defects(item)

    def _cell(
        self, item: SandboxItem, keys: Sequence[str], factor: int, row: int, col: int
    ) -> dict[str, Numbers]:
        found = {
            key: self._cells.find((item.collection, item.id, key, factor, row, col)) for key in keys
        }
        missing = [key for key, numbers in found.items() if numbers is None]
        if missing:
            for key, numbers in self._render(
                item, missing, cell_grid(item, factor, row, col)
            ).items():
                self._cells.keep((item.collection, item.id, key, factor, row, col), numbers)
                found[key] = numbers
        return {key: numbers for key, numbers in found.items() if numbers is not None}

    def _render(self, item: SandboxItem, keys: Sequence[str], base: GeoBox) -> dict[str, Numbers]:
        if self.settings.mode == "plane":
            return {key: plane.render(item, key, base) for key in keys}
        return self.collections[item.collection].render(item, keys, base)
