"""The layout of a Cloud Optimized GeoTIFF whose tiles are all equally long: all but its pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, count

import numpy as np
from affine import Affine
from odc.geo.geobox import GeoBox

from eodata.core.errors import EodataError
from eodata.sandbox.serve.stored import stored_size
from eodata.sandbox.serve.tiff_tags import (
    BIG,
    CLASSIC,
    DOUBLE,
    LONG,
    LONG8,
    SHORT,
    Flavour,
    Tag,
    directory_size,
    numbers,
    outside,
    read_tags,
    text,
    write_directory,
)

BLOCK = 480
"""Edge of a tile unless told otherwise [px]."""
BLOCK_STEP = 16
"""TIFF wants edges of tiles to be multiples of it [px]."""
SMALLEST = 512
"""Overviews end when both edges are shorter [px]."""
BIG_FROM = 2**32 - 2**16
"""Files from this size on are BigTIFF [bytes]."""
NODATA = 42113
"""Tag of GDAL's nodata value."""
FIRST_ASK = 32768
"""What readers ask for first: async-tiff this, GDAL half of it [bytes]."""
TILE_TAGS = frozenset({324, 325})
"""Places and lengths of tiles."""
CRS_TAGS = frozenset({34735, 34736, 34737, NODATA})
"""GeoKeys, their numbers, their text, and nodata."""
SAMPLE_FORMATS = {"u": 1, "i": 2, "f": 3}
_GHOST = b"LAYOUT=IFDS_BEFORE_DATA\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
GHOST = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_GHOST) + _GHOST
"""How GDAL's COG driver declares that all directories come before all pixels."""
SYNTHETIC = '<GDALMetadata>\n  <Item name="synthetic">true</Item>\n</GDALMetadata>\n'


