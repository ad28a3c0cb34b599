"""Bands that Earth Engine has and the sandbox's archive has not, made of what the planet is.

They are collections like any other: added to an archive, its squares and its cache serve them.
Numbers of the cloud products are plausible, not those of the real detectors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry.base import BaseGeometry

from eodata.core.span import Span
from eodata.sandbox.clouds import THICK_CLOUD, THIN_CLOUD
from eodata.sandbox.items import Collection, Layer, SandboxItem, coarser
from eodata.sandbox.planet.planet import Planet
from eodata.sandbox.sensors.gridded import by_key
from eodata.sandbox.sensors.sentinel1_items import S1Origin
from eodata.sandbox.sensors.sentinel1_swath import strip_over
from eodata.sandbox.sensors.sentinel2 import swath
from eodata.sandbox.sensors.sentinel2_items import S2Origin
from eodata.sandbox.sensors.view import Facts, Spot, facts_at
from eodata.sandbox.weather import Weather

Bands = dict[str, NDArray[np.generic]]
Paint = Callable[[SandboxItem, Sequence[str], GeoBox], Bands]
OPAQUE, CIRRUS = 1 << 10, 1 << 11
"""Bits of QA60."""
QUALITY = by_key(
    Layer("probability", 1, "uint8", nodata=255),
    Layer("cs", 1, "float32"),
    Layer("cs_cdf", 1, "float32"),
    Layer("QA60", 6, "uint16", nodata=65_535),
    Layer("MSK_CLDPRB", 2, "uint8", nodata=255),
    Layer("MSK_SNWPRB", 2, "uint8", nodata=255),
)
ANGLE = by_key(Layer("angle", 1, "float32", unit="degrees"))


class Derived:
    """The items of another collection with other layers. Threads may share it.

    Attributes:
        id: Of the collection.
    """

    def __init__(
        self, parent: Collection, name: str, layers: Mapping[str, Layer], paint: Paint
    ) -> None:
        """Take what the layers are made of.

        Args:
            parent: Whose items are taken.
            name: Follows the parent's id.
            layers: By key.
            paint: From an item of the parent, keys of layers and a part of its base grid to their
                numbers; see `Collection.render`.
        """
        self.id, self.span = f"{parent.id}-{name}", parent.span
        self.title = self.description = f"{parent.title}: {', '.join(layers)}"
        self._parent, self._layers, self._paint = parent, layers, paint

    def beside(self, item: SandboxItem) -> SandboxItem:
        """Return the item that stands beside one of the parent."""
        return replace(item, collection=self.id, layers=self._layers, origin=item)

    def find(
        self, footprint: BaseGeometry, span: Span | None, *, newest_first: bool = False
    ) -> Iterator[SandboxItem]:
        """Yield the items that share ground and time, in the parent's order, lazily."""
        return map(self.beside, self._parent.find(footprint, span, newest_first=newest_first))

    def get(self, item_id: str) -> SandboxItem:
        """Return one item.

        Raises:
            LookupError: There is no such item.
        """
        return self.beside(self._parent.get(item_id))

    def render(self, item: SandboxItem, keys: Sequence[str], base: GeoBox) -> Bands:
        """Return the numbers of some layers; see `Collection.render`."""
        return self._paint(item.origin, keys, base)

    def truth(self, item: SandboxItem, base: GeoBox) -> Bands:
        """Return what holds behind the parent's numbers."""
        return self._parent.truth(item.origin, base)

    def defects(self, item: SandboxItem) -> dict[str, Any]:
        """Return which defects were planted in the parent's item."""
        return self._parent.defects(item.origin)


def quality(parent: Collection, planet: Planet, weather: Weather) -> Derived:
    """Return how clear the sky was over items of Sentinel-2, in the words of several detectors."""

    def paint(item: SandboxItem, keys: Sequence[str], base: GeoBox) -> Bands:
        return {key: _seen(item.origin, key, base, planet, weather) for key in keys}

    return Derived(parent, "quality", QUALITY, paint)


def angle(parent: Collection, seed: int) -> Derived:
    """Return the angle of incidence of items of Sentinel-1 [degrees], on the ellipsoid."""

    def paint(item: SandboxItem, keys: Sequence[str], base: GeoBox) -> Bands:
        origin: S1Origin = item.origin
        strip = strip_over(origin, base, seed)
        shown = (strip.inside | strip.border) & (not origin.all_nodata)
        return dict.fromkeys(keys, np.where(shown, strip.incidence, np.float32(np.nan)))

    return Derived(parent, "angle", ANGLE, paint)


def _seen(
    origin: S2Origin, key: str, base: GeoBox, planet: Planet, weather: Weather
) -> NDArray[np.generic]:
    layer = QUALITY[key]
    grid, missing = coarser(base, layer.ratio), layer.nodata
    missing = np.nan if missing is None else missing
    if origin.all_nodata or not swath(origin.crossing, grid).any():
        nothing: NDArray[np.generic] = np.full(grid.shape, missing, layer.dtype)
        return nothing
    facts = facts_at(_spot(origin, grid), grid, planet, weather)
    numbers: NDArray[np.generic] = _MADE[key](facts).astype(layer.dtype)
    numbers[~swath(origin.crossing, grid)] = missing
    return numbers


def _spot(origin: S2Origin, base: GeoBox) -> Spot:
    return Spot(
        base=base,
        time=origin.sensed,
        frozen=origin.crossing.start,
        zenith=origin.sun_zenith,
        azimuth=origin.sun_azimuth,
        displacement=origin.displacement(),
    )


def _probability(facts: Facts) -> NDArray[Any]:
    """Return 0 to 100: about 70 where thick clouds begin to count, a few under haze."""
    sky = facts.sky
    depth = 0.6 * sky.thick + 1.2 * sky.thin + 0.05 * sky.haze
    return np.asarray(np.rint(100 * (1 - np.exp(-depth))))


def _score(facts: Facts) -> NDArray[Any]:
    """Return how much of the ground can be seen, 0 to 1: less in shadow, too."""
    sky = facts.sky
    depth = 0.35 * sky.thick + sky.thin + 0.1 * sky.haze
    return np.asarray(np.clip(sky.sunlit, 0, 1) * np.exp(-depth))


def _bits(facts: Facts) -> NDArray[Any]:
    opaque = facts.sky.thick > THICK_CLOUD
    cirrus = (facts.sky.thin > THIN_CLOUD) & ~opaque
    return np.asarray(opaque * OPAQUE + cirrus * CIRRUS)


_MADE: Mapping[str, Callable[[Facts], NDArray[Any]]] = {
    "probability": _probability,
    "MSK_CLDPRB": _probability,
    "MSK_SNWPRB": lambda facts: np.rint(100 * facts.season.snow),
    "QA60": _bits,
    "cs": _score,
    "cs_cdf": lambda facts: _score(facts) ** 0.8,
}
