"""A built store as a torch dataset: one sample per item, read when it is asked for."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from eodata.core.errors import RecipeError, nearest
from eodata.datasets.decoding import OpenedModality, to_physical
from eodata.datasets.epoch import Epoch
from eodata.datasets.frames import Frames, Sample, as_item, read_frames
from eodata.datasets.index import SampleIndex
from eodata.datasets.labels import LabelIndex
from eodata.datasets.scaled_bands import BandScaling
from eodata.datasets.steps import StepChoice
from eodata.store.reader import StoreReader

__all__ = ["EODataset", "to_physical"]


class EODataset(Dataset[Any]):
    """Map-style dataset over a store; made by `open_dataset`, which describes the items.

    It holds tables as arrays and no open file. Every process opens the store for itself at its
    first item, so workers may be started by fork, forkserver or spawn, before or after a read, and
    threads may share one dataset.

    Attributes:
        path: Folder of the store.
        modalities: Names, in the order of the items.
        bands: Per modality the bands of the channel axis, in order.
        labels: Names of the labels of whole samples that items hold, in order.
        scalings: Per modality that has one its normalisation; `invert` undoes it.
        blocks: `(N,)` which shard of the store each item lies in, in item order.
    """

    def __init__(
        self,
        path: Path,
        index: SampleIndex,
        opened: Mapping[str, OpenedModality],
        *,
        block: int = 1,
        labels: Mapping[str, LabelIndex] | None = None,
        choice: StepChoice | None = None,
        seed: int = 0,
        transform: Callable[[Sample], Any] | None = None,
    ) -> None:
        """Hold what `open_dataset` worked out; opens nothing.

        Args:
            path: Folder of the store.
            index: The samples.
            opened: The modalities, in the order of the items.
            block: Samples per shard.
            labels: Labels of the same samples; items have no key for them without any.
            choice: Which steps items hold; None for all.
            seed: Of random choices.
            transform: Called with each item; its answer is returned instead.
        """
        self.path = path
        self.modalities = tuple(opened)
        self.bands = {name: one.bands for name, one in opened.items()}
        self.labels = tuple(labels or ())
        scaled = {name: one.scaling for name, one in opened.items()}
        self.scalings = {n: s for n, s in scaled.items() if isinstance(s, BandScaling)}
        self.blocks: NDArray[np.int64] = index.rows // block
        self._index = index
        self._modalities = dict(opened)
        self._labels = dict(labels or {})
        self._choice = choice
        self._seed = seed
        self._epoch = Epoch()
        self._transform = transform
        self._opened: tuple[int, StoreReader] | None = None

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, position: int) -> Any:
        """Read one sample; negative positions count from the end.

        Raises:
            IndexError: There are fewer samples.
            TypeError: `position` is no integer.
            StoreError: The store is gone or damaged.
        """
        i = self._place(position)
        index = self._index
        item = self._all_steps(i) if self._choice is None else self._some_steps(i, self._choice)
        item |= {"id": index.ids[i].decode(), "row": int(index.rows[i])}
        item |= {"split": index.splits[i].decode(), "bbox": torch.from_numpy(index.bbox[i].copy())}
        if self._labels:
            item["labels"] = {name: _label_item(told, i) for name, told in self._labels.items()}
        return item if self._transform is None else self._transform(item)

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    def __repr__(self) -> str:
        counts = ", ".join(f"{n} {split}" for split, n in self._split_counts().items())
        lines = [f"EODataset {self.path}: {len(self)} samples ({counts})"]
        for name, one in self._modalities.items():
            names = " ".join(band.name for band in one.bands)
            lines.append(f"  {name}: (T, C, H, W) = {self._shape(one)}, {names}")
        return "\n".join(lines)

    @property
    def ids(self) -> list[str]:
        """Sample ids, in item order."""
        return [raw.decode() for raw in self._index.ids]

    @property
    def rows(self) -> NDArray[np.int64]:
        """`(N,)` positions on the sample axis of the store, in item order; a copy."""
        return self._index.rows.copy()

    @property
    def epoch(self) -> int:
        """Epoch that decides random choices, counted from 0."""
        return self._epoch.get()

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch random choices are made for; workers that are alive hear it too.

        Items depend on seed, epoch and sample id alone. An `EpochSampler` calls this at the start
        of each epoch; without one, call it before iterating.

        Raises:
            ValueError: It is negative.
        """
        self._epoch.set(epoch)

    def classes(self, name: str) -> tuple[tuple[int, str, str], ...]:
        """Return the legend `(value, name, "rrggbb")` of a modality or of labels.

        Of a modality it is that of its first band that has one, and empty when none has; `bands`
        holds the legend of every band. Of labels it is the K classes in the order of the tensors.

        Raises:
            RecipeError: The dataset has neither a modality nor labels of this name.
        """
        if name in self.bands:
            return next((band.classes for band in self.bands[name] if band.classes), ())
        if name in self._labels:
            return self._labels[name].classes
        words = f'modality "{name}"' if not self._labels else f'modality and no labels "{name}"'
        raise RecipeError(
            f"dataset {self.path}",
            f"there is no {words}",
            "",
            nearest(name, (*self.modalities, *self.labels)),
        )

    def _split_counts(self) -> dict[str, int]:
        names, counts = np.unique(self._index.splits, return_counts=True)
        return {name.decode(): int(n) for name, n in zip(names, counts, strict=True)}

    def _shape(self, one: OpenedModality) -> tuple[int, int, int, int]:
        if one.static or self._choice is None:
            return one.shape
        return self._choice.count, *one.shape[1:]

    def _place(self, position: int) -> int:
        try:
            i = operator.index(position)
        except TypeError:
            raise TypeError(
                f"a dataset is indexed by one integer, not by {type(position).__name__}; "
                "for several samples use torch.utils.data.Subset(dataset, positions)"
            ) from None
        if not -len(self) <= i < len(self):
            raise IndexError(f"there is no sample {i}; the dataset has {len(self)}")
        return i % len(self)

    def _reader(self) -> StoreReader:
        # A forked worker inherits the parent's reader, whose event-loop thread died in the fork;
        # the process id tells. No lock: a lock held by another thread during the fork would stay
        # locked in the child for ever, and two threads that both open do no harm.
        opened = self._opened
        if opened is None or opened[0] != os.getpid():
            opened = (os.getpid(), StoreReader(self.path))
            self._opened = opened
        return opened[1]

    def _all_steps(self, i: int) -> Sample:
        return as_item({name: self._frames(name, i, None) for name in self.modalities})

    def _some_steps(self, i: int, choice: StepChoice) -> Sample:
        pick = choice.pick(i, self._seed, self.epoch, self._index.ids[i].decode())
        inputs = choice.padded(pick)
        # The target comes last, read together with the inputs: they may share a chunk.
        every = np.append(inputs, pick.target)
        frames = {}
        for name, one in self._modalities.items():
            steps = every if name in choice.targets else inputs
            frames[name] = self._frames(name, i, None if one.static else steps)
        n = len(inputs)
        shown = {k: f if self._modalities[k].static else f.part(0, n) for k, f in frames.items()}
        item = as_item(shown) | {"steps": torch.from_numpy(inputs)}
        if choice.targets:
            target = as_item({name: frames[name].part(n, n + 1) for name in choice.targets})
            item |= _with_target(target, every, choice.coverage_at(i, every), pick.matched)
        return item

    def _frames(self, name: str, i: int, steps: NDArray[np.int64] | None) -> Frames:
        index = self._index
        return read_frames(
            self._reader(),
            name,
            int(index.rows[i]),
            self._modalities[name],
            index.present[name][i],
            index.dates[name][i],
            steps,
        )


def _with_target(
    target: Sample, steps: NDArray[np.int64], coverage: NDArray[np.float32], matched: bool
) -> Sample:
    """Return what an item with a target adds; the last of the steps is the target."""
    return {
        "coverage": torch.from_numpy(coverage[:-1].copy()),
        "matched": torch.tensor(matched),
        "target": target
        | {
            "steps": torch.from_numpy(steps[-1:].copy()),
            "coverage": torch.from_numpy(coverage[-1:].copy()),
        },
    }


def _label_item(labels: LabelIndex, i: int) -> dict[str, torch.Tensor]:
    return {
        "single": torch.tensor(int(labels.single[i])),
        "multi": torch.from_numpy(labels.multi[i].astype(np.float32)),
        "fractions": torch.from_numpy(labels.fractions[i].copy()),
    }
