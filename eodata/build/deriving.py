"""Compute the shard of a derived modality from finished shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from eodata.build.shard import Shard
from eodata.core.derivation import Derived
from eodata.core.outcome import Outcome, Status
from eodata.core.plan import Plan
from eodata.pipeline.derive import Derivation, derive
from eodata.store.reader import StoreReader

BATCH_PIXELS = 8 * 256 * 256
"""Pixels that are derived at once: enough to be quick, few enough for the memory."""
NOTHING_SEEN = Outcome(-1, -1, Status.REJECTED, "no valid pixel")


def fill_derived(plan: Plan, store: StoreReader, shard: Shard, lost: Sequence[Outcome]) -> None:
    """Derive every sample and step of a shard.

    Args:
        plan: What the store follows.
        store: Holds the source.
        shard: Takes the pixels.
        lost: Outcomes of the source that are not done; samples without pixels share their fate.
    """
    task, modality = shard.task, shard.modality
    spec = plan.recipe.modalities[task.modality]
    if not isinstance(spec, Derived):
        raise TypeError(f"{task.modality} is read, not derived")
    source = plan.modalities[modality.source]
    fates = {(o.row, o.step): o for o in lost}
    first_row = plan.blocks[task.block].first_row
    for positions, steps in _batches(shard):
        rows = slice(first_row + positions.start, first_row + positions.stop)
        values, valid = store.read_block(modality.source, rows, slice(steps.start, steps.stop))
        images, seen = values.reshape(-1, *values.shape[2:]), valid.reshape(-1, *valid.shape[2:])
        there = np.logical_or.reduce(seen, axis=(1, 2))  # the rest needs no computing
        found = derive(spec, modality, source, images[there], seen[there]) if there.any() else None
        number = 0
        for (position, step), is_there in zip(product(positions, steps), there, strict=True):
            if is_there and found is not None:
                _put(shard, found, number, position, step)
                number += 1
            else:
                fate = fates.get((first_row + position, step), NOTHING_SEEN)
                shard.note([position], step, fate.status, fate.reason, retryable=fate.retryable)


def _put(shard: Shard, found: Derivation, number: int, position: int, step: int) -> None:
    """Place one image of a batch in a shard."""
    values, usable = found.values[number], found.valid[number]
    marked = None
    if shard.modality.is_mask and usable.any():
        marked = float(np.mean(values[0][usable]))
    told = found.measured[number] if found.measured else ""
    shard.put(position, step, values, usable, marked=marked, measured=told)


def _batches(shard: Shard) -> Iterator[tuple[range, range]]:
    """Yield runs of positions and of steps that together hold at most about `BATCH_PIXELS`."""
    n = len(shard.plan.blocks[shard.task.block].patches)
    steps = range(shard.task.first, shard.task.last)
    pixels = int(np.prod(shard.valid.shape[2:]))
    n_steps = min(len(steps), max(1, BATCH_PIXELS // pixels))
    size = max(1, BATCH_PIXELS // (pixels * len(steps)))
    for start in range(0, n, size):
        for first in range(0, len(steps), n_steps):
            yield range(start, min(start + size, n)), steps[first : first + n_steps]
