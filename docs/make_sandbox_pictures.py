"""Make the pictures of `docs/sandbox.md` from the sandbox itself, into `docs/images/`.

Usage: python docs/make_sandbox_pictures.py [NAME …]

Names are `year`, `places` and `layers`; without one, all are made. Everything that is shown is
SYNTHETIC. It takes about two minutes; the same code makes the same pictures.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from PIL import Image
from pyproj import Transformer
from shapely.geometry import Point

from eodata import resources
from eodata.core.band import Band
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span
from eodata.providers.sandbox import SandboxProvider
from eodata.sandbox.items import coarser

IMAGES = Path(__file__).parent / "images"
DPI = 72  # a point is a pixel
GAP, EDGE, HEAD, FOOT = 6, 8, 22, 26
INK, WARNING = "#1b1f24", "#c81e1e"
COLOURS = 240
S2, S1 = "sentinel-2-l2a", "sentinel-1-grd"
RED, GREEN, BLUE = 3, 2, 1  # positions in the truth's 13 bands
CLEAR_SHARE = 0.003

TOWN = (5.324, 52.152)  # fields, forest, a town, a river and a lake in the Netherlands
PLACES = (
    ("fields, Kansas", -100.8, 38.4, 6),
    ("megacity, Cairo", 31.25, 30.06, 10),
    ("edge of the rain forest, Rondônia", -62.9, -10.6, 8),
    ("desert, Namib", 15.6, -24.4, 9),
    ("mountains with snow, Valais", 8.0, 46.3, 6),
    ("coast, Brittany", -3.35, 47.70, 7),
    ("tundra, Taymyr", 98.0, 73.2, 8),
    ("savanna, Limpopo", 31.5, -24.0, 4),
)
"""Name, longitude, latitude, month of 2020."""

Picture = NDArray[np.uint8]
Values = NDArray[np.float32]


class World:
    """The simulated Earth, asked for small grids."""

    def __init__(self) -> None:
        self.provider = SandboxProvider(SandboxSettings())
        self.archive = self.provider.archive
        self._bands = {
            name: {entry.name: entry.to_band() for entry in product.bands}
            for name, product in resources.products().items()
        }

    def band(self, collection: str, name: str) -> Band:
        """Return what the numbers of a band mean."""
        return self._bands[collection][name]

    def find(self, collection: str, place: tuple[float, float], span: Span | None) -> list[Item]:
        """Return the items over a place."""
        return self.provider.search(Query(collection, Point(*place), span))

    def read(
        self, item: Item, names: Sequence[str], grid: GeoBox, resampling: str = "nearest"
    ) -> Values:
        """Return bands of an item, in physical units `(C, H, W)`; NaN where nothing was measured.

        Offset and scale are those that the item states.
        """
        bands = [self.band(item.collection, name) for name in names]
        reads = [BandRead(b, b.name, resampling) for b in bands]
        pixels = self.provider.read(item, reads, grid)
        layers = []
        for band, dn, valid in zip(bands, pixels.values, pixels.valid, strict=True):
            asset = item.assets[band.name]
            scale = band.scale if asset.scale is None else asset.scale
            offset = band.offset if asset.offset is None else asset.offset
            layers.append(np.where(valid, dn.astype(np.float32) * scale + offset, np.nan))
        return np.stack(layers).astype(np.float32)

    def truth(self, item: Item, grid: GeoBox) -> dict[str, NDArray[Any]]:
        """Return what holds behind an item of Sentinel-2."""
        record = self.archive.collections[item.collection].get(item.id)
        return self.archive.truth(record, grid)

    def covered(self, item: Item, grid: GeoBox) -> float:
        """Return which share of a grid lies under cloud or shadow; 2 where swath is missing."""
        seen = self.truth(item, coarser(grid, 12))
        return float((seen["cloud"] | seen["shadow"]).mean()) if seen["swath"].all() else 2.0

    def echo(self, items: Iterable[Item], item: Item, grid: GeoBox) -> Values:
        """Return VV and VH [dB] of the radar item nearest in time that holds all of a grid."""
        near = sorted(items, key=lambda i: (abs(i.datetime - item.datetime), i.id))
        for one in near:
            values = self.read(one, ["vv", "vh"], grid, "bilinear")
            if not np.isnan(values).any():
                return values
        raise SystemExit(f"no radar item holds all of {grid}")

    def square(self, place: tuple[float, float], size: int, span: Span) -> GeoBox:
        """Return `size` pixels of 10 m about a place, on the grid of the first tile that fits."""
        for item in self.find(S2, place, span):
            base = self.archive.collections[S2].get(item.id).base
            spot = Transformer.from_crs(4326, base.crs.epsg, always_xy=True).transform(*place)
            col, row = (round((v - size * 5) / 60) * 6 for v in _on(base, spot))
            if min(col, row) >= 0 and max(col, row) + size <= min(base.shape):
                return base[row : row + size, col : col + size]
        raise SystemExit(f"no tile holds all of the square at {place}")


def _on(base: GeoBox, spot: tuple[float, float]) -> tuple[float, float]:
    """Return metres to the east and to the south of the corner of a grid."""
    return spot[0] - base.affine.c, base.affine.f - spot[1]


def month(year: int, number: int) -> Span:
    """Return one month."""
    start = datetime(year, number, 1, tzinfo=UTC)
    return Span(start, datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC))


def true_colour(rho: Values) -> Picture:
    """Return reflectances `(3, H, W)`, red first, as colours; half-tones are lifted."""
    light = np.clip(np.nan_to_num(rho, nan=1.0) / 0.30, 0, 1) ** (1 / 1.7)
    return np.moveaxis(np.rint(light * 255).astype(np.uint8), 0, -1)


def radar(decibels: Values, factor: int) -> Picture:
    """Return VV and VH `(2, H, W)` [dB] as colours: VV red, VH green, VV/VH blue."""
    power = smaller(10 ** (decibels / 10), factor)
    vv, vh = 10 * np.log10(np.maximum(power, 1e-6))
    shown = np.stack([(vv + 19) / 17, (vh + 26) / 17, (vv - vh - 2) / 13])
    return np.moveaxis(np.rint(np.clip(np.nan_to_num(shown), 0, 1) * 255).astype(np.uint8), 0, -1)


def smaller(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """Return means of squares along the last two axes."""
    *rest, height, width = values.shape
    parts = (*rest, height // factor, factor, width // factor, factor)
    return values.reshape(parts).mean((-3, -1))


def sky(truth: dict[str, NDArray[Any]], factor: int) -> Picture:
    """Return cloud and shadow as colours: white thick cloud, pale blue cirrus, dark shadow."""
    picture = np.full((*truth["thick"].shape, 3), (126, 158, 120), np.float32)
    picture[truth["shadow"]] = (43, 48, 66)
    thin = np.clip(truth["thin"] / 0.6, 0, 1)[..., None]
    picture += thin * (np.float32((170, 205, 235)) - picture)
    thick = (1 - np.exp(-truth["thick"] / 4))[..., None]
    picture += thick * (255 - picture)
    return np.moveaxis(smaller(np.moveaxis(picture, -1, 0), factor), 0, -1).astype(np.uint8)


def classes(values: Values, band: Band) -> Picture:
    """Return classes in the colours of their own legend."""
    table = np.full((256, 3), 220, np.uint8)
    for value, _, colour in band.classes:
        table[value] = tuple(bytes.fromhex(colour))
    return table[np.nan_to_num(values, nan=255).astype(np.uint8)]


def shades(values: Values, low: float, high: float, tint: Iterable[float]) -> Picture:
    """Return numbers as brightness of one tint."""
    light = np.clip((np.nan_to_num(values) - low) / (high - low), 0, 1)[..., None]
    return np.rint(light * np.float32(list(tint))).astype(np.uint8)


def relief(height: Values) -> Picture:
    """Return heights `(H, W)` of 10 m pixels, coloured from low to high and lit from north-west."""
    low, high = np.percentile(height, (1, 99))
    share = np.clip((height - low) / max(high - low, 1.0), 0, 1)[..., None]
    colour = np.float32((96, 140, 98)) + share * np.float32((130, 84, 92))
    south, east = np.gradient(height, 10.0)
    lit = np.clip(0.85 + 1.6 * (east + south), 0.35, 1.2)[..., None]
    return np.clip(colour * lit, 0, 255).astype(np.uint8)


def page(rows: list[list[Picture]], above: list[list[str]], beside: list[str], path: Path) -> None:
    """Write pictures in rows, words above each and one word beside each row.

    An empty list of words above a row leaves no room for them.
    """
    size, left = rows[0][0].shape[0], 104 if any(beside) else EDGE
    width = left + len(rows[0]) * (size + GAP) - GAP + EDGE
    height = sum(size + GAP + (HEAD if words else 0) for words in above) + FOOT
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    y = height - 4.0
    for pictures, words, word in zip(rows, above, beside, strict=True):
        y -= size + (HEAD if words else 0)
        figure.text(EDGE / width, (y + size / 2) / height, word, size=12, va="center", color=INK)
        for k, picture in enumerate(pictures):
            x = left + k * (size + GAP)
            axes = figure.add_axes((x / width, y / height, size / width, size / height))
            axes.imshow(picture, interpolation="none")
            axes.set_axis_off()
            if words:
                figure.text(x / width, (y + size + 5) / height, words[k], size=12, color=INK)
        y -= GAP
    figure.text(EDGE / width, 8 / height, "SYNTHETIC", size=12, weight="bold", color=WARNING)
    said = "the sandbox's planet, seed 1; nothing here was measured"
    figure.text((EDGE + 88) / width, 8 / height, said, size=12, color=INK)
    made = io.BytesIO()
    canvas.print_png(made)
    image = Image.open(made).convert("RGB")
    few = image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    _keep_warning(few, image).save(path, optimize=True)
    print(f"wrote {path.name}: {width} x {height} px, {path.stat().st_size / 1e3:.0f} kB")


def _keep_warning(few: Image.Image, image: Image.Image) -> Image.Image:
    """Return a picture of few colours with the warning in its own."""
    red, green, _ = np.moveaxis(np.asarray(image).astype(int), -1, 0)
    said = red - green > 60
    said[:-FOOT] = False
    numbers = np.where(said, COLOURS, np.asarray(few)).astype(np.uint8)
    kept = Image.frombytes("P", few.size, numbers.tobytes())
    colours = (few.getpalette() or [])[: 3 * COLOURS]
    colours += [255] * (3 * COLOURS - len(colours))
    kept.putpalette([*colours, *bytes.fromhex(WARNING[1:])])
    return kept


def year(world: World) -> None:
    """Make a year over one place: of each month the item that is about one third cloudy."""
    grid = world.square(TOWN, 504, month(2018, 1))
    columns, heads = [], []
    for number in range(1, 13):
        items = [i for i in world.find(S2, TOWN, month(2018, number)) if _same_grid(world, i, grid)]
        item = min(items, key=lambda i: abs(world.covered(i, grid) - 0.3))
        truth = world.truth(item, grid)
        around = Span(item.datetime - timedelta(days=6), item.datetime + timedelta(days=6))
        echo = world.echo(world.find(S1, TOWN, around), item, grid)
        clear = truth["clear"][[RED, GREEN, BLUE]]
        seen = world.read(item, ["B04", "B03", "B02"], grid)
        columns.append(
            [
                true_colour(smaller(seen, 3)),
                true_colour(smaller(clear, 3)),
                sky(truth, 3),
                radar(echo, 3),
            ]
        )
        heads.append(f"{item.datetime:%d %b %Y}")
    beside = ["Sentinel-2\nas seen", "truth:\nno clouds", "truth:\nthe sky", "Sentinel-1\nVV VH"]
    rows = [list(row) for row in zip(*columns, strict=True)]
    page(rows, [heads, [], [], []], beside, IMAGES / "sandbox-year.png")


def places(world: World) -> None:
    """Make eight places of the world, each by a clear item."""
    pictures, heads = [], []
    for name, lon, lat, number in PLACES:
        grid = world.square((lon, lat), 780, month(2020, number))
        item = clear_item(world, (lon, lat), grid, number)
        seen = smaller(world.read(item, ["B04", "B03", "B02"], grid), 3)
        pictures.append(true_colour(seen))
        heads.append(f"{name}, {item.datetime:%d %b}")
    rows, above = [pictures[:4], pictures[4:]], [heads[:4], heads[4:]]
    page(rows, above, ["", ""], IMAGES / "sandbox-places.png")


def clear_item(world: World, place: tuple[float, float], grid: GeoBox, number: int) -> Item:
    """Return the first clear item of three months, or the clearest."""
    found = []
    for later in range(3):
        for item in world.find(S2, place, month(2020, number + later)):
            if _same_grid(world, item, grid):
                found.append((world.covered(item, grid), item.id, item))
                if found[-1][0] < CLEAR_SHARE:
                    return item
    return min(found)[2]


def layers(world: World) -> None:
    """Make one place in the eyes of every instrument, on one day in early summer."""
    grid = world.square(TOWN, 504, month(2018, 6))
    items = [i for n in (5, 6, 7) for i in world.find(S2, TOWN, month(2018, n))]
    items = [i for i in items if _same_grid(world, i, grid)]
    item = min(items, key=lambda i: abs(world.covered(i, grid) - 0.2))
    around = Span(item.datetime - timedelta(days=6), item.datetime + timedelta(days=6))

    def still(collection: str, name: str, resampling: str = "nearest") -> Values:
        found = _nearest(world.find(collection, TOWN, None), item)
        return world.read(found, [name], grid, resampling)[0]

    def legend(collection: str, name: str) -> Picture:
        return classes(still(collection, name)[::2, ::2], world.band(collection, name))

    seen = world.read(item, ["B04", "B03", "B02"], grid)
    echo = world.echo(world.find(S1, TOWN, around), item, grid)
    scl = world.read(item, ["SCL"], grid)[0][::2, ::2]
    height = smaller(still("cop-dem-glo-30", "data", "bilinear"), 2)
    dark = world.find("viirs-dnb-monthly", TOWN, month(2018, 10))[0]  # June has no dark night
    lights = world.read(dark, ["avg_rad"], grid)[0][::2, ::2]
    rows = [
        [
            true_colour(smaller(seen, 2)),
            radar(echo, 2),
            legend("esa-worldcover", "map"),
            legend("modis-mcd12q1", "LC_Type1"),
        ],
        [
            relief(height),
            shades(np.sqrt(np.maximum(lights, 0)), 0, 6, (255, 232, 170)),
            classes(scl, world.band(S2, "SCL")),
            sky(world.truth(item, grid), 2),
        ],
    ]
    heads = [
        [f"Sentinel-2, {item.datetime:%d %b %Y}", "Sentinel-1, VV VH", "WorldCover", "MODIS IGBP"],
        ["surface height", "night lights, October", "SCL of Level-2A", "truth: the sky"],
    ]
    page(rows, heads, ["", ""], IMAGES / "sandbox-layers.png")


def _same_grid(world: World, item: Item, grid: GeoBox) -> bool:
    """Return True when a grid is a part of an item's own."""
    base = world.archive.collections[item.collection].get(item.id).base
    col, row = (round(v / 10) for v in _on(base, (grid.affine.c, grid.affine.f)))
    inside = min(col, row) >= 0 and max(col, row) + grid.shape[0] <= base.shape[0]
    return base.crs == grid.crs and inside


def _nearest(items: Iterable[Item], item: Item) -> Item:
    """Return the item nearest in time to another; of equally near ones the first id."""
    return min(items, key=lambda i: (abs(i.datetime - item.datetime), i.id))


PICTURES = {"year": year, "places": places, "layers": layers}


def main(names: list[str]) -> int:
    """Make the pictures of these names, all without one."""
    world = World()
    for name in names or PICTURES:
        PICTURES[name](world)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
