"""A small plan made by hand, and a store built from it without any provider."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import numpy as np
import pytest
from shapely.geometry import box

import eodata
from eodata.core.band import Band
from eodata.core.choice import Choice
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead, ModalityPlan
from eodata.core.outcome import Cost, Outcome, ShardFile, Status, TaskResult
from eodata.core.patch import Area, Patch
from eodata.core.plan import Plan, Task
from eodata.core.recipe import Recipe
from eodata.core.span import Span
from eodata.core.split import Placed
from eodata.store.arrays import create_arrays
from eodata.store.files import write_plan
from eodata.store.ledger import SqliteLedger
from eodata.store.sink import ZarrSink
from eodata.store.tables import write_tables

START = datetime(2023, 3, 1, tzinfo=UTC)
STEPS = 7
GAPS = (4, 5)  # no item: with two steps per shard, one whole shard of s2 is fill
EDGE = 160.0

RECIPE = {
    "name": "small",
    "title": "Small store",
    "licence": "CC-BY-4.0",
    "area": {"bbox": (8.9, 49.0, 9.1, 49.1), "patch": EDGE},
    "time": {"start": START, "end": START + timedelta(days=70), "steps": STEPS},
    "modalities": {
        "s2": {"product": "sentinel-2-l2a", "anchor": True},
        "sar": {"product": "sentinel-1-grd", "pair": {"with": "s2", "within": "6d"}},
        "scl": {"product": "sentinel-2-l2a", "bands": ["SCL"], "follow": "s2"},
        "lc": {"product": "labels", "role": "target"},
        "cloud": {"derive": "class-mask", "from": "scl", "classes": [8, 9]},
    },
    "split": {"by": "area", "min_distance": 1000.0},
    "checks": {"min_valid": 0.1, "max_failed": 0.5},
    "store": {"block": 4, "chunk_steps": 2, "shard_mb": 0.02},
}
CLASSES = ((4, "vegetation", "00ff00"), (8, "cloud", "c0c0c0"), (9, "thick cloud", "ffffff"))
BANDS = {
    "s2": tuple(
        Band(name, "continuous", "uint16", 10.0, "1", 1e-4, 0.0, 0.0, common)
        for name, common in (("B02", "blue"), ("B03", "green"), ("B04", "red"))
    ),
    "sar": (Band("vv", "continuous", "float32", 10.0, "dB"),),
    "scl": (Band("SCL", "categorical", "uint8", 20.0, "", nodata=0.0, classes=CLASSES),),
    "lc": (Band("lc", "categorical", "uint8", 10.0, "", classes=((1, "water", "0000ff"),)),),
    "cloud": (Band("cloud", "categorical", "uint8", 20.0, ""),),
}
GSD = {"s2": 10.0, "sar": 20.0, "scl": 20.0, "lc": 10.0, "cloud": 20.0}


def _modality(name: str) -> ModalityPlan:
    derived = name == "cloud"
    return ModalityPlan(
        name=name,
        gsd=GSD[name],
        static=name == "lc",
        role="target" if name == "lc" else "input",
        reads=() if derived else tuple(BandRead(b, b.name, "nearest") for b in BANDS[name]),
        bands=BANDS[name],
        provider="" if derived else "archive",
        product="labels" if name == "lc" else f"product-of-{name}",
        collection="c",
        radiometry="reflectance",
        derive="class-mask" if derived else "",
        is_mask=derived,
        marks_cloud=derived,
        source="scl" if derived else "",
        classes=(8, 9) if derived else (),
        display=(("B04", "B03", "B02"), 0.0, 0.3) if name == "s2" else None,
    )


def _items() -> tuple[Item, ...]:
    found = []
    for step in range(STEPS):
        when = START + timedelta(days=10 * step + 2, hours=10, microseconds=7)
        stated = {
            "platform": "sentinel-2a",
            "sat:relative_orbit": 22,
            "view:sun_azimuth": 151.5,
            "eo:cloud_cover": 10.0 * step,
        }
        found.append(
            Item(f"S2_{step}", "c", when, box(8, 49, 10, 50), stated, {"a": Asset("a", "h")})
        )
    return (*found, Item("LC", "c", START, box(8, 49, 10, 50)))


def small_plan(crs: tuple[str, str] = ("EPSG:32632", "EPSG:32632"), distance: float = 4000) -> Plan:
    """Two areas in train and test: three and two patches; the second area has its own time."""
    late = Span(START + timedelta(days=365), START + timedelta(days=365 + 70))
    areas = {
        "a": Area("a", box(9.0, 49.0, 9.01, 49.01), crs[0], split="train", season="spring"),
        "b": Area("b", box(9.0, 49.0, 9.01, 49.01), crs[1], late, split="test"),
    }
    items = _items()
    series = tuple(Choice((), "no item") if i in GAPS else Choice((i,)) for i in range(STEPS))
    choices = {"s2": series, "sar": series, "scl": series, "lc": (Choice((STEPS,)),)}
    left, top = 500_000.0, 5_430_000.0
    patches = (
        *(Patch("a", crs[0], left + EDGE * i, top, EDGE, 0, i) for i in range(3)),
        *(Patch("b", crs[1], left + distance + EDGE * i, top, EDGE, 0, i) for i in range(2)),
    )
    return Plan(
        recipe=Recipe.parse(RECIPE, "small"),
        modalities={name: _modality(name) for name in BANDS},
        areas=areas,
        items=items,
        choices={name: {"a": row, "b": row} for name, row in choices.items()},
        patches=patches,
        placed=tuple(Placed(areas[p.area].split, p.area) for p in patches),
        provenance={"eodata": "0"},
    )


@dataclass(frozen=True)
class Truth:
    """What one task delivers."""

    values: np.ndarray
    valid: np.ndarray
    outcomes: tuple[Outcome, ...]


def truth_of(plan: Plan, task: Task) -> Truth:
    """Seeded pixels; row 1 is rejected in s2 step 2, row 4 failed in sar step 6."""
    layout, block = plan.layout(task.modality), plan.blocks[task.block]
    rng = np.random.default_rng(crc32(task.id.encode()))
    shape = (len(block.patches), task.last - task.first, *layout.shape[2:])
    values = rng.integers(1, 10, shape).astype(layout.dtype)
    valid = rng.random((*shape[:2], *shape[3:])) < 0.7
    if plan.modalities[task.modality].fill != 0:
        values[np.broadcast_to(~valid[:, :, None], shape)] = np.nan
    outcomes = []
    for i in range(shape[0]):
        for t in range(shape[1]):
            row, step = block.first_row + i, task.first + t
            status, reason = _ending(task.modality, row, step)
            if status in (Status.EMPTY, Status.FAILED):
                values[i, t], valid[i, t] = plan.modalities[task.modality].fill, False
            fraction = float(valid[i, t].mean())
            marked = 0.25 if task.modality == "cloud" and status is Status.DONE else None
            outcomes.append(Outcome(row, step, status, reason, fraction, marked, row))
    return Truth(values, valid, tuple(outcomes))


def _ending(name: str, row: int, step: int) -> tuple[Status, str]:
    if name != "lc" and step in GAPS:
        return Status.EMPTY, "no item"
    if (name, row, step) == ("s2", 1, 2):
        return Status.REJECTED, "min_valid"
    if (name, row, step) == ("sar", 4, 6):
        return Status.FAILED, "HTTP 500"
    return Status.DONE, ""


def build_store(root: Path, plan: Plan) -> dict[str, tuple[ShardFile, ...]]:
    """Build the whole store, and return the shards of each task."""
    write_plan(root, plan)
    create_arrays(root, plan)
    sink, shards = ZarrSink(root, plan), {}
    with SqliteLedger(root) as ledger:
        for task in plan.tasks:
            ledger.start(task.id, 1)
            truth = truth_of(plan, task)
            shards[task.id] = sink.write(task, truth.values, truth.valid)
            ledger.finish(TaskResult(task.id, truth.outcomes, shards[task.id], 0.5, Cost(100)), 1)
        write_tables(root, plan, ledger.outcomes())
    return shards


@pytest.fixture(scope="session")
def make_plan() -> Callable[..., Plan]:
    return small_plan


@pytest.fixture(scope="session")
def plan() -> Plan:
    return small_plan()


@pytest.fixture(scope="session")
def truth() -> Callable[[Plan, Task], Truth]:
    return truth_of


@pytest.fixture(scope="session")
def build() -> Callable[[Path, Plan], dict[str, tuple[ShardFile, ...]]]:
    return build_store


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Path:
    """A built store that no test may change."""
    root = tmp_path_factory.mktemp("built") / "small"
    build_store(root, plan)
    return root


@pytest.fixture
def run_code() -> Callable[[str, Path], subprocess.CompletedProcess[str]]:
    """Run Python text in a process of its own, which may be limited or killed."""

    def run(code: str, argument: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, str(argument)],
            cwd=Path(eodata.__file__).parents[1],
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def store(built_once: Path, tmp_path: Path) -> Path:
    """A built store to break."""
    return Path(shutil.copytree(built_once, tmp_path / "small"))
