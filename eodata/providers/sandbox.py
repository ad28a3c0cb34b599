"""The provider `sandbox`: a simulated Earth in this process, without files or network.

Every item says which world it was found in, and pixels are read from that world or not at all. It
is never chosen by itself: recipe or command line must name it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import numpy as np
import shapely
from odc.geo.geobox import GeoBox

from eodata.core.errors import ProviderError, nearest
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead
from eodata.core.protocols import Pixels, Query
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.span import format_utc, parse_utc
from eodata.providers.loaded import Loaded, Window, needed_window
from eodata.providers.source import Values
from eodata.providers.warp import read_onto
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.items import Layer, SandboxItem

WORLD = "sandbox:world"
"""Property of every item: which world it was found in."""


class SandboxProvider:
    """One simulated Earth and its archives.

    Cheap to pickle: the world is a function of its settings. Threads may share an instance.

    Args:
        settings: Which Earth, with which defects.
    """

    name = "sandbox"
    synthetic = True

    def __init__(self, settings: SandboxSettings) -> None:
        self.archive = _archive(settings)

    @classmethod
    def open(cls, location: str) -> SandboxProvider:
        """Open the world that JSON settings describe; `""` is the world of the defaults."""
        return cls(SandboxSettings.model_validate_json(location or "{}"))

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return SandboxProvider.open, (self.archive.settings.model_dump_json(),)

    def search(self, query: Query) -> list[Item]:
        """Return the items that share ground and time with the query and match its filter.

        They are ordered by time and id.

        Raises:
            ProviderError: There is no such collection.
        """
        collections = self.archive.collections
        if query.collection not in collections:
            raise ProviderError(
                "sandbox",
                f'there is no collection "{query.collection}"',
                "",
                f"{nearest(query.collection, collections)} It has {', '.join(collections)}.",
            )
        found = collections[query.collection].find(query.footprint, query.span)
        wanted = (record for record in found if query.where.matches(record.properties))
        return [self._to_item(record) for record in wanted]

    def check_access(self, item: Item, reads: Sequence[BandRead]) -> None:
        """Do nothing: a simulated Earth needs no credentials."""

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        """Read bands of one item onto a grid, as `eodata.providers.warp.read_onto` does.

        Raises:
            ProviderError: The item or an asset is unknown, or belongs to another world.
        """
        record = self._record(item)
        for read in reads:
            if read.asset not in record.layers:
                raise ProviderError(
                    f"item {item.id}",
                    f'there is no asset "{read.asset}" for band {read.band.name}',
                    f"it has {', '.join(record.layers)}.",
                    "Correct the product's table.",
                )
        windows = _windows(record, {read.asset for read in reads}, geobox)
        loaded = self.archive.read_many(record, windows)
        # The numbers of the plane world are positions, whatever a layer's unit is.
        powers = self.archive.settings.mode != "plane"
        onto = [
            read_onto(
                _loaded(record, read, windows, loaded),
                geobox,
                read.resampling,
                decibel=powers and read.band.unit == "dB",
                scale=record.layers[read.asset].scale or read.band.scale,
            )
            for read in reads
        ]
        return Pixels(
            values=tuple(values for values, _, _ in onto),
            valid=tuple(valid for _, valid, _ in onto),
            bytes_read=sum(n_bytes for _, _, n_bytes in onto),
        )

    def _to_item(self, record: SandboxItem) -> Item:
        world = self.archive.settings.world
        return Item(
            id=record.id,
            collection=record.collection,
            datetime=record.datetime,
            # To a decimetre, so that a plan does not hang on the last bits of a projection.
            footprint=shapely.transform(record.footprint, lambda xy: np.round(xy, 6)),
            properties={**record.properties, WORLD: world},
            assets={
                key: _asset(layer, f"sandbox:{record.collection}/{record.id}/{key}")
                for key, layer in record.layers.items()
            },
            end=_end_of(record),
        )

    def _record(self, item: Item) -> SandboxItem:
        world = self.archive.settings.world
        if item.properties.get(WORLD) != world:
            raise ProviderError(
                f"item {item.id}",
                f"it was found in the world {item.properties.get(WORLD)}, and this one is {world}",
                "the same item has other pixels in another world.",
                "Use the settings of the sandbox that the plan was made with.",
            )
        try:
            return self.archive.collections[item.collection].get(item.id)
        except LookupError as error:
            raise ProviderError(
                f"item {item.id}",
                f"the sandbox has no such item: {error}",
                "the plan was made by another version.",
                "Plan again.",
            ) from None


@lru_cache(maxsize=2)
def _archive(settings: SandboxSettings) -> SandboxArchive:
    """Return the archive of a world, the same one for planning and for all workers of a process."""
    return SandboxArchive(settings)


def _loaded(
    record: SandboxItem, read: BandRead, windows: dict[str, Window], numbers: dict[str, Values]
) -> Loaded:
    """Return a layer as a source of the warp."""
    layer = record.layers[read.asset]
    grid, dtype = record.grid(layer.key), np.dtype(layer.dtype)
    if layer.key not in windows:
        return Loaded.empty(grid, dtype)
    nodata = read.band.nodata if layer.nodata is None else layer.nodata
    return Loaded(grid, dtype, windows[layer.key], numbers[layer.key], nodata=nodata)


def _end_of(record: SandboxItem) -> datetime | None:
    """Return the end of the period that a record stands for, None for an instant."""
    told = record.properties
    begins = told.get("start_datetime") == format_utc(record.datetime)
    return parse_utc(told["end_datetime"]) if begins else None


def _asset(layer: Layer, href: str) -> Asset:
    return Asset(
        key=layer.key, href=href, scale=layer.scale, offset=layer.offset, nodata=layer.nodata
    )


def _windows(record: SandboxItem, keys: set[str], geobox: GeoBox) -> dict[str, Window]:
    """Return what the warp will read of each layer; layers that it does not reach are left out."""
    needed = {key: needed_window(record.grid(key), geobox) for key in record.layers if key in keys}
    return {key: window for key, window in needed.items() if window is not None}
