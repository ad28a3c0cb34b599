"""What every provider must do. A provider's own tests subclass `ProviderSuite`.

```python
class TestArchive(ProviderSuite):
    @pytest.fixture
    def provider(self): ...
    @pytest.fixture
    def query(self): ...      # a span, and at least two items at different times
    @pytest.fixture
    def reads(self): ...      # bands of those items
    @pytest.fixture
    def geobox(self): ...     # a grid on their ground
```
"""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.protocols import Pixels, Provider
from eodata.core.span import Span


def same_pixels(one: Pixels, other: Pixels) -> bool:
    pairs = [*zip(one.values, other.values, strict=True), *zip(one.valid, other.valid, strict=True)]
    return all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in pairs)


class ProviderSuite:
    """The contract of `eodata.core.protocols.Provider`."""

    @pytest.fixture
    def items(self, provider, query):
        found = provider.search(query)
        assert len({i.datetime for i in found}) >= 2, "the suite's query must find two times"
        return found

    def test_it_is_a_provider(self, provider):
        assert isinstance(provider, Provider)
        assert provider.name
        assert isinstance(provider.synthetic, bool)

    def test_search_is_ordered_by_time_and_id(self, items):
        assert list(items) == sorted(items, key=lambda i: (i.datetime, i.id))

    def test_search_names_no_item_twice(self, items):
        assert len({i.id for i in items}) == len(items)

    def test_search_returns_items_of_the_collection_that_share_ground(self, items, query):
        assert {i.collection for i in items} == {query.collection}
        assert all(i.footprint.intersection(query.footprint).area > 0 for i in items)

    def test_search_includes_the_start_and_excludes_the_end(self, provider, query, items):
        first, last = items[0].datetime, items[-1].datetime
        found = provider.search(replace(query, span=Span(first, last)))
        expected = [i.id for i in items if first <= i.datetime < last]
        assert [i.id for i in found] == expected
        assert items[0].id in expected

    def test_search_without_span_ignores_time(self, provider, query, items):
        found = {i.id for i in provider.search(replace(query, span=None))}
        assert {i.id for i in items} <= found

    def test_search_of_an_empty_span_finds_nothing(self, provider, query, items):
        gap = Span(items[0].datetime - timedelta(days=36500), items[0].datetime - timedelta(36499))
        assert list(provider.search(replace(query, span=gap))) == []

    def test_search_repeats_itself(self, provider, query, items):
        assert provider.search(query) == items

    def test_items_survive_json(self, items):
        for item in items:
            again = Item.from_json(item.to_json())
            assert again.to_json() == item.to_json()

    def test_items_name_no_path_of_this_machine(self, items):
        assert not [a.href for i in items for a in i.assets.values() if a.href.startswith("/")]

    def test_an_unknown_collection_is_a_provider_error(self, provider, query):
        with pytest.raises(ProviderError):
            provider.search(replace(query, collection="no-such-collection"))

    def test_read_fills_the_grid_with_every_band(self, provider, items, reads, geobox):
        pixels = provider.read(items[0], reads, geobox)
        assert [v.shape for v in pixels.values] == [tuple(geobox.shape)] * len(reads)
        assert [v.shape for v in pixels.valid] == [tuple(geobox.shape)] * len(reads)
        assert {v.dtype for v in pixels.valid} == {np.dtype(bool)}
        assert all(v.any() for v in pixels.valid)
        assert pixels.bytes_read > 0

    def test_read_keeps_the_order_of_the_bands(self, provider, items, reads, geobox):
        forward = provider.read(items[0], reads, geobox)
        backward = provider.read(items[0], tuple(reversed(reads)), geobox)
        assert same_pixels(
            forward, replace(backward, values=backward.values[::-1], valid=backward.valid[::-1])
        )

    def test_read_repeats_itself(self, provider, items, reads, geobox):
        one, other = (provider.read(items[0], reads, geobox) for _ in range(2))
        assert same_pixels(one, other)

    def test_threads_may_share_it(self, provider, items, reads, geobox):
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(provider.read, items[k % 2], reads, geobox) for k in range(8)]
        expected = [provider.read(item, reads, geobox) for item in items[:2]]
        assert all(same_pixels(job.result(), expected[k % 2]) for k, job in enumerate(jobs))

    @pytest.fixture
    def away(self, geobox):
        """A grid off the ground of every item; items that span continents need another."""
        shift = Affine.translation(50 * geobox.shape[1], 50 * geobox.shape[0])
        return GeoBox(geobox.shape, geobox.affine @ shift, geobox.crs)

    def test_read_far_away_is_invalid(self, provider, items, reads, away):
        assert not any(v.any() for v in provider.read(items[0], reads, away).valid)

    def test_a_missing_asset_is_a_provider_error_that_names_item_and_key(
        self, provider, items, reads, geobox
    ):
        wrong = replace(reads[0], asset="no-such-asset")
        with pytest.raises(ProviderError) as error:
            provider.read(items[0], (wrong,), geobox)
        assert items[0].id in str(error.value)
        assert "no-such-asset" in error.value.found

    def test_it_survives_a_pickle(self, provider, query, items, reads, geobox):
        twin = pickle.loads(pickle.dumps(provider))  # noqa: S301 (our own bytes)
        assert twin.search(query) == items
        assert same_pixels(
            twin.read(items[0], reads, geobox), provider.read(items[0], reads, geobox)
        )
