"""All simulated archives behind one search and one read, without any protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from odc.geo.geobox import GeoBox

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox import plane
from eodata.sandbox.cells import (
    Block,
    CellCache,
    Made,
    Numbers,
    assemble,
    block_to_make,
    block_under,
    cell_grid,
    cells_under,
    whole,
)
from eodata.sandbox.items import Collection, SandboxItem, displacement_of
from eodata.sandbox.planet.displacement import Displacement
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
        layer = item.layers[key]

        def part(row: int, col: int, block: Block) -> Numbers:
            wanted = _in_base(block, layer.ratio)
            made = self._square(item, {key: wanted}, factor, row, col)
            return made[key].cut(wanted, layer.ratio)

        return assemble(rows, cols, item.cell // layer.ratio, layer.dtype, part)

    def read_many(self, item: SandboxItem, windows: Mapping[str, Window]) -> dict[str, Numbers]:
        """Return a window of each of several layers; what they share is computed once."""
        wanted: dict[tuple[int, int], dict[str, Block]] = {}
        for key, window in windows.items():
            ratio = item.layers[key].ratio
            size = item.cell // ratio
            for place in cells_under(*window, size):
                block = _in_base(block_under(*window, size, place), ratio)
                wanted.setdefault(place, {})[key] = block
        made = {place: self._square(item, wanted[place], 1, *place) for place in sorted(wanted)}

        def cut(key: str) -> Numbers:
            layer = item.layers[key]

            def part(row: int, col: int, block: Block) -> Numbers:
                return made[row, col][key].cut(_in_base(block, layer.ratio), layer.ratio)

            return assemble(*windows[key], item.cell // layer.ratio, layer.dtype, part)

        return {key: cut(key) for key in windows}

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

    def displacement(self, item: SandboxItem, key: str = "") -> Displacement:
        """Return how far an item was displaced at any place of it.

        Args:
            item: One record.
            key: One of its layers, whose own shift then counts too.
        """
        return displacement_of(item, key)

    def _square(
        self, item: SandboxItem, wanted: Mapping[str, Block], factor: int, row: int, col: int
    ) -> dict[str, Made]:
        """Return at least the wanted blocks of some layers in a square.

        What is not known is made: a block at first, the whole square when more of it is wanted.
        """
        names = {key: (item.collection, item.id, key, factor, row, col) for key in wanted}
        known = {key: self._cells.find(name) for key, name in names.items()}
        made = {
            key: found
            for key, found in known.items()
            if found is not None and found.block.covers(wanted[key])
        }
        missing = [key for key in wanted if key not in made]
        if missing:
            again = any(known[key] for key in missing)
            blocks = [wanted[key] for key in missing]
            block = whole(item.cell) if again else block_to_make(blocks, item.cell)
            rendered = self._render(item, missing, cell_grid(item, factor, row, col, block))
            for key, numbers in rendered.items():
                made[key] = Made(block, numbers)
                self._cells.keep(names[key], made[key])
        return made

    def _render(self, item: SandboxItem, keys: Sequence[str], base: GeoBox) -> dict[str, Numbers]:
        if self.settings.mode == "plane":
            return {key: plane.render(item, key, base) for key in keys}
        return self.collections[item.collection].render(item, keys, base)


def _in_base(block: Block, ratio: int) -> Block:
    return Block(*(edge * ratio for edge in block))
