"""Draw one sample on one page: every modality, every step, and what is missing.

What is shown follows from the bands alone (`colour.choose_look`), so it works for any recipe.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from eodata.catalog import shift_arrows
from eodata.catalog.colour import ClassLook, NumberLook
from eodata.catalog.sheet import (
    FAINT,
    HAIRLINE,
    INK,
    LETTER,
    STRIPE_GROUND,
    VALID_BAR,
    WARNING,
    Sheet,
    check_suffix,
    wrap,
)
from eodata.catalog.shift_marks import mark_tracks
from eodata.catalog.shifts import read_shifts
from eodata.catalog.track import Track, read_track
from eodata.core.errors import RecipeError, nearest
from eodata.core.outcome import Status
from eodata.store.reader import StoreReader

COLUMNS = 15
WIDTH, NARROWEST = 1600, 960
MARGIN, GUTTER = 20, 92
CELL, LARGEST_CELL, STATIC_CELL, LEGEND = 96, 224, 224, 176
SPACE, LEAST_FILL = 2, 0.8
DATE_HEIGHT, BAR_HEIGHT = 15, 4
MAX_CLASSES = 12


def draw_sample(root: Path, sample: str | int, out: Path, *, shifts: bool = False) -> Path:
    """Draw a contact sheet of one sample.

    Time runs to the right; modalities of one date stand below each other. All steps of a modality
    share one stretch of colours. Of more than 30 steps, 30 are shown, evenly spread.

    Args:
        root: The store.
        sample: Id of the sample, or its row.
        out: The picture; its suffix decides the format.
        shifts: Draw over every picture how far it lies from its reference, as an arrow from its
            middle, and how far it was moved.

    Returns:
        `out`.

    Raises:
        RecipeError: There is no such sample, or no such picture format, or no shifts are measured.
        StoreError: The store cannot be read, or the picture cannot be written.
    """
    check_suffix(out)
    reader = StoreReader(root)
    place = _find(reader.samples(), sample)
    tracks = [read_track(reader, name, int(place["row"])) for name in reader.names]
    factor = None
    if shifts:
        found = read_shifts(reader.path, int(place["row"]))
        tracks, factor = mark_tracks(tracks, found, float(place["size"]))
    series = [t for t in tracks if not t.is_static]
    static = [t for t in tracks if t.is_static]
    columns, cell = _grid(series)
    used = 2 * MARGIN + GUTTER + columns * (cell + SPACE)
    sheet = Sheet(max(NARROWEST, used))
    y = _draw_header(sheet, place, reader.meta)
    y = _draw_series(sheet, y, series, columns, cell)
    y = _draw_blocks(sheet, y, static, [t for t in series if isinstance(t.look, ClassLook)])
    y = _draw_key(sheet, y)
    if factor is not None:
        y = shift_arrows.draw_key(sheet, MARGIN, y + 8, factor)
    sheet.save(out, y + MARGIN)
    return out


def _find(samples: pd.DataFrame, sample: str | int) -> pd.Series:
    """Return the table row of a sample; digits that are no id mean a row."""
    chosen = samples[samples["id"] == str(sample)]
    if chosen.empty and str(sample).isdecimal():
        chosen = samples[samples["row"] == int(sample)]
    if chosen.empty:
        ids = samples["id"].tolist()
        close = nearest(str(sample), ids)
        hint = close if close.startswith("Did") or len(ids) < 8 else f"The first is {ids[0]}."
        raise RecipeError("sample", f'there is no sample "{sample}"', "", hint)
    return chosen.iloc[0]


def _grid(series: Sequence[Track]) -> tuple[int, int]:
    """Return `(columns, edge of a picture [px])` that fill the page and enlarge by whole pixels."""
    n_steps = max((len(t.notes) for t in series), default=1)
    n_strips = -(-n_steps // COLUMNS)
    columns = -(-n_steps // n_strips)
    room = (WIDTH - 2 * MARGIN - GUTTER) // columns - SPACE
    room = max(CELL, min(LARGEST_CELL, room))
    return columns, _whole_pixels(room, max((t.dn.shape[-1] for t in series), default=1))


def _whole_pixels(room: int, pixels: int) -> int:
    """Return the largest multiple of `pixels` in `room` unless it would leave much room empty."""
    edge = room // pixels * pixels
    return edge if edge >= LEAST_FILL * room else room


def _height(cell: int, track: Track) -> int:
    height: int = track.valid.shape[-2]
    width: int = track.valid.shape[-1]
    return round(cell * height / width)


def _draw_header(sheet: Sheet, place: pd.Series, meta: Mapping[str, Any]) -> int:
    y = MARGIN
    if meta.get("synthetic"):
        sheet.block(0, 0, sheet.width, 30, WARNING)
        sheet.text(
            *(sheet.width / 2, 7, "SYNTHETIC: these pixels are simulated, nobody measured them"),
            size=14,
            colour="white",
            align="centre",
            weight="bold",
        )
        y += 30
    sheet.text(MARGIN, y, str(place["id"]), size=22, weight="bold")
    sheet.text(sheet.width - MARGIN, y + 2, str(meta.get("name", "")), 16, FAINT, "right")
    facts = [str(place["split"]), *_where(place), str(place["status"])]
    if place["reason"]:
        facts[-1] += f" ({place['reason']})"
    words = "   ·   ".join(facts)
    room = int((sheet.width - 2 * MARGIN) / (13 * LETTER))
    words = words if len(words) <= room else words[: room - 1] + "…"
    sheet.text(MARGIN, y + 32, words, size=13, colour=FAINT)
    sheet.block(MARGIN, y + 57, sheet.width - 2 * MARGIN, 1, HAIRLINE)
    return y + 70


def _where(place: pd.Series) -> list[str]:
    """Return place, CRS and size in words; nothing for a sample without a georeference."""
    geometry = place["geometry"]
    if geometry is None or geometry.is_empty:
        return ["no georeference"]
    lon, lat = geometry.centroid.x, geometry.centroid.y
    east, north = "E" if lon >= 0 else "W", "N" if lat >= 0 else "S"
    crs = place["proj:code"] if isinstance(place["proj:code"], str) else str(place["crs"])
    size = f"{place['size']:g} m × {place['size']:g} m"
    return [f"{abs(lat):.4f}° {north}, {abs(lon):.4f}° {east}", crs[:40], size]


def _draw_series(sheet: Sheet, y: int, series: list[Track], columns: int, cell: int) -> int:
    n_steps = max((len(t.notes) for t in series), default=0)
    for first in range(0, n_steps, columns):
        for group in _by_dates(series):
            shown = range(first, min(first + columns, len(group[0].notes)))
            _draw_dates(sheet, y, group[0].notes, shown, cell)
            y += DATE_HEIGHT
            for track in group:
                _draw_label(sheet, y, track)
                for column, step in enumerate(shown):
                    x = MARGIN + GUTTER + column * (cell + SPACE)
                    _draw_step(sheet, x, y, cell, track, step)
                y += _height(cell, track) + BAR_HEIGHT + SPACE
            y += 5
        y += 12
    return y


def _by_dates(series: Sequence[Track]) -> list[list[Track]]:
    """Put modalities with the same dates together: a mask stands below what it masks."""
    groups: dict[tuple[str, ...], list[Track]] = {}
    for track in series:
        groups.setdefault(tuple(track.notes["date"]), []).append(track)
    return list(groups.values())


def _draw_dates(sheet: Sheet, y: int, notes: pd.DataFrame, shown: range, cell: int) -> None:
    for column, step in enumerate(shown):
        note = notes.iloc[step]
        words = note["date"] or (f"from {note['slot']}" if note["slot"] else "")
        x = MARGIN + GUTTER + column * (cell + SPACE) + cell / 2
        sheet.text(x, y + 1, words, 10, INK if note["date"] else FAINT, "centre")


def _draw_label(sheet: Sheet, y: int, track: Track) -> None:
    sheet.text(MARGIN, y + 1, track.name, size=14, weight="bold")
    is_new = track.look.caption.lower() != track.name
    lines = wrap(track.look.caption, GUTTER - 8, 10) if is_new else []
    lines += [f"{track.gsd:g} m", *_stretch(track), *_references(track)]
    sheet.text(MARGIN, y + 20, "\n".join(lines), size=10, colour=FAINT)


def _references(track: Track) -> list[str]:
    return [f"to {to}" for to in sorted({mark.to for mark in track.marks if mark and mark.to})]


def _stretch(track: Track) -> list[str]:
    look = track.look
    if isinstance(look, ClassLook):
        return []
    return [f"{look.low[0]:.3g} … {look.high[0]:.3g}{_unit(track)}".replace("-", "−")]


def _unit(track: Track) -> str:
    return "" if track.unit in ("", "1") else f" {track.unit}"


def _draw_step(sheet: Sheet, x: int, y: int, cell: int, track: Track, step: int) -> None:
    """Draw one picture with the bar of its valid fraction, or the gap with its reason."""
    note, height = track.notes.iloc[step], _height(cell, track)
    if not track.has_pixels(step):
        words = note["reason"] or note["status"]
        sheet.gap(x, y, cell, height, words, size=9, failed=note["status"] == Status.FAILED)
        return
    _draw_picture(sheet, x, y, cell, track, step)
    if note["status"] == Status.REJECTED:
        sheet.frame(x, y, cell, height, WARNING)
        sheet.badge(x + 3, y + height - 3, " ".join(wrap(note["reason"], cell - 12, 9)[:1]))
    sheet.block(x, y + height + 1, cell, BAR_HEIGHT - 1, STRIPE_GROUND)
    usable = float(track.valid[step].mean())
    sheet.block(x, y + height + 1, cell * usable, BAR_HEIGHT - 1, VALID_BAR)


def _draw_picture(sheet: Sheet, x: int, y: int, cell: int, track: Track, step: int) -> None:
    height, numbers = _height(cell, track), isinstance(track.look, NumberLook)
    sheet.picture(x, y, cell, height, track.look.paint(track.dn[step]), smooth=numbers)
    if not track.valid[step].all():
        sheet.stripes(x, y, cell, height, ~track.valid[step])
    mark = track.marks[step] if track.marks else None
    if mark is not None:
        shift_arrows.draw_mark(sheet, (x, y, cell, height), mark)


def _draw_blocks(sheet: Sheet, y: int, static: Sequence[Track], legends: Sequence[Track]) -> int:
    """Draw static layers with their legends, then legends of series, from left to right."""
    x, bottom = MARGIN, y
    cell = _whole_pixels(STATIC_CELL, max((t.valid.shape[-1] for t in static), default=1))
    blocks = [(t, cell + 12 + LEGEND) for t in static] + [(t, LEGEND) for t in legends]
    if blocks:
        sheet.block(MARGIN, y, sheet.width - 2 * MARGIN, 1, HAIRLINE)
        y += 12
    for track, width in blocks:
        if x > MARGIN and x + width > sheet.width - MARGIN:
            x, y = MARGIN, bottom + 16
        if track.is_static:
            _draw_static(sheet, x, y, cell, track)
            bottom = max(bottom, y + 22 + _height(cell, track))
        else:
            sheet.text(x, y, f"{track.name} classes", size=14, weight="bold")
        bottom = max(bottom, _draw_legend(sheet, x + width - LEGEND, y + 22, cell, track))
        x += width + 16
    return bottom + 10


def _draw_static(sheet: Sheet, x: int, y: int, cell: int, track: Track) -> None:
    sheet.text(x, y, track.name, size=14, weight="bold")
    sheet.text(x + cell, y + 3, f"{track.gsd:g} m", 10, FAINT, "right")
    if track.has_pixels(0):
        _draw_picture(sheet, x, y + 22, cell, track, 0)
    else:
        sheet.gap(x, y + 22, cell, _height(cell, track), track.notes["reason"].iloc[0], 12)


def _draw_legend(sheet: Sheet, x: int, y: int, cell: int, track: Track) -> int:
    """Draw the classes that occur, or the colour bar, and return where it ends."""
    if isinstance(track.look, ClassLook):
        return _draw_classes(sheet, x, y, track, track.look)
    if len(track.look.weights) == 1 and track.usable.any():
        _draw_ramp(sheet, x, y, _height(cell, track), track.look, _unit(track))
    return y


def _draw_classes(sheet: Sheet, x: int, y: int, track: Track, look: ClassLook) -> int:
    usable = (
        track.valid
        & np.array([track.has_pixels(i) for i in range(len(track.valid))])[:, None, None]
    )
    shares = look.shares(track.dn, usable)
    for colour, name, share in shares[:MAX_CLASSES]:
        sheet.block(x, y + 1, 14, 14, colour, HAIRLINE)
        lines = wrap(name, LEGEND - 64, 11)
        sheet.text(x + 21, y + 1, "\n".join(lines), size=11)
        sheet.text(x + LEGEND - 6, y + 1, _percent(share), 11, FAINT, "right")
        y += 6 + 14 * len(lines)
    if len(shares) > MAX_CLASSES:
        sheet.text(x + 21, y, f"and {len(shares) - MAX_CLASSES} more", 11, FAINT)
        y += 20
    return y


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else "<1%"


def _draw_ramp(sheet: Sheet, x: int, y: int, height: int, look: NumberLook, unit: str) -> None:
    sheet.picture(x, y, 14, height, look.ramp_colours(height), smooth=False)
    low, reach = float(look.low[0]), float(look.high[0] - look.low[0])
    digits = max(0, 1 - math.floor(math.log10(reach)))
    for fraction in (0.0, 0.25, 0.5, 0.75, 1.0):
        top = y + (1 - fraction) * height
        sheet.block(x + 14, min(top, y + height - 1), 4, 1, INK)
        words = f"{low + fraction * reach:.{digits}f}{unit}".replace("-", "−")
        sheet.text(x + 22, top - 6 + 4 * (2 * fraction - 1), words, size=11)


def _draw_key(sheet: Sheet, y: int) -> int:
    """Explain the signs in one line at the foot of the page."""
    sheet.block(MARGIN, y, sheet.width - 2 * MARGIN, 1, HAIRLINE)
    x, y = MARGIN, y + 10
    sheet.gap(x, y, 22, 14, "", size=9)
    sheet.text(x + 30, y + 1, "no pixels, with the reason", 11, FAINT)
    sheet.stripes(x + 210, y, 22, 14, np.ones((1, 1), dtype=bool))
    sheet.text(x + 240, y + 1, "not valid", 11, FAINT)
    sheet.frame(x + 320, y, 22, 14, WARNING)
    sheet.text(x + 350, y + 1, "rejected by a check", 11, FAINT)
    sheet.block(x + 490, y + 5, 22, 4, STRIPE_GROUND)
    sheet.block(x + 490, y + 5, 15, 4, VALID_BAR)
    sheet.text(x + 520, y + 1, "fraction of valid pixels", 11, FAINT)
    return y + 16
