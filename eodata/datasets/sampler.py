"""A sampler that shuffles by seed and epoch, shares an epoch among processes, and can go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import blake2b
from typing import Any, Literal, cast

import numpy as np
import torch.distributed
from torch.utils.data import Sampler, Subset

from eodata.core.errors import RecipeError
from eodata.datasets.dataset import EODataset
from eodata.datasets.orders import (
    Positions,
    ShuffleQuality,
    block_order,
    full_order,
    shuffle_quality,
)

Shuffle = Literal["full", "blocks", "none"]
Uneven = Literal["pad", "drop"]
STATE = 1


class EpochSampler(Sampler[int]):
    """Gives positions to a `DataLoader`; the order depends on seed and epoch alone.

    It stands at a place: an epoch, and how much of it all processes together have consumed.
    Iterating gives what is left of the epoch for this process, and tells the dataset which epoch it
    is. Iterating moves nothing, because workers fetch ahead of the training loop; only `advance`,
    `set_epoch` and `load_state_dict` do.

    Attributes:
        epoch: Where it stands.
        consumed: Samples of this epoch that all processes together have trained on.
    """

    def __init__(
        self,
        dataset: EODataset | Subset[Any],
        *,
        shuffle: Shuffle = "full",
        buffer: int = 16,
        seed: int = 0,
        uneven: Uneven = "pad",
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        """Stand at the start of epoch 0.

        Args:
            dataset: What `open_dataset` returns, or a `Subset` of it.
            shuffle: `full`; `blocks` shuffles the shards and then the samples of `buffer` shards at
                a time, see `quality`; `none` keeps the order of the dataset.
            buffer: Shards that are shuffled together with `blocks`.
            seed: Of the order; give another one to each training, the same one to all processes.
            uneven: When the samples cannot be shared out evenly, `pad` gives some processes one of
                the first samples of the epoch again, and `drop` leaves the last few out.
            rank: Of this process, counted from 0; None asks torch.distributed.
            world_size: Number of processes; None asks torch.distributed, which says 1 unless it
                was initialised.

        Raises:
            RecipeError: An argument is none of those above.
        """
        self._dataset, self._positions = _whole(dataset)
        self._rank, self._world = _place(rank, world_size)
        self._settings = {"shuffle": shuffle, "buffer": buffer, "seed": seed, "uneven": uneven}
        self.epoch, self.consumed = 0, 0
        _check_word("shuffle", shuffle, ("full", "blocks", "none"))
        _check_word("uneven", uneven, ("pad", "drop"))
        if buffer < 1 or not 0 <= self._rank < self._world:
            raise RecipeError(
                "EpochSampler",
                f"buffer={buffer}, rank={self._rank}, world_size={self._world}",
                "a buffer holds at least one shard, and ranks go from 0 to world_size - 1.",
                "Correct the number.",
            )

    def __iter__(self) -> Iterator[int]:
        # No generator: the epoch must be told before the first position is handed out.
        self._dataset.set_epoch(self.epoch)
        return iter(self._left()[self._rank :: self._world].tolist())

    def __len__(self) -> int:
        """Return how many samples are left of this epoch for this process."""
        left = max(0, len(self._positions) - self.consumed)
        return left // self._world if self._drops else -(-left // self._world)

    def set_epoch(self, epoch: int) -> None:
        """Go to the start of an epoch; nothing happens when the sampler stands in it already."""
        if epoch < 0:
            raise ValueError(f"epochs are counted from 0, not {epoch}")
        if epoch != self.epoch:
            self.epoch, self.consumed = epoch, 0

    def advance(self, n: int) -> None:
        """Say that the training loop has consumed the next n samples of this process.

        Call it after each step with the size of the batch; all processes are taken to do the same.
        With the last sample of an epoch the sampler goes to the start of the next one.

        Raises:
            ValueError: n is negative, or more than is left.
        """
        if not 0 <= n <= len(self):
            raise ValueError(f"{len(self)} samples are left of epoch {self.epoch}, not {n}")
        self.consumed += n * self._world
        if len(self) == 0:
            self.set_epoch(self.epoch + 1)

    def state_dict(self) -> dict[str, Any]:
        """Return the place, and what the order depends on, as numbers and texts.

        It is the same in all processes, and may be loaded by another number of them.
        """
        return {
            "state": STATE,
            "epoch": self.epoch,
            "consumed": self.consumed,
            "samples": self._digest,
            **self._settings,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go to the place of `state_dict()`: what was left then is what comes now.

        Raises:
            RecipeError: The state is of another order or of other samples, so that what is left
                would not be what was left.
        """
        own = self.state_dict()
        for key in ("state", "samples", *self._settings):
            if state.get(key) != own[key]:
                raise RecipeError(
                    "EpochSampler.load_state_dict",
                    f"{key} was {state.get(key)!r} and is {own[key]!r}",
                    "the epoch would go on in another order: samples twice, others never.",
                    "Open the same samples with the same arguments, or start the epoch anew.",
                )
        self.epoch, self.consumed = int(state["epoch"]), int(state["consumed"])

    def quality(self) -> ShuffleQuality:
        """Measure how well this epoch is shuffled, over all processes, from its start."""
        return shuffle_quality(self._order(), self._blocks())

    def _blocks(self) -> Positions:
        return self._dataset.blocks[self._positions]

    def _order(self) -> Positions:
        """Return the whole epoch of all processes, as positions in what was given to `__init__`."""
        n, seed = len(self._positions), int(self._settings["seed"])
        if self._settings["shuffle"] == "none":
            return np.arange(n, dtype=np.int64)
        if self._settings["shuffle"] == "full":
            return full_order(n, seed, self.epoch)
        return block_order(self._blocks(), seed, self.epoch, int(self._settings["buffer"]))

    def _left(self) -> Positions:
        """Return what all processes have left, in turns: one each, then the next one each."""
        order = self._order()
        left = order[self.consumed :]
        if self._drops:
            return left[: len(left) // self._world * self._world]
        return np.concatenate([left, np.resize(order, -len(left) % self._world)])

    @property
    def _drops(self) -> bool:
        return self._settings["uneven"] == "drop"

    @cached_property
    def _digest(self) -> str:
        ids, blocks = self._dataset.ids, self._dataset.blocks
        text = "\n".join(f"{ids[i]} {blocks[i]}" for i in self._positions)
        return blake2b(text.encode(), digest_size=16).hexdigest()


def _whole(dataset: EODataset | Subset[Any]) -> tuple[EODataset, Positions]:
    """Return the dataset, and where the samples to be shuffled stand in it."""
    if isinstance(dataset, EODataset):
        return dataset, np.arange(len(dataset), dtype=np.int64)
    if isinstance(dataset, Subset):
        inner, positions = _whole(cast("EODataset | Subset[Any]", dataset.dataset))
        return inner, positions[np.asarray(dataset.indices, np.int64)]
    raise RecipeError(
        "EpochSampler",
        f"it was given a {type(dataset).__name__}",
        "it must know the shards and ids of the samples.",
        "Give it what open_dataset returned, or a torch Subset of that.",
    )


def _place(rank: int | None, world_size: int | None) -> tuple[int, int]:
    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    if world_size is None:
        world_size = torch.distributed.get_world_size() if together else 1
    if rank is None:
        rank = torch.distributed.get_rank() if together else 0
    return rank, world_size


def _check_word(name: str, word: str, known: tuple[str, ...]) -> None:
    if word not in known:
        raise RecipeError(f"EpochSampler: {name}", f'"{word}"', "", f"Known: {', '.join(known)}.")
