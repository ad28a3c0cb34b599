"""Grids that are moved: pixels that tell their own place show where they were read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from affine import Affine
from numpy.typing import NDArray
from odc.geo import CRS
from odc.geo.geobox import GeoBox

from eodata.build.moving import PART_PX, Move, MovedProvider
from eodata.core.band import Band
from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.outcome import Cost
from eodata.core.protocols import Pixels, Provider
from eodata.pipeline.coregister.field import Field
from tests.build.fields import item

Floats = NDArray[np.float64]
GSD = 10.0
ITEM = item("a")


class Places:
    """An archive whose band x holds the x of a pixel's centre, and y its y [m].

    Attributes:
        reads: Names of the bands and grid of every read so far.
        broken: The read that fails, counted from 1.
    """

    name = "places"
    synthetic = True

    def __init__(self, broken: int = 0) -> None:
        self.reads: list[tuple[str, GeoBox]] = []
        self.broken = broken

    def search(self, query: object) -> Sequence[Item]:
        return (ITEM,)

    def check_access(self, item: Item, reads: Sequence[BandRead]) -> None:
        raise ProviderError(item.id, "no access")

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        self.reads.append(("".join(r.band.name for r in reads), geobox))
        if len(self.reads) == self.broken:
            error = ProviderError(item.id, "HTTP 500", retryable=True)
            error.cost = Cost(0, 1, 0)
            raise error
        x, y = centres(geobox)
        found = tuple({"x": x, "y": y}[r.band.name[0]].astype(r.band.dtype) for r in reads)
        valid = tuple(numbers > 500_050 for numbers in (x for _ in reads))
        return Pixels(found, valid, bytes_read=100, requests=2, retried=1)


def centres(geobox: GeoBox) -> tuple[Floats, Floats]:
    height, width = geobox.shape
    cols, rows = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x, y = geobox.affine @ (cols, rows)
    return x, y


def window(rows: int, cols: int, gsd: float = GSD, left: float = 500_000.0) -> GeoBox:
    return GeoBox((rows, cols), Affine(gsd, 0, left, 0, -gsd, 5_600_000), CRS("EPSG:32631"))


def bands(*names: str) -> list[BandRead]:
    return [BandRead(Band(name, "continuous", "float64", GSD), name, "nearest") for name in names]


def shift_field(
    *terms: tuple[float, float],
    origin: tuple[float, float] = (150.0, 100.0),
    scale: float = 200.0,
) -> Field:
    """A field of (row, col) terms of 1, r, c, r², rc, c²."""
    return Field(np.array(terms), origin, scale, terms[0], 0.01, 1.0, 9)


def constant(row: float, col: float) -> Field:
    return shift_field((row, col))


AFFINE = ((1.5, -0.7), (0.8, -0.3), (-0.4, 1.1))
QUADRATIC = (*AFFINE, (1.6, -0.5), (-0.9, 0.6), (0.7, -1.2))


def shifts_seen(move: Move, geobox: GeoBox, places: Places | None = None) -> tuple[Floats, Floats]:
    """Return by how much the places of the pixels on a grid change (row, col) [px of 10 m]."""
    provider = MovedProvider(places or Places(), {ITEM.id: move})
    x, y = provider.read(ITEM, bands("x", "y"), geobox).values
    at_x, at_y = centres(geobox)
    return -(y - at_y) / GSD, (x - at_x) / GSD


def expected(one: Field, geobox: GeoBox, base: GeoBox) -> tuple[Floats, Floats]:
    """Return the shift of a field, measured on `base`, at the pixels of a grid [px of base]."""
    cols, rows = ~base.affine @ centres(geobox)
    found = one.at(rows.ravel() - 0.5, cols.ravel() - 0.5)  # fields count from middles
    return found[:, 0].reshape(geobox.shape), found[:, 1].reshape(geobox.shape)


# --- where pixels are read


@pytest.mark.parametrize("shift", [(2.0, -1.0), (0.25, 0.0), (0.0, 3.5)])
def test_constant_shift_then_pixels_are_read_where_they_stand(shift) -> None:
    grid = window(8, 12)
    rows, cols = shifts_seen(Move(grid, fields=(constant(*shift),)), grid)
    np.testing.assert_allclose(rows, shift[0], atol=1e-6)
    np.testing.assert_allclose(cols, shift[1], atol=1e-6)


def test_shift_of_2_rows_then_the_grid_lies_20_m_further_south() -> None:
    grid, places = window(8, 12), Places()
    shifts_seen(Move(grid, fields=(constant(2, -1),)), grid, places)
    moved = places.reads[0][1]
    assert (moved.affine.f, moved.affine.c) == (grid.affine.f - 20, grid.affine.c - 10)
    assert (moved.shape, moved.crs) == (grid.shape, grid.crs)


def test_several_fields_then_they_add_up() -> None:
    grid = window(8, 12)
    move = Move(grid, fields=(constant(2, -1), constant(0.5, 0.25)))
    rows, cols = shifts_seen(move, grid)
    np.testing.assert_allclose(rows, 2.5, atol=1e-6)
    np.testing.assert_allclose(cols, -0.75, atol=1e-6)
    np.testing.assert_allclose(move.at([0, 3], [1, 9]), [[2.5, -0.75]] * 2)


def test_affine_field_then_it_is_followed_exactly() -> None:
    grid, field = window(300, 280), shift_field(*AFFINE)
    found = shifts_seen(Move(grid, fields=(field,)), grid)
    for seen, true in zip(found, expected(field, grid, grid), strict=True):
        np.testing.assert_allclose(seen, true, atol=1e-6)
        assert np.ptp(seen) > 1


def test_quadratic_field_then_to_first_order_in_each_part() -> None:
    grid, field = window(600, 700), shift_field(*QUADRATIC)
    places = Places()
    found = shifts_seen(Move(grid, fields=(field,)), grid, places)
    assert len(places.reads) == 9
    curved = np.abs(QUADRATIC[3:]).T * (PART_PX / field.scale) ** 2
    for k, true in enumerate(expected(field, grid, grid)):
        off = np.abs(found[k] - true)
        # The plane through the middle of four corners is off by a quarter of every second degree.
        assert off.max() <= curved[k] @ (0.25, 0.25, 0.25) + 1e-6


def test_field_of_longer_pixels_then_its_shift_counts_their_length() -> None:
    grid, longer = window(300, 280), window(100, 94, 30.0)
    field = shift_field(*AFFINE, origin=(50, 47), scale=60)
    move = Move(grid, scale=3, fields=(field,))
    found = shifts_seen(move, grid)
    for seen, true in zip(found, expected(field, grid, longer), strict=True):
        np.testing.assert_allclose(seen, 3 * true, atol=1e-6)
    np.testing.assert_allclose(move.at([151.5], [142.5]), [[4.5, -2.1]])


@pytest.mark.parametrize(("gsd", "left"), [(20.0, 500_000.0), (5.0, 500_000.0), (20.0, 499_000.0)])
def test_grid_of_other_pixels_then_the_ground_moves_alike(gsd: float, left: float) -> None:
    base, field = window(300, 280), shift_field(*AFFINE)
    grid = window(90, 80, gsd, left)
    found = shifts_seen(Move(base, fields=(field,)), grid)
    for seen, true in zip(found, expected(field, grid, base), strict=True):
        np.testing.assert_allclose(seen, true, atol=1e-6)


# --- bands


def test_bands_with_shifts_of_their_own_then_they_are_read_apart() -> None:
    grid, places = window(8, 12), Places()
    shifts = {"x1": (0.0, 0.5), "y1": (1.0, 0.0), "x2": (0.0, 0.5)}
    move = Move(grid, fields=(constant(2, -1),), bands=shifts)
    provider = MovedProvider(places, {ITEM.id: move})
    found = provider.read(ITEM, bands("x", "x1", "y", "y1", "x2"), grid)
    assert [names for names, _ in places.reads] == ["xy", "x1x2", "y1"]
    x, y = centres(grid)
    east = [numbers - x for numbers in (found.values[i] for i in (0, 1, 4))]
    south = [y - numbers for numbers in (found.values[i] for i in (2, 3))]
    np.testing.assert_allclose(np.mean(east, (1, 2)), [-10, -5, -5])
    np.testing.assert_allclose(np.mean(south, (1, 2)), [20, 30])
    assert found.cost == Cost(300, 6, 3)


def test_shift_of_bands_on_other_pixels_then_in_pixels_of_the_window() -> None:
    base, grid = window(300, 280), window(90, 80, 20.0)
    move = Move(base, scale=3, bands={"x": (0.0, 2.0)})
    found = MovedProvider(Places(), {ITEM.id: move}).read(ITEM, bands("x"), grid)
    np.testing.assert_allclose(found.values[0] - centres(grid)[0], 20.0)


# --- what else is kept


def test_parts_then_every_band_keeps_its_type_and_its_valid_pixels() -> None:
    grid = window(PART_PX + 2, PART_PX + 3)
    wide = BandRead(Band("x", "continuous", "float32", GSD), "x", "nearest")
    provider = MovedProvider(Places(), {ITEM.id: Move(grid, fields=(shift_field(*AFFINE),))})
    found = provider.read(ITEM, [*bands("y"), wide], grid)
    assert [str(numbers.dtype) for numbers in found.values] == ["float64", "float32"]
    for valid in found.valid:
        np.testing.assert_array_equal(valid, found.values[1] > 500_050)
    assert 0 < found.valid[0].mean() < 1
    assert found.cost == Cost(400, 8, 4)


@pytest.mark.parametrize("moves", [{}, {"other": Move(window(4, 4), fields=(constant(1, 1),))}])
def test_item_without_a_move_then_it_is_read_as_it_is(moves) -> None:
    grid, places = window(300, 280), Places()
    found = MovedProvider(places, moves).read(ITEM, bands("x", "y"), grid)
    assert places.reads == [("xy", grid)]
    np.testing.assert_array_equal(found.values[0], centres(grid)[0])
    assert found.cost == Cost(100, 2, 1)


def test_move_of_nothing_then_it_is_read_as_it_is() -> None:
    grid, places = window(8, 12), Places()
    MovedProvider(places, {ITEM.id: Move(grid)}).read(ITEM, bands("x"), grid)
    assert places.reads == [("x", grid)]
    np.testing.assert_array_equal(Move(grid).at([0, 1], [2, 3]), np.zeros((2, 2)))


def test_constant_shift_then_one_read_of_any_window() -> None:
    grid, places = window(PART_PX + 44, 3 * PART_PX), Places()
    shifts_seen(Move(grid, fields=(constant(1, 1),)), grid, places)
    assert len(places.reads) == 1


def test_everything_but_reading_is_the_providers_own() -> None:
    provider: Provider = MovedProvider(Places(), {})
    assert isinstance(provider, Provider)
    assert (provider.name, provider.synthetic) == ("places", True)
    assert provider.search(None) == (ITEM,)  # type: ignore[arg-type]
    with pytest.raises(ProviderError, match="no access"):
        provider.check_access(ITEM, [])


def test_part_that_cannot_be_read_then_the_error_tells_what_all_parts_took() -> None:
    grid = window(PART_PX + 2, PART_PX + 3)
    move = Move(grid, fields=(shift_field(*AFFINE),))
    with pytest.raises(ProviderError) as failed:
        MovedProvider(Places(broken=3), {ITEM.id: move}).read(ITEM, bands("x"), grid)
    assert failed.value.cost == Cost(200, 5, 2)
