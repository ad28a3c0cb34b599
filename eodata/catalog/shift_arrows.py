"""Arrows over pictures: how far pixels lie from their reference, and how far they were moved.

A misfit of a tenth of a pixel cannot be seen, so all arrows of a page are longer than true by one
factor, which its key states. All pictures show one ground, so arrows compare across modalities.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from eodata.catalog.sheet import FAINT, WARNING, Sheet, wrap
from eodata.catalog.track import Track
from eodata.core.outcome import Status
from eodata.core.shift import Shift

LONGEST = 0.4
"""The longest arrow of a page, as a fraction of its picture's edge."""
LADDER = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
"""What a factor begins with: round numbers that leave the longest arrow at least 2/3 as long."""
GREATEST = 1000.0
TEXT, LINES = 9, 3

# Yellow within black stands out of bright and dark, with every kind of colour vision. What was done
# is told from what is left by form too: hollow and slender.
MISFIT, EDGE = "#ffd60a", "#000000"
MOVED = "#ffffff"
TAG, FLAGGED = "#16191d", WARNING
RING = 4

Box = tuple[float, float, float, float]
"""(left, top, width, height) of a picture on the page [px]."""


@dataclass(frozen=True, slots=True)
class Arrows:
    """The shifts of one sample, and the one scale that they are drawn in.

    Attributes:
        shifts: By modality and step.
        size: Edge of the sample [m].
        factor: So many times longer than true is an arrow; 0 when none has a length.
    """

    shifts: Mapping[tuple[str, int], Shift]
    size: float
    factor: float

    def is_reference(self, name: str, step: int) -> bool:
        """Tell whether other steps are compared with this one."""
        return any(shift.to == f"{name}@{step}" for shift in self.shifts.values())

    def shift(self, track: Track, position: int) -> Shift | None:
        """Return the shift of a shown step; None without one, and of a step from itself."""
        step = int(track.notes.index[position])
        found = self.shifts.get((track.name, step))
        return None if found is None or found.to == f"{track.name}@{step}" else found


def scale_arrows(
    shifts: Mapping[tuple[str, int], Shift], size: float, tracks: Sequence[Track]
) -> Arrows:
    """Choose the factor by the longest arrow of the pictures that are shown.

    Args:
        shifts: By modality and step.
        size: Edge of the sample [m].
        tracks: What is shown.
    """
    true = Arrows(shifts, size, 1.0)
    longest = max((math.hypot(*arrow) for arrow in _all_arrows(true, tracks)), default=0.0)
    return Arrows(shifts, size, round_factor(LONGEST / longest) if longest else 0.0)


def round_factor(room: float) -> float:
    """Return the largest round number that is not above `room`, at most 1000.

    >>> round_factor(57.0)
    50.0
    """
    if room >= GREATEST:
        return GREATEST
    unit = 10.0 ** math.floor(math.log10(room))
    return unit * max((step for step in LADDER if step * unit <= room), default=1.0)


def _all_arrows(arrows: Arrows, tracks: Sequence[Track]) -> Iterator[tuple[float, float]]:
    for track in tracks:
        for position in range(len(track.notes)):
            shift = arrows.shift(track, position)
            if shift is not None and track.has_pixels(position):
                yield _across(arrows, track, shift.moved_row, shift.moved_col)
                yield _across(arrows, track, shift.row or 0.0, shift.col or 0.0)


def _across(arrows: Arrows, track: Track, row: float, col: float) -> tuple[float, float]:
    """Return `(to the right, down)` of an arrow, as fractions of the picture's edge."""
    unit = arrows.factor * track.gsd / arrows.size
    return col * unit, row * unit


def draw_shift(sheet: Sheet, box: Box, arrows: Arrows, track: Track, position: int) -> None:
    """Draw what is known of a step over its picture: arrows, the number, or why there is none."""
    shift, ground = arrows.shift(track, position), TAG
    lines = []
    if arrows.is_reference(track.name, int(track.notes.index[position])):
        sheet.ring(*_middle(box), RING, MISFIT, EDGE)
        lines.append("reference")
    if shift is not None:
        _draw_arrows(sheet, box, arrows, track, shift)
        lines += _told(shift)
        is_rejected = track.notes["status"].iloc[position] == Status.REJECTED
        ground = FLAGGED if shift.length is not None and (shift.why or is_rejected) else TAG
    words = [part for line in lines for part in wrap(line, box[2] - 10, TEXT)]
    if words:
        sheet.tag(box[0] + 3, box[1] + 3, "\n".join(words[:LINES]), TEXT, ground)


def _draw_arrows(sheet: Sheet, box: Box, arrows: Arrows, track: Track, shift: Shift) -> None:
    edge = box[2]
    right, down = _across(arrows, track, shift.moved_row, shift.moved_col)
    if right or down:
        sheet.arrow(*_middle(box), right * edge, down * edge, MOVED, EDGE, 1.5, 0.7)
    if shift.row is not None and shift.col is not None:
        right, down = _across(arrows, track, shift.row, shift.col)
        sheet.arrow(*_middle(box), right * edge, down * edge, MISFIT, EDGE, 3.0)


def _told(shift: Shift) -> list[str]:
    if shift.length is None:
        return [f"not measurable: {shift.why}" if shift.why else "not measurable"]
    return [f"{shift.length:.2f} px", *([shift.why] if shift.why else [])]


def _middle(box: Box) -> tuple[float, float]:
    x, y, width, height = box
    return x + width / 2, y + height / 2


def draw_key(sheet: Sheet, x: float, y: float, arrows: Arrows) -> None:
    """Explain the arrows in one line that begins at (x, y)."""
    by = f" × {arrows.factor:g}" if arrows.factor else ""
    sheet.arrow(x, y + 7, 22, 0, MISFIT, EDGE, 3.0)
    sheet.text(x + 30, y + 1, f"misfit{by}: from where the reference shows it", 11, FAINT)
    sheet.arrow(x + 330, y + 7, 22, 0, MOVED, EDGE, 1.5, 0.7)
    sheet.text(x + 360, y + 1, f"moved before reading{by}", 11, FAINT)
    sheet.ring(x + 541, y + 7, RING, MISFIT, EDGE)
    sheet.text(x + 555, y + 1, "reference, as name@step", 11, FAINT)
    sheet.tag(x + 720, y + 1, "1.20 px", TEXT, FLAGGED)
    sheet.text(x + 770, y + 1, "flagged or rejected", 11, FAINT)
