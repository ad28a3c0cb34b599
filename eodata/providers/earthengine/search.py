"""From a question to the images of a collection, page by page."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import shapely
from shapely.geometry import box, mapping
from shapely.geometry.base import BaseGeometry

from eodata.core.protocols import Query
from eodata.core.reproject import split_at_date_line
from eodata.core.span import Span, format_utc, parse_utc
from eodata.providers.earthengine.governor import Governor, Traffic
from eodata.providers.earthengine.session import JSON, Client

PAGE = 500
"""Images per page."""
SLACK = timedelta(hours=1)
ROUNDING = 1.25
"""Months and years differ in length."""
PAD_DEG = 0.01
"""Edges of regions are great circles to the server; so much room, and a point per degree, keep the
box inside them."""
POINTS_PER_SIDE = 20


class Search:
    """The search of one Earth Engine. Threads may share it."""

    def __init__(self, client: Client, governor: Governor) -> None:
        self._client, self._governor = client, governor
        self._lock = threading.Lock()
        self._periods: dict[str, timedelta] = {}

    def images(self, query: Query) -> list[JSON]:
        """Return the images that match, each once, in no order.

        The answer may hold images beside the wanted ground and time; the caller looks again.

        Raises:
            ProviderError: There is no such collection, or the server does not answer.
        """
        found: dict[str, JSON] = {}
        for part in _parts(query.footprint):
            asked: dict[str, Any] = {"parent": query.collection, "region": region_of(part)}
            if query.span is not None:
                period = self._period(asked)
                if period is None:
                    continue
                asked |= _times(query.span, period)
            found |= {str(image["name"]): image for image in self._pages(asked)}
        return list(found.values())

    def _pages(self, asked: dict[str, Any]) -> Iterator[JSON]:
        page = self._ask({**asked, "pageSize": PAGE})
        yield from page.get("images") or ()
        while page.get("nextPageToken"):
            token = page["nextPageToken"]
            page = self._ask({**asked, "pageSize": PAGE, "pageToken": token})
            yield from page.get("images") or ()

    def _period(self, asked: JSON) -> timedelta | None:
        """Return how long images of a collection last, None when there are none on this ground.

        The server finds images that begin after one time and end before another. Those that last
        over an edge of the span lie beside it by their own length at most.
        """
        collection = str(asked["parent"])
        with self._lock:
            if collection in self._periods:
                return self._periods[collection]
        first = (self._ask({**asked, "pageSize": 1}).get("images") or [None])[0]
        if first is None:
            return None
        start, end = first.get("startTime"), first.get("endTime")
        lasts = parse_utc(end) - parse_utc(start) if start and end else timedelta(0)
        with self._lock:
            return self._periods.setdefault(collection, lasts)

    def _ask(self, asked: JSON) -> JSON:
        return self._governor.run(lambda: self._client.list_images(asked), Traffic())


def region_of(ground: BaseGeometry) -> dict[str, Any]:
    """Return a box around the ground as GeoJSON, whose edges hold the ground as great circles."""
    west, south, east, north = ground.bounds
    step = max(1.0, max(east - west, north - south) / POINTS_PER_SIDE)
    pad = PAD_DEG * step * step
    outer = box(
        max(west - pad, -180), max(south - pad, -90), min(east + pad, 180), min(north + pad, 90)
    )
    found: dict[str, Any] = mapping(shapely.set_precision(shapely.segmentize(outer, step), 1e-6))
    return {"type": found["type"], "coordinates": [[list(xy) for xy in found["coordinates"][0]]]}


def _parts(ground: BaseGeometry) -> list[BaseGeometry]:
    """Return the ground, in two parts when it lies on both sides of the date line."""
    cut = split_at_date_line(ground)
    if cut.bounds[2] - cut.bounds[0] <= 180.0:
        return [cut]
    sides = (box(-180, -90, 0, 90), box(0, -90, 180, 90))
    return [part for part in (cut.intersection(side) for side in sides) if not part.is_empty]


def _times(span: Span, period: timedelta) -> dict[str, str]:
    """Return the times to ask for, in whole seconds."""
    room = period * ROUNDING + SLACK
    return {
        "startTime": _second(span.start - period * ROUNDING),
        "endTime": _second(span.end + room),
    }


def _second(instant: datetime) -> str:
    return format_utc(instant.astimezone(UTC).replace(microsecond=0))
