"""The plan: what will be read, and nothing else. It is the lock file of a dataset.

Recipe and search answers go in, a `Plan` comes out (`eodata.pipeline.plan`); reading, writing,
resuming and verifying all follow it. Items are interned: choices point into one table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

from shapely.geometry import mapping, shape

from eodata.core.choice import Choice, reference_step
from eodata.core.item import Item
from eodata.core.label_plan import LabelPlan, label_from_json
from eodata.core.layout import ArrayLayout, array_layout
from eodata.core.modality_plan import ModalityPlan, modality_from_json
from eodata.core.patch import Area, Block, Patch, make_blocks
from eodata.core.recipe import Recipe
from eodata.core.span import Span, format_utc, parse_utc
from eodata.core.split import Placed

PLAN_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Task:
    """One block, one modality, one group of steps: it reads, and writes one whole shard.

    Attributes:
        id: Readable and unique, such as `s2-b0003-t000`.
        modality: Name.
        block: Number of the block.
        first: First step.
        last: Last step + 1.
        needs: Ids of the tasks whose shards it reads.
    """

    id: str
    modality: str
    block: int
    first: int
    last: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What will be read, where it goes, and why anything is missing.

    Attributes:
        recipe: With every default written out.
        modalities: In the recipe's order.
        areas: By id, in the recipe's order.
        items: The item table.
        choices: Per modality and area, one `Choice` per step.
        patches: In store order; row of patch i is i.
        placed: Split and cell of each patch.
        synthetic: True when any pixel is simulated.
        provenance: Tool versions and the like; not part of the digest.
        labels: Labels of whole samples, in the recipe's order.
    """

    recipe: Recipe
    modalities: dict[str, ModalityPlan]
    areas: dict[str, Area]
    items: tuple[Item, ...]
    choices: dict[str, dict[str, tuple[Choice, ...]]]
    patches: tuple[Patch, ...]
    placed: tuple[Placed, ...]
    synthetic: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)
    labels: tuple[LabelPlan, ...] = ()

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The units of work, in row order."""
        return make_blocks(list(self.patches), self.recipe.store.block)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of recipe, items, grid and rules; the same on every machine and day."""
        content = {k: v for k, v in self.to_json().items() if k not in ("provenance", "digest")}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return sha256(text.encode()).hexdigest()

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """All tasks in the order in which they are best run: after those that they need."""
        found = {
            task.id: task
            for block in self.blocks
            for name in self.modalities
            for task in self._tasks_of(name, block.number)
        }
        depths: dict[str, int] = {}

        def depth(name: str) -> int:
            if name not in depths:
                depths[name] = 1 + max((depth(need) for need in found[name].needs), default=-1)
            return depths[name]

        return tuple(sorted(found.values(), key=lambda task: depth(task.id)))

    def _tasks_of(self, name: str, block: int) -> list[Task]:
        return [
            Task(
                id=_task_id(name, block, first),
                modality=name,
                block=block,
                first=first,
                last=last,
                needs=tuple(self._needs(name, block, first, last)),
            )
            for first, last in self.layout(name).step_groups
        ]

    def _needs(self, name: str, block: int, first: int, last: int) -> Iterator[str]:
        """Yield the tasks whose shards a task reads: of its source, or of its reference."""
        source, mover = self.modalities[name].source, self.mover(name)
        if source:
            for a, b in self.layout(source).step_groups:
                if a < last and first < b:
                    yield _task_id(source, block, a)
        elif mover.alignment:
            groups = self._reference_groups(mover.name, block)
            if mover.alignment.to == name and (first, last) in groups:
                return  # it makes a reference itself: it must not wait for another one's shard
            for a, _ in groups:
                yield _task_id(mover.alignment.to, block, a)

    def _reference_groups(self, name: str, block: int) -> list[tuple[int, int]]:
        """Return the groups of steps of a block that hold references of a modality."""
        alignment = self.modalities[name].alignment
        if alignment is None:
            return []
        areas = dict.fromkeys(patch.area for patch in self.blocks[block].patches)
        steps = {self.reference_step(name, area) for area in areas}
        groups = self.layout(alignment.to).step_groups
        return [(a, b) for a, b in groups if any(s is not None and a <= s < b for s in steps)]

    def makes_reference(self, task: Task) -> bool:
        """Return whether later steps of a block are compared with one of this task's own.

        It waits for nobody. In blocks with several areas the reference of another area may lie in
        another such task: that is read from the archive.
        """
        alignment = self.modalities[task.modality].alignment
        own = alignment is not None and alignment.to == task.modality
        groups = self._reference_groups(task.modality, task.block) if own else []
        return (task.first, task.last) in groups

    def mover(self, name: str) -> ModalityPlan:
        """Return the modality that decides where the items of another are read.

        That is the one that it follows, when that or its bands are moved, or else itself.
        """
        modality = self.modalities[name]
        leader = self.modalities[modality.leader] if modality.leader else modality
        moves = leader.steady_band is not None or (leader.alignment and leader.alignment.moves)
        return leader if moves else modality

    def reference_step(self, name: str, area: str) -> int | None:
        """Return the step of its reference that a modality is compared with in an area.

        None where no step of the area holds the item that the recipe names.
        """
        alignment = self.modalities[name].alignment
        if alignment is None:
            raise ValueError(f"{name} is compared with nothing")
        if alignment.step is not None or self.modalities[alignment.to].static:
            return alignment.step or 0
        key = alignment.to, alignment.item, area
        if key not in self._reference_steps:
            row = self.choices[alignment.to][area]
            self._reference_steps[key] = reference_step(row, self.items, alignment.item)
        return self._reference_steps[key]

    @cached_property
    def _reference_steps(self) -> dict[tuple[str, str, str], int | None]:
        return {}

    def layout(self, name: str) -> ArrayLayout:
        """Return the array layout of a modality."""
        modality = self.modalities[name]
        return array_layout(
            self.recipe.store,
            n_blocks=len(self.blocks),
            n_steps=self.n_steps(name),
            n_bands=len(modality.bands),
            pixels=round(self.recipe.area.patch / modality.gsd),
            dtype=modality.dtype,
        )

    def is_composite(self, name: str) -> bool:
        """Return True when steps are made of several acquisitions, or derived from such."""
        modality = self.modalities[name]
        return self.is_composite(modality.source) if modality.source else bool(modality.composite)

    def n_steps(self, name: str) -> int:
        """Return the length of a modality's time axis."""
        return 1 if self.modalities[name].static else self.recipe.time.steps

    def spans(self, area: str) -> tuple[Span, ...]:
        """Return the steps of an area; areas may have a time of their own."""
        return (self.areas[area].time or self.recipe.time.span).steps(self.recipe.time.steps)

    def choice(self, modality: str, area: str, step: int) -> Choice:
        """Return what fills a step; a derived modality has the choices of its source."""
        source = self.modalities[modality].source
        while source:
            modality, source = source, self.modalities[source].source
        return self.choices[modality][area][step]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values; the inverse of `from_json`."""
        return {
            "format": PLAN_FORMAT,
            "recipe": self.recipe.to_json(),
            "modalities": [asdict(m) for m in self.modalities.values()],
            "labels": [asdict(label) for label in self.labels],
            "areas": [_area_json(a) for a in self.areas.values()],
            "items": [i.to_json() for i in self.items],
            "choices": {
                name: {a: [c.to_json() for c in row] for a, row in areas.items()}
                for name, areas in self.choices.items()
            },
            "patches": [[p.area, p.left, p.top, p.row, p.col] for p in self.patches],
            "placed": [[p.split, p.cell, p.rejected] for p in self.placed],
            "synthetic": self.synthetic,
            "provenance": self.provenance,
        }

    def dumps(self) -> str:
        """Return the plan as JSON text with its digest, ready for a file."""
        return json.dumps({"digest": self.digest, **self.to_json()}, allow_nan=False, indent=1)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Plan:
        """Read what `to_json` wrote."""
        recipe = Recipe.parse(data["recipe"], "plan")
        areas = {a["id"]: _area_from_json(a) for a in data["areas"]}
        return cls(
            recipe=recipe,
            modalities={m["name"]: modality_from_json(m) for m in data["modalities"]},
            areas=areas,
            items=tuple(Item.from_json(i) for i in data["items"]),
            choices={
                name: {
                    area: tuple(Choice.from_json(choice) for choice in row)
                    for area, row in by_area.items()
                }
                for name, by_area in data["choices"].items()
            },
            patches=tuple(
                Patch(a, areas[a].crs, left, top, recipe.area.patch, row, col)
                for a, left, top, row, col in data["patches"]
            ),
            placed=tuple(Placed(*p) for p in data["placed"]),
            synthetic=data["synthetic"],
            provenance=dict(data["provenance"]),
            labels=tuple(label_from_json(label) for label in data["labels"]),
        )


def _task_id(name: str, block: int, first: int) -> str:
    return f"{name}-b{block:04d}-t{first:03d}"


def _area_json(area: Area) -> dict[str, Any]:
    time = [format_utc(area.time.start), format_utc(area.time.end)] if area.time else None
    return {
        "id": area.id,
        "geometry": mapping(area.geometry),
        "crs": area.crs,
        "time": time,
        "split": area.split,
        "season": area.season,
        "scene": area.scene,
        "region": area.region,
    }


def _area_from_json(data: Mapping[str, Any]) -> Area:
    time = Span(*(parse_utc(t) for t in data["time"])) if data["time"] else None
    told = {key: data[key] for key in ("split", "season", "scene", "region")}
    return Area(data["id"], shape(data["geometry"]), data["crs"], time, **told)
