"""Which class lies where: wild land by climate, cleared land in fields, towns, water over all."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from eodata.sandbox.planet.climate import LAPSE, Climate
from eodata.sandbox.planet.corners import (
    Borders,
    Masks,
    alike,
    margins_between,
    sites_between,
    unlike,
)
from eodata.sandbox.planet.cover import Cover
from eodata.sandbox.planet.fields import Districts, Lay, Plots, share
from eodata.sandbox.planet.lattice import Field, noise, salt
from eodata.sandbox.planet.looks import LEVELS, TASTES, look_tables, wild_table
from eodata.sandbox.planet.margins import Margins
from eodata.sandbox.planet.nature import NatureMap
from eodata.sandbox.planet.region import Setting
from eodata.sandbox.planet.relief import Relief
from eodata.sandbox.planet.season import Land
from eodata.sandbox.planet.sites import Part, Sites
from eodata.sandbox.planet.towns import Towns, as_float, lay_over

STRIP = 80_000
"""Sites evaluated at once, so that the arrays stay in the processor's cache."""
FLOCK = 12_000
"""Scattered sites worked on at once, for the same reason; each has four nodes of its own."""
GRAIN_M = 20.0
"""Size of the finest variation [m]; a whole number of 10 m pixels, or it beats against them."""
CLEARED = 1.5
"""By how much cleared land has less forest [standard deviations]."""
MIXED = 0.9
"""Up to this margin some districts are cleared and some are not [standard deviations]."""
FEW = 0.15
"""Up to this share of a strip, sites are worked on one by one."""
HEDGE_M = 5.0
"""Width of the grass along the edge of a field [m]."""
FLOATS = tuple(item.name for item in fields(Land) if item.name not in ("cover", "corners"))
_ONE, _TWO, _HALF = np.float32(1.0), np.float32(2.0), np.float32(0.5)


@dataclass(slots=True, eq=False)
class _Canvas:
    """A strip of ground while it is painted: what is known, and what changes in place."""

    sites: Sites
    margins: Margins
    setting: Setting
    grain: Field
    cover: NDArray[np.uint8]
    tone: Field
    phase: Field
    height: Field
    cleared: NDArray[np.bool_]

    def bend(self, where: Part) -> tuple[Field, Field]:
        return self.margins.bend_x[where], self.margins.bend_y[where]


