"""How far the pixels of a step lie from where their reference shows the same ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

IS_REFERENCE = "the reference"
"""Why a step has no misfit: the others are compared with it."""


@dataclass(frozen=True, slots=True)
class Shift:
    """The misfit of one step of one sample, in pixels of its own grid.

    A shift of (2, -1) means: what the reference shows at (row, col) stands at (row + 2, col - 1).

    Attributes:
        to: The reference: modality and step, such as `s2@3`.
        row: Of the pixels as they are stored [px], None when it cannot be measured.
        col: The same along columns.
        error: Standard error of row and col [px].
        confidence: In [0, 1], how sure it is that the shift is not off by more than a pixel; None
            where nothing was measured.
        moved_row: How far the grid was moved before it was read again [px], 0 when it was not.
        moved_col: The same along columns.
        why: Why it cannot be measured, or what is to be said about it; `""` for nothing.
    """

    to: str
    row: float | None = None
    col: float | None = None
    error: float | None = None
    confidence: float | None = None
    moved_row: float = 0.0
    moved_col: float = 0.0
    why: str = ""

    @property
    def length(self) -> float | None:
        """The misfit as one number [px], None when it cannot be measured."""
        if self.row is None or self.col is None:
            return None
        return math.hypot(self.row, self.col)
