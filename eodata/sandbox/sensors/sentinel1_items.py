"""The archive of Sentinel-1 IW GRD: which frames were seen when, and what the metadata say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from zlib import crc32

import shapely
from shapely.geometry.base import BaseGeometry

from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import Span, format_utc
from eodata.sandbox.footprints import within_180
from eodata.sandbox.items import Layer, SandboxItem
from eodata.sandbox.missions import MISSIONS
from eodata.sandbox.orbits import Pass, passes
from eodata.sandbox.planet.displacement import Bend, Displacement
from eodata.sandbox.planet.lattice import hash01, salt
from eodata.sandbox.sensors.gridded import by_key
from eodata.sandbox.sensors.sentinel1_frames import (
    FRAME_S,
    FRAMES,
    PIXEL_M,
    Frame,
    frame_of,
    frames_over,
)

_FLYING = [unit.flying for unit in MISSIONS["sentinel-1"].units]
MISSION = Span(min(span.start for span in _FLYING), max(span.end for span in _FLYING))
CLEAN_EDGES = datetime(2018, 3, 13, tzinfo=UTC)
"""Since then (processor 2.90) nothing but measurements is left at the edges of the swath."""
PASS = timedelta(seconds=FRAME_S * FRAMES + 60)
"""Longer than any pass."""
DESIGNATORS = {"A": "2014-016A", "B": "2016-025A", "C": "2024-224A"}
NODATA_RTC = -32768.0
_ID = re.compile(
    r"S1[A-Z]_IW_GRDH_1SDV_(?P<start>\d{8}T\d{6})_\d{8}T\d{6}_\d{6}_"
    r"[0-9A-F]{6}_(?:[0-9A-F]{4}|rtc)"
)
_STAMP = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True, eq=False)
class S1Origin:
    """What the pixels of an item are made from.

    Attributes:
        crossing: The pass.
        frame: The ground.
        stem: The id without its ending, the same for both kinds of product.
        border: Old processors left noise at the near and the far edge.
        shift: Displacement of the whole item `(x, y)` [m].
        bend: Displacement that differs from place to place, beside the shift; None for nothing.
        all_nodata: The pixels are lost.
    """

    crossing: Pass
    frame: Frame
    stem: str
    border: bool
    shift: tuple[float, float]
    bend: Bend | None
    all_nodata: bool

    def displacement(self, _key: str = "") -> Displacement:
        """Return how far the item lies from its place, in all its layers."""
        return Displacement(*self.shift, self.bend)


class Sentinel1Items:
    """The records of `sentinel-1-grd` or `sentinel-1-rtc`. Threads may share it."""

    span = MISSION

    def __init__(self, kind: Literal["grd", "rtc"], settings: SandboxSettings) -> None:
        self.id, self._kind, self._settings = f"sentinel-1-{kind}", kind, settings
        self._layers = by_key(
            *(
                Layer(key, 1, "float32", unit="dB")
                if kind == "grd"
                else Layer(key, 1, "float32", nodata=NODATA_RTC)
                for key in ("vv", "vh")
            )
        )

    def find(
        self, footprint: BaseGeometry, span: Span | None, *, newest_first: bool = False
    ) -> Iterator[SandboxItem]:
        """Yield the items that share ground and time, ordered by time and id, lazily.

        Passes overlap: two satellites fly at once. What they saw is put in order as soon as no
        later pass can come before it.
        """
        ground = within_180(footprint)
        shapely.prepare(ground)
        wanted = span or MISSION
        known: dict[tuple[int, bool], tuple[Frame, ...]] = {}
        waiting: list[SandboxItem] = []
        flown = Span(wanted.start - PASS, wanted.end)
        for crossing in passes("sentinel-1", flown, newest_first=newest_first):
            edge = crossing.start + (PASS if newest_first else timedelta(0))
            done = [i for i in waiting if (i.datetime > edge) == newest_first]
            if done:
                waiting = [i for i in waiting if (i.datetime > edge) != newest_first]
                yield from _in_order(done, newest_first=newest_first)
            track = crossing.relative_orbit, crossing.ascending
            if track not in known:
                known[track] = tuple(frames_over(crossing, ground))
            seen = (self._item(crossing, frame) for frame in known[track])
            waiting += [item for item in seen if item.datetime in wanted]
        yield from _in_order(waiting, newest_first=newest_first)

    def get(self, item_id: str) -> SandboxItem:
        """Return one item.

        Raises:
            LookupError: There is no such item.
        """
        said = _ID.fullmatch(item_id)
        for item in self._stamped(said) if said else ():
            if item.id == item_id:
                return item
        raise LookupError(f'{self.id} has no item "{item_id}"')

    def defects(self, item: SandboxItem) -> dict[str, Any]:
        """Return which defects were planted in an item; JSON values, empty when none."""
        origin: S1Origin = item.origin
        found: dict[str, Any] = {}
        if origin.shift != (0.0, 0.0):
            found["shift_m"] = list(origin.shift)
        if origin.bend:
            found["bend"] = origin.bend.told()
        if origin.all_nodata:
            found["all_nodata"] = True
        if origin.border:
            found["border_noise"] = True
        return found

    def _stamped(self, said: re.Match[str]) -> Iterator[SandboxItem]:
        """Yield the item that starts in the second that an id states, if there is one."""
        try:
            start = datetime.strptime(said["start"], _STAMP).replace(tzinfo=UTC)
        except ValueError:
            return  # digits that are no date
        second = timedelta(seconds=1)
        for crossing in passes("sentinel-1", Span(start - PASS, start + second)):
            number = round((start + second / 2 - crossing.start).total_seconds() / FRAME_S)
            frame = frame_of(crossing, number)
            if frame is not None:
                yield self._item(crossing, frame)

    def _item(self, crossing: Pass, frame: Frame) -> SandboxItem:
        start = crossing.at(FRAME_S * frame.number)
        stop = crossing.at(FRAME_S * (frame.number + 1))
        stem = _stem(crossing, frame, start, stop)
        grd = f"{stem}_{crc32(stem.encode()) & 0xFFFF:04X}"
        return SandboxItem(
            id=grd if self._kind == "grd" else f"{stem}_rtc",
            collection=self.id,
            datetime=start + (stop - start) / 2,
            footprint=frame.footprint,
            properties=_properties(crossing, frame, start, stop),
            base=frame.base,
            layers=self._layers,
            origin=self._origin(crossing, frame, stem, start),
        )

    def _origin(self, crossing: Pass, frame: Frame, stem: str, start: datetime) -> S1Origin:
        defects = self._settings.defects
        seed = salt(self._settings.seed, f"defects:{stem}")
        draws = [float(hash01(seed, n)) for n in range(4)]
        reach = 2 * defects.shift_px * PIXEL_M
        shifted = draws[0] < defects.shift_rate
        return S1Origin(
            crossing=crossing,
            frame=frame,
            stem=stem,
            border=start < CLEAN_EDGES,
            shift=((draws[1] - 0.5) * reach, (draws[2] - 0.5) * reach) if shifted else (0.0, 0.0),
            bend=self._bend(stem) if shifted and defects.bend_px else None,
            all_nodata=draws[3] < defects.all_nodata,
        )

    def _bend(self, stem: str) -> Bend:
        seed = salt(self._settings.seed, f"bend:{stem}")
        draws = [float(hash01(seed, n)) for n in range(4)]
        return Bend.drawn(self._settings.defects.bend_px * PIXEL_M, draws)


def _in_order(items: list[SandboxItem], *, newest_first: bool) -> list[SandboxItem]:
    return sorted(items, key=lambda item: (item.datetime, item.id), reverse=newest_first)


def _numbers(crossing: Pass, frame: Frame) -> tuple[int, int]:
    """Return absolute and relative orbit of a frame; they change within ascending passes."""
    return crossing.numbers_at((frame.number + 0.5) * FRAME_S)


def _stem(crossing: Pass, frame: Frame, start: datetime, stop: datetime) -> str:
    return (
        f"{_unit(crossing)}_IW_GRDH_1SDV_{start.strftime(_STAMP)}_{stop.strftime(_STAMP)}_"
        f"{_numbers(crossing, frame)[0]:06d}_{_datatake(crossing):06X}"
    )


def _unit(crossing: Pass) -> str:
    """Return `S1A` or its like."""
    return f"S1{crossing.platform[-1].upper()}"


def _datatake(crossing: Pass) -> int:
    """Return the number of the data take: one per pass, growing with the orbits."""
    return crossing.absolute_orbit * 8 + (4 if crossing.ascending else 0)


def _properties(crossing: Pass, frame: Frame, start: datetime, stop: datetime) -> dict[str, Any]:
    """Return what the metadata of the real archives state."""
    unit = _unit(crossing)[-1]
    absolute, relative = _numbers(crossing, frame)
    height, width = frame.base.shape
    return {
        "start_datetime": format_utc(start),
        "end_datetime": format_utc(stop),
        "platform": crossing.platform,
        "constellation": "sentinel-1",
        "instruments": ["c-sar"],
        "sat:orbit_state": "ascending" if crossing.ascending else "descending",
        "sat:relative_orbit": relative,
        "sat:absolute_orbit": absolute,
        "sat:platform_international_designator": DESIGNATORS.get(unit, ""),
        "sar:instrument_mode": "IW",
        "sar:frequency_band": "C",
        "sar:center_frequency": 5.405,
        "sar:polarizations": ["VV", "VH"],
        "sar:product_type": "GRD",
        "sar:observation_direction": "right",
        "sar:resolution_range": 20,
        "sar:resolution_azimuth": 22,
        "sar:pixel_spacing_range": 10,
        "sar:pixel_spacing_azimuth": 10,
        "sar:looks_range": 5,
        "sar:looks_azimuth": 1,
        "sar:looks_equivalent_number": 4.4,
        "s1:shape": [width, height],
        "s1:resolution": "high",
        "s1:datatake_id": str(_datatake(crossing)),
        "s1:orbit_source": "RESORB",
        "s1:slice_number": str(frame.number + 1),
        "s1:total_slices": str(FRAMES),
        "s1:processing_level": "1",
        "s1:product_timeliness": "Fast-24h",
        "s1:instrument_configuration_ID": "6" if start < CLEAN_EDGES else "7",
    }