class Landscape:
    """The lasting ground of one world. Threads may share it."""

    def __init__(self, seed: int, climate: Climate, relief: Relief) -> None:
        self._seed = salt(seed, "grain")
        self._relief = relief
        self._nature = NatureMap(seed, climate, relief)
        self._districts, self._towns = Districts(seed), Towns(seed)
        self._wild, self._looks = wild_table().ravel(), look_tables()

    def ground(self, sites: Sites, *, corners: bool = False) -> Land:
        """Return the ground at sites; arrays have their shape.

        Args:
            sites: Where.
            corners: Whether to look at corners of pixels too; only those of a lattice are known.
        """
        # In one piece: large blocks of memory come in large pages, which is much faster.
        block = np.empty((len(FLOATS), *sites.shape), np.float32)
        cover = np.empty(sites.shape, np.uint8)
        masks = np.zeros(sites.shape, np.uint8) if corners else None
        if sites.is_lattice:
            self._fill(sites, cover, block, masks)
        else:
            for first in range(0, sites.x.size, FLOCK):
                some = slice(first, first + FLOCK)
                part = Sites(sites.zone, sites.x[some], sites.y[some])
                self._fill(part, cover[some], block[:, some])
        return Land(cover=cover, corners=masks, **dict(zip(FLOATS, block, strict=True)))

    def borders(self, sites: Sites) -> Borders:
        """Return only the cover and the phase at scattered sites."""
        mesh = self._nature.around(sites)
        canvas = self._painted(sites, *mesh.at(sites))
        return canvas.cover, canvas.phase

    def _fill(
        self, sites: Sites, cover: NDArray[np.uint8], block: Field, masks: Masks | None = None
    ) -> None:
        """Write the cover and the other fields, in the order of `FLOATS`, into arrays."""
        surface = self._relief.surface(sites)
        mesh = self._nature.around(sites)
        for where in _strips(sites, overlap=masks is not None):
            some = sites.part(where)
            canvas = self._painted(some, *mesh.at(some))
            cover[where] = canvas.cover
            if masks is not None:
                masks[where][:-1, :-1] = self._corners(canvas)
            found = self._finished(canvas, *(field[where] for field in surface))
            for whole, name in zip(block, FLOATS, strict=True):
                whole[where] = found[name]

    def _corners(self, canvas: _Canvas) -> Masks:
        """Return which of their pixels the corners between the sites of a lattice belong to."""
        pixels = canvas.cover, canvas.phase
        border = unlike(pixels)
        masks = np.zeros(border.shape, np.uint8)
        if border.any():
            place = np.nonzero(border)
            margins = margins_between(canvas.margins, place)
            corner = self._painted(sites_between(canvas.sites, place), margins, canvas.setting)
            masks[place] = alike(pixels, place, (corner.cover, corner.phase))
        return masks

    def _finished(
        self, canvas: _Canvas, elevation: Field, slope_x: Field, slope_y: Field
    ) -> dict[str, Field]:
        """Return the fields of the ground but for the cover, by name."""
        cover, margins, setting = canvas.cover, canvas.margins, canvas.setting
        kind = cover.astype(np.intp)
        look = {name: table.take(kind) for name, table in self._looks.items()}
        dry_land = as_float(cover > Cover.LAKE)
        elevation = elevation * as_float(cover != Cover.SEA)
        growth = np.float32(0.6) + _HALF * (margins.damp + margins.patch)
        crowns = _ONE + np.float32(0.25) * canvas.grain
        vigour = look["vigour"] + look["gain"] * margins.damp + look["patchy"] * canvas.tone
        return {
            "elevation": elevation,
            "slope_x": slope_x * dry_land,
            "slope_y": slope_y * dry_land,
            "vigour": np.clip(vigour, 0.0, 1.0),
            "phase": canvas.phase,
            "texture": _ONE + look["tone"] * canvas.tone + look["grain"] * canvas.grain,
            "wetness": setting.wetness,
            "warmth": setting.warmth - np.float32(LAPSE) * elevation,
            "height": canvas.height + look["height"] * growth * crowns,
            "built": margins.built,
            "lat": setting.lat,
            "swing": setting.swing,
            "spells": setting.spells,
        }

    def _painted(self, sites: Sites, margins: Margins, setting: Setting) -> _Canvas:
        """Lay one kind of cover over the other: wild, cleared, settled, under water."""
        grain = noise(sites, GRAIN_M, self._seed, fade=False)
        canvas = _Canvas(
            sites=sites,
            margins=margins,
            setting=setting,
            grain=grain,
            cover=self._wilderness(margins, grain),
            tone=margins.patch * _TWO,
            phase=margins.patch * np.float32(14.0),
            height=np.zeros(sites.shape, np.float32),
            cleared=np.zeros(sites.shape, np.bool_),
        )
        land = (margins.sea < 0) & (margins.fresh < 0)
        town = land & (margins.town > 0) & (margins.rock < 0)
        country = land & (margins.cleared > -MIXED) & ~town
        if (where := _box(country)) is not None:
            self._clear(canvas, where, country[where])
        _grow(canvas)
        if (where := _box(town)) is not None:
            self._settle(canvas, where, town[where])
        _flood(canvas)
        return canvas

    def _wilderness(self, margins: Margins, grain: Field) -> NDArray[np.uint8]:
        """Return what would cover the ground without forest, people and water."""
        moist = (margins.damp + np.float32(0.01) * grain) * np.float32(LEVELS)
        relish = (margins.relish + np.float32(0.16) * grain + _HALF) * np.float32(TASTES)
        row = np.floor(np.clip(moist, 0.0, LEVELS - 1))
        place = row * np.float32(TASTES) + np.clip(relish, 0.0, TASTES - 1)
        cover: NDArray[np.uint8] = self._wild.take(place.astype(np.intp))
        return cover

    def _clear(self, canvas: _Canvas, where: Part, country: NDArray[np.bool_]) -> None:
        """Lay out fields and roads in a part of the canvas, where there is open country."""
        margin = canvas.margins.cleared[where]
        lay = Lay.of(canvas.sites.part(where), canvas.bend(where))
        plots = self._districts.plots(lay)
        mixed = (share(plots.district, 0) - _HALF) * np.float32(2 * MIXED)
        cleared = country & (margin > mixed)
        cover = canvas.cover[where]
        _sow(cover, cleared, canvas, plots, where)
        lay_over(cover, self._districts.roads(lay) & country, Cover.STREET)
        fielded = as_float(cleared)
        wild = _ONE - fielded
        canvas.cover[where] = cover
        canvas.cleared[where] = cleared
        tone = (share(plots.bits, 16) * _TWO - _ONE) * fielded
        canvas.tone[where] = canvas.tone[where] * (_ONE - np.float32(0.7) * fielded) + tone
        phase = (share(plots.bits, 24) - _HALF) * np.float32(26.0)
        canvas.phase[where] = canvas.phase[where] * wild + phase * fielded

    def _settle(self, canvas: _Canvas, where: Part, town: NDArray[np.bool_]) -> None:
        """Build streets and houses in a part of the canvas, where there is a town."""
        reach = canvas.margins.town[where]
        fabric = self._towns.fabric(canvas.sites.part(where), canvas.bend(where), reach)
        inside = as_float(town)
        canvas.cover[where] += (fabric.cover - canvas.cover[where]) * town
        canvas.height[where] = fabric.height * inside
        canvas.tone[where] += (fabric.tone - canvas.tone[where]) * inside


