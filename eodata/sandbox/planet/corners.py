"""What lies at the corners of pixels: which of the four pixels around it a corner belongs to.

Borders on the ground are sharp, and one look per pixel makes stairs of them. A second look at every
corner, where pixels meet, shows on which side of a border it lies; a sensor then takes from the
pixels what they and their corners show. All is element by element.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.planet.margins import Margins
from eodata.sandbox.planet.sites import Sites

Masks = NDArray[np.uint8]
"""Of corners: a bit for each pixel they belong to: upper left, upper right, lower left, right."""
Borders = tuple[NDArray[np.uint8], Field]
"""What changes at borders: cover and phase, see `Ground`."""
Place = tuple[NDArray[np.intp], ...]
"""Rows and columns of pixels, each `(N,)`."""
SAME_PHASE = 0.6
"""Phases of one field or one patch differ by less from pixel to corner [days]."""
_AHEAD, _BEHIND = slice(None, -1), slice(1, None)
_AROUND = ((_AHEAD, _AHEAD), (_AHEAD, _BEHIND), (_BEHIND, _AHEAD), (_BEHIND, _BEHIND))
"""The pixels at the upper left, upper right, lower left and lower right of corners."""
_HALF, _QUARTER, _ALL = np.float32(0.5), np.float32(0.25), 15


def sites_between(sites: Sites, place: Place) -> Sites:
    """Return the lower right corners of some sites of a lattice, as scattered sites."""
    x, y = sites.x, sites.y
    return Sites(sites.zone, (x[:, 1:] + x[:, :-1]) / 2, (y[1:] + y[:-1]) / 2).part(place)


def margins_between(margins: Margins, place: Place) -> Margins:
    """Return the margins there: they are all but straight between neighbours."""
    here = _flat(margins.patch.shape, place)
    over = here + margins.patch.shape[1] + 1
    found = {item.name: getattr(margins, item.name) for item in fields(Margins)}
    return Margins(**{name: _between(field, here, over) for name, field in found.items()})


def _between(field: Field, here: NDArray[np.intp], over: NDArray[np.intp]) -> Field:
    if not any(field.strides):
        return np.broadcast_to(field[0, 0], here.shape)
    flat = field.ravel()
    means: Field = flat.take(here)
    means += flat.take(over)
    means *= _HALF
    return means


def _flat(shape: tuple[int, ...], place: Place) -> NDArray[np.intp]:
    return place[0] * shape[1] + place[1]


def unlike(pixels: Borders) -> NDArray[np.bool_]:
    """Return between which pixels there is a border, `(H - 1, W - 1)`."""
    (cover, phase), first = pixels, _AROUND[0]
    found = np.zeros(cover[first].shape, np.bool_)
    for part in _AROUND[1:]:
        found |= cover[part] != cover[first]
        found |= np.abs(phase[part] - phase[first]) >= np.float32(SAME_PHASE)
    return found


def alike(pixels: Borders, place: Place, corners: Borders) -> Masks:
    """Return which pixels corners belong to: those of their cover and phase, else of their cover.

    Args:
        pixels: Cover and phase of pixels, `(H, W)`.
        place: Rows and columns of some of them, `(N,)`.
        corners: Cover and phase at the lower right corners of these, `(N,)`.
    """
    (cover, phase), (own, late) = (field.ravel() for field in pixels), corners
    here, width = _flat(pixels[0].shape, place), pixels[0].shape[1]
    masks, loose = np.zeros(own.shape, np.uint8), np.zeros(own.shape, np.uint8)
    for bit, step in enumerate((0, 1, width, width + 1)):
        same = cover.take(here + step) == own
        loose |= same.view(np.uint8) << np.uint8(bit)
        same &= np.abs(phase.take(here + step) - late) < np.float32(SAME_PHASE)
        masks |= same.view(np.uint8) << np.uint8(bit)
    masks |= np.where(masks, np.uint8(0), loose)
    return masks


@dataclass(frozen=True, slots=True, eq=False)
class Corners:
    """The corners between pixels, ready to be seen in any band.

    Attributes:
        place: Flat places of the upper left pixels of the corners at borders, `(N,)`.
        shares: Of the four pixels around in what these corners show, `(4, N)`.
    """

    place: NDArray[np.intp]
    shares: Field

    @classmethod
    def of(cls, masks: Masks) -> Corners:
        """Take up which pixels their lower right corners belong to, `(H, W)`."""
        inner = masks[:-1, :-1]
        place = np.nonzero((inner > 0) & (inner < _ALL))
        return cls(_flat(masks.shape, place), _shares().take(inner[place], 1))

    def seen(self, field: Field) -> Field:
        """Return what is at corners, `(H - 1, W - 1)`: the mean of the pixels they belong to.

        Those not at a border belong to all four.
        """
        height, width = field.shape
        means = np.zeros_like(field)
        rows = field[1:] + field[:-1]
        np.add(rows[:, 1:], rows[:, :-1], out=means[:-1, :-1])
        means *= _QUARTER
        flat = field.ravel()
        total: Field = self.shares[0] * flat.take(self.place)
        for share, step in zip(self.shares[1:], (1, width, width + 1), strict=True):
            total += share * flat.take(self.place + step)
        means.ravel()[self.place] = total
        found: Field = means[: height - 1, : width - 1]
        return found


@lru_cache(maxsize=1)
def _shares() -> Field:
    """Return the share of each of four pixels by mask, `(4, 16)`."""
    bits = (np.arange(16)[np.newaxis] >> np.arange(4)[:, np.newaxis]) & 1
    shares: Field = (bits / np.maximum(bits.sum(axis=0), 1)).astype(np.float32)
    return shares
