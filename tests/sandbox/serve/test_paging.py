from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.core.span import Span
from eodata.sandbox.serve.flavours import flavour, offers
from eodata.sandbox.serve.listing import Key, Place, Query, hits
from eodata.sandbox.serve.paging import GIVEN_UP_AFTER_S, SHORT_AFTER_S, Pages, read_token, token
from eodata.sandbox.serve.refusals import RefusedError
from tests.sandbox.serve.fake_archive import fake_archive, worldcover

NEWEST, OLDEST = (), (Key("datetime", False),)
BY_CLOUD = (Key("eo:cloud_cover", True),)
TIED = (Key("datetime", True), Key("id", False))


def everything(archive):
    return Query(tuple(offers(flavour("sandbox"), archive.collections).values()))


def turn(pages, query, limit, *, keep=lambda _: True, most=500):
    """Return the pages of a listing as lists of ids, following the tokens."""
    start, found = None, []
    for _ in range(most):
        page = pages.page("same", start, limit, lambda place: hits(query, place), keep)
        found.append([hit.item.id for hit in page.hits])
        if page.next is None:
            return found
        start = read_token(page.next)
    pytest.fail("paging does not end")


@given(st.datetimes(timezones=st.just(UTC)), st.text(), st.text())
def test_a_token_is_read_back(time, collection, item):
    place = Place(time, collection, item)
    assert read_token(token(place)) == place
    assert token(place).isascii() and "=" not in token(place)


def test_the_first_page_has_a_token_too():
    assert read_token(token(None)) is None


@pytest.mark.parametrize("text", ["", "abc", "ä", "bnVsbA", "WyJ4IiwiYSIsImIiXQ", "{}", "e30"])
def test_a_token_of_somebody_else_is_refused(text):
    with pytest.raises(RefusedError, match="none of this server"):
        read_token(text)


@pytest.mark.parametrize("limit", [1, 7, 204, 1000])
@pytest.mark.parametrize("keys", [NEWEST, OLDEST, BY_CLOUD, TIED])
def test_pages_hold_every_item_once_and_in_order(keys, limit):
    archive = fake_archive()
    query = replace(everything(archive), keys=keys)
    listed = [hit.item.id for hit in hits(query)]
    found = turn(Pages(), query, limit)
    assert [name for page in found for name in page] == listed
    assert len(listed) == len(set(listed)) == sum(map(len, archive.collections.values()))
    assert all(len(page) == limit for page in found[:-1])
    assert len(found) == -(-len(listed) // limit)


@pytest.mark.parametrize("keys", [NEWEST, OLDEST, BY_CLOUD, TIED])
def test_a_listing_goes_on_after_any_place_without_memory(keys):
    query = replace(everything(fake_archive()), keys=keys)
    listed = list(hits(query))
    for number in range(0, len(listed) - 1, 13):
        after = [hit.item.id for hit in hits(query, listed[number].place)]
        assert after == [hit.item.id for hit in listed[number + 1 :]]


@pytest.mark.parametrize(("keys", "falling"), [(NEWEST, True), (OLDEST, False)])
def test_collections_are_merged_by_time(keys, falling):
    times = [hit.item.datetime for hit in hits(replace(everything(fake_archive()), keys=keys))]
    assert all(a >= b if falling else a <= b for a, b in pairwise(times))


def test_a_page_lists_no_more_than_it_needs():
    archive = fake_archive()
    found = hits(everything(archive))
    for _ in range(10):
        next(found)
    # One ahead of each collection at most: that is how they are merged.
    assert sum(c.handed_out for c in archive.collections.values()) <= 10 + 6


def test_collections_whose_time_is_over_are_not_asked():
    archive = fake_archive()
    dem = archive.collections["cop-dem-glo-30"]
    dem.span = Span(datetime(2021, 4, 22, tzinfo=UTC), datetime(2021, 4, 23, tzinfo=UTC))
    found = hits(everything(archive))
    for _ in range(150):
        next(found)
    assert dem.handed_out == 0


def test_going_on_does_not_list_what_is_past():
    archive = fake_archive()
    query = everything(archive)
    listed = list(hits(query))
    for collection in archive.collections.values():
        collection.handed_out = 0
    list(hits(query, listed[180].place))
    assert sum(c.handed_out for c in archive.collections.values()) < 40


def test_going_on_neither_repeats_nor_loses_what_stands_for_a_period():
    archive = fake_archive()
    maps = archive.collections["esa-worldcover"]
    maps._items = [
        replace(
            worldcover(3),
            id=f"map-{year}",
            datetime=datetime(year, 1, 1, tzinfo=UTC),
            properties={
                "start_datetime": f"{year}-01-01T00:00:00Z",
                "end_datetime": f"{year}-12-31T23:59:59Z",
            },
        )
        for year in (2020, 2021, 2022)
    ]
    span = Span(datetime(2021, 12, 5, tzinfo=UTC), datetime(2022, 2, 1, tzinfo=UTC))
    for keys in (NEWEST, OLDEST):
        query = replace(everything(archive), span=span, keys=keys)
        listed = [hit.item.id for hit in hits(query)]
        assert {"map-2021", "map-2022"} < set(listed) and "map-2020" not in listed
        again = [name for page in turn(Pages(), query, 4) for name in page]
        assert again == listed
        for hit in list(hits(query)):
            after = [h.item.id for h in hits(query, hit.place)]
            assert after == listed[listed.index(hit.item.id) + 1 :]


def test_sorting_puts_what_lacks_the_property_last_either_way():
    for descending in (True, False):
        query = replace(everything(fake_archive()), keys=(Key("eo:cloud_cover", descending),))
        covers = [hit.item.properties.get("eo:cloud_cover") for hit in hits(query)]
        known = [c for c in covers if c is not None]
        assert known == sorted(known, reverse=descending)
        assert covers[len(known) :] == [None] * (len(covers) - len(known))


def test_too_many_items_are_not_sorted(monkeypatch):
    monkeypatch.setattr("eodata.sandbox.serve.listing.MOST_SORTED", 50)
    with pytest.raises(RefusedError, match="more than 50 items") as refused:
        list(hits(replace(everything(fake_archive()), keys=BY_CLOUD)))
    assert refused.value.status == 400


def test_ids_are_looked_up_in_every_collection_and_still_filtered():
    archive = fake_archive()
    query = everything(archive)
    names = [hit.item.id for hit in islice(hits(query), 3)]
    before = archive.collections["cop-dem-glo-30"].handed_out
    found = hits(replace(query, ids=(*names, "no-such", names[0])))
    assert sorted(hit.item.id for hit in found) == sorted(names)
    assert archive.collections["cop-dem-glo-30"].handed_out == before
    early = Span(datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 2, 1, tzinfo=UTC))
    assert not list(hits(replace(query, ids=tuple(names), span=early)))


