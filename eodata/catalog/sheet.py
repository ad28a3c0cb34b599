"""A sheet of paper measured in pixels: pictures, hatching and text at exact places."""

from __future__ import annotations

import io
import math
import textwrap
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrow, Patch, Rectangle
from numpy.typing import NDArray

from eodata.catalog.colour import Colours
from eodata.core.errors import RecipeError, nearest
from eodata.store.files import write_bytes

# With 72 dots per inch a point is a pixel: sizes of text and of pictures are in one unit.
DPI = 72
INK = "#1b1f24"
FAINT = "#6b7280"
HAIRLINE = "#c4c9d1"
WARNING = "#c81e1e"
GAP_GROUND = "#eceef1"
GAP_HATCH = "#c9ced6"
VALID_BAR = "#4c9a6a"
FAILED_GROUND = "#fbe9e7"
FAILED_HATCH = "#efc4be"
STRIPE = (0.84, 0.15, 0.58)
STRIPE_GROUND = (0.93, 0.90, 0.93)
STRIPE_PERIOD = 7
# Mean width of a letter of DejaVu Sans, as a fraction of its size.
LETTER = 0.56


class Sheet:
    """One page, filled from the top; x to the right and y downwards [px]."""

    def __init__(self, width: int) -> None:
        """Start an empty page of a given width [px]; its height is settled when it is saved."""
        self.width = width
        self._figure = Figure(figsize=(width / DPI, 1), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self._figure)
        self._axes = self._figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_axis_off()
        self._axes.set_autoscale_on(False)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        size: float = 11,
        colour: str = INK,
        align: str = "left",
        weight: str = "normal",
    ) -> None:
        """Write one or more lines, the first with its top at y."""
        self._axes.text(
            *(x, y, words),
            size=size,
            color=colour,
            ha="center" if align == "centre" else align,
            va="top",
            weight=weight,
            linespacing=1.15,
            parse_math=False,
        )

    def picture(
        self, x: float, y: float, width: int, height: int, colours: Colours, *, smooth: bool
    ) -> None:
        """Draw `(H, W, 3)` into a rectangle, row 0 on top.

        Args:
            x: Left edge [px].
            y: Upper edge [px].
            width: Of the rectangle [px].
            height: Of the rectangle [px].
            colours: In [0, 1].
            smooth: Average pixels where the rectangle has fewer of them; never when it has more.
        """
        shrinks = colours.shape[0] > height
        self._axes.imshow(
            colours,
            extent=(x, x + width, y + height, y),
            interpolation="antialiased" if smooth and shrinks else "nearest",
            aspect="auto",
            zorder=1,
        )

    def stripes(
        self, x: float, y: float, width: int, height: int, where: NDArray[np.bool_]
    ) -> None:
        """Cover the pixels of `where` `(H, W)` with magenta stripes: nothing usable is there."""
        rows = np.arange(height) * where.shape[0] // height
        cols = np.arange(width) * where.shape[1] // width
        covered = where[np.ix_(rows, cols)]
        diagonal = np.add.outer(np.arange(height), np.arange(width)) % STRIPE_PERIOD < 2
        layer = np.empty((height, width, 4), dtype=np.float32)
        layer[..., :3] = np.where(diagonal[..., None], STRIPE, STRIPE_GROUND)
        layer[..., 3] = covered
        extent = (x, x + width, y + height, y)
        self._axes.imshow(layer, extent=extent, interpolation="nearest", aspect="auto", zorder=2)

    def gap(
        self,
        x: float,
        y: float,
        width: int,
        height: int,
        reason: str,
        size: float,
        *,
        failed: bool = False,
    ) -> None:
        """Draw a hatched place without a picture, with the reason in it; reddish when it failed."""
        ground, hatch = (FAILED_GROUND, FAILED_HATCH) if failed else (GAP_GROUND, GAP_HATCH)
        self._axes.add_patch(
            Rectangle(
                *((x, y), width, height),
                facecolor=ground,
                edgecolor=hatch,
                hatch="////",
                linewidth=0,
                zorder=1,
            )
        )
        letters = max(6, int((width - 8) / (size * LETTER)))
        room = max(1, int((height - 8) / (size * 1.3)))
        lines = textwrap.wrap(reason, letters, max_lines=room, placeholder=" …")
        self._axes.text(
            *(x + width / 2, y + height / 2, "\n".join(lines)),
            size=size,
            color=FAINT,
            ha="center",
            va="center",
            linespacing=1.2,
            parse_math=False,
            bbox={"facecolor": ground, "edgecolor": "none", "pad": 1.5} if lines else None,
            zorder=2,
        )

    def block(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str | tuple[float, float, float],
        edge: str = "none",
    ) -> None:
        """Draw a filled rectangle, with a thin frame when `edge` names a colour."""
        self._axes.add_patch(
            Rectangle((x, y), width, height, facecolor=fill, edgecolor=edge, linewidth=1, zorder=3)
        )

    def frame(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Draw a frame two pixels wide just inside a rectangle."""
        self._axes.add_patch(
            Rectangle((x + 1, y + 1), width - 2, height - 2, fill=False, ec=colour, lw=2, zorder=4)
        )

    def badge(self, x: float, y: float, words: str) -> None:
        """Write a short warning, its lower left corner at (x, y)."""
        self._axes.text(
            *(x, y, words),
            size=9,
            color="white",
            ha="left",
            va="bottom",
            parse_math=False,
            bbox={"facecolor": WARNING, "edgecolor": "none", "pad": 1.5},
            zorder=5,
        )

    def tag(self, x: float, y: float, words: str, size: float, ground: str) -> None:
        """Write one or more lines in white on a ground of their own, their upper left at (x, y)."""
        self._axes.text(
            *(x + 2, y + 1, words),
            size=size,
            color="white",
            ha="left",
            va="top",
            linespacing=1.3,
            parse_math=False,
            bbox={"facecolor": ground, "edgecolor": "none", "pad": 2, "alpha": 0.85},
            zorder=7,
        )

    def arrow(
        self,
        x: float,
        y: float,
        right: float,
        down: float,
        fill: str,
        edge: str,
        width: float,
        opacity: float = 1.0,
    ) -> None:
        """Draw an outlined arrow from (x, y); a very short one is a dot.

        Args:
            x: Where it starts [px].
            y: Where it starts [px].
            right: How far its tip lies to the right [px].
            down: How far its tip lies below [px].
            fill: Colour within.
            edge: Colour of the outline.
            width: Of the shaft [px]; the head is wider.
            opacity: In [0, 1].
        """
        length = math.hypot(right, down)
        shape: Patch = Circle((x, y), width)
        if length >= 2 * width:
            shape = FancyArrow(
                *(x, y, right, down),
                width=width,
                head_width=2.8 * width,
                head_length=min(2.6 * width, 0.6 * length),
                length_includes_head=True,
            )
        shape.set(facecolor=fill, edgecolor=edge, alpha=opacity, linewidth=1, zorder=6)
        shape.set_joinstyle("round")
        self._axes.add_patch(shape)

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        colour: str,
        edge: str,
        width: float,
        opacity: float = 1.0,
    ) -> None:
        """Draw an outlined circle around (x, y), its line `width` px wide."""
        for line, hue in ((width + 2, edge), (width, colour)):
            circle = Circle((x, y), radius, fill=False, ec=hue, lw=line, alpha=opacity, zorder=6)
            self._axes.add_patch(circle)

    def save(self, out: Path, height: int) -> None:
        """Cut the page at a height [px] and write it; whole, or not at all.

        Raises:
            RecipeError: The suffix names no format that Matplotlib writes.
            StoreError: The disk refuses.
        """
        picture_format = check_suffix(out)
        self._figure.set_size_inches(self.width / DPI, height / DPI)
        self._axes.set_xlim(0, self.width)
        self._axes.set_ylim(height, 0)
        buffer = io.BytesIO()
        self._figure.savefig(buffer, format=picture_format, dpi=DPI)
        write_bytes(out, buffer.getvalue())


def check_suffix(out: Path) -> str:
    """Return the format that a file's suffix names.

    Raises:
        RecipeError: Matplotlib writes no such format.
    """
    known = FigureCanvasAgg.get_supported_filetypes()
    suffix = out.suffix.lower().removeprefix(".")
    if suffix not in known:
        raise RecipeError(
            str(out),
            f'"{out.suffix}" is no picture format' if suffix else "the name has no suffix",
            "the suffix decides the format of the picture.",
            f"Use .png, .jpg or .pdf. {nearest(suffix, known)}",
        )
    return suffix


def wrap(words: str, width: float, size: float) -> list[str]:
    """Return `words` cut into lines that fit a width [px] at a text size [px]."""
    return textwrap.wrap(words, max(4, int(width / (size * LETTER)))) or [""]
