"""Arrows over pictures: how far pixels lie from their reference, and how far they were moved."""

from __future__ import annotations

import math
from dataclasses import dataclass

from eodata.catalog.sheet import FAINT, WARNING, Sheet, wrap

LONGEST = 0.4
"""How long arrows may be, as a fraction of the picture's edge; longer ones are cut."""

# Yellow within black stands out of bright and dark, with every kind of colour vision. What was
# corrected is told from what is left by form too: slender, hollow and below.
MISFIT, MISFIT_WIDTH = "#ffd60a", 3.0
MOVED, MOVED_WIDTH, MOVED_OPACITY = "#ffffff", 1.8, 0.75
EDGE = "#000000"
RING = 6
HOW = "from reference to picture; circle: its error; two heads: cut"
TAG, FLAGGED, TEXT, LINES = "#16191d", WARNING, 9, 3

Arrow = tuple[float, float]
"""(to the right, downwards) as fractions of a picture's edge, longer than true."""
Box = tuple[float, float, float, float]
"""(left, top, width, height) of a picture on the page [px]."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn over one picture.

    Attributes:
        words: Lines of text: the misfit, or why there is none.
        to: What it is compared with.
        misfit: From where the reference shows the ground to where the picture shows it.
        error: Standard error of the misfit, in the same unit.
        moved: How far the grid was moved before it was read.
        is_reference: True when others are compared with this picture.
        is_flagged: True when a check says something about the misfit.
    """

    words: tuple[str, ...]
    to: str = ""
    misfit: Arrow | None = None
    error: float = 0.0
    moved: Arrow | None = None
    is_reference: bool = False
    is_flagged: bool = False


def draw_mark(sheet: Sheet, box: Box, mark: Mark) -> None:
    """Draw arrows from the middle of a picture, and its words into the upper left corner."""
    x, y, width, height = box
    middle = x + width / 2, y + height / 2
    for arrow, colour, shaft, opacity in (
        (mark.moved, MOVED, MOVED_WIDTH, MOVED_OPACITY),
        (mark.misfit, MISFIT, MISFIT_WIDTH, 1.0),
    ):
        if arrow is not None:
            _draw_arrow(sheet, middle, width, arrow, colour, shaft, opacity)
    _draw_error(sheet, middle, width, mark)
    if mark.is_reference:
        sheet.circle(*middle, RING, MISFIT, EDGE, 2.0)
    lines = [line for words in mark.words for line in wrap(words, width - 10, TEXT)]
    if lines:
        ground = FLAGGED if mark.is_flagged else TAG
        sheet.tag(x + 3, y + 3, "\n".join(lines[:LINES]), TEXT, ground)


def _draw_arrow(
    sheet: Sheet,
    start: tuple[float, float],
    edge: float,
    arrow: Arrow,
    colour: str,
    shaft: float,
    opacity: float,
) -> None:
    """Draw an arrow; one that is cut has two heads."""
    length, thickness = math.hypot(*arrow), min(1.6, max(1.0, edge / 110))
    shown = min(1.0, 1.15 * LONGEST / length) if length else 1.0
    for part in (shown, 0.7 * shown) if shown < 1 else (shown,):
        tip = arrow[0] * part * edge, arrow[1] * part * edge
        sheet.arrow(*start, *tip, colour, EDGE, thickness * shaft, opacity)


def _draw_error(sheet: Sheet, start: tuple[float, float], edge: float, mark: Mark) -> None:
    """Draw the standard error around the tip, where that is seen and stays within the picture."""
    right, down = mark.misfit or (0.0, 0.0)
    reach = max(abs(right), abs(down)) + mark.error
    if mark.error * edge > 2 * MISFIT_WIDTH and reach < 0.5:
        tip = start[0] + right * edge, start[1] + down * edge
        sheet.circle(*tip, mark.error * edge, MISFIT, EDGE, 0.8, opacity=0.6)


def draw_key(sheet: Sheet, x: int, y: int, factor: float) -> int:
    """Explain the marks in one line that begins at (x, y), and return where it ends.

    A factor of 0 means that no arrow has a length.
    """
    by = f" × {factor:g}" if factor else ""
    sheet.arrow(x, y + 7, 22, 0, MISFIT, EDGE, MISFIT_WIDTH)
    sheet.text(x + 30, y + 1, f"misfit{by}, {HOW}", 11, FAINT)
    sheet.arrow(x + 465, y + 7, 22, 0, MOVED, EDGE, MOVED_WIDTH, MOVED_OPACITY)
    sheet.text(x + 495, y + 1, f"moved before reading{by}", 11, FAINT)
    sheet.circle(x + 690, y + 7, RING, MISFIT, EDGE, 2.0)
    sheet.text(x + 703, y + 1, "reference of others", 11, FAINT)
    return y + 16
