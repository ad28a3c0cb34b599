"""Miniatures of the SEN12MS family over simulated ground: places, builds, and the truth behind.

SYNTHETIC: all pixels come from one sandbox, through its STAC servers or its Earth Engine.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import zarr
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from pyproj import Transformer
from scipy import ndimage

from eodata import resources
from eodata.cli.app import main
from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.earthengine.server import EarthEngineServer
from eodata.sandbox.items import SandboxItem
from tests.e2e.building import Ran
from tests.providers.served import Servers

WORLD = SandboxSettings(seed=1)
PATCH_M, PX = 2560, 256
Numbers = NDArray[Any]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Place:
    """One patch of 2560 m.

    Most lie within one square that the sandbox makes in one go (`items.CELL`), one tile and one
    orbit of Sentinel-2: so few pixels are made for them that the tests stay short.

    Attributes:
        id: Of the area.
        epsg: UTM zone.
        left: West edge [m].
        top: North edge [m].
        season: Word of the recipe.
        split: Likewise.
        days: Own time, if any.
    """

    id: str
    epsg: int
    left: float
    top: float
    season: str = "summer"
    split: str = "train"
    days: tuple[str, str] | None = None

    def feature(self) -> dict[str, Any]:
        """Return it as GeoJSON: a point, as the shipped areas are."""
        to_degrees = Transformer.from_crs(self.epsg, 4326, always_xy=True)
        centre = to_degrees.transform(self.left + PATCH_M / 2, self.top - PATCH_M / 2)
        told: dict[str, Any] = {"id": self.id, "season": self.season, "split": self.split}
        if self.days:
            told |= dict(zip(("start", "end"), self.days, strict=True))
        point = {"type": "Point", "coordinates": [round(float(v), 7) for v in centre]}
        return {"type": "Feature", "properties": told, "geometry": point}


CHACO = Place("chaco", 32720, 540160, 7984640)
SUDAN = Place("sudan", 32636, 696320, 1379840, split="test")
BORNEO = Place("borneo", 32649, 729600, 135680, season="spring", split="test")
"""In spring 2017 each of its clearest images is partly cloudy."""
EDGE = Place("edge", 32720, 683520, 7943680, days=("2018-01-04", "2018-04-04"))
"""Of its time a miniature of 1 step of 30 keeps the first three days. The eastern end of orbit 110
runs through it, and no other orbit sees it then."""


def recipe_over(folder: Path, name: str, places: Sequence[Place]) -> Path:
    """Write a shipped recipe over other places; nothing else differs."""
    folder.mkdir(parents=True)
    shipped = resources.recipe_files()[name].read_text(encoding="utf-8")
    text, n = re.subn(r"file: areas/[\w-]+\.geojson", "file: places.geojson", shipped)
    assert n == 1
    features = [place.feature() for place in places]
    collection = {"type": "FeatureCollection", "features": features}
    (folder / "places.geojson").write_text(json.dumps(collection))
    (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / f"{name}.yaml"


@dataclass(frozen=True)
class Store:
    """A built store, read by what is no part of eodata."""

    path: Path
    ran: Ran

    @cached_property
    def steps(self) -> pandas.DataFrame:
        """The table of steps."""
        return pandas.read_parquet(self.path / "steps.parquet")

    @cached_property
    def samples(self) -> pandas.DataFrame:
        """The table of samples by row."""
        return pandas.read_parquet(self.path / "samples.parquet").set_index("row")

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The lock file."""
        plan: dict[str, Any] = json.loads((self.path / "plan" / "plan.json").read_text())
        return plan

    @cached_property
    def group(self) -> zarr.Group:
        """The arrays."""
        return zarr.open_group(self.path / "data.zarr", mode="r")

    def of(self, modality: str) -> pandas.DataFrame:
        """Return the steps of a modality by row and step."""
        steps = self.steps
        return steps[steps.modality == modality].set_index(["row", "step"], drop=False)

    def array(self, name: str, steps: int | None = None) -> Numbers:
        """Return an array `(sample, time, …)` without the rows that hold no sample."""
        found: Any = self.group[name]
        return np.asarray(found[: len(self.samples), :steps])

    def bands(self, name: str) -> list[dict[str, Any]]:
        """Return what the attributes say of the bands."""
        bands: Any = self.group[name].attrs["bands"]
        return list(bands)

    def items(self, modality: str) -> set[str]:
        """Return the ids of all items of a modality."""
        return {item for items in self.of(modality)["items"] for item in items}


