"""Bands of one item that lie apart: measured against one of them, and moved onto it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from odc.geo.geobox import GeoBox

from eodata.build.acquire import ContradictedError, Layer, read_acquisition
from eodata.build.moving import Move, MovedProvider
from eodata.build.reference import reach_of
from eodata.core.coregistration import ERRORS, LEAST_PX, REACH_PX, SURE
from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import FREE, Cost
from eodata.core.protocols import Provider
from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.measure import measure_shift
from eodata.pipeline.coregister.view import shrunk

TILES = 16
"""Bands of one instant share clouds and light, so that few tiles tell."""
DIGITS = 4

Place = tuple[float, float]


@dataclass(slots=True)
class BandShifts:
    """How the bands of one item lie.

    Attributes:
        moved: How far bands are moved, (row, col) [px].
        left: How far each measured band lies from the steady one after that.
        cost: Of finding out.
    """

    moved: dict[str, Place] = field(default_factory=dict)
    left: dict[str, Place] = field(default_factory=dict)
    cost: Cost = FREE

    def to_json(self) -> dict[str, dict[str, list[float]]]:
        """Return per band `shift`, as it is now, and `moved`, what was done."""
        return {
            band: {"shift": _rounded(left), "moved": _rounded(self.moved.get(band, (0.0, 0.0)))}
            for band, left in self.left.items()
        }


def band_shifts(
    provider: Provider, item: Item, modality: ModalityPlan, window: GeoBox
) -> BandShifts:
    """Return how the bands of an item must be moved to lie on the steady one.

    Bands of which nothing can be measured stay, and are not told of.

    Raises:
        ProviderError: The item cannot be read.
    """
    found = BandShifts()
    try:
        layer = read_acquisition(provider, [item], modality, window)
        found.cost += layer.cost
        measured = _measured(layer, modality, range(len(modality.bands)))
        found.left = {band: at for band, (at, _) in measured.items()}
        apart = {band: at for band, (at, least) in measured.items() if math.hypot(*at) >= least}
        if not apart:
            return found
        moved = MovedProvider(provider, {item.id: Move(window, bands=apart)})
        again = read_acquisition(moved, [item], modality, window)
    except ProviderError as error:
        error.cost += found.cost
        raise
    except ContradictedError as error:
        found.cost += error.cost  # the reading that counts will say so again
        return found
    found.cost += again.cost
    names = [band.name for band in modality.bands]
    left = _measured(again, modality, [names.index(band) for band in apart])
    for band, (at, _) in left.items():
        if math.hypot(*at) < math.hypot(*apart[band]):
            found.moved[band], found.left[band] = apart[band], at
    return found


def _measured(
    layer: Layer, modality: ModalityPlan, which: Iterable[int]
) -> dict[str, tuple[Place, float]]:
    """Return how far bands lie from the steady one, and from which length on that counts.

    Bands of which it cannot be measured are left out.

    Bands are compared as unlike sensors are, by their edges: vegetation is dark in red and bright
    in near infrared, and phases that contradict each other pull on the shift (by 0.15 px between
    B04 and B08, where edges are off by 0.02).
    """
    steady = modality.steady_band
    if steady is None:
        raise ValueError(f"{modality.name} has no steady band")
    found = {}
    for i in which:
        if i == steady or modality.bands[i].kind != "continuous":
            continue
        coarsest = max(modality.bands[i].gsd, modality.bands[steady].gsd)
        factor = max(1, round(coarsest / modality.gsd))
        pair = (_view(layer, band, factor) for band in (i, steady))
        shift = measure_shift(
            *pair, alike=False, reach=reach_of(REACH_PX, factor), limit=TILES
        ).field
        if shift is not None and shift.confidence >= SURE:
            row, col = shift.mean
            least = max(LEAST_PX, ERRORS * shift.error) * factor
            found[modality.bands[i].name] = ((row * factor, col * factor), least)
    return found


def _view(layer: Layer, band: int, factor: int) -> View:
    """Return a band on pixels `factor` times as long: on its own, nothing is interpolated."""
    values = np.where(layer.valid, layer.values[band], 0).astype(np.float32)
    return shrunk(View(values[np.newaxis], layer.valid), factor)


def _rounded(place: Place) -> list[float]:
    return [round(float(number), DIGITS) for number in place]