def test_a_duplicated_page_comes_twice_and_nothing_is_lost():
    query = everything(fake_archive())
    plain = turn(Pages(), query, 20)
    faulty = turn(Pages(lambda n, _: "duplicate" if n in (1, 4) else None), query, 20)
    assert faulty == [plain[0], plain[0], plain[1], plain[2], plain[2], *plain[3:]]


def test_a_skipped_page_is_missing_and_nothing_else():
    query = everything(fake_archive())
    plain = turn(Pages(), query, 20)
    faulty = turn(Pages(lambda n, _: "skip" if n == 3 else None), query, 20)
    assert faulty == plain[:2] + plain[3:]


def test_matches_are_counted_only_where_the_page_tells():
    query = everything(fake_archive())
    pages = Pages()

    def page(limit, start=None):
        return pages.page("", start, limit, lambda place: hits(query, place), lambda _: True)

    whole, part = page(1000), page(10)
    assert whole.matched == 204 and whole.next is None
    assert part.matched is None
    assert page(1000, part.last).matched is None


def test_kept_listings_are_not_shared_by_different_searches():
    query = everything(fake_archive())
    pages = Pages()
    first = pages.page("one", None, 5, lambda place: hits(query, place), lambda _: True)
    other = replace(query, offers=query.offers[:1])
    page = pages.page("other", first.last, 5, lambda place: hits(other, place), lambda _: True)
    assert {hit.offer.id for hit in page.hits} == {"sentinel-2-l1c"}


def test_a_slow_page_is_cut_short_and_the_rest_follows():
    query = everything(fake_archive())
    ticks = count(0, SHORT_AFTER_S / 3)
    pages = Pages(clock=lambda: next(ticks))
    found = turn(pages, query, 20)
    assert len(found[0]) < 20
    assert [n for page in found for n in page] == [h.item.id for h in hits(query)]


def test_a_search_that_finds_nothing_for_too_long_is_given_up():
    query = everything(fake_archive())
    ticks = count(0, GIVEN_UP_AFTER_S / 20)
    with pytest.raises(RefusedError, match="narrow the search") as refused:
        turn(Pages(clock=lambda: next(ticks)), query, 20, keep=lambda _: False)
    assert refused.value.status == 504


def test_time_runs_to_its_end():
    query = replace(everything(fake_archive()), keys=OLDEST)
    listed = list(hits(query))
    assert list(hits(query, listed[-1].place)) == []
    late = replace(listed[-1].place, time=datetime.max.replace(tzinfo=UTC) - timedelta(days=1))
    assert list(hits(query, late)) == []
