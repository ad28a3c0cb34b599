"""How the numbers of a modality are cut into shards and chunks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Chunking(NamedTuple):
    """What is read together.

    Attributes:
        block: Samples per shard.
        steps: Steps per chunk, which is what one read decodes at least.
    """

    block: int
    steps: int

    def whole(self, steps: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """Return every step of the chunks that hold `steps`, in order; `length` is all there are.

        Chunks are decoded as a whole, so asking for them as a whole decodes each one once.
        """
        first = np.unique(steps // self.steps) * self.steps
        every = (first[:, None] + np.arange(self.steps)).ravel()
        return every[every < length]


def chunking_of(document: Mapping[str, Any]) -> Chunking:
    """Read the Zarr metadata of an array `(sample, time, ...)`."""
    shard = document["chunk_grid"]["configuration"]["chunk_shape"]
    codecs = [c for c in document["codecs"] if c["name"] == "sharding_indexed"]
    chunk = codecs[0]["configuration"]["chunk_shape"] if codecs else shard
    return Chunking(int(shard[0]), int(chunk[1]))
