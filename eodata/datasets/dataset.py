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

from eodata.core.band import Band
from eodata.core.errors import RecipeError, nearest
from eodata.datasets.index import SampleIndex
from eodata.datasets.labels import LabelIndex
from eodata.store.reader import StoreReader

Sample = dict[str, Any]

# Losses, `default_collate` and most arithmetic do not know torch's unsigned types beyond uint8.
WIDER = {"uint16": np.int32, "uint32": np.int64}


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
    """

    def __init__(
        self,
        path: Path,
        index: SampleIndex,
        shapes: Mapping[str, tuple[int, int, int, int]],
        bands: Mapping[str, tuple[Band, ...]],
        channels: Mapping[str, tuple[int, ...] | None],
        *,
        labels: Mapping[str, LabelIndex] | None = None,
        decode: bool = True,
        transform: Callable[[Sample], Any] | None = None,
    ) -> None:
        """Hold what `open_dataset` worked out; opens nothing.

        Args:
            path: Folder of the store.
            index: The samples.
            shapes: Per modality `(T, C, H, W)` of an item.
            bands: Per modality the C bands of an item.
            channels: Per modality their positions in the store, None for all in store order.
            labels: Labels of the same samples; items have no key for them without any.
            decode: Physical units instead of DN.
            transform: Called with each item; its answer is returned instead.
        """
        self.path = path
        self.modalities = tuple(shapes)
        self.bands = dict(bands)
        self.labels = tuple(labels or ())
        self._index = index
        self._shapes = dict(shapes)
        self._channels = dict(channels)
        self._labels = dict(labels or {})
        self._decode = decode
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
        item: Sample = {}
        valid, present, dates = {}, {}, {}
        for name in self.modalities:
            present[name] = torch.from_numpy(index.present[name][i].copy())
            dates[name] = torch.from_numpy(index.dates[name][i].copy())
            item[name], valid[name] = self._read(name, i)
        item |= {"valid": valid, "present": present, "dates": dates}
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
        for name in self.modalities:
            names = " ".join(band.name for band in self.bands[name])
            lines.append(f"  {name}: (T, C, H, W) = {self._shapes[name]}, {names}")
        return "\n".join(lines)

    @property
    def ids(self) -> list[str]:
        """Sample ids, in item order."""
        return [raw.decode() for raw in self._index.ids]

    @property
    def rows(self) -> NDArray[np.int64]:
        """`(N,)` positions on the sample axis of the store, in item order; a copy."""
        return self._index.rows.copy()

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

    def _read(self, name: str, i: int) -> tuple[torch.Tensor, torch.Tensor]:
        row = int(self._index.rows[i])
        values, valid = self._reader().read(name, row, bands=self._channels[name])
        valid = valid & self._index.present[name][i][:, None, None]
        if self._decode:
            values = to_physical(values, valid, self.bands[name])
        elif values.dtype.name in WIDER:
            values = values.astype(WIDER[values.dtype.name])
        return torch.from_numpy(np.ascontiguousarray(values)), torch.from_numpy(valid)


def _label_item(labels: LabelIndex, i: int) -> dict[str, torch.Tensor]:
    return {
        "single": torch.tensor(int(labels.single[i])),
        "multi": torch.from_numpy(labels.multi[i].astype(np.float32)),
        "fractions": torch.from_numpy(labels.fractions[i].copy()),
    }


def to_physical(
    dn: NDArray[np.generic], valid: NDArray[np.bool_], bands: tuple[Band, ...]
) -> NDArray[np.generic]:
    """Return what a network can take: float32 in physical units, or int64 class numbers.

    Args:
        dn: `(T, C, H, W)` as stored.
        valid: `(T, H, W)`, True = usable.
        bands: The C bands.

    Returns:
        `(T, C, H, W)`, int64 when every band is categorical or a bitmask, else float32 (class
        numbers among them are exact to 2**24); 0 where not valid, whatever was stored.
    """
    continuous = [band.kind == "continuous" for band in bands]
    out: NDArray[Any] = dn.astype(np.float32 if any(continuous) else np.int64)
    if any(continuous):
        out *= _per_band([b.scale if c else 1.0 for b, c in zip(bands, continuous, strict=True)])
        out += _per_band([b.offset if c else 0.0 for b, c in zip(bands, continuous, strict=True)])
    np.copyto(out, 0, where=~valid[:, None])
    return out


def _per_band(numbers: list[float]) -> NDArray[np.float32]:
    return np.array(numbers, np.float32)[:, None, None]