def _sow(
    cover: NDArray[np.uint8],
    cleared: NDArray[np.bool_],
    canvas: _Canvas,
    plots: Plots,
    where: Part,
) -> None:
    """Give every field of cleared land its use, in place."""
    kind = share(plots.bits, 0)
    crop = cleared & (kind >= canvas.margins.pasture[where])
    late = share(plots.bits, 8) < canvas.margins.late[where]
    copse = cleared & (share(plots.bits, 16) > 0.96) & (canvas.margins.forest[where] > -0.5)
    lay_over(cover, cleared, Cover.GRASS)
    lay_over(cover, crop & late, Cover.SUMMER_CROP)
    lay_over(cover, crop & ~late, Cover.WINTER_CROP)
    lay_over(cover, crop & (kind > 0.985), Cover.BARE)
    lay_over(cover, copse, Cover.BROADLEAF_FOREST)
    lay_over(cover, cleared & (plots.edge < HEDGE_M), Cover.GRASS)


def _grow(canvas: _Canvas) -> None:
    """Let forest, marsh, tundra, rock and ice take their place."""
    cover, margins = canvas.cover, canvas.margins
    rough = np.float32(0.06) * canvas.grain
    cleared = as_float(canvas.cleared)
    # Lone trees before the edge, and gaps behind it.
    lone = canvas.grain * canvas.grain * canvas.grain * (np.float32(1.5) - cleared)
    fewer = cleared * np.float32(CLEARED)
    forest = (margins.forest + lone > fewer) & (cover != Cover.STREET)
    needle, tropic = margins.needle + rough > 0, margins.tropic + rough > 0
    lay_over(cover, forest, Cover.BROADLEAF_FOREST)
    lay_over(cover, forest & tropic, Cover.EVERGREEN_FOREST)
    lay_over(cover, forest & needle, Cover.NEEDLELEAF_FOREST)
    lay_over(cover, (margins.marsh + rough > 0) & ~canvas.cleared, Cover.WETLAND)
    frost = margins.frost + np.float32(0.4) * canvas.grain
    lay_over(cover, (frost > 0) & ~forest & (margins.damp > 0.12), Cover.TUNDRA)
    bleak = frost > np.float32(5.5) + np.float32(8.0) * margins.relish
    lay_over(cover, bleak | (margins.rock + rough > 0), Cover.ROCK)
    lay_over(cover, frost > 9.5, Cover.ICE)


def _flood(canvas: _Canvas) -> None:
    """Put beaches at the sea, and water over everything."""
    cover, margins, grain = canvas.cover, canvas.margins, canvas.grain
    sea = margins.sea + np.float32(6.0) * grain
    ice = cover == Cover.ICE
    lay_over(
        cover, (sea > -40.0) & (margins.relish > -0.05) & ~ice & (margins.town < 0), Cover.SAND
    )
    water = (margins.fresh + np.float32(3.0) * grain > 0) | _in_brook(margins)
    lay_over(cover, water & ~ice, Cover.LAKE)
    lay_over(cover, sea > 0, Cover.SEA)


def _in_brook(margins: Margins) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.abs(margins.brook) < margins.brook_width
    return found


def _strips(sites: Sites, *, overlap: bool = False) -> list[Part]:
    """Cut sites into parts of about `STRIP`; with an overlap the next begins in the last row."""
    if sites.is_lattice:
        height, width = sites.shape
        step, more = max(1, STRIP // width), int(overlap)
        starts = range(0, max(1, height - more), step)
        return [(slice(row, row + step + more), slice(None)) for row in starts]
    return [(np.arange(sites.x.size),)]


def _box(found: NDArray[np.bool_]) -> Part | None:
    """Return where something is found: a window of a lattice, or places if they are few."""
    count = np.count_nonzero(found)
    if not count:
        return None
    if found.ndim == 1 or count < FEW * found.size:
        return np.nonzero(found)
    rows, cols = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(cols[0]), int(cols[-1]) + 1)
