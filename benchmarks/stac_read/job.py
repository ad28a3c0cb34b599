"""What is read: items, blocks, bands."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from affine import Affine
from odc.geo.geobox import GeoBox

EDGE = 2048
"""Of a block [10 m px]."""
FINE = ("blue", "green", "red", "nir")
COARSE = ("rededge1", "rededge2", "rededge3", "nir08", "swir16", "swir22")
BANDS = FINE + COARSE
"""Keys of assets: four bands of 10 m, six of 20 m."""
CORNERS = ((700, 900), (6300, 6100), (700, 6100), (6300, 900))
"""Row and column of the blocks of an item [10 m px]: on no edge of a tile, and without a common
tile, so that no order of reading fetches less than another."""


@dataclass(frozen=True, slots=True)
class Block:
    """A square of an item.

    Attributes:
        item: Number of the item in the job.
        row: First row [10 m px], even: pixels of 20 m begin there too.
        col: First column, likewise.
    """

    item: int
    row: int
    col: int


@dataclass(frozen=True, slots=True)
class Job:
    """What every reader reads.

    Attributes:
        items: STAC items as the server gives them.
        blocks: Squares of them, by item.
    """

    items: tuple[dict[str, Any], ...]
    blocks: tuple[Block, ...]

    @classmethod
    def load(cls, path: Path) -> Job:
        """Read what `save` wrote."""
        data = json.loads(path.read_text())
        return cls(tuple(data["items"]), tuple(Block(**block) for block in data["blocks"]))

    def save(self, path: Path) -> None:
        """Write it for the process of a reader."""
        path.write_text(json.dumps(asdict(self)))

    def href(self, block: Block, band: str) -> str:
        """Return the URL of a band's file."""
        return str(self.items[block.item]["assets"][band]["href"])

    def grid(self, block: Block) -> GeoBox:
        """Return the block's pixels of 10 m."""
        item = self.items[block.item]
        corner = Affine(*item["assets"]["blue"]["proj:transform"][:6])
        place = corner * Affine.translation(block.col, block.row)
        return GeoBox((EDGE, EDGE), place, f"EPSG:{item['properties']['proj:epsg']}")


def job_of(items: list[dict[str, Any]], n_blocks: int) -> Job:
    """Return a job of so many blocks: four of each item."""
    per_item = len(CORNERS)
    blocks = [Block(n // per_item, *CORNERS[n % per_item]) for n in range(n_blocks)]
    needed = blocks[-1].item + 1
    if needed > len(items):
        raise ValueError(f"{n_blocks} blocks need {needed} items, the server has {len(items)}")
    return Job(tuple(items[:needed]), tuple(blocks))


def native_size(job: Job) -> int:
    """Return the bytes of the blocks' pixels as the files have them, uint16."""
    return len(job.blocks) * 2 * (len(FINE) * EDGE**2 + len(COARSE) * (EDGE // 2) ** 2)
