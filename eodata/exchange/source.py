"""Which samples and steps of a store leave it, with their facts; and which stay, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from numpy.typing import NDArray

from eodata.core.errors import RecipeError, StoreError, nearest
from eodata.core.outcome import Status
from eodata.core.patch import Patch
from eodata.store.reader import StoreReader

STEP_COLUMNS = ("row", "modality", "step", "datetime", "items", "status", "reason", "valid")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which samples are wanted.

    Attributes:
        split: Name of a split; `""` for all.
        limit: Only the first so many of those that can be exported.
        rejected: Also samples and steps that a check refused.
    """

    split: str = ""
    limit: int | None = None
    rejected: bool = False

    @property
    def statuses(self) -> tuple[str, ...]:
        """How samples and steps must have ended."""
        return (Status.DONE, Status.REJECTED) if self.rejected else (Status.DONE,)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of one modality of a sample.

    Attributes:
        number: Position on the time axis.
        when: Time of the acquisition, UTC; None for composites, static layers and gaps.
        items: Ids of the items, the first on top.
        status: How it ended.
        reason: Why it is not done.
        valid: Fraction of valid pixels.
    """

    number: int
    when: datetime | None
    items: tuple[str, ...]
    status: str
    reason: str
    valid: float


@dataclass(frozen=True, slots=True)
class Sample:
    """The facts of a sample, without pixels.

    Attributes:
        row: Position on the sample axis.
        id: Stable and readable.
        season: Word of its area, `""` when unused.
        scene: Number of its area in a family of datasets, `""` when unknown.
        region: Word of its area, `""` when unused.
        split: Name of its split.
        number: Position among all samples of its area, row by row from the north-west, from 0.
            Samples that stay in the store count too, so that no choice renumbers the others.
        place: Ground; its lattice row and column are not known here and 0.
        steps: Per modality every step, by rising number.
    """

    row: int
    id: str
    season: str
    scene: str
    region: str
    split: str
    number: int
    place: Patch
    steps: Mapping[str, tuple[Step, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A store that is read, and the samples chosen in it.

    Attributes:
        reader: The store.
        selection: What was asked for.
        samples: Table of all samples by row, with the column `number`.
        steps: Table of steps, ordered by row.
        rows: The chosen samples, rising.
        left_out: Why samples of the split stay, and how many.
    """

    reader: StoreReader
    selection: Selection
    samples: pandas.DataFrame
    steps: pandas.DataFrame
    rows: tuple[int, ...]
    left_out: Counter[str]

    def sample(self, row: int) -> Sample:
        """Return the facts of a sample."""
        facts: Any = self.samples.loc[row]
        place = Patch(facts["area"], facts["crs"], facts["left"], facts["top"], facts["size"], 0, 0)
        return Sample(
            row=row,
            id=facts["id"],
            season=facts["season"],
            scene=facts["scene"],
            region=facts["region"],
            split=facts["split"],
            number=int(facts["number"]),
            place=place,
            steps=self._steps_of(row),
        )

    def chosen_steps(self, names: Sequence[str]) -> pandas.DataFrame:
        """Return the steps of some modalities of the chosen samples, in the order of `names`."""
        table = self.steps[
            self.steps["modality"].isin(names) & self.steps["row"].isin(np.array(self.rows))
        ]
        order = table["modality"].map({name: n for n, name in enumerate(names)})
        return table.assign(order=order).sort_values(["row", "order", "step"])

    def without(self, refused: Mapping[int, str]) -> Source:
        """Return the source with fewer samples.

        Args:
            refused: Why a row stays; rows that are not named, or with `""`, are kept.
        """
        found = Counter(reason for row in self.rows if (reason := refused.get(row, "")))
        rows = tuple(row for row in self.rows if not refused.get(row, ""))
        return replace(self, rows=rows, left_out=self.left_out + found)

    def limited(self) -> Source:
        """Return the source with at most as many samples as were asked for.

        Raises:
            RecipeError: None is left.
        """
        if not self.rows:
            why = "; ".join(f"{count} x {what}" for what, count in self.left_out.most_common(3))
            raise RecipeError(
                str(self.reader.path),
                "no sample can be exported",
                f"left out: {why}." if why else "the store holds none.",
                "Ask for another --split, mend the store by building again, or take --rejected.",
            )
        return replace(self, rows=self.rows[: self.selection.limit])

    def _steps_of(self, row: int) -> dict[str, tuple[Step, ...]]:
        column: NDArray[np.int64] = self.steps["row"].to_numpy()
        first, last = np.searchsorted(column, [row, row + 1])
        found: dict[str, list[Step]] = {name: [] for name in self.reader.names}
        for line in self.steps.iloc[int(first) : int(last)].to_dict("records"):
            found[str(line["modality"])].append(_step(line))
        return {name: tuple(steps) for name, steps in found.items()}


