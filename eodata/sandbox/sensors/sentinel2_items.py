"""The records of Sentinel-2: what was seen, how it was processed, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Any

from shapely.geometry.base import BaseGeometry

from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span, format_utc
from eodata.sandbox.items import Layer, SandboxItem
from eodata.sandbox.missions import END, MISSIONS
from eodata.sandbox.orbits import Pass, passes
from eodata.sandbox.planet.displacement import Bend, Displacement
from eodata.sandbox.planet.lattice import hash01, salt
from eodata.sandbox.sensors.sentinel2_datatakes import DARK_DEG, take_start
from eodata.sandbox.sensors.sentinel2_names import (
    OFFSET_DN,
    Level,
    Named,
    baseline_at,
    generated_at,
    offset_of,
    read_id,
    reprocessed,
)
from eodata.sandbox.sensors.sentinel2_sights import Searched, Sight, along_of, sight
from eodata.sandbox.sensors.spectra import BANDS
from eodata.sandbox.sun import sun_at
from eodata.sandbox.tiles import Tile, tile
from eodata.sandbox.weather import Weather

PIXEL_M = 10.0
RATIOS = {"B02": 1, "B03": 1, "B04": 1, "B08": 1, "B01": 6, "B09": 6, "B10": 6}
SCALE = 1e-4
SPAN = Span(MISSIONS["sentinel-2"].units[0].flying.start, END)
PASS, SECOND = timedelta(minutes=51), timedelta(seconds=1)
"""Longer than a pass: one that began before a time may still go on."""
CYCLE = timedelta(days=10)
CYCLES_AWAY = 36
"""A wrong cloud cover is that of the same tile up to so many cycles before."""
KEPT = 20_000
"""Items that stay ready, so that reading does not plan again."""
_SHIFTED, _EAST, _NORTH, _GENERATION, _TWICE, _AGAIN = range(6)
_NODATA, _OFFSET, _COVER, _OTHER = range(4)


@dataclass(frozen=True, slots=True)
class S2Origin:
    """What the pixels of an item depend on.

    Attributes:
        crossing: The pass.
        tile: The tile.
        level: l1c or l2a.
        baseline: Of the processing, as in `02.06`.
        offset_dn: What has to be added to the numbers, truly: 0 or -1000.
        sensed: When the middle of the tile was abeam (UTC).
        sun_zenith: In the middle of the tile [degrees].
        sun_azimuth: Likewise, clockwise from north.
        shift: Displacement `(x, y)` of the whole item [m].
        bend: Displacement that differs from place to place, beside the shift; None for nothing.
        band_shifts: Displacement by band, beside that of the item [m].
        all_nodata: Whether its pixels are all nodata.
        generation: When it was processed (UTC).
        true_cloud_cover: Share of the seen part under clouds [percent].
    """

    crossing: Pass
    tile: Tile
    level: Level
    baseline: str
    offset_dn: int
    sensed: datetime
    sun_zenith: float
    sun_azimuth: float
    shift: tuple[float, float]
    bend: Bend | None
    band_shifts: dict[str, tuple[float, float]]
    all_nodata: bool
    generation: datetime
    true_cloud_cover: float

    @property
    def unit(self) -> str:
        """The satellite as ids have it: S2A, S2B."""
        return f"S2{self.crossing.platform[-1].upper()}"

    def displacement(self, key: str = "") -> Displacement:
        """Return how far a layer lies from its place; without one, the item as a whole."""
        own = self.band_shifts.get(key, (0.0, 0.0))
        return Displacement(self.shift[0] + own[0], self.shift[1] + own[1], self.bend)


class Sentinel2Items:
    """The records of `sentinel-2-l1c` or `sentinel-2-l2a`. Threads may share it."""

    span = SPAN

    def __init__(self, level: Level, settings: SandboxSettings, weather: Weather) -> None:
        self.id = f"sentinel-2-{level}"
        kind = "top-of-atmosphere" if level == "l1c" else "surface"
        self.title = f"Simulated Sentinel-2 MSI Level-{level[1:].upper()}"
        self.description = (
            f"SYNTHETIC {kind} reflectance of the sandbox's planet in the tiles, orbits and bands "
            "of Sentinel-2."
        )
        self._level, self._settings, self._weather = level, settings, weather
        # Per instance: two worlds must not share items.
        self._items = lru_cache(maxsize=KEPT)(self._make)

    def find(
        self, footprint: BaseGeometry, span: Span | None, *, newest_first: bool = False
    ) -> Iterator[SandboxItem]:
        """Yield the items that share ground and time, ordered by time and id, lazily.

        Passes never overlap in time: the two satellites fly half an orbit apart.
        """
        wanted, ground = span or SPAN, Searched(footprint)
        flown = Span(wanted.start - PASS, wanted.end)
        for crossing in passes("sentinel-2", flown, newest_first=newest_first):
            track = crossing.track
            timed = ((crossing.at(along_of(place, track)), place) for place in ground.on(track))
            due = sorted((t for t in timed if t[0] in wanted), reverse=newest_first)
            for _, together in groupby(due, key=lambda t: t[0]):
                found = [item for _, place in together for item in self._items(crossing, place)]
                found = [item for item in found if ground.shares(item.footprint)]
                yield from sorted(found, key=lambda item: item.id, reverse=newest_first)

    def get(self, item_id: str) -> SandboxItem:
        """Return one item.

        Raises:
            LookupError: There is no such item.
        """
        named = read_id(item_id)
        if named is not None:
            place, flown = tile(named.tile), Span(named.started - PASS, named.started + SECOND)
            for crossing in passes("sentinel-2", flown):
                if crossing.relative_orbit == named.orbit:
                    for item in self._items(crossing, place):
                        if item.id == item_id:
                            return item
        raise LookupError(f'{self.id} has no item "{item_id}"')

    def defects(self, item: SandboxItem) -> dict[str, Any]:
        """Return which defects were planted in an item; JSON values, empty when none."""
        origin: S2Origin = item.origin
        cover, offset = origin.true_cloud_cover, origin.offset_dn
        found = {
            "shift_m": list(origin.shift) if any(origin.shift) else None,
            "bend": origin.bend.told() if origin.bend else None,
            "band_shifts_m": {k: list(v) for k, v in origin.band_shifts.items()} or None,
            "all_nodata": origin.all_nodata or None,
            "true_cloud_cover": cover if item.properties["eo:cloud_cover"] != cover else None,
            "true_offset_dn": offset if item.layers["B04"].offset != offset * SCALE else None,
            "reprocessed": item.properties["s2:sequence"] != "0" or None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _make(self, crossing: Pass, place: Tile) -> tuple[SandboxItem, ...]:
        """Return the item of a tile and a pass: none, one, or two when it was processed again."""
        seen = sight(place, crossing.track)
        if seen is None:
            return ()
        sensed = crossing.at(seen.along)
        zenith, azimuth = (float(angle) for angle in sun_at(*place.centre, sensed))
        if zenith > DARK_DEG or sensed not in SPAN:
            return ()
        name = f"{crossing.platform} {crossing.absolute_orbit} {place.name}"
        draws = self._draws(name, 6)
        baseline = baseline_at(self._level, sensed)
        first = S2Origin(
            crossing=crossing,
            tile=place,
            level=self._level,
            baseline=baseline,
            offset_dn=offset_of(baseline),
            sensed=sensed,
            sun_zenith=zenith,
            sun_azimuth=azimuth,
            shift=self._shift(draws),
            bend=self._bend(draws, name),
            band_shifts=self._band_shifts(name),
            all_nodata=False,
            generation=generated_at(self._level, sensed, draws[_GENERATION]),
            true_cloud_cover=self._cover(seen, crossing.start),
        )
        if draws[_TWICE] >= self._settings.defects.duplicates:
            return (self._item(first, seen, 0),)
        baseline, generation = reprocessed(baseline, first.generation, draws[_AGAIN])
        again = replace(
            first, baseline=baseline, offset_dn=offset_of(baseline), generation=generation
        )
        return self._item(first, seen, 0), self._item(again, seen, 1)

    def _item(self, origin: S2Origin, seen: Sight, sequence: int) -> SandboxItem:
        """Return the record of one processing, with what is wrong with this one alone."""
        defects = self._settings.defects
        started = take_start(origin.crossing, seen.along)
        orbit, place = origin.crossing.relative_orbit, origin.tile.name
        named = Named(
            origin.unit, self._level, started, origin.baseline, orbit, place, origin.generation
        )
        draws = self._draws(f"{named.id} {sequence}", 4)
        stated = OFFSET_DN - origin.offset_dn
        stated = stated if draws[_OFFSET] < defects.wrong_offset else origin.offset_dn
        cover = origin.true_cloud_cover
        if draws[_COVER] < defects.wrong_cloud_cover:
            cover = self._cover(
                seen, origin.crossing.start - (1 + int(CYCLES_AWAY * draws[_OTHER])) * CYCLE
            )
        return SandboxItem(
            id=named.id,
            collection=self.id,
            datetime=origin.sensed,
            footprint=seen.footprint,
            properties=_properties(origin, named, seen, cover) | {"s2:sequence": str(sequence)},
            base=origin.tile.geobox,
            layers=_layers(self._level, stated * SCALE),
            origin=replace(origin, all_nodata=draws[_NODATA] < defects.all_nodata),
        )

    def _cover(self, seen: Sight, time: datetime) -> float:
        """Return the cloud cover of the seen part [percent], as metadata round it."""
        return round(self._weather.cloud_cover(seen.coarse, time, seen.seen), 6)

    def _draws(self, name: str, count: int) -> list[float]:
        seed = salt(self._settings.seed, f"sentinel-2 {name}")
        return [float(hash01(seed, n)) for n in range(count)]

    def _shift(self, draws: list[float]) -> tuple[float, float]:
        defects = self._settings.defects
        if draws[_SHIFTED] >= defects.shift_rate:
            return 0.0, 0.0
        reach = defects.shift_px * PIXEL_M
        return (2 * draws[_EAST] - 1) * reach, (2 * draws[_NORTH] - 1) * reach

    def _bend(self, draws: list[float], name: str) -> Bend | None:
        defects = self._settings.defects
        if draws[_SHIFTED] >= defects.shift_rate or not defects.bend_px:
            return None
        return Bend.drawn(defects.bend_px * PIXEL_M, self._draws(f"bend of {name}", 4))

    def _band_shifts(self, name: str) -> dict[str, tuple[float, float]]:
        """Return displacements of which no two differ by more than the largest along an axis."""
        reach = self._settings.defects.band_shift_px * PIXEL_M
        if not reach:
            return {}
        draws = iter(self._draws(f"bands of {name}", 2 * len(BANDS)))
        shifts = {
            band: ((next(draws) - 0.5) * reach, (next(draws) - 0.5) * reach) for band in BANDS
        }
        return {band: shifts[band] for band in _bands(self._level)}


def _bands(level: Level) -> tuple[str, ...]:
    return tuple(b for b in BANDS if level == "l1c" or b != "B10")


@lru_cache(maxsize=8)
def _layers(level: Level, offset: float) -> dict[str, Layer]:
    """Return the layers of a level with the offset that the metadata state."""
    layers = {
        band: Layer(band, RATIOS.get(band, 2), "uint16", nodata=0, scale=SCALE, offset=offset)
        for band in _bands(level)
    }
    if level == "l2a":
        layers["SCL"] = Layer("SCL", 2, "uint8", nodata=0, unit="")
    return layers


def _properties(origin: S2Origin, named: Named, seen: Sight, cover: float) -> dict[str, Any]:
    """Return what the metadata state, under the names that STAC has for them."""
    crossing, place = origin.crossing, origin.tile
    made = format_utc(origin.generation)
    return {
        "created": made,
        "updated": made,
        "platform": crossing.platform,
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "gsd": 10,
        "eo:cloud_cover": cover,
        "sat:orbit_state": "descending",
        "sat:relative_orbit": crossing.relative_orbit,
        "sat:absolute_orbit": crossing.absolute_orbit,
        "view:sun_azimuth": round(origin.sun_azimuth, 6),
        "view:sun_elevation": round(90 - origin.sun_zenith, 6),
        "proj:epsg": place.epsg,
        "proj:code": f"EPSG:{place.epsg}",
        "grid:code": f"MGRS-{place.name}",
        "mgrs:utm_zone": place.zone,
        "mgrs:latitude_band": place.name[2],
        "mgrs:grid_square": place.name[3:],
        "processing:version": origin.baseline,
        "s2:mgrs_tile": place.name,
        "s2:generation_time": made,
        "s2:mean_solar_zenith": round(origin.sun_zenith, 6),
        "s2:mean_solar_azimuth": round(origin.sun_azimuth, 6),
        "s2:nodata_pixel_percentage": round(100 * (1 - seen.share), 6),
        **named.properties(crossing.absolute_orbit),
    }
