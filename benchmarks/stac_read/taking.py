"""What readers are told and what they hand over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

GLANCE = 8
"""Every so many rows and columns count for the mean that tells whether readers agree."""

Pixels = NDArray[np.generic]
Take = Callable[[int, Sequence[Pixels]], None]
"""Is given the number of a block and its bands, `(H, W)` each; threads may call it."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a reader reads; each knows some of them.

    Attributes:
        threads: That read, 0 for the library's own choice.
        at_once: Blocks under way together.
        chunk: Edge of a chunk [px].
        gdal: Options of GDAL.
        warp: Bring 20 m to 10 m; the readers of GDAL always do.
    """

    threads: int = 0
    at_once: int = 1
    chunk: int = 2048
    gdal: dict[str, Any] = field(default_factory=dict)
    warp: bool = True


class Taken:
    """Keeps the means of what was read. Threads may share it."""

    def __init__(self) -> None:
        self.means: dict[int, list[float]] = {}
        self._lock = Lock()

    def __call__(self, number: int, bands: Sequence[Pixels]) -> None:
        """Take one block."""
        means = [float(band[::GLANCE, ::GLANCE].mean()) for band in bands]
        with self._lock:
            self.means[number] = means
