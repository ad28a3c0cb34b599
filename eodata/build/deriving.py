"""Compute the shard of a derived modality from finished shards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from eodata.build.shard import Shard
from eodata.core.derivation import Derived
from eodata.core.outcome import Outcome
from eodata.core.plan import Plan
from eodata.pipeline.derive import derive
from eodata.store.reader import StoreReader

BATCH_PIXELS = 8 * 256 * 256
"""Pixels that are derived at once: enough to be quick, few enough for the memory."""


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
    missing = {(o.row, o.step): o for o in lost}
    first_row, steps = plan.blocks[task.block].first_row, range(task.first, task.last)
    for positions in _batches(shard):
        rows = slice(first_row + positions.start, first_row + positions.stop)
        values, valid = store.read_block(modality.source, rows, slice(task.first, task.last))
        shape = (len(positions) * len(steps), *values.shape[2:])
        seen = valid.reshape(shape[0], *valid.shape[2:])
        found = derive(spec, modality, source, values.reshape(shape), seen)
        for number, (position, step) in enumerate((p, s) for p in positions for s in steps):
            fate = missing.get((first_row + position, step))
            if fate is not None and not seen[number].any():
                shard.note([position], step, fate.status, fate.reason, retryable=fate.retryable)
                continue
            usable = found.valid[number]
            marked = None
            if modality.is_mask and usable.any():
                marked = float(np.mean(found.values[number, 0][usable]))
            told = found.measured[number] if found.measured else ""
            shard.put(position, step, found.values[number], usable, marked=marked, measured=told)


def _batches(shard: Shard) -> Iterator[range]:
    """Yield runs of positions that together hold about `BATCH_PIXELS`."""
    n = len(shard.plan.blocks[shard.task.block].patches)
    pixels = int(np.prod(shard.valid.shape[1:]))
    size = max(1, BATCH_PIXELS // pixels)
    for start in range(0, n, size):
        yield range(start, min(start + size, n))
