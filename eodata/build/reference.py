"""The reference of a comparison: what a finished shard shows on the window of a task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.build.acquire import ContradictedError, read_acquisition
from eodata.build.shard import Shard
from eodata.core.band import Band
from eodata.core.coregistration import Alignment, Sight
from eodata.core.grid import place_in, window_of
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import FREE, Cost
from eodata.core.patch import Patch
from eodata.core.plan import Plan, Task
from eodata.core.protocols import Provider
from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.field import Finding
from eodata.pipeline.coregister.measure import Kept, measure_shift
from eodata.pipeline.coregister.view import shrunk, view_of
from eodata.store.reader import StoreReader
from eodata.store.sink import shard_paths

KEPT = 4
"""References that are kept: all steps of a block are compared with the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """What a modality is compared with, on one window.

    Attributes:
        name: Modality and step, such as `s2@3`.
        alignment: How to compare.
        view: On pixels as large as those of the coarsest band that is compared.
        shrink: How many pixels of the compared modality make one of them, along each axis.
        kept: What earlier comparisons have worked out of the view.
        cost: What it took to read it from the archive.
    """

    name: str
    alignment: Alignment
    view: View
    shrink: int
    kept: Kept = field(default_factory=dict)
    cost: Cost = FREE

    def compare(
        self, values: NDArray[np.generic], valid: NDArray[np.bool_], bands: Sequence[Band]
    ) -> Finding:
        """Return how far an image lies from the reference, in pixels of the view.

        Args:
            values: `(C, H, W)` DN of the compared bands on the window, in the alignment's order.
            valid: `(H, W)`, True where all of them were measured.
            bands: What the numbers mean, C of them.
        """
        if not self.view.valid.any():
            return Finding(None, f"{self.name} shows nothing")
        return measure_shift(
            shrunk(view_of(values, valid, bands, self.alignment.sight), self.shrink),
            self.view,
            alike=self.alignment.alike,
            reach=reach_of(self.alignment.reach, self.shrink),
            kept=self.kept,
        )


def reach_of(reach: int, factor: int) -> int:
    """Return how far to look on pixels `factor` times as long [px]: a peak needs room around it."""
    return max(2, math.ceil(reach / factor) + 1)


def reference_of(
    plan: Plan,
    store: StoreReader,
    provider: Provider,
    shard: Shard,
    modality: ModalityPlan,
    positions: Sequence[int],
    step: int,
) -> Reference | None:
    """Return what a step is compared with; None where nothing is, or it is the reference itself.

    Args:
        plan: What the store follows.
        store: Holds the reference, unless the shard does.
        provider: Reads it where the task cannot wait for the shard that will hold it.
        shard: Which the task fills; its steps before this one are done, the reference first.
        modality: The compared one: that of the shard, or its leader.
        positions: Patches of one window, in a row.
        step: Of the compared modality.

    Raises:
        StoreError: A file of the store is damaged.
        ProviderError: The archive does not deliver.
    """
    alignment = modality.alignment
    if alignment is None:
        return None
    block = plan.blocks[shard.task.block]
    patches = tuple(block.patches[p] for p in positions)
    at = plan.reference_step(modality.name, patches[0].area)
    to = plan.modalities[alignment.to]
    if at is None or (to.name == modality.name and at == step):
        return None
    gsd = _compared_gsd(modality, to, alignment)
    rows = slice(block.first_row + positions[0], block.first_row + positions[-1] + 1)
    side = _Side(to, alignment.to_bands, alignment.to_sight, patches, rows, at, round(gsd / to.gsd))
    cost = FREE
    if rows.start not in shard.references:
        if to.name == shard.task.modality and shard.task.first <= at < shard.task.last:
            number = at - shard.task.first
            part = slice(positions[0], positions[-1] + 1)
            found = side.view(shard.values[part, number], shard.valid[part, number]), {}
        elif plan.makes_reference(shard.task):
            view, cost = _read_anew(plan, provider, side)
            found = view, {}
        else:
            found = _stored(store, side, _stamp(plan, store, to.name, block.number, at))
        shard.references[rows.start] = found
    view, kept = shard.references[rows.start]
    return Reference(f"{to.name}@{at}", alignment, view, round(gsd / modality.gsd), kept, cost)


