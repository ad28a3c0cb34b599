"""A store as a build leaves it, made from formulas: fields, a year, clouds, gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import box

from eodata.core.band import Band
from eodata.core.choice import Choice
from eodata.core.coregistration import Alignment
from eodata.core.item import Item
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import Outcome, Status
from eodata.core.patch import Area, Patch
from eodata.core.plan import Plan
from eodata.core.product import Product
from eodata.core.recipe import Recipe
from eodata.core.shift import Shift
from eodata.core.split import Placed
from eodata.store.arrays import create_arrays
from eodata.store.sink import ZarrSink
from eodata.store.tables import write_tables

LAND = ((11, "temporary crops", "f096ff"), (13, "grassland", "ffff4c"), (60, "built-up", "fa0000"))
SCL = (
    (3, "cloud shadow", "643200"),
    (4, "vegetation", "00a000"),
    (5, "bare soil", "ffe65a"),
    (8, "cloud medium probability", "c0c0c0"),
    (9, "cloud high probability", "ffffff"),
)
BANDS = {
    "s2": (
        Band("B02", "continuous", "uint16", 10.0, scale=1e-4, common_name="blue"),
        Band("B03", "continuous", "uint16", 10.0, scale=1e-4, common_name="green"),
        Band("B04", "continuous", "uint16", 10.0, scale=1e-4, common_name="red"),
        Band("B08", "continuous", "uint16", 10.0, scale=1e-4, common_name="nir"),
    ),
    "s1": (
        Band("vv", "continuous", "float32", 10.0, "dB"),
        Band("vh", "continuous", "float32", 10.0, "dB"),
    ),
    "scl": (Band("SCL", "categorical", "uint8", 20.0, "", classes=SCL),),
    "cloud": (
        Band(
            "cloud",
            "categorical",
            "uint8",
            10.0,
            "",
            classes=((0, "no cloud", "000000"), (1, "cloud", "ffffff")),
        ),
    ),
    "landcover": (Band("lc", "categorical", "uint8", 10.0, "", classes=LAND),),
    "dem": (Band("dem", "continuous", "int16", 20.0, "m"),),
}
PRODUCTS = {
    "s2": "sentinel-2-l2a",
    "s1": "sentinel-1-grd",
    "scl": "sentinel-2-l2a",
    "cloud": "sentinel-2-l2a",
    "landcover": "labels",
    "dem": "dem",
}
STATIC = ("landcover", "dem")
DISPLAY = {"s2": (("B04", "B03", "B02"), 0.0, 0.3), "s1": (("vv", "vh", "vv"), -25.0, 0.0)}
START = datetime(2018, 1, 1, tzinfo=UTC)
SPLITS = ("train", "train", "val", "test")
GAP_STEPS, FAILED_STEP, REJECTED_STEP = (3, 4, 11), 17, 22
REFERENCE_STEP = 13
ALIGNMENTS = {
    "s2": Alignment("s2", (2,), (2,), "optical", "optical", alike=True),
    "s1": Alignment("s2", (0, 1), (2,), "radar", "optical", alike=False, moves=True),
    "landcover": Alignment("s2", (0,), (2,), "classes", "optical", alike=False),
}
BEYOND = f"max_shift_px: 2.50 px from s2@{REFERENCE_STEP}, limit 1"
GAP_REASON = "no-items: none within 6 days of s2"


@dataclass(frozen=True)
class Built:
    """A store and what it was made from."""

    root: Path
    plan: Plan
    products: dict[str, Product]


def make_recipe(pixels: int, steps: int) -> Recipe:
    return Recipe.parse(
        {
            "name": "flatland",
            "title": "Fields of a flat country, by formula",
            "description": "Parcels with a season, below clouds that drift.",
            "task": "cloud-removal",
            "keywords": ["time-series", "belgium"],
            "licence": "CC-BY-4.0",
            "citation": "Nobody, 2018",
            "area": {"bbox": [3.0, 50.5, 3.2, 50.7], "patch": pixels * 10},
            "time": {"start": "2018-01-01", "end": "2018-12-27", "steps": steps},
            "modalities": {
                "s2": {"product": "sentinel-2-l2a", "anchor": True},
                "s1": {"product": "sentinel-1-grd", "pair": {"with": "s2", "within": "6d"}},
                "scl": {"product": "sentinel-2-l2a", "bands": ["SCL"], "follow": "s2"},
                "cloud": {"derive": "class-mask", "from": "scl", "classes": [3, 8, 9]},
                "landcover": {"product": "labels", "role": "target"},
                "dem": {"product": "dem"},
            },
            "split": {
                "by": "cell",
                "cell": pixels * 10,
                "fractions": {"train": 0.5, "val": 0.25, "test": 0.25},
                "min_distance": 0,
            },
            "store": {"block": 4},
        },
        "test",
    )


def make_plan(
    pixels: int = 16,
    steps: int = 30,
    *,
    synthetic: bool = False,
    compared: bool = False,
    limit: float | None = None,
) -> Plan:
    """Four patches in two places, 2 km apart, so that splits keep a distance."""
    recipe = make_recipe(pixels, steps)
    checks = recipe.checks.model_copy(update={"max_shift_px": limit})
    recipe = recipe.model_copy(update={"checks": checks})
    size = recipe.area.patch
    corners = [(500_000, 5_630_000), (500_000 + size, 5_630_000)]
    corners += [(503_000 + 2 * size, 5_630_000), (506_000 + 4 * size, 5_630_000)]
    patches = tuple(
        Patch("flat", "EPSG:32631", x, y, size, 0, col) for col, (x, y) in enumerate(corners)
    )
    s2 = [_item("s2", k, 360 / steps * (k + 0.5)) for k in range(steps)]
    s1 = [_item("s1", k, 360 / steps * (k + 0.5) - 1) for k in range(steps)]
    lead = tuple(Choice((k,)) for k in range(steps))
    pair = tuple(
        Choice((), GAP_REASON) if k in GAP_STEPS else Choice((steps + k,)) for k in range(steps)
    )
    still = (Choice((2 * steps,)),)
    chosen = {"s2": lead, "s1": pair, "scl": lead, "landcover": still, "dem": still}
    return Plan(
        recipe=recipe,
        modalities={name: _modality(name, compared=compared) for name in BANDS},
        areas={"flat": Area("flat", box(3.0, 50.5, 3.2, 50.7), "EPSG:32631")},
        items=(*s2, *s1, _item("static", 0, 100)),
        choices={name: {"flat": row} for name, row in chosen.items()},
        patches=patches,
        placed=tuple(Placed(split, f"c{i}") for i, split in enumerate(SPLITS)),
        synthetic=synthetic,
        provenance={"eodata": "0.1.0", "numpy": np.__version__},
    )


def _item(name: str, number: int, day: float) -> Item:
    when = START + timedelta(days=day, hours=10.5)
    return Item(f"{name}-{number:02d}", name, when, box(2.9, 50.4, 3.3, 50.8))


def _modality(name: str, *, compared: bool) -> ModalityPlan:
    bands = BANDS[name]
    derived = name == "cloud"
    return ModalityPlan(
        name=name,
        gsd=bands[0].gsd,
        static=name in STATIC,
        role="target" if name == "landcover" else "input",
        reads=(),
        bands=bands,
        provider="" if derived else "archive",
        product=PRODUCTS[name],
        collection=PRODUCTS[name],
        radiometry="",
        derive="class-mask" if derived else "",
        is_mask=derived,
        marks_cloud=derived,
        source="scl" if derived else "",
        classes=(3, 8, 9) if derived else (),
        display=DISPLAY.get(name),
        alignment=ALIGNMENTS.get(name) if compared else None,
    )


def land(row: int, pixels: int) -> np.ndarray:
    """Class ids `(H, W)`: parcels with slanting edges, a village in the north-west."""
    y, x = np.mgrid[:pixels, :pixels] / pixels
    parcels = np.floor(3.2 * x + 0.9 * y + row) + np.floor(2.4 * y - 0.5 * x)
    village = (x - 0.2) ** 2 + (y - 0.2) ** 2 < 0.03
    return np.where(village, 60, np.where(parcels % 2 == 0, 11, 13)).astype(np.uint8)


def clouds(row: int, step: int, pixels: int) -> np.ndarray:
    """Cloud thickness `(H, W)` in [0, 1], 0 on two days of three."""
    if step % 3:
        return np.zeros((pixels, pixels))
    y, x = np.mgrid[:pixels, :pixels] / pixels
    wave = np.sin(5 * x + step + row) * np.cos(4 * y + 0.7 * step) + 0.3 * np.sin(17 * x + 13 * y)
    return np.clip(1.5 * wave + 0.1 * (step % 5) - 0.1, 0, 1)


def scene(name: str, row: int, step: int, pixels: int, steps: int) -> np.ndarray:
    """Return DN `(C, H, W)` of one modality."""
    rng = np.random.default_rng([row, step, len(name)])
    ground, cloud = land(row, pixels), clouds(row, step, pixels)
    green = np.clip(np.sin(np.pi * (step + 0.5) / steps), 0, 1) * np.where(ground == 13, 0.7, 1.0)
    built = ground == 60
    if name == "s2":
        bare = np.array([0.07, 0.095, 0.13, 0.2])[:, None, None]
        leaf = np.array([0.03, 0.075, 0.035, 0.42])[:, None, None]
        town = np.array([0.15, 0.155, 0.165, 0.22])[:, None, None]
        shown = np.where(built, town, bare + (leaf - bare) * green)
        shown = shown + rng.normal(0, 0.004, shown.shape)
        return np.clip((shown + (0.75 - shown) * cloud) * 1e4, 1, 10_000).astype(np.uint16)
    if name == "s1":
        vv = np.where(built, -3, -13 + 3 * green) + rng.normal(0, 1, ground.shape)
        vh = np.where(built, -10, -21 + 6 * green) + rng.normal(0, 1, ground.shape)
        return np.stack([vv, vh]).astype(np.float32)
    if name in ("scl", "cloud"):
        classes = np.where(green > 0.5, 4, 5)
        classes = np.where(cloud > 0.15, 8, classes)
        classes = np.where(cloud > 0.6, 9, classes)
        return (np.isin(classes, (3, 8, 9)) if name == "cloud" else classes)[None].astype(np.uint8)
    if name == "landcover":
        return ground[None]
    y, x = np.mgrid[:pixels, :pixels] / pixels
    return (20 + 12 * x + 5 * np.sin(6 * y) + row).round()[None].astype(np.int16)


def outcome_of(name: str, row: int, step: int, values: np.ndarray, valid: np.ndarray) -> Outcome:
    if name == "s1" and step in GAP_STEPS:
        return Outcome(row, step, Status.EMPTY, GAP_REASON)
    if name == "s1" and step == FAILED_STEP and row == 1:
        return Outcome(row, step, Status.FAILED, "the file vh.tif is cut short after 4096 bytes")
    if name == "s2" and step == REJECTED_STEP:
        return Outcome(row, step, Status.REJECTED, "min-valid: 40 %", float(valid.mean()))
    marked = float(values[0][valid].mean()) if name == "cloud" else None
    return Outcome(row, step, Status.DONE, "", float(valid.mean()), marked)


def shift_of(name: str, row: int, step: int) -> Shift:
    """What was measured: nothing in row 2, nor below clouds; radar was moved by (-1.2, 0.9)."""
    to = f"s2@{REFERENCE_STEP}"
    if name == "s2" and step == REFERENCE_STEP:
        return Shift(to, why="the reference")
    if row == 2 or (name != "landcover" and clouds(row, step, 8).mean() > 0.3):
        return Shift(to, why="clouds")
    if name == "landcover":
        return Shift(to, 0.5, -0.25, 0.1, 0.8)
    size = 0.6 if name == "s2" else 0.15
    angle = 0.7 * step + row
    shift = Shift(to, size * float(np.sin(angle)), size * float(np.cos(angle)), 0.04, 0.95)
    if name == "s1":
        return replace(shift, moved_row=-1.2, moved_col=0.9)
    return replace(shift, row=2.0, col=1.5, why=BEYOND) if step == REJECTED_STEP else shift


def is_valid(name: str, row: int, step: int, pixels: int) -> np.ndarray:
    """Return `(H, W)`: a border of the swath crosses step 7, half of step 22 is missing."""
    y, x = np.mgrid[:pixels, :pixels] / pixels
    if name in ("s2", "scl", "cloud") and step == 7:
        return x + 0.3 * y < 0.8
    if name == "s2" and step == REJECTED_STEP:
        return y < 0.4
    return np.ones((pixels, pixels), dtype=bool)


def write_store(root: Path, plan: Plan) -> None:
    """Write arrays and tables as a build does."""
    create_arrays(root, plan)
    sink, found = ZarrSink(root, plan), []
    for task in plan.tasks:
        layout, steps = plan.layout(task.modality), range(task.first, task.last)
        pixels = layout.shape[-1]
        rows = range(task.block * 4, task.block * 4 + len(plan.blocks[task.block].patches))
        values = np.stack(
            [
                [scene(task.modality, r, s, pixels, plan.recipe.time.steps) for s in steps]
                for r in rows
            ]
        )
        valid = np.stack([[is_valid(task.modality, r, s, pixels) for s in steps] for r in rows])
        for r in rows:
            for s in steps:
                place = (r - rows[0], s - task.first)
                outcome = outcome_of(task.modality, r, s, values[place], valid[place])
                if plan.modalities[task.modality].alignment and outcome.status != Status.EMPTY:
                    outcome = replace(outcome, shift=shift_of(task.modality, r, s))
                if outcome.status in (Status.EMPTY, Status.FAILED):
                    valid[place], values[place] = False, 0
                found.append((task.id, outcome))
        sink.write(task, values, valid)
    write_tables(root, plan, found)


def make_products() -> dict[str, Product]:
    facts = {
        "sentinel-2-l2a": ("sentinel-2", "Contains modified Copernicus Sentinel data"),
        "sentinel-1-grd": ("sentinel-1", "Contains modified Copernicus Sentinel data"),
        "labels": ("", "Labels of Flanders"),
        "dem": ("", ""),
    }
    return {
        name: Product.parse(
            {
                "id": name,
                "title": f"Product {name}",
                "constellation": constellation,
                "keywords": ["sar"] if name == "sentinel-1-grd" else [],
                "licence": "free",
                "attribution": attribution,
                "radiometry": "any",
                "bands": [{"name": "x", "dtype": "uint8", "gsd": 10}],
                "providers": {},
            },
            name,
        )
        for name, (constellation, attribution) in facts.items()
    }


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    root, plan = tmp_path_factory.mktemp("stores") / "flatland", make_plan()
    write_store(root, plan)
    return Built(root, plan, make_products())


@pytest.fixture(scope="session")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The same store, with shifts; the recipe flags what lies beyond a pixel."""
    root, plan = tmp_path_factory.mktemp("stores") / "compared", make_plan(compared=True, limit=1.0)
    write_store(root, plan)
    return Built(root, plan, make_products())


@pytest.fixture
def build_store(tmp_path: Path) -> Callable[..., Built]:
    def build(**settings: object) -> Built:
        plan = make_plan(**settings)
        write_store(tmp_path / "store", plan)
        return Built(tmp_path / "store", plan, make_products())

    return build


@pytest.fixture
def register_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A register of its own, so that no test sees or touches that of the person."""
    folder = tmp_path / "home"
    monkeypatch.setenv("EODATA_HOME", str(folder))
    yield folder
