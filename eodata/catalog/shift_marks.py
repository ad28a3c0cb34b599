"""What is drawn over the pictures of a sample to show their shifts.

A tenth of a pixel cannot be seen, so all arrows of a page are longer than true by one factor, which
its key states. All pictures show the same ground, so arrows compare across modalities.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from eodata.catalog.shift_arrows import LONGEST, Mark
from eodata.catalog.track import Track
from eodata.core.coregistration import SURE
from eodata.core.outcome import Status
from eodata.core.shift import Shift

MOST = 90
"""Per cent of the arrows that are drawn in full: one wild shift shall not shrink all others."""
LADDER = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
"""What a factor begins with: round numbers that leave arrows at least 2/3 as long."""
GREATEST = 1000.0

Shifts = Mapping[tuple[str, int], Shift]
"""By modality and step."""


def mark_tracks(tracks: Sequence[Track], shifts: Shifts, size: float) -> tuple[list[Track], float]:
    """Return the tracks with marks on their pictures, and the factor of all arrows.

    Args:
        tracks: What is shown.
        shifts: Of this sample.
        size: Edge of the sample [m].

    Returns:
        Tracks in the same order; the factor is 0 when no arrow has a length.
    """
    known = {track.name: _shown(track, shifts) for track in tracks}
    edges = {track.name: size / track.gsd for track in tracks}  # px of each track
    reaches = [_reach(s) / edges[name] for name, shown in known.items() for s in shown if s]
    longest = float(np.percentile(reaches, MOST)) if reaches else 0.0
    factor = round_factor(LONGEST / longest) if longest else 0.0
    references = {shift.to for shift in shifts.values()}
    return [
        replace(
            track, marks=_marks(track, known[track.name], references, factor / edges[track.name])
        )
        for track in tracks
    ], factor


def round_factor(room: float) -> float:
    """Return the largest round number that is not above `room`, at most 1000.

    >>> round_factor(57.0)
    50.0
    """
    if room >= GREATEST:
        return GREATEST
    unit = 10.0 ** math.floor(math.log10(room))
    return unit * max((step for step in LADDER if step * unit <= room), default=1.0)


def _shown(track: Track, shifts: Shifts) -> list[Shift | None]:
    """Return the shift of each shown step; None without pixels, and for one from itself."""
    names = [_label(track, position) for position in range(len(track.notes))]
    found = [shifts.get((track.name, int(step))) for step in track.notes.index]
    return [
        shift if shift and shift.to != name and track.has_pixels(position) else None
        for position, (name, shift) in enumerate(zip(names, found, strict=True))
    ]


def _label(track: Track, position: int) -> str:
    return f"{track.name}@{track.notes.index[position]}"


def _reach(shift: Shift) -> float:
    """Return how far the signs of a shift reach [px], its error with it: noise stays small."""
    moved = math.hypot(shift.moved_row, shift.moved_col)
    return max((shift.length or 0.0) + (shift.error or 0.0), moved)


def _marks(
    track: Track, shown: Sequence[Shift | None], references: Collection[str], unit: float
) -> tuple[Mark | None, ...]:
    """Return the marks of the shown steps; `unit` is the arrow of one pixel."""
    found: list[Mark | None] = []
    for position, shift in enumerate(shown):
        status = track.notes["status"].iloc[position]
        mark = _mark(shift, unit, is_rejected=status == Status.REJECTED) if shift else None
        if _label(track, position) in references and track.has_pixels(position):
            mark = mark or Mark(())
            mark = replace(mark, words=("reference", *mark.words), is_reference=True)
        found.append(mark)
    return tuple(found)


def _mark(shift: Shift, unit: float, *, is_rejected: bool) -> Mark:
    confidence = 1.0 if shift.confidence is None else shift.confidence
    unsure = [] if confidence >= SURE else ["unsure"]
    flags = [why.partition(":")[0] for why in shift.why.split("; ") if why]  # without numbers
    moved = (shift.moved_col * unit, shift.moved_row * unit)
    if shift.row is None or shift.col is None:
        words = (f"not measurable: {shift.why}" if shift.why else "not measurable",)
        return Mark(words, shift.to, moved=moved if any(moved) else None)
    return Mark(
        words=(f"{shift.length:.2f} px", *unsure, *flags),
        to=shift.to,
        misfit=(shift.col * unit, shift.row * unit),
        error=(shift.error or 0.0) * unit,
        moved=moved if any(moved) else None,
        is_flagged=bool(flags) or is_rejected,
    )
