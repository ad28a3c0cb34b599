"""The records of Sentinel-2: what was seen, how it was processed, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from shapely.geometry.base import BaseGeometry

from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span, format_utc
from eodata.sandbox.items import Layer, SandboxItem
from eodata.sandbox.orbits import Pass, passes
from eodata.sandbox.planet.lattice import hash01, salt
from eodata.sandbox.sensors.sentinel2_names import (
    OFFSET_DN,
    REPROCESSED,
    REPROCESSED_SINCE,
    STAMP,
    Level,
    baseline_at,
    offset_of,
    product_id,
    read_id,
)
from eodata.sandbox.sensors.sentinel2_sights import Searched, Sight, sight
from eodata.sandbox.sensors.spectra import BANDS
from eodata.sandbox.sun import sun_at
from eodata.sandbox.tiles import Tile, tile
from eodata.sandbox.weather import Weather

PIXEL_M = 10.0
DARK_DEG = 85.0
"""Nothing is acquired with the sun this far from the zenith."""
RATIOS = {"B02": 1, "B03": 1, "B04": 1, "B08": 1, "B01": 6, "B09": 6, "B10": 6}
SCALE = 1e-4
END = datetime(2030, 1, 1, tzinfo=UTC)
SPANS: dict[Level, Span] = {
    "l1c": Span(datetime(2015, 7, 4, tzinfo=UTC), END),
    "l2a": Span(datetime(2017, 3, 28, tzinfo=UTC), END),
}
PASS = timedelta(minutes=51)
"""Longer than a pass: one that started before a span may go on within it."""
KEPT = 20_000
"""Items that stay ready, so that reading does not plan again."""


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
    band_shifts: dict[str, tuple[float, float]]
    all_nodata: bool
    generation: datetime
    true_cloud_cover: float


class Sentinel2Items:
    """The records of `sentinel-2-l1c` or `sentinel-2-l2a`. Threads may share it."""

    def __init__(self, level: Level, settings: SandboxSettings, weather: Weather) -> None:
        self.id = f"sentinel-2-{level}"
        kind = "top-of-atmosphere" if level == "l1c" else "surface"
        self.title = f"Simulated Sentinel-2 MSI Level-{level[1:].upper()}"
        self.description = (
            f"SYNTHETIC {kind} reflectance of the sandbox's planet in the tiles, orbits and bands "
            "of Sentinel-2."
        )
        self.span = SPANS[level]
        self._level, self._settings, self._weather = level, settings, weather
        # Per instance: two worlds must not share items.
        self._made = lru_cache(maxsize=KEPT)(self._make)

    def find(
        self, footprint: BaseGeometry, span: Span | None, *, newest_first: bool = False
    ) -> Iterator[SandboxItem]:
        """Yield the items that share ground and time, ordered by time and id, lazily."""
        wanted = _overlap(self.span, span)
        if wanted is None:
            return
        tiles = Searched(footprint)
        # The two satellites fly half an orbit apart: their descending passes take turns.
        flown = Span(wanted.start - PASS, wanted.end)
        for crossing in passes("sentinel-2", flown, newest_first=newest_first):
            found = [
                item
                for place in tiles.on(crossing.track)
                for item in self._items(crossing, place.name)
                if item.datetime in wanted and item.footprint.intersects(footprint)
            ]
            yield from sorted(found, key=lambda i: (i.datetime, i.id), reverse=newest_first)

    def get(self, item_id: str) -> SandboxItem:
        """Return one item.

        Raises:
            LookupError: There is no such item.
        """
        named = read_id(item_id)
        if named is not None:
            second = timedelta(seconds=1)
            for crossing in passes("sentinel-2", Span(named.started, named.started + second)):
                if crossing.relative_orbit == named.orbit:
                    tile(named.tile)
                    for item in self._items(crossing, named.tile):
                        if item.id == item_id:
                            return item
        raise LookupError(f'{self.id} has no item "{item_id}"')

    def defects(self, item: SandboxItem) -> dict[str, Any]:
        """Return which defects were planted in an item; JSON values, empty when none."""
        origin: S2Origin = item.origin
        stated = item.properties["eo:cloud_cover"]
        found = {
            "shift_m": list(origin.shift) if any(origin.shift) else None,
            "band_shifts_m": {k: list(v) for k, v in origin.band_shifts.items()} or None,
            "all_nodata": origin.all_nodata or None,
            "true_cloud_cover": origin.true_cloud_cover
            if stated != origin.true_cloud_cover
            else None,
            "true_offset_dn": origin.offset_dn
            if item.layers["B04"].offset != origin.offset_dn * SCALE
            else None,
            "reprocessed": origin.baseline != baseline_at(origin.level, origin.sensed) or None,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _items(self, crossing: Pass, name: str) -> tuple[SandboxItem, ...]:
        return self._made(crossing, name)

    def _make(self, crossing: Pass, name: str) -> tuple[SandboxItem, ...]:
        """Return the item of a tile and a pass: none, one, or two when it was processed again."""
        seen = sight(name, crossing.track)
        if seen is None:
            return ()
        sensed = crossing.start + timedelta(seconds=round(seen.along, 3))
        zenith, azimuth = (float(a) for a in sun_at(*seen.centre, sensed))
        if zenith > DARK_DEG or sensed not in self.span:
            return ()
        draws = self._draws(f"{crossing.platform} {crossing.absolute_orbit} {name}")
        cover = self._weather.cloud_cover(seen.coarse, crossing.start, seen.seen)
        first = S2Origin(
            crossing=crossing,
            tile=tile(name),
            level=self._level,
            baseline=(baseline := baseline_at(self._level, sensed)),
            offset_dn=offset_of(baseline),
            sensed=sensed,
            sun_zenith=zenith,
            sun_azimuth=azimuth,
            shift=self._shift(draws),
            band_shifts=self._band_shifts(draws),
            all_nodata=draws[3] < self._settings.defects.all_nodata,
            generation=sensed + timedelta(hours=2 + 6 * draws[4]),
            true_cloud_cover=round(cover, 4),
        )
        origins = [first]
        if draws[5] < self._settings.defects.duplicates and baseline < REPROCESSED:
            again = REPROCESSED_SINCE + timedelta(days=200 * draws[6])
            origins.append(
                replace(
                    first,
                    baseline=REPROCESSED,
                    offset_dn=offset_of(REPROCESSED),
                    generation=max(again, first.generation + timedelta(days=1)),
                )
            )
        return tuple(self._item(origin, seen, draws) for origin in origins)

    def _item(self, origin: S2Origin, seen: Sight, draws: list[float]) -> SandboxItem:
        defects = self._settings.defects
        lies = draws[7] < defects.wrong_offset
        stated = OFFSET_DN - origin.offset_dn if lies else origin.offset_dn
        cover = origin.true_cloud_cover
        if draws[8] < defects.wrong_cloud_cover:
            cover = round((cover + 20 + 60 * draws[9]) % 100, 4)
        return SandboxItem(
            id=_id(origin),
            collection=self.id,
            datetime=origin.sensed,
            footprint=seen.footprint,
            properties=_properties(origin, seen, cover),
            base=origin.tile.geobox,
            layers=_layers(self._level, stated * SCALE),
            origin=origin,
        )

    def _draws(self, name: str) -> list[float]:
        seed = salt(self._settings.seed, f"sentinel-2 {name}")
        return [float(hash01(seed, n)) for n in range(10)]

    def _shift(self, draws: list[float]) -> tuple[float, float]:
        defects = self._settings.defects
        if draws[0] >= defects.shift_rate:
            return 0.0, 0.0
        reach = defects.shift_px * PIXEL_M
        return (2 * draws[1] - 1) * reach, (2 * draws[2] - 1) * reach

    def _band_shifts(self, draws: list[float]) -> dict[str, tuple[float, float]]:
        reach = self._settings.defects.band_shift_px * PIXEL_M
        if not reach:
            return {}
        seed = salt(self._settings.seed, f"bands {draws[0]}")
        return {
            band: tuple((2 * float(hash01(seed, n, axis)) - 1) * reach for axis in (0, 1))  # type: ignore[misc]
            for n, band in enumerate(_bands(self._level))
        }


def _bands(level: Level) -> tuple[str, ...]:
    return tuple(b for b in BANDS if level == "l1c" or b != "B10")


@lru_cache(maxsize=8)
def _layers(level: Level, offset: float) -> dict[str, Layer]:
    layers = {
        band: Layer(band, RATIOS.get(band, 2), "uint16", nodata=0, scale=SCALE, offset=offset)
        for band in _bands(level)
    }
    if level == "l2a":
        layers["SCL"] = Layer("SCL", 2, "uint8", nodata=0, unit="")
    return layers


def _overlap(life: Span, span: Span | None) -> Span | None:
    if span is None:
        return life
    start, end = max(life.start, span.start), min(life.end, span.end)
    return Span(start, end) if start < end else None


def _unit(crossing: Pass) -> str:
    return f"S2{crossing.platform[-1].upper()}"


def _id(origin: S2Origin) -> str:
    crossing = origin.crossing
    return product_id(
        _unit(crossing),
        origin.level,
        crossing.start,
        origin.baseline,
        crossing.relative_orbit,
        origin.tile.name,
        origin.generation,
    )


def _properties(origin: S2Origin, seen: Sight, cloud_cover: float) -> dict[str, Any]:
    """Return what the metadata state, under the names that STAC has for them."""
    crossing, place = origin.crossing, origin.tile.name
    unit, level = _unit(crossing), origin.level.upper()
    started, made = crossing.start.strftime(STAMP), origin.generation.strftime(STAMP)
    processed = f"N{origin.baseline}"
    return {
        "created": format_utc(origin.generation.replace(microsecond=0)),
        "platform": crossing.platform,
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "gsd": 10,
        "eo:cloud_cover": cloud_cover,
        "sat:orbit_state": "descending",
        "sat:relative_orbit": crossing.relative_orbit,
        "sat:absolute_orbit": crossing.absolute_orbit,
        "view:sun_azimuth": round(origin.sun_azimuth, 6),
        "view:sun_elevation": round(90 - origin.sun_zenith, 6),
        "proj:code": str(origin.tile.geobox.crs),
        "grid:code": f"MGRS-{place}",
        "mgrs:utm_zone": int(place[:2]),
        "mgrs:latitude_band": place[2],
        "mgrs:grid_square": place[3:],
        "processing:version": origin.baseline,
        "s2:mgrs_tile": place,
        "s2:processing_baseline": origin.baseline,
        "s2:product_type": f"S2MSI{level[1:]}",
        "s2:product_uri": f"{_id(origin)}.SAFE",
        "s2:datatake_id": f"G{unit}_{started}_{crossing.absolute_orbit:06d}_{processed}",
        "s2:datastrip_id": f"{unit}_OPER_MSI_{level}_DS_2BPS_{made}_S{started}_{processed}",
        "s2:granule_id": (
            f"{unit}_OPER_MSI_{level}_TL_2BPS_{made}_A{crossing.absolute_orbit:06d}_T{place}_"
            f"{processed}"
        ),
        "s2:generation_time": format_utc(origin.generation.replace(microsecond=0)),
        "s2:mean_solar_zenith": round(origin.sun_zenith, 6),
        "s2:mean_solar_azimuth": round(origin.sun_azimuth, 6),
        "s2:nodata_pixel_percentage": round(100 * (1 - seen.share), 6),
    }
