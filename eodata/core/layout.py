"""How many numbers, in which chunks and shards: the arithmetic of the store. Pure.

Axes are always `(sample, time, band, y, x)`. One shard holds one block of samples and one group of
steps, all bands, all pixels; exactly one task writes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from eodata.core.recipe import StoreSpec

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class ArrayLayout:
    """Shape, chunk and shard of one modality's array.

    Attributes:
        shape: `(sample, time, band, y, x)`; the sample axis holds whole blocks.
        chunk: What one read decodes.
        shard: What one file holds and one task writes.
        dtype: NumPy name of the DN type.
    """

    shape: tuple[int, int, int, int, int]
    chunk: tuple[int, int, int, int, int]
    shard: tuple[int, int, int, int, int]
    dtype: str

    @property
    def step_groups(self) -> tuple[tuple[int, int], ...]:
        """`(first, last + 1)` steps of each shard along the time axis."""
        n, size = self.shape[1], self.shard[1]
        return tuple((start, min(start + size, n)) for start in range(0, n, size))

    @property
    def itemsize(self) -> int:
        """Bytes of one number."""
        return np.dtype(self.dtype).itemsize

    @property
    def shard_bytes(self) -> int:
        """Bytes of one shard before compression."""
        return int(np.prod(self.shard)) * self.itemsize

    @property
    def n_shards(self) -> int:
        """Number of shard files of the values array."""
        return self.shape[0] // self.shard[0] * len(self.step_groups)


def array_layout(
    spec: StoreSpec, n_blocks: int, n_steps: int, n_bands: int, pixels: int, dtype: str
) -> ArrayLayout:
    """Lay out one modality.

    Args:
        spec: The recipe's wishes.
        n_blocks: Blocks on the sample axis.
        n_steps: Steps on the time axis; 1 for static layers.
        n_bands: Bands.
        pixels: Edge of a patch [px].
        dtype: NumPy name of the DN type.

    Returns:
        A layout whose shard holds one block and as many steps as fit `shard_mb`, at least one
        chunk of steps and at most all.
    """
    chunk_steps = min(spec.chunk_steps, n_steps)
    edge = min(spec.chunk or pixels, pixels)
    step_bytes = spec.block * n_bands * pixels * pixels * np.dtype(dtype).itemsize
    fitting = int(spec.shard_mb * MEGABYTE // (step_bytes * chunk_steps)) * chunk_steps
    whole = -(-n_steps // chunk_steps) * chunk_steps
    steps = min(max(fitting, chunk_steps), whole)
    return ArrayLayout(
        shape=(n_blocks * spec.block, n_steps, n_bands, pixels, pixels),
        chunk=(1, chunk_steps, n_bands, edge, edge),
        shard=(spec.block, steps, n_bands, pixels, pixels),
        dtype=dtype,
    )
