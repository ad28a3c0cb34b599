"""What the floors above must bring: a provider of pixels, a sink for them, a ledger of outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry.base import BaseGeometry

from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.outcome import FREE, Cost, ShardFile, TaskResult
from eodata.core.plan import Task
from eodata.core.reproject import shares_ground
from eodata.core.span import Span
from eodata.core.where import EVERYTHING, Where


@dataclass(frozen=True, slots=True)
class Query:
    """What a provider is asked for.

    Attributes:
        collection: The provider's name of the collection.
        footprint: Ground that the items must touch, EPSG:4326.
        span: Time of acquisition; None for static layers.
        where: Conditions on the properties of the items.
    """

    collection: str
    footprint: BaseGeometry
    span: Span | None
    where: Where = EVERYTHING

    def admits(self, item: Item) -> bool:
        """Return True for an item that shares ground and time with it and matches its filter.

        Prepare the footprint (`shapely.prepare`) when many are asked about.
        """
        return (
            item.lies_in(self.span)
            and self.where.matches(item.properties)
            and shares_ground(self.footprint, item.footprint)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """One item on one grid, several bands.

    Attributes:
        values: Per band `(H, W)`, the file's own DN and dtype, resampled.
        valid: Per band `(H, W)` bool, True = measured.
        bytes_read: Bytes read from the source before resampling.
        requests: Requests that it took, failed attempts included.
        retried: Attempts among them that failed and were made again.
    """

    values: tuple[NDArray[np.generic], ...]
    valid: tuple[NDArray[np.bool_], ...]
    bytes_read: int = 0
    requests: int = 0
    retried: int = 0

    @property
    def cost(self) -> Cost:
        """What it took."""
        return Cost(self.bytes_read, self.requests, self.retried)


@runtime_checkable
class Provider(Protocol):
    """A transport to an archive. Raises `ProviderError` and nothing else; never retries."""

    name: str
    """As recipes spell it."""
    synthetic: bool
    """True when its pixels are simulated."""

    def search(self, query: Query) -> Sequence[Item]:
        """Return the items that match, ordered by time and id, without duplicates.

        Raises:
            ProviderError: The archive cannot be read.
        """
        ...

    def check_access(self, item: Item, reads: Sequence[BandRead]) -> None:
        """Raise when files like these cannot be opened here for want of credentials.

        Raises:
            AuthError: With what to do.
        """
        ...

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        """Read bands of one item onto a grid.

        Raises:
            ProviderError: A file is missing or damaged; never an array of zeros instead.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """One image that an archive made of several acquisitions.

    Attributes:
        values: Per band `(H, W)`, the store's DN; 0 or NaN where not valid.
        valid: `(H, W)` bool, True where any acquisition was usable in every band.
        origin: `(H, W)`, position of the acquisition that each pixel came from, -1 for none; None
            where every pixel came from all.
        cost: Bytes and requests that it took.
    """

    values: tuple[NDArray[np.generic], ...]
    valid: NDArray[np.bool_]
    origin: NDArray[np.int16] | None
    cost: Cost


@runtime_checkable
class Composer(Protocol):
    """A provider whose archive can make composites itself."""

    def compose(
        self,
        passes: Sequence[Sequence[Item]],
        reads: Sequence[BandRead],
        geobox: GeoBox,
        by: str,
        rule: tuple[BandRead, tuple[int, ...]] | None,
    ) -> Composed | None:
        """Return the composite that would come of reading every item onto the grid.

        Args:
            passes: The items of each acquisition. The first item of one that is usable at a pixel
                fills it; the first acquisition is on top.
            reads: Bands.
            geobox: The grid.
            by: `median`, per pixel and band; `highest:BAND`, the acquisition that is usable and in
                which this band, as stored, is highest, of equal ones the first; else the first
                acquisition that is usable.
            rule: A band of classes, and those under which an item is not usable.

        Returns:
            None where the archive would make other pixels than reading would, or there is nothing
            to read: then read.

        Raises:
            ProviderError: The archive does not deliver.
        """
        ...


class Sink(Protocol):
    """Takes finished shards. One task writes its shards, alone."""

    def write(
        self, task: Task, values: NDArray[np.generic], valid: NDArray[np.bool_]
    ) -> tuple[ShardFile, ...]:
        """Write one shard of values `(N, T, C, H, W)` and one of valid `(N, T, H, W)`.

        Raises:
            StoreError: The disk refuses; nothing half-written stays behind.
        """
        ...


class Ledger(Protocol):
    """Remembers what happened, through crashes."""

    def finished(self) -> Mapping[str, bool]:
        """Return True per finished task without failures, False per task with failures."""
        ...

    def start(self, task: str, attempt: int) -> None:
        """Note that a task was handed out."""
        ...

    def finish(self, result: TaskResult, attempt: int) -> None:
        """Note that a task ended; its shards are on disk."""
        ...

    def fail(
        self, task: str, attempt: int, reason: str, *, retryable: bool, cost: Cost = FREE
    ) -> None:
        """Note that a task could not be run at all, and what that took."""
        ...