@dataclass(frozen=True, slots=True)
class Level:
    """The full resolution, or one overview.

    Attributes:
        factor: Pixels of the full resolution per pixel, along each axis.
        shape: Rows and columns [px].
        first: Position of its first tile among all tiles of the file.
        block: Edge of a tile [px].
    """

    factor: int
    shape: tuple[int, int]
    first: int
    block: int

    @property
    def tiles(self) -> tuple[int, int]:
        """Return rows and columns of tiles."""
        return -(-self.shape[0] // self.block), -(-self.shape[1] // self.block)

    @property
    def n_tiles(self) -> int:
        """Return how many tiles it has."""
        return self.tiles[0] * self.tiles[1]


@dataclass(frozen=True, slots=True, eq=False)
class CogLayout:
    """Everything of a file but its pixels.

    Attributes:
        header: All bytes before the first tile.
        levels: From the full resolution to the coarsest; their tiles stand the other way round.
        stream: Length of one tile [bytes].
        dtype: Of the numbers, little-endian.
        fill: Number beyond the edges: the nodata value, or 0 without one.
    """

    header: bytes
    levels: tuple[Level, ...]
    stream: int
    dtype: np.dtype[np.generic]
    fill: float

    @property
    def size(self) -> int:
        """Return the length of the file [bytes]."""
        return len(self.header) + self.stream * sum(level.n_tiles for level in self.levels)

    def place(self, number: int) -> tuple[Level, int, int]:
        """Return level, row and column of the tile at a position in the file."""
        level = next(level for level in self.levels if level.first <= number)
        row, col = divmod(number - level.first, level.tiles[1])
        return level, row, col


@lru_cache(maxsize=512)
def cog_layout(grid: GeoBox, dtype: str, nodata: float | None, block: int = BLOCK) -> CogLayout:
    """Lay out the file of one layer.

    Args:
        grid: Of the full resolution.
        dtype: Of its numbers.
        nodata: DN of a missing value, or None.
        block: Edge of a tile [px].

    Raises:
        EodataError: TIFF has no such numbers or tiles.
    """
    if block < BLOCK_STEP or block % BLOCK_STEP:
        rule = f"the edge of a tile is a multiple of {BLOCK_STEP}."
        raise EodataError("GeoTIFF", f"tiles of {block} px", rule, f"Use {BLOCK}.")
    kind = np.dtype(dtype).newbyteorder("<")
    if kind.kind not in SAMPLE_FORMATS:
        raise EodataError(dtype, "a GeoTIFF cannot hold such numbers", "", "Use uint16 or float32.")
    levels = _levels((grid.shape[0], grid.shape[1]), block)
    stream = stored_size(block * block * kind.itemsize)
    geo_tags = _geo_tags(grid, dtype, nodata)
    header = _header(levels, kind, stream, geo_tags, CLASSIC)
    if len(header) + stream * sum(level.n_tiles for level in levels) >= BIG_FROM:
        header = _header(levels, kind, stream, geo_tags, BIG)
    return CogLayout(header, levels, stream, kind, 0 if nodata is None else nodata)


def _levels(shape: tuple[int, int], block: int) -> tuple[Level, ...]:
    """Return the full resolution and its overviews; the coarsest has the first tiles."""
    factors = [1]
    while max(-(-edge // factors[-1]) for edge in shape) >= SMALLEST:
        factors.append(factors[-1] * 2)
    levels: list[Level] = []
    first = 0
    for factor in reversed(factors):
        level = Level(factor, (-(-shape[0] // factor), -(-shape[1] // factor)), first, block)
        levels.insert(0, level)
        first += level.n_tiles
    return tuple(levels)


def _header(
    levels: tuple[Level, ...],
    kind: np.dtype[np.generic],
    stream: int,
    geo_tags: list[Tag],
    flavour: Flavour,
) -> bytes:
    """Write everything before the tiles, as GDAL's COG driver orders it.

    All directories come first, finest first, and the places of tiles behind the last of them: the
    first request of a reader then holds all directories, however large the file is. Lengths are
    found with the places still open, as they do not depend on them.
    """
    drafts = [_directory(level, kind, stream, 0, geo_tags, flavour) for level in levels]
    at = flavour.header + len(GHOST) + len(GHOST) % 2
    sizes = [directory_size(tags, flavour, TILE_TAGS) for tags in drafts]
    places = list(accumulate(sizes, initial=at))
    arrays = [outside(tag, flavour) for tags in drafts for tag in tags if tag.code in TILE_TAGS]
    array_places = iter(list(accumulate(arrays, initial=places[-1])))
    data_at = _pixels_from(places[-1] + sum(arrays))
    parts, tails = [flavour.start(at), GHOST.ljust(at - flavour.header, b" ")], []
    for level, place, following in zip(levels, places, [*places[1:-1], 0], strict=False):
        tags = _directory(level, kind, stream, data_at, geo_tags, flavour)
        lists = [tag for tag in tags if tag.code in TILE_TAGS]
        apart = {tag.code: next(array_places) for tag in lists}
        parts.append(write_directory(tags, flavour, place, following, apart))
        tails += [tag.payload for tag in lists if outside(tag, flavour)]
    return b"".join(parts + tails).ljust(data_at, b"\0")


def _pixels_from(directories: int) -> int:
    """Return where pixels begin, so that opening a file makes none of them.

    Readers ask for more than they need: each time for twice as much as before, until they have all
    directories. What they get beyond them is empty.
    """
    asks = (FIRST_ASK // 2, FIRST_ASK)
    return max(next(n for n in _asked(first) if n >= directories) for first in asks)


def _asked(first: int) -> Iterator[int]:
    """Yield how much a reader has after each of its asks [bytes]."""
    return accumulate(first << number for number in count())


def _directory(
    level: Level,
    kind: np.dtype[np.generic],
    stream: int,
    data_at: int,
    geo_tags: list[Tag],
    flavour: Flavour,
) -> list[Tag]:
    """Return the tags of one level; the names are those of TIFF 6.0."""
    whole = LONG if flavour is CLASSIC else LONG8
    offsets = data_at + stream * np.arange(level.first, level.first + level.n_tiles)
    tags = [
        numbers(256, LONG, [level.shape[1]]),  # ImageWidth
        numbers(257, LONG, [level.shape[0]]),  # ImageLength
        numbers(258, SHORT, [kind.itemsize * 8]),  # BitsPerSample
        numbers(259, SHORT, [8]),  # Compression: zlib, as Adobe registered it
        numbers(262, SHORT, [1]),  # PhotometricInterpretation: black is zero
        numbers(277, SHORT, [1]),  # SamplesPerPixel
        numbers(284, SHORT, [1]),  # PlanarConfiguration
        numbers(322, SHORT, [level.block]),  # TileWidth
        numbers(323, SHORT, [level.block]),  # TileLength
        numbers(324, whole, offsets),  # TileOffsets
        numbers(325, LONG, np.full(level.n_tiles, stream)),  # TileByteCounts
        numbers(339, SHORT, [SAMPLE_FORMATS[kind.kind]]),  # SampleFormat
    ]
    if level.factor > 1:
        # An overview is placed by the full resolution; of the geo tags it has nodata alone.
        reduced = numbers(254, LONG, [1])
        return [reduced, *tags, *(tag for tag in geo_tags if tag.code == NODATA)]
    return [*tags, *geo_tags, text(42112, SYNTHETIC)]


def _geo_tags(grid: GeoBox, dtype: str, nodata: float | None) -> list[Tag]:
    """Return the tags of place and nodata.

    Raises:
        EodataError: The grid is rotated, or not north up.
    """
    affine = grid.affine
    if grid.crs is None or affine.b or affine.d or affine.a <= 0 or affine.e >= 0:
        why = "the files of archives lie north up in a known CRS."
        raise EodataError("GeoTIFF", f"the grid {grid!r}", why, "Give such a grid.")
    scale = numbers(33550, DOUBLE, [affine.a, -affine.e, 0])  # ModelPixelScale
    corner = numbers(33922, DOUBLE, [0, 0, 0, affine.c, affine.f, 0])  # ModelTiepoint
    return [scale, corner, *_crs_tags(str(grid.crs.to_wkt()), dtype, nodata)]


@lru_cache(maxsize=256)
def _crs_tags(wkt: str, dtype: str, nodata: float | None) -> tuple[Tag, ...]:
    """Return the tags of CRS and nodata as GDAL writes them, from a file of one pixel."""
    from rasterio.io import MemoryFile

    profile = {"driver": "GTiff", "width": 1, "height": 1, "count": 1, "dtype": dtype}
    place = {"crs": wkt, "transform": Affine(1, 0, 1, 0, -1, 1), "nodata": nodata}
    with MemoryFile() as memory:
        with memory.open(**profile, **place, endianness="LITTLE"):
            pass
        return tuple(tag for tag in read_tags(memory.read()).values() if tag.code in CRS_TAGS)
