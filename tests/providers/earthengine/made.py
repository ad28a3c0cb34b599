"""An Earth Engine of one image that is an array, evaluated in this process."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from affine import Affine
from ee import serializer
from odc.geo import CRS
from odc.geo.geobox import GeoBox

from eodata.core.band import Band
from eodata.core.earthengine import EarthEngineLocation
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.product import ProviderEntry
from eodata.core.protocols import Pixels, Query
from eodata.providers.earthengine.provider import EarthEngineProvider
from eodata.providers.earthengine.refusals import TooMuchError
from eodata.sandbox.earthengine.assets import image_json
from eodata.sandbox.earthengine.graph import render
from eodata.sandbox.earthengine.grids import read_grid
from tests.sandbox.earthengine.graphing import TERMS, MadeCatalogue

UTM31 = CRS("EPSG:32631")


def by_server(reads: list[BandRead], **said) -> list[BandRead]:
    return [replace(read, warped_by="server", **said) for read in reads]


@dataclass
class MadeEngine:
    """The evaluator over arrays, in this process: a `Client` of one collection."""

    catalogue: MadeCatalogue = field(default_factory=MadeCatalogue)
    most_px: int = 1 << 30
    grids: list[tuple[int, int]] = field(default_factory=list)
    dtypes: list[set[str]] = field(default_factory=list)

    def opened(self) -> tuple[EarthEngineProvider, Item]:
        """Return a provider of it, and its one image."""
        entries = {"MADE/UP": ProviderEntry(collection="MADE/UP", radiometry="")}
        provider = EarthEngineProvider(EarthEngineLocation(), self, entries)
        (image,) = self.catalogue.known.values()
        (item,) = provider.search(Query("MADE/UP", image.footprint, None))
        return provider, item

    def check(self) -> None:
        """Everybody may ask."""

    def list_images(self, asked):
        return {"images": [image_json(image) for image in self.catalogue.known.values()]}

    def compute_pixels(self, where, asked):
        grid = read_grid(asked["grid"], None)
        if grid.width * grid.height > self.most_px:
            raise TooMuchError("earthengine", "User memory limit exceeded.", "", "")
        bands = render(serializer.encode(asked["expression"]), self.catalogue, grid)
        made = np.zeros((grid.height, grid.width), [(b.name, b.values.dtype) for b in bands])
        for band in bands:
            made[band.name] = np.where(band.mask, band.values, 0)
        self.grids.append((grid.height, grid.width))
        self.dtypes.append({str(made[n].dtype) for n in made.dtype.names if "_valid" not in n})
        return made


def engine_of(**bands: np.ndarray) -> MadeEngine:
    """Return an engine of an image whose bands are masked where they are 0."""
    engine = MadeEngine()
    engine.catalogue.add("one", bands)
    return engine


def read_of(asset: str, resampling: str = "bilinear", **facts) -> BandRead:
    told = {"kind": "continuous", "dtype": "uint16", "gsd": 10.0} | facts
    return BandRead(Band(name=asset, **told), asset, resampling)


def both(engine: MadeEngine, reads: list[BandRead], grid: GeoBox) -> tuple[Pixels, Pixels]:
    """Return pixels that the server brought onto a grid, and pixels that we did."""
    found = served(engine, reads, grid)
    provider, item = engine.opened()
    return found, provider.read(item, reads, grid)


def served(engine: MadeEngine, reads: list[BandRead], grid: GeoBox) -> Pixels:
    provider, item = engine.opened()
    return provider.read(item, by_server(reads), grid)


def grid_at(col: float, row: float, gsd: float, size: int, crs: CRS = UTM31) -> GeoBox:
    onto = Affine.translation(col, row) @ Affine.scale(gsd)
    return GeoBox((size, size), Affine(*TERMS) @ onto, crs)


def spotted(shape=(60, 60), seed=1) -> np.ndarray:
    """Numbers of which a tenth and a square are 0, which stands for masked."""
    draw = np.random.default_rng(seed)
    found = draw.integers(1, 10_000, shape).astype("uint16")
    found[draw.random(shape) < 0.1] = 0
    found[20:34, 25:41] = 0
    return found
