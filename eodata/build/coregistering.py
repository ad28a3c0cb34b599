"""Read a step so that it lies on its reference, and say how far it lies from there.

Every item is measured on its own, by the bands that show most; where it lies apart, its grid is
moved, it is read again and measured again, and the move is kept when the misfit has become smaller.
What is reported is measured once more, on the finished pixels.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.build.acquire import ContradictedError, read_acquisition
from eodata.build.band_shifts import BandShifts, band_shifts
from eodata.build.composing import Image, Pass
from eodata.build.moving import Move, MovedProvider
from eodata.build.reference import Reference
from eodata.core.coregistration import ERRORS, SURE
from eodata.core.errors import ProviderError
from eodata.core.grid import place_in
from eodata.core.item import Item
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import FREE, Cost
from eodata.core.patch import Patch
from eodata.core.protocols import Provider
from eodata.core.shift import Shift
from eodata.pipeline.coregister.field import Field, Finding

ROUNDS = 2
"""A second look measures what a large first shift has left."""
WORSE = "moving it did not bring it closer"


@dataclass(slots=True)
class Moves:
    """How the items of a step are moved.

    Attributes:
        moves: By item id.
        refused: Ids of items that did not come closer, and stay.
        unknown: Ids of items that could not be measured, and stay.
        cost: Of finding out.
        bands: By item id, how far its bands lay apart, and lie apart now.
    """

    moves: dict[str, Move] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    cost: Cost = FREE
    bands: dict[str, BandShifts] = field(default_factory=dict)

    def applied(self, provider: Provider) -> Provider:
        """Return the provider that reads items where they belong."""
        return MovedProvider(provider, self.moves) if self.moves else provider

    def told(self) -> str:
        """Return how the bands of each item lie, as JSON; `""` where they were not compared."""
        bands = {item: found.to_json() for item, found in self.bands.items() if found.left}
        return json.dumps({"bands": bands}) if bands else ""

    def at(self, item: str, row: float, col: float) -> tuple[float, float]:
        """Return the move of an item at a pixel of the window (row, col) [px]."""
        if item not in self.moves:
            return 0.0, 0.0
        ((by_row, by_col),) = self.moves[item].at([row], [col]).tolist()
        return by_row, by_col


def find_band_moves(
    provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
) -> Moves:
    """Return how the bands of each item of a step must be moved onto the steady one.

    Raises:
        ProviderError: An item cannot be read.
    """
    moves = Moves()
    for item in (item for items in passes for item in items):
        try:
            found = band_shifts(provider, item, modality, window)
        except ProviderError as error:
            error.cost += moves.cost
            raise
        moves.cost += found.cost
        moves.bands[item.id] = found
        if found.moved:
            moves.moves[item.id] = Move(window, bands=found.moved)
    return moves


def find_moves(
    provider: Provider,
    passes: Sequence[Pass],
    modality: ModalityPlan,
    window: GeoBox,
    reference: Reference,
    moves: Moves,
) -> None:
    """Add to the moves of a step how each item must be moved to lie on the reference.

    Args:
        provider: Reads.
        passes: The items of each acquisition.
        modality: Compared; its followers are moved as it is.
        window: The ground of the task.
        reference: On that window.
        moves: How bands are moved already; what they leave is measured.

    Raises:
        ProviderError: An item cannot be read.
    """
    compared = modality.only(reference.alignment.bands)
    for item in (item for items in passes for item in items):
        try:
            _settle(provider, item, compared, window, reference, moves)
        except ProviderError as error:
            error.cost += moves.cost
            raise
        except ContradictedError as error:
            moves.cost += error.cost  # the reading that counts will say so again


def _settle(
    provider: Provider,
    item: Item,
    modality: ModalityPlan,
    window: GeoBox,
    reference: Reference,
    found: Moves,
) -> None:
    """Look at one item, move it and look again, as long as that brings it closer."""
    bands = found.moves[item.id].bands if item.id in found.moves else {}
    kept: tuple[Field, ...] = ()
    tried: tuple[Field, ...] = ()
    misfit = math.inf
    for last in (*[False] * ROUNDS, True):
        move = Move(window, reference.shrink, tried, bands)
        layer = read_acquisition(MovedProvider(provider, {item.id: move}), [item], modality, window)
        found.cost += layer.cost
        left = reference.compare(layer.values, layer.valid, modality.bands).field
        length = math.inf if left is None else _length(left, reference)
        if left is None or left.confidence < SURE or length >= misfit:
            found.unknown += [item.id] if misfit == math.inf else []
            break
        kept, misfit = tried, length
        if last or length < max(reference.alignment.least, ERRORS * left.error * reference.shrink):
            break
        tried = (*kept, left)
    if kept:
        found.moves[item.id] = Move(window, reference.shrink, kept, bands)
    elif tried:
        found.refused.append(item.id)


def _length(found: Field, reference: Reference) -> float:
    """Return the mean length of a shift over the window [px of the compared modality]."""
    height, width = reference.view.valid.shape
    rows, cols = np.meshgrid(np.linspace(0, height, 5), np.linspace(0, width, 5))
    shifts = found.at(rows.ravel(), cols.ravel()) * reference.shrink
    return float(np.sqrt((shifts**2).sum(axis=1).mean()))


def misfits(
    image: Image,
    modality: ModalityPlan,
    window: GeoBox,
    patches: Sequence[Patch],
    reference: Reference,
    moves: Moves,
    passes: Sequence[Pass],
) -> list[Shift]:
    """Return how far the finished pixels of each patch lie from the reference.

    Where several items of a pass fill the window, each is compared on its own ground, and a patch
    has the shift of the one that fills most of it.

    Args:
        image: On the window.
        modality: What it holds.
        window: The ground of the task.
        patches: On that window.
        reference: The same as for the moves.
        moves: Of the items that the image is made of.
        passes: Those items, by acquisition.
    """
    bands = reference.alignment.bands
    numbers, told = image.layer.values[list(bands)], [modality.bands[i] for i in bands]
    places = [place_in(window, patch, modality.gsd) for patch in patches]
    owners = [_most(image.layer.origin, place) for place in places]
    found = {}
    for one in sorted(set(owners)):
        valid, origin = image.layer.valid, image.layer.origin
        ground = valid if origin is None else valid & (origin == one)
        found[one] = reference.compare(numbers, ground, told)
    return [
        _shift(found[number], reference, _middle(place), _moved(image, passes, moves, place))
        for number, place in zip(owners, places, strict=True)
    ]


def _most(origin: NDArray[np.integer] | None, place: tuple[slice, slice]) -> int:
    return 0 if origin is None else int(_counts(origin, place, 1).argmax())


def _counts(
    origin: NDArray[np.integer], place: tuple[slice, slice], least: int
) -> NDArray[np.intp]:
    part = origin[place]
    return np.bincount(part[part >= 0], minlength=least)


def _moved(
    image: Image, passes: Sequence[Pass], moves: Moves, place: tuple[slice, slice]
) -> tuple[float, float, str]:
    """Return how far what fills a patch was moved (row, col) [px], and what to say of it.

    Of a composite the mean over its acquisitions, by the pixels that each gave where that is known.
    """
    middle = _middle(place)
    if len(passes) == 1:
        item = passes[0][_most(image.layer.origin, place)].id
        return *moves.at(item, *middle), WORSE if item in moves.refused else ""
    weights = np.ones(len(passes))
    if image.origin is not None:
        weights = _counts(image.origin, place, len(passes)) + 1e-9
    shifts = [moves.at(items[0].id, *middle) for items in passes]
    row, col = np.average(shifts, axis=0, weights=weights).tolist()
    still = sum(items[0].id in moves.unknown for items in passes)
    return row, col, f"{still} of {len(passes)} acquisitions not measurable" if still else ""


def _shift(
    finding: Finding,
    reference: Reference,
    middle: tuple[float, float],
    moved: tuple[float, float, str],
) -> Shift:
    """Return what is found in the middle of a patch, in pixels of the compared modality."""
    by_row, by_col, told = moved
    field, scale = finding.field, reference.shrink
    row, col = (corner / scale - 0.5 for corner in middle)  # fields count from middles of pixels
    why = finding.why
    if field is not None and not field.covers(row, col):
        field, why = None, "no ground in common"
    if field is None:
        return Shift(reference.name, moved_row=by_row, moved_col=by_col, why=why or told)
    ((south, east),) = (field.at([row], [col]) * scale).tolist()
    error, confidence = field.error * scale, field.confidence
    return Shift(reference.name, south, east, error, confidence, by_row, by_col, why or told)


def _middle(place: tuple[slice, slice]) -> tuple[float, float]:
    rows, cols = place
    return (rows.start + rows.stop) / 2, (cols.start + cols.stop) / 2
