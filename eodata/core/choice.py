"""What fills a step, and which step of a series is the best reference for the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eodata.core.item import Acquisition, Item


@dataclass(frozen=True, slots=True)
class Choice:
    """What fills one step of one modality in one area.

    Attributes:
        items: Positions in the plan's item table, the first on top; empty for a gap.
        reason: Why there is a gap; `""` otherwise.
        ends: For a composite, how many of the items come before the end of each acquisition.
    """

    items: tuple[int, ...]
    reason: str = ""
    ends: tuple[int, ...] = ()

    @property
    def acquisitions(self) -> tuple[tuple[int, ...], ...]:
        """The items of each acquisition, the preferred first; one for a step of one pass."""
        if not self.ends:
            return (self.items,) if self.items else ()
        starts = (0, *self.ends[:-1])
        return tuple(self.items[a:b] for a, b in zip(starts, self.ends, strict=True))

    def to_json(self) -> list[Any]:
        """Return plain JSON values; `Choice.from_json` reads them back."""
        return [list(self.items), self.reason, *([list(self.ends)] if self.ends else [])]

    @classmethod
    def from_json(cls, data: Sequence[Any]) -> Choice:
        """Read what `to_json` wrote."""
        items, reason, *ends = data
        return cls(tuple(items), reason, tuple(ends[0]) if ends else ())


def reference_step(rows: Sequence[Sequence[Choice]], items: Sequence[Item], item: str = "") -> int:
    """Return the step that the others are compared with: one for all areas of a block.

    That is the step which fills most areas, of those the one with the least stated cloud, then the
    one nearest to the middle of the series. So it is a property of the plan, not of pixels.

    Args:
        rows: Per area, one choice per step.
        items: The plan's item table.
        item: Only steps that hold this item count, where there are any.
    """
    steps = range(len(rows[0]))
    holding = [s for s in steps if any(_holds(row[s], items, item) for row in rows)]
    middle = (len(steps) - 1) / 2

    def rank(step: int) -> tuple[int, float, float, int]:
        filled = [row[step] for row in rows if row[step].items]
        clouds = [cloud for choice in filled for cloud in _clouds(choice, items)]
        mean = sum(clouds) / len(clouds) if clouds else 0.0
        return -len(filled), mean, abs(step - middle), step

    return min(holding or steps, key=rank)


def _holds(choice: Choice, items: Sequence[Item], item: str) -> bool:
    return bool(item) and any(items[i].id == item for i in choice.items)


def _clouds(choice: Choice, items: Sequence[Item]) -> list[float]:
    """Return the stated cloud cover of each acquisition [%], 0 for one that states none."""
    passes = [Acquisition(tuple(items[i] for i in one)) for one in choice.acquisitions]
    return [one.cloud or 0.0 for one in passes]
