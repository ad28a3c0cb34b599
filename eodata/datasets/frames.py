"""Some steps of one modality of one sample, as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from eodata.datasets.decoding import OpenedModality
from eodata.datasets.index import NO_DATE
from eodata.store.reader import StoreReader

Sample = dict[str, Any]


class Frames(NamedTuple):
    """Tensors of one modality, T steps long.

    Attributes:
        values: `(T, C, H, W)`.
        valid: `(T, H, W)` bool, True = usable.
        present: `(T,)` bool, True where the step ended `done`.
        dates: `(T,)` int64, POSIX seconds UTC, -1 without one.
    """

    values: torch.Tensor
    valid: torch.Tensor
    present: torch.Tensor
    dates: torch.Tensor

    def part(self, start: int, stop: int) -> Frames:
        """Return some of the steps; a view."""
        return Frames(*(tensor[start:stop] for tensor in self))


def as_item(frames: Mapping[str, Frames]) -> Sample:
    """Return what items and targets have in common."""
    return {
        **{name: one.values for name, one in frames.items()},
        "valid": {name: one.valid for name, one in frames.items()},
        "present": {name: one.present for name, one in frames.items()},
        "dates": {name: one.dates for name, one in frames.items()},
    }


def read_frames(
    reader: StoreReader,
    name: str,
    row: int,
    modality: OpenedModality,
    present: NDArray[np.bool_],
    dates: NDArray[np.int64],
    steps: NDArray[np.int64] | None,
) -> Frames:
    """Read steps of a sample, in any order; a step -1 is a gap and costs no read.

    Args:
        reader: The store.
        name: Modality.
        row: Row of the sample.
        modality: How it was opened.
        present: `(T,)` of all steps.
        dates: `(T,)` of all steps.
        steps: Which ones; None for all.
    """
    if steps is None:
        dn, valid = reader.read(name, row, bands=modality.channels)
    else:
        dn, valid = _read_some(reader, name, row, modality, steps)
        there = steps >= 0
        present = np.where(there, present[steps], False)
        dates = np.where(there, dates[steps], NO_DATE)
    valid = valid & present[:, None, None]
    values = np.ascontiguousarray(modality.decode(dn, valid))
    return Frames(
        *(torch.from_numpy(part) for part in (values, valid, present.copy(), dates.copy()))
    )


def _read_some(
    reader: StoreReader, name: str, row: int, modality: OpenedModality, steps: NDArray[np.int64]
) -> tuple[NDArray[np.generic], NDArray[np.bool_]]:
    """Decode each chunk once, in the order of the store, and take the steps in the order asked."""
    length, c, h, w = modality.shape
    there = steps >= 0
    read = modality.chunking.whole(steps[there], length)
    dn, valid = reader.read(name, row, steps=read.tolist(), bands=modality.channels)
    if np.array_equal(read, steps):
        return dn, valid
    where = np.searchsorted(read, steps[there])
    out, usable = np.zeros((len(steps), c, h, w), dn.dtype), np.zeros((len(steps), h, w), np.bool_)
    out[there], usable[there] = dn[where], valid[where]
    return out, usable
