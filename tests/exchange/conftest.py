"""Small stores of the family, written without any provider; the truth stays in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from shapely.geometry import box

from eodata.core.band import Band
from eodata.core.choice import Choice
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead, ModalityPlan
from eodata.core.outcome import Outcome, Status, TaskResult
from eodata.core.patch import Area, Patch
from eodata.core.plan import Plan
from eodata.core.recipe import Recipe
from eodata.core.split import Placed
from eodata.store.arrays import create_arrays
from eodata.store.files import write_plan
from eodata.store.ledger import SqliteLedger
from eodata.store.sink import ZarrSink
from eodata.store.tables import write_tables

START = datetime(2018, 1, 1, tzinfo=UTC)
PIXELS, GSD = 16, 10.0
EDGE = PIXELS * GSD
S2 = (*("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12"),)
LC = ("LC_Type1", "LC_Prop1", "LC_Prop2", "LC_Prop3")
BANDS = {
    # The radar stands the other way round than published, with an angle between.
    "s1": tuple(Band(b, "continuous", "float32", GSD, "dB") for b in ("vh", "angle", "vv")),
    "s2": tuple(Band(b, "continuous", "uint16", GSD, "1", 1e-4, nodata=0) for b in S2),
    "s2_cloudy": tuple(Band(b, "continuous", "uint16", GSD, "1", 1e-4, nodata=0) for b in S2),
    "lc": tuple(
        Band(b, "categorical", "uint8", GSD, "", classes=((1, "forest", "05450a"),)) for b in LC
    ),
    "dem": (Band("dem", "continuous", "float32", 20.0, "m"),),
    "cloud": (Band("cloud", "categorical", "uint8", GSD, ""),),
}
RADIOMETRY = {"s1": "sigma0-db", "s2": "toa-reflectance", "s2_cloudy": "toa-reflectance"}
STATIC = ("lc", "dem")
AREAS = {
    "ROIs1868_73": Area(
        "ROIs1868_73", box(9, 49, 9.01, 49.01), "EPSG:32632", None, "test", "summer", "73", "asia"
    ),
    "ROIs1158_106": Area(
        "ROIs1158_106", box(9, 49, 9.01, 49.01), "EPSG:32733", None, "train", "spring", "106"
    ),
    "elsewhere": Area("elsewhere", box(9, 49, 9.01, 49.01), "EPSG:32632", split="train"),
}
PLACES = (
    *(("ROIs1868_73", row, col) for row in range(2) for col in range(3)),
    *(("ROIs1158_106", 0, col) for col in range(2)),
    ("elsewhere", 0, 0),
)
Ending = tuple[Status, str]
Endings = dict[tuple[str, int, int], Ending]
"""How (modality, row, step) ended; done elsewhere."""


@dataclass
class Store:
    """A store and what was written into it: values and valid by modality and row."""

    path: Path
    plan: Plan
    values: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)
    valid: dict[tuple[str, int], np.ndarray] = field(default_factory=dict)

    def when(self, modality: str, step: int) -> datetime:
        """Time of a step: radar comes a day and a half before the optical image."""
        return time_of(modality, step)


def time_of(modality: str, step: int) -> datetime:
    optical = START + timedelta(days=12 * step + 4, hours=10, minutes=7, microseconds=3)
    return optical - timedelta(days=1.5) if modality == "s1" else optical


def make_plan(names: tuple[str, ...], steps: int, **changes: object) -> Plan:
    composites = changes.pop("composites", ())
    areas = AREAS | dict(changes.pop("areas", {}))  # type: ignore[call-overload]
    bands = BANDS | dict(changes.pop("bands", {}))  # type: ignore[call-overload]
    items = tuple(
        Item(f"{name}_{t}", "c", time_of(name, t), box(8, 49, 10, 50), {"platform": "x"})
        for name in names
        for t in range(steps)
    )
    choices = {
        name: tuple(Choice((n * steps + t,)) for t in range(1 if name in STATIC else steps))
        for n, name in enumerate(names)
    }
    recipe = {
        "name": "small",
        "title": "Small store",
        "licence": "CC-BY-4.0",
        "area": {"bbox": (8.9, 49.0, 9.1, 49.1), "patch": EDGE},
        "time": {"start": START, "end": START + timedelta(days=12 * steps), "steps": steps},
        "modalities": {name: {"product": "labels"} for name in names},
        "split": {"by": "area"},
        "store": {"block": 4, "chunk_steps": 2, "shard_mb": 0.1},
    }
    left, top = 500_000.0, 5_430_000.0
    patches = tuple(
        Patch(a, areas[a].crs, left + EDGE * col, top - EDGE * row, EDGE, row, col)
        for a, row, col in PLACES
    )
    return Plan(
        recipe=Recipe.parse(recipe, "small"),
        modalities={name: _modality(name, bands[name], name in composites) for name in names},
        areas=areas,
        items=items,
        choices={name: dict.fromkeys(areas, row) for name, row in choices.items()},
        patches=patches,
        placed=tuple(Placed(areas[p.area].split, p.area) for p in patches),
        provenance={"eodata": "0"},
        **changes,  # type: ignore[arg-type]
    )


def _modality(name: str, bands: tuple[Band, ...], composite: bool) -> ModalityPlan:
    return ModalityPlan(
        name=name,
        gsd=20.0 if name == "dem" else GSD,
        static=name in STATIC,
        role="input",
        reads=tuple(BandRead(b, b.name, "nearest") for b in bands),
        bands=bands,
        provider="archive",
        product=f"product-of-{name}",
        collection="c",
        radiometry=RADIOMETRY.get(name, "class"),
        composite="median" if composite else "",
    )


def build_store(root: Path, plan: Plan, endings: Endings | None = None) -> Store:
    """Write random pixels; rejected steps have some, failed and empty ones none."""
    store, endings = Store(root, plan), endings or {}
    write_plan(root, plan)
    create_arrays(root, plan)
    sink = ZarrSink(root, plan)
    with SqliteLedger(root) as ledger:
        for task in plan.tasks:
            values, valid, outcomes = _pixels(store, task, endings)
            ledger.start(task.id, 1)
            shards = sink.write(task, values, valid)
            ledger.finish(TaskResult(task.id, tuple(outcomes), shards), 1)
        write_tables(root, plan, ledger.outcomes())
    return store


def _pixels(store, task, endings):  # type: ignore[no-untyped-def]
    layout, block = store.plan.layout(task.modality), store.plan.blocks[task.block]
    rng = np.random.default_rng([task.block, task.first, *task.modality.encode()])
    shape = (len(block.patches), task.last - task.first, *layout.shape[2:])
    values = (
        rng.normal(-12, 5, shape)
        if layout.dtype == "float32"
        else rng.integers(0, 250 if layout.dtype == "uint8" else 10_000, shape)
    ).astype(layout.dtype)
    valid = rng.random((*shape[:2], *shape[3:])) < 0.9
    valid[::2, 0] = True  # some files need no mask
    outcomes = []
    if layout.dtype == "float32":
        values[np.broadcast_to(~valid[:, :, None], shape)] = np.nan
    for i in range(shape[0]):
        for t in range(shape[1]):
            row, step = block.first_row + i, task.first + t
            status, reason = endings.get((task.modality, row, step), (Status.DONE, ""))
            if status in (Status.EMPTY, Status.FAILED):
                values[i, t] = np.nan if layout.dtype == "float32" else 0
                valid[i, t] = False
            outcomes.append(Outcome(row, step, status, reason, float(valid[i, t].mean())))
        row = block.first_row + i
        for where, part in ((store.values, values[i]), (store.valid, valid[i])):
            whole = where.get((task.modality, row))
            where[task.modality, row] = part if whole is None else np.concatenate([whole, part])
    return values, valid, outcomes


ENDINGS: Endings = {
    ("s1", 1, 2): (Status.REJECTED, "min_valid"),
    ("s2", 1, 2): (Status.REJECTED, "dark"),
    ("s2", 4, 1): (Status.REJECTED, "dark"),
    ("s1", 5, 0): (Status.FAILED, "HTTP 500"),
}
"""Row 1 lacks step 2 on both sides and row 4 step 1 on one; row 5 fails as a whole."""
SERIES = ("s1", "s2", "dem", "cloud")
STEPS = 3


@pytest.fixture(scope="session")
def series(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Three steps of radar and optical images; no test may change it."""
    root = tmp_path_factory.mktemp("series") / "store"
    return build_store(root, make_plan(SERIES, STEPS), ENDINGS)


@pytest.fixture(scope="session")
def single(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """One step of everything that SEN12MS and SEN12MS-CR hold."""
    root = tmp_path_factory.mktemp("single") / "store"
    plan = make_plan(("s1", "s2", "s2_cloudy", "lc"), 1)
    return build_store(root, plan, {("s1", 1, 0): (Status.REJECTED, "min_valid")})


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Store]:
    """Build another store: `make(names, steps, endings, **changes of the plan)`."""

    def build(
        names: tuple[str, ...] = ("s1", "s2"),
        steps: int = 2,
        endings: Endings | None = None,
        **changes: object,
    ) -> Store:
        return build_store(tmp_path / "made", make_plan(names, steps, **changes), endings)

    return build
