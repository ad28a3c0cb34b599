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


def reference_step(row: Sequence[Choice], items: Sequence[Item], item: str = "") -> int | None:
    """Return the step of an area that its others are compared with, None where it is missing.

    That is the step with the least stated cloud of those that are filled, then the one nearest to
    the middle of the series. So it is a property of the plan, not of pixels.

    Args:
        row: One choice per step.
        items: The plan's item table.
        item: The step must hold this item; `""` for any.
    """
    steps = [s for s, choice in enumerate(row) if not item or _holds(choice, items, item)]
    middle = (len(row) - 1) / 2

    def rank(step: int) -> tuple[bool, float, float, int]:
        clouds = _clouds(row[step], items)
        mean = sum(clouds) / len(clouds) if clouds else 0.0
        return not row[step].items, mean, abs(step - middle), step

    return min(steps, key=rank, default=None)


def _holds(choice: Choice, items: Sequence[Item], item: str) -> bool:
    return any(items[i].id == item for i in choice.items)


def _clouds(choice: Choice, items: Sequence[Item]) -> list[float]:
    """Return the stated cloud cover of each acquisition [%], 0 for one that states none."""
    passes = [Acquisition(tuple(items[i] for i in one)) for one in choice.acquisitions]
    return [one.cloud or 0.0 for one in passes]
