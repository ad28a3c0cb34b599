"""The number of the epoch, where every worker of a dataset sees it."""

from __future__ import annotations

from typing import Any

import torch


class Epoch:
    """A counter in shared memory.

    Workers that are forked inherit the memory, and those that are spawned are handed its address,
    so a change reaches them even when they live on between epochs. A copy made in any other way,
    such as a pickle on disk, counts for itself from where it was.
    """

    def __init__(self, number: int = 0) -> None:
        shared: Any = torch.tensor(number)
        self._number: torch.Tensor = shared.share_memory_()

    def __getstate__(self) -> dict[str, Any]:
        return {"_number": self._number}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._number = state["_number"].share_memory_()

    def __deepcopy__(self, memo: dict[int, Any]) -> Epoch:
        return Epoch(self.get())

    def get(self) -> int:
        """Return the number."""
        return int(self._number)

    def set(self, number: int) -> None:
        """Change the number for every process.

        Raises:
            ValueError: It is negative.
        """
        if number < 0:
            raise ValueError(f"epochs are counted from 0, not {number}")
        self._number.fill_(number)
