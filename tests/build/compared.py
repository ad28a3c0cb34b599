"""A plan whose modalities are compared, and a store in memory that shows the textured world."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata import resources
from eodata.build.shard import Shard
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import ModalityPlan
from eodata.core.patch import Area
from eodata.core.plan import Plan
from eodata.core.recipe import Recipe
from eodata.pipeline.plan import Answers, make_plan
from tests.build.textured import Textured

GROUND = box(3.0, 50.8, 3.05, 50.83)
CLOUDS = (5, 30, 20, 40)
DAYS = 30 / len(CLOUDS)
"""Length of a step."""
MODALITIES: dict[str, dict[str, Any]] = {
    "s2": {"product": "sentinel-2-l1c", "bands": ["B02", "B03"], "gsd": 10, "anchor": True},
    "extra": {"product": "sentinel-2-l1c", "bands": ["B12"], "gsd": 20, "follow": "s2"},
    "s1": {"product": "sentinel-1-grd", "gsd": 20},
    "coarse": {"product": "sentinel-2-l1c", "bands": ["B11"], "gsd": 10},
    "dem": {"product": "cop-dem-glo-30", "gsd": 20},
}
BLOCK = 4
"""Patches of a block; those of the first lie in two rows, and leave corners of the window free."""


def make(*, checks: dict[str, Any] | None = None, shard_mb: float = 32.0, **said: Any) -> Plan:
    """Two blocks of one area, four steps of which the first is the clearest."""
    modalities = {name: {**keys, **said.get(name, {})} for name, keys in MODALITIES.items()}
    raw = {
        "name": "compared",
        "title": "Compared",
        "licence": "CC0-1.0",
        "area": {"bbox": GROUND.bounds, "patch": 640},
        "time": {"start": "2018-01-01", "end": "2018-01-31", "steps": len(CLOUDS)},
        "modalities": modalities,
        "checks": checks or {},
        "store": {"block": BLOCK, "shard_mb": shard_mb},
    }
    start = datetime(2018, 1, 1, tzinfo=UTC)
    assets = {key: Asset(key, key, 1e-4, 0.0, 0.0) for key in ("B02", "B03", "B11", "B12")}
    records = [
        Item(
            f"i{step}",
            "c",
            start + timedelta(days=DAYS * (step + 0.5)),
            GROUND.buffer(0.1),
            {"eo:cloud_cover": cloud},
            assets,
        )
        for step, cloud in enumerate(CLOUDS)
    ]
    answers = Answers(
        areas={"area": Area("area", GROUND, "EPSG:32631")},
        listed={},
        providers=dict.fromkeys(modalities, "sandbox"),
        items={name: {"area": records} for name in modalities},
        limit=2 * BLOCK,
    )
    return make_plan(
        Recipe.parse(raw, "compared.yaml"), resources.products(), resources.schemes(), answers
    )


def shard_of(plan: Plan, modality: str, block: int = 0, first: int = 0) -> Shard:
    tasks = [t for t in plan.tasks if (t.modality, t.block) == (modality, block)]
    return Shard(plan, next(t for t in tasks if t.first <= first < t.last))


def shown(grid: GeoBox, modality: ModalityPlan) -> NDArray[np.generic]:
    """Return what the world shows in a modality, `(C, H, W)`; later bands are brighter."""
    values = np.stack(Textured().read(_STILL, modality.reads, grid).values)
    brighter = np.arange(len(values)).astype(values.dtype)[:, None, None]
    return np.asarray(values + 100 * brighter)


_STILL = Item("still", "c", datetime(2018, 1, 1, tzinfo=UTC), GROUND)


def fill(plan: Plan, shard: Shard, step: int) -> None:
    """Put the world into all patches of a step of a shard."""
    for position, patch in enumerate(plan.blocks[shard.task.block].patches):
        at = (position, step - shard.task.first)
        shard.values[at] = shown(patch.geobox(shard.modality.gsd), shard.modality)
        shard.valid[at] = True


class Held:
    """A store in memory that shows the world in every sample and step.

    Attributes:
        asked: Modality, rows and steps of every read so far.
        lost: Rows that hold nothing.
        path: Where files of shards would be; there are none.
    """

    def __init__(self, plan: Plan, lost: Sequence[int] = (), path: Path = Path("none")) -> None:
        self.plan, self.lost, self.path = plan, lost, path
        self.asked: list[tuple[str, slice, slice]] = []

    def read_block(
        self, name: str, rows: slice, steps: slice
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
        self.asked.append((name, rows, steps))
        modality, patches = self.plan.modalities[name], self.plan.patches[rows]
        one = np.stack([shown(patch.geobox(modality.gsd), modality) for patch in patches])
        values = np.repeat(one[:, None], steps.stop - steps.start, axis=1)
        valid = np.ones((*values.shape[:2], *values.shape[3:]), np.bool_)
        for row in self.lost:
            if rows.start <= row < rows.stop:
                valid[row - rows.start] = False
        return values, valid
