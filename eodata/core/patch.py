"""Places: areas of interest and the square patches cut from them. No pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import WGS84, reproject, split_at_date_line
from eodata.core.span import Span

MAX_WASTE = 2.0
"""Ground that a window may hold per ground of its patches. In areas of 17 x 17 patches, windows
hold 5 % more than all patches; a limit of 4 makes it 17 %."""


@dataclass(frozen=True, slots=True)
class Area:
    """Ground of interest.

    Attributes:
        id: Readable and unique in the recipe.
        geometry: EPSG:4326, x = longitude.
        crs: CRS of its patches, resolved.
        time: Its own span; None means the recipe's.
        split: Its own split; `""` means that the recipe's rule decides.
        season: Free word such as `summer`, kept in the tables; `""` when unused.
        scene: Number of the place within its season in a family of datasets; `""` when unknown.
        region: Free word such as `europa`; `""` when unused.
    """

    id: str
    geometry: BaseGeometry
    crs: str
    time: Span | None = None
    split: str = ""
    season: str = ""
    scene: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Patch:
    """A square of ground on the lattice of its area.

    Attributes:
        area: Id of its area.
        crs: CRS of the corner.
        left: x of the north-west corner [m].
        top: y of the north-west corner [m].
        size: Edge [m].
        row: Row on the area's lattice, 0 in the north.
        col: Column on the area's lattice, 0 in the west.
    """

    area: str
    crs: str
    left: float
    top: float
    size: float
    row: int
    col: int

    @property
    def id(self) -> str:
        """Stable and readable: area, row, column."""
        return f"{self.area}_r{self.row:03d}_c{self.col:03d}"

    @property
    def polygon(self) -> Polygon:
        """Outline in the patch's own CRS."""
        return box(self.left, self.top - self.size, self.left + self.size, self.top)

    @property
    def centre(self) -> tuple[float, float]:
        """Centre `(x, y)` in the patch's own CRS."""
        return self.left + self.size / 2, self.top - self.size / 2

    @property
    def footprint(self) -> BaseGeometry:
        """Outline in EPSG:4326, edges densified to a quarter of the patch, cut at the date line."""
        return split_at_date_line(reproject(self.polygon, self.crs, WGS84, self.size / 4))

    def geobox(self, gsd: float) -> GeoBox:
        """Return the pixel grid at `gsd` [m]; `gsd` divides the edge."""
        n = round(self.size / gsd)
        return GeoBox((n, n), Affine(gsd, 0, self.left, 0, -gsd, self.top), CRS(self.crs))


@dataclass(frozen=True, slots=True)
class Block:
    """A run of neighbouring patches: the unit of work.

    Attributes:
        number: Position in the store; its rows are `[number * size, number * size + len(patches))`.
        size: Rows reserved on the sample axis.
        patches: At most `size` patches, in row order.
    """

    number: int
    size: int
    patches: tuple[Patch, ...]

    @property
    def first_row(self) -> int:
        """Row of the first patch on the sample axis."""
        return self.number * self.size

    def groups(self) -> list[tuple[str, tuple[int, ...]]]:
        """Return `(area id, positions in the block)` of the patches that are read as one window.

        Patches of one area share CRS, lattice and acquisitions. A run of them is cut where its
        window would hold more than `MAX_WASTE` times the ground of its patches, so that distant
        parts of one area cost no memory.
        """
        found: list[tuple[str, list[int]]] = []
        for position, patch in enumerate(self.patches):
            if found and found[-1][0] == patch.area:
                run = [*found[-1][1], position]
                if self.window_area(run) <= MAX_WASTE * len(run) * patch.size**2:
                    found[-1][1].append(position)
                    continue
            found.append((patch.area, [position]))
        return [(area, tuple(positions)) for area, positions in found]

    def window_area(self, positions: Sequence[int]) -> float:
        """Return the ground of the smallest box around some patches of one CRS [m²]."""
        patches = [self.patches[p] for p in positions]
        width = max(p.left + p.size for p in patches) - min(p.left for p in patches)
        height = max(p.top for p in patches) - min(p.top - p.size for p in patches)
        return width * height


def make_blocks(patches: list[Patch], size: int) -> tuple[Block, ...]:
    """Cut an ordered list of patches into runs of `size`; the last may be shorter."""
    starts = range(0, len(patches), size)
    return tuple(
        Block(number, size, tuple(patches[start : start + size]))
        for number, start in enumerate(starts)
    )
