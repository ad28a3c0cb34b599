"""What the two Sentinels share: a listing of their own that finds, names and spoils their items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from shapely.geometry.base import BaseGeometry

from eodata.core.span import Span
from eodata.sandbox.items import SandboxItem


class Listing(Protocol):
    """Knows which items there are, and nothing of their pixels."""

    id: str

    @property
    def span(self) -> Span:
        """Time that it covers."""
        ...

    def find(
        self, footprint: BaseGeometry, span: Span | None, *, newest_first: bool = False
    ) -> Iterator[SandboxItem]:
        """Yield items as `items.Collection` does."""
        ...

    def get(self, item_id: str) -> SandboxItem:
        """Return one item as `items.Collection` does."""
        ...

    def defects(self, item: SandboxItem) -> dict[str, Any]:
        """Return planted defects as `items.Collection` does."""
        ...


class Listed:
    """The part of a collection that its listing answers."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.id, self.span = listing.id, listing.span

    def find(
        self, footprint: BaseGeometry, span: Span | None, *, newest_first: bool = False
    ) -> Iterator[SandboxItem]:
        """Yield the items that share ground and time, ordered by time and id, lazily."""
        return self._listing.find(footprint, span, newest_first=newest_first)

    def get(self, item_id: str) -> SandboxItem:
        """Return one item.

        Raises:
            LookupError: There is no such item.
        """
        return self._listing.get(item_id)

    def defects(self, item: SandboxItem) -> dict[str, Any]:
        """Return which defects were planted in an item; JSON values, empty when none."""
        return self._listing.defects(item)