def open_source(path: Path, selection: Selection) -> Source:
    """Open a store and choose samples by split and by how they ended; no limit is applied yet.

    Raises:
        StoreError: There is no finished store.
        RecipeError: There is no such split.
    """
    reader = StoreReader(path)
    samples = _numbered(pandas.DataFrame(reader.samples()))
    steps = reader.steps()[list(STEP_COLUMNS)].sort_values(["row", "step"], kind="stable")
    splits = sorted(set(samples["split"]))
    if selection.split and selection.split not in splits:
        raise RecipeError(
            "--split",
            f'the store has no split "{selection.split}"',
            f"it has {', '.join(splits)}.",
            nearest(selection.split, splits),
        )
    mine = samples[samples["split"] == selection.split] if selection.split else samples
    refused = mine[~mine["status"].isin(selection.statuses)]
    rows = tuple(int(row) for row in mine.index.difference(refused.index))
    why = Counter(refused["status"] + ": " + refused["reason"])
    return Source(reader, selection, samples, steps, rows, why)


def unusable(steps: pandas.DataFrame, statuses: Sequence[str], *, dated: bool) -> pandas.DataFrame:
    """Return the steps that cannot leave, with a column `why`.

    Args:
        steps: As of `Source.chosen_steps`.
        statuses: How a step must have ended.
        dated: Without a date it cannot leave either.
    """
    ended = steps["status"].isin(statuses)
    bad = ~ended | (steps["datetime"].isna() & dated)
    table = steps[bad]
    told = table["reason"].where(table["reason"] != "", table["status"])
    told = told.where(~ended[bad], "it has no date of its own")
    return table.assign(why=table["modality"] + ": " + told)


def dtype_of(reader: StoreReader, name: str) -> np.dtype[Any]:
    """Return the type of a modality's array: one that holds all bands."""
    return np.result_type(*(np.dtype(band.dtype) for band in reader.bands(name)))


def iso(when: datetime | None) -> str:
    """Return a time as text with all its digits, `""` for none."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z") if when else ""


def _numbered(samples: pandas.DataFrame) -> pandas.DataFrame:
    """Return the table by row, with each sample's position in its area."""
    needed = {"season", "scene", "region", "crs", "left", "top", "size"} - set(samples)
    if needed:
        raise StoreError(
            "samples.parquet",
            f"it has no column {', '.join(sorted(needed))}",
            "the store is older than this export.",
            "Build it again with --locked; nothing is read that is there.",
        )
    samples = samples.set_index(samples["row"].to_numpy()).sort_index()
    placed = samples.sort_values(["area", "top", "left"], ascending=[True, False, True])
    return samples.assign(number=placed.groupby("area").cumcount())


def _step(line: Mapping[Any, Any]) -> Step:
    when = line["datetime"]
    return Step(
        number=int(line["step"]),
        when=None if pandas.isna(when) else when.to_pydatetime().astimezone(UTC),
        items=tuple(str(item) for item in line["items"]),
        status=str(line["status"]),
        reason=str(line["reason"]),
        valid=float(line["valid"]),
    )
