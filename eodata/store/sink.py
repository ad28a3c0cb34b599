"""Where finished pixels go: whole shards of the Zarr arrays, one task one writer."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import StoreError
from eodata.core.layout import ArrayLayout
from eodata.core.outcome import ShardFile
from eodata.core.plan import Plan, Task
from eodata.store.arrays import VALID, without_band
from eodata.store.files import DATA, remove_file, write_bytes
from eodata.store.shard import encode_shard


def shard_paths(task: Task, layout: ArrayLayout) -> tuple[str, str]:
    """Return the files of a task's values and valid, relative to the store."""
    place = f"c/{task.block}/{task.first // layout.shard[1]}"
    return (
        f"{DATA}/{task.modality}/{place}/0/0/0",
        f"{DATA}/{task.modality}{VALID}/{place}/0/0",
    )


@dataclass(frozen=True, slots=True)
class _Target:
    layout: ArrayLayout
    fill: float


class ZarrSink:
    """Writes the shards of tasks. Implements `eodata.core.protocols.Sink`.

    It may be copied to other processes and used by many threads; it carries no plan with it.
    """

    def __init__(self, root: Path, plan: Plan) -> None:
        self._root = root
        self._spec = plan.recipe.store
        self._patches = [len(block.patches) for block in plan.blocks]
        self._targets = {
            name: _Target(plan.layout(name), modality.fill)
            for name, modality in plan.modalities.items()
        }

    def write(
        self, task: Task, values: NDArray[np.generic], valid: NDArray[np.bool_]
    ) -> tuple[ShardFile, ...]:
        """Write one shard of values and one of valid; what was there before is replaced.

        Args:
            task: Says which shards.
            values: `(N, T, C, H, W)` DN in the array's dtype; N is the number of patches of the
                block or the size of the block, T the number of steps of the task.
            valid: `(N, T, H, W)`, True = usable.

        Returns:
            The two files; one that would hold nothing but fill is not written, and has no sha256.

        Raises:
            StoreError: The arrays do not fit the task, or the disk refuses.
        """
        target = self._targets[task.modality]
        layout = target.layout
        self._check(task, layout, values, valid)
        n = self._patches[task.block]
        shards = (
            (_padded(values[:n], layout.shard, target.fill), layout.chunk, target.fill),
            (_padded(valid[:n], without_band(layout.shard), False), without_band(layout.chunk), 0),
        )
        return tuple(
            self._write_shard(path, *shard)
            for path, shard in zip(shard_paths(task, layout), shards, strict=True)
        )

    def _write_shard(
        self, path: str, values: NDArray[np.generic], chunk: tuple[int, ...], fill: float
    ) -> ShardFile:
        data = encode_shard(values, chunk, fill, self._spec.codec, self._spec.level)
        if data is None:
            remove_file(self._root / path)
            return ShardFile(path, "", 0)
        write_bytes(self._root / path, data)
        return ShardFile(path, sha256(data).hexdigest(), len(data))

    def _check(
        self,
        task: Task,
        layout: ArrayLayout,
        values: NDArray[np.generic],
        valid: NDArray[np.bool_],
    ) -> None:
        n_patches, block = self._patches[task.block], layout.shard[0]
        n = values.shape[0] if values.ndim and values.shape[0] == block else n_patches
        wanted = (n, task.last - task.first, *layout.shape[2:])
        for name, array, shape, dtype in (
            ("values", values, wanted, np.dtype(layout.dtype)),
            ("valid", valid, without_band(wanted), np.dtype(bool)),
        ):
            if array.shape != shape or array.dtype != dtype:
                raise StoreError(
                    f"task {task.id}",
                    f"{name} is {array.dtype} of shape {array.shape}",
                    f"its shard takes {dtype} of shape {shape}.",
                    "This is a bug in the task; please report it with the plan digest.",
                )


def _padded(
    values: NDArray[np.generic], shape: tuple[int, ...], fill: float
) -> NDArray[np.generic]:
    """Return `values` in the corner of a whole shard, fill elsewhere; as it is when it fits."""
    if values.shape == shape:
        return values
    whole: NDArray[np.generic] = np.full(shape, fill, dtype=values.dtype)
    whole[tuple(slice(n) for n in values.shape)] = values
    return whole