class Family:
    """Builds miniatures from one world's servers, each once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.archive = SandboxArchive(WORLD)
        self._stack = ExitStack()
        self._built: dict[tuple[str, str], Store] = {}

    def __enter__(self) -> Family:
        self.servers = self._stack.enter_context(Servers(WORLD))
        return self

    def __exit__(self, *what: object) -> None:
        self._stack.close()

    @cached_property
    def engine(self) -> EarthEngineServer:
        """The simulated Earth Engine."""
        return self._stack.enter_context(EarthEngineServer(WORLD))

    def at(self, *providers: str) -> list[str]:
        """Return the options that say where providers are found."""
        flavours = {"stac": "sandbox"}
        known = {
            p: self.servers.at(flavours.get(p, p)).api for p in providers if p != "earthengine"
        }
        if "earthengine" in providers:
            known["earthengine"] = self.engine.url
        return [word for p in providers for word in ("--endpoint", f"{p}={known[p]}")]

    def run(self, *words: object) -> Ran:
        """Run `eodata …` in this process."""
        out, err, code = StringIO(), StringIO(), -1
        with redirect_stdout(out), redirect_stderr(err):
            try:
                main([str(word) for word in words])
            except SystemExit as ended:
                code = int(ended.code or 0)
        return Ran(code, out.getvalue(), err.getvalue())

    def build(
        self, name: str, how: str, scale: str, places: Sequence[Place] = (), label: str = ""
    ) -> Store:
        """Return a store, built at the first call.

        Args:
            name: A shipped recipe.
            how: `stac`, `earthengine`, `sisters` (as the recipe says), or a mixture of providers.
            scale: Of the miniature.
            places: Instead of the recipe's own.
            label: Tells stores of one recipe apart.
        """
        key = (f"{name}{label}", how)
        if key not in self._built:
            folder = self.folder / f"{key[0]} {re.sub(r'[^a-z]', '-', how)}"
            recipe = recipe_over(folder, name, places) if places else name
            providers = ("earth-search", "planetary-computer")
            options: list[str] = []
            if how != "sisters":
                providers = tuple(part.rpartition("=")[2] for part in how.split(","))
                options = ["--provider", how]
            ran = self.run(
                "build", recipe, *options, *self.at(*providers), "--scale", scale,
                "--out", folder / "store",
            )  # fmt: skip
            assert ran.code in (0, 9), ran.err
            self._built[key] = Store(folder / "store", ran)
        return self._built[key]

    def record(self, collection: str, item: str) -> SandboxItem:
        """Return what stands behind an item of the sandbox's own STAC flavour."""
        return self.archive.collections[collection].get(item)

    def truth(self, store: Store, row: int, item: str) -> dict[str, Numbers]:
        """Return the truth of a Sentinel-2 L1C item on a sample's pixels of 10 m."""
        record = self.record("sentinel-2-l1c", item)
        return self.archive.truth(record, ground_of(store, row))

    def dn(self, store: Store, row: int, item: str, bands: Sequence[str]) -> Numbers:
        """Return the numbers of an item's bands of 10 m on a sample, without any protocol."""
        record = self.record("sentinel-2-l1c", item)
        grid, base = ground_of(store, row), record.base
        assert grid.crs == base.crs
        col = round((grid.affine.c - base.affine.c) / 10)
        first = round((base.affine.f - grid.affine.f) / 10)
        window = (first, first + PX), (col, col + PX)
        found = self.archive.read_many(record, dict.fromkeys(bands, window))
        return np.stack([found[band] for band in bands])

    def between(self, store: Store, row: int, item: str, band: str) -> Numbers:
        """Return a coarser band of an item at a sample's centres of 10 m, by bilinear weights."""
        record = self.record("sentinel-2-l1c", item)
        source, ground = record.grid(band), ground_of(store, row)
        at = (np.arange(PX) + 0.5) * 10
        cols = (ground.affine.c + at - source.affine.c) / source.affine.a - 0.5
        rows = (source.affine.f - ground.affine.f + at) / source.affine.a - 0.5
        (top, bottom), (left, right) = ((int(v[0]), int(v[-1]) + 2) for v in (rows, cols))
        window = self.archive.read(record, band, (top, bottom), (left, right)).astype(np.float64)
        places = np.meshgrid(rows - top, cols - left, indexing="ij")
        return np.asarray(ndimage.map_coordinates(window, places, order=1))


def ground_of(store: Store, row: int) -> GeoBox:
    """Return the pixels of 10 m of a sample."""
    sample = store.samples.loc[row]
    affine = Affine(10, 0, sample["left"], 0, -10, sample["top"])
    return GeoBox((PX, PX), affine, sample["crs"])


def iou(found: Mask, true: Mask) -> float:
    """Return intersection over union, 1 where both are empty."""
    either = (found | true).sum()
    return float((found & true).sum() / either) if either else 1.0


def grown(mask: Mask, px: float) -> Mask:
    """Return a mask `(H, W)` with everything that is at most so far from it."""
    return np.asarray(ndimage.distance_transform_edt(~mask) <= px) if mask.any() else mask


def nearest_classes(family: Family, store: Store, row: int, item: str, band: str) -> Numbers:
    """Return the class of the MODIS pixel that each centre of 10 m lies in, `(256, 256)`."""
    record = family.record("modis-mcd12q1", item)
    grid, source = ground_of(store, row), record.grid(band)
    col, line = np.meshgrid(np.arange(PX) + 0.5, np.arange(PX) + 0.5)
    x, y = grid.affine @ (col, line)
    to_source = Transformer.from_crs(str(grid.crs), source.crs.proj, always_xy=True)
    at_col, at_row = (np.floor(v).astype(int) for v in ~source.affine @ to_source.transform(x, y))
    rows = int(at_row.min()), int(at_row.max()) + 1
    cols = int(at_col.min()), int(at_col.max()) + 1
    numbers = family.archive.read(record, band, rows, cols)
    return numbers[at_row - rows[0], at_col - cols[0]]