def _read_anew(plan: Plan, provider: Provider, side: _Side) -> tuple[View, Cost]:
    """Return a reference as its archive has it, and what that took."""
    window = window_of(side.patches, side.modality.gsd)
    choice = plan.choice(side.modality.name, side.patches[0].area, side.step)
    nothing = np.zeros((len(side.bands), *window.shape), side.modality.dtype)
    if not choice.items:
        return side.seen(nothing, nothing[0] > 0), FREE
    items = [plan.items[i] for i in choice.acquisitions[0]]
    try:
        layer = read_acquisition(provider, items, side.modality.only(side.bands), window)
    except ContradictedError as error:
        return side.seen(nothing, nothing[0] > 0), error.cost
    return side.seen(layer.values, layer.valid), layer.cost


@dataclass(frozen=True, slots=True)
class _Side:
    """Where a reference lies, and how it is looked at; the patches stand in neighbouring rows."""

    modality: ModalityPlan
    bands: tuple[int, ...]
    sight: Sight
    patches: tuple[Patch, ...]
    rows: slice
    step: int
    shrink: int

    def __hash__(self) -> int:
        return hash((self.modality.name, self.bands, self.rows.start, self.step, self.shrink))

    def view(self, values: NDArray[np.generic], valid: NDArray[np.bool_]) -> View:
        """Return the patches `(N, C, h, w)`, in their places on the window."""
        gsd = self.modality.gsd
        window = window_of(self.patches, gsd)
        places = [place_in(window, patch, gsd) for patch in self.patches]
        return self.seen(*_laid_out(values[:, list(self.bands)], valid, places, window))

    def seen(self, values: NDArray[np.generic], valid: NDArray[np.bool_]) -> View:
        """Return the compared bands `(C, H, W)` of the window as they are compared."""
        told = [self.modality.bands[i] for i in self.bands]
        return shrunk(view_of(values, valid, told, self.sight), self.shrink)


@lru_cache(maxsize=KEPT)
def _stored(
    store: StoreReader,
    side: _Side,
    stamp: tuple[int, ...],  # noqa: ARG001 (a part of the key)
) -> tuple[View, Kept]:
    values, valid = store.read_block(side.modality.name, side.rows, slice(side.step, side.step + 1))
    return side.view(values[:, 0], valid[:, 0]), {}


def _stamp(plan: Plan, store: StoreReader, name: str, block: int, step: int) -> tuple[int, ...]:
    """Return when the files of a step were written; a shard of nothing but fill has none."""
    layout = plan.layout(name)
    first, last = next(group for group in layout.step_groups if group[0] <= step < group[1])
    paths = shard_paths(Task("", name, block, first, last), layout)
    files = [store.path / path for path in paths]
    return tuple(path.stat().st_mtime_ns for path in files if path.is_file())


def _compared_gsd(modality: ModalityPlan, to: ModalityPlan, alignment: Alignment) -> float:
    """Return the pixel size on which two modalities are compared [m]: that of the coarsest band.

    What was interpolated from larger pixels holds copies of its coarse structure among the fine
    one, and they pull on the shift: bands of 20 m on a grid of 10 m by up to half a pixel.
    """
    coarser = max(modality.gsd, to.gsd)
    compared = [modality.bands[i] for i in alignment.bands] + [
        to.bands[i] for i in alignment.to_bands
    ]
    return coarser * max(1, round(max(band.gsd for band in compared) / coarser))


def _laid_out(
    values: NDArray[np.generic],
    valid: NDArray[np.bool_],
    places: Sequence[tuple[slice, slice]],
    window: GeoBox,
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Return the patches `(N, C, h, w)` in their places on the window `(C, H, W)`."""
    shape = tuple(window.shape)
    whole = np.zeros((values.shape[1], *shape), values.dtype)
    seen = np.zeros(shape, np.bool_)
    for numbers, there, (rows, cols) in zip(values, valid, places, strict=True):
        whole[:, rows, cols], seen[rows, cols] = numbers, there
    return whole, seen
