"""One modality of one sample, read and coloured for a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from eodata.catalog.colour import GREY, RAMP, Display, Look, choose_look, shown_bands
from eodata.catalog.shift_arrows import Mark
from eodata.core.outcome import Status
from eodata.store.files import STEPS
from eodata.store.reader import StoreReader

MAX_STEPS = 30
MAX_PIXELS = 512


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """One modality of one sample, ready to be drawn.

    Attributes:
        name: As in the recipe.
        look: How its numbers become colours.
        dn: `(T, C, H, W)`, the shown bands of the shown steps.
        valid: `(T, H, W)`, True = usable.
        notes: One row per shown step: status, reason, date (`""` without one), slot.
        gsd: Pixel size [m].
        unit: Of the physical values.
        is_static: True for one step without a date.
        marks: What is drawn over the picture of each shown step; empty for nothing at all.
    """

    name: str
    look: Look
    dn: NDArray[np.generic]
    valid: NDArray[np.bool_]
    notes: pd.DataFrame
    gsd: float
    unit: str
    is_static: bool
    marks: tuple[Mark | None, ...] = ()

    def has_pixels(self, step: int) -> bool:
        """Tell whether pixels of a shown step are in the store."""
        return self.notes["status"].iloc[step] in (Status.DONE, Status.REJECTED)

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Valid pixels of the steps that are in the store, `(T, H, W)`."""
        there = np.array([self.has_pixels(step) for step in range(len(self.notes))])
        return np.asarray(self.valid & there[:, None, None])


def read_track(reader: StoreReader, name: str, row: int) -> Track:
    """Read what a picture of one modality of one sample needs.

    Of more than 30 steps, 30 are read, evenly spread; of more than some hundred pixels, every
    n-th. Steps without a row in the table of steps are shown as gaps.

    Raises:
        StoreError: The store cannot be read.
    """
    display, bands = _display(reader.attrs(name).get("display")), reader.bands(name)
    shown = shown_bands(bands, display)
    _, n_steps, _, edge, _ = reader.shape(name)
    steps = np.unique(np.linspace(0, n_steps - 1, min(n_steps, MAX_STEPS)).round().astype(int))
    every = max(1, edge // MAX_PIXELS)
    # Step by step, because a whole sample of 1920 px over a year does not fit every memory.
    reads = [reader.read(name, row, [int(step)], [bands.index(b) for b in shown]) for step in steps]
    dn = np.concatenate([values[..., ::every, ::every] for values, _ in reads])
    valid = np.concatenate([valid[..., ::every, ::every] for _, valid in reads])
    is_static = reader.is_static(name)
    return Track(
        name=name,
        look=choose_look(shown, display, dn, valid, RAMP if is_static else GREY),
        dn=dn,
        valid=valid,
        notes=_read_notes(reader.path, name, row, steps),
        gsd=reader.gsd(name),
        unit=shown[0].unit,
        is_static=is_static,
    )


def _display(stated: Sequence[Any] | None) -> Display | None:
    if stated is None:
        return None
    names, low, high = stated
    return tuple(names), float(low), float(high)


def _read_notes(root: Path, name: str, row: int, steps: NDArray[np.int64]) -> pd.DataFrame:
    """Return one row per shown step, in order, with dates as text."""
    wanted = [("row", "==", row), ("modality", "==", name)]
    columns = ["step", "status", "reason", "datetime", "start"]
    notes = pd.read_parquet(root / STEPS, columns=columns, filters=wanted)
    by_step = notes.drop_duplicates("step").set_index("step").reindex(steps)
    return pd.DataFrame(
        {
            "status": by_step["status"].fillna("").astype(str),
            "reason": by_step["reason"].fillna("no row in the table of steps").astype(str),
            "date": _days(by_step["datetime"]),
            "slot": _days(by_step["start"]),
        }
    )


def _days(moments: pd.Series) -> pd.Series:
    moments = pd.to_datetime(moments, utc=True)
    return moments.dt.strftime("%Y-%m-%d").fillna("").astype(str)
