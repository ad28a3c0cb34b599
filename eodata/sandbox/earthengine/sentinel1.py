"""Sentinel-1 in Earth Engine's words: `COPERNICUS/S1_GRD`, sigma nought in decibels, with angle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from shapely.geometry.base import BaseGeometry

from eodata.core.span import Span, parse_utc
from eodata.sandbox.earthengine.derived import Derived
from eodata.sandbox.earthengine.images import CatalogueImage, Leaf
from eodata.sandbox.earthengine.shelves import make_image, to_ms
from eodata.sandbox.items import Collection, SandboxItem

FRAME = timedelta(seconds=30)
"""Longer than a frame takes; items of the sandbox are dated by their middle."""


class Sentinel1Shelf:
    """The collection. Threads may share it."""

    id, title = "COPERNICUS/S1_GRD", "Simulated Sentinel-1 GRD, sigma nought [dB]"

    def __init__(self, source: Collection, angle: Derived) -> None:
        """Take the frames.

        Args:
            source: `sentinel-1-grd`.
            angle: Their angle of incidence.
        """
        self.span = source.span
        self._source, self._angle = source, angle

    def images(self, ground: BaseGeometry, span: Span) -> Iterator[CatalogueImage]:
        """Yield images as `Shelf` does."""
        for item in self._source.find(ground, Span(span.start, span.end + FRAME)):
            image = self._image(item)
            if image.start in span:
                yield image

    def image(self, index: str) -> CatalogueImage:
        """Return one image as `Shelf` does."""
        return self._image(self._source.get(index))

    def _image(self, item: SandboxItem) -> CatalogueImage:
        bands = {key.upper(): Leaf(item, key, "float32") for key in item.layers}
        bands["angle"] = Leaf(self._angle.beside(item), "angle", "float32")
        times = (parse_utc(item.properties[f"{end}_datetime"]) for end in ("start", "end"))
        start, end = times
        return make_image(self.id, item.id, bands, _properties(item), (start, end), item.footprint)


def _properties(item: SandboxItem) -> dict[str, Any]:
    """Return what the metadata state, under Earth Engine's names."""
    said = item.properties
    absolute, relative = said["sat:absolute_orbit"], said["sat:relative_orbit"]
    return {
        "familyName": "SENTINEL-1",
        "platform_number": said["platform"][-1].upper(),
        "instrumentMode": said["sar:instrument_mode"],
        "instrumentSwath": said["sar:instrument_mode"],
        "transmitterReceiverPolarisation": list(said["sar:polarizations"]),
        "orbitProperties_pass": said["sat:orbit_state"].upper(),
        "orbitNumber_start": absolute,
        "orbitNumber_stop": absolute,
        "relativeOrbitNumber_start": relative,
        "relativeOrbitNumber_stop": relative,
        "missionDataTakeID": int(said["s1:datatake_id"]),
        "productClass": "S",
        "productType": said["sar:product_type"],
        "resolution": "H",
        "resolution_meters": 10,
        "sliceNumber": int(said["s1:slice_number"]),
        "totalSlices": int(said["s1:total_slices"]),
        "sliceProductFlag": "true",
        "segmentStartTime": to_ms(parse_utc(said["start_datetime"])),
    }
