"""The plane world: numbers that are positions."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from eodata.sandbox import plane
from eodata.sandbox.cells import cell_grid
from eodata.sandbox.items import coarser
from tests.sandbox.making import BASE, START, make_item


def test_floats_are_the_position_of_the_centre():
    item = make_item()
    numbers = plane.render(item, "other", BASE[100:140, 300:360])
    assert plane.meaning(item, "other") == "y"
    assert numbers[0, 0] == 100.5
    assert (np.diff(numbers, axis=0) == 1).all()
    assert (np.diff(numbers, axis=1) == 0).all()


def test_sixteen_bits_tell_a_thirty_second_of_a_pixel():
    item = make_item()
    numbers = plane.render(item, "fine", BASE[:4, 10:20]).astype(int)
    assert (np.diff(numbers, axis=1) == plane.PER_PX).all()
    exact = plane.number_at(item, "fine", np.arange(10, 20) + 0.5, np.zeros(10))
    assert np.abs(numbers[0] - exact).max() <= 0.5


def test_the_wave_is_continuous_and_stays_in_its_range():
    item = make_item()
    col = np.linspace(0, 5000, 100_001)
    numbers = plane.number_at(item, "fine", col, np.zeros(col.shape))
    assert np.abs(np.diff(numbers)).max() <= plane.PER_PX * 0.0501
    assert numbers.min() == 1
    assert numbers.max() == pytest.approx(1 + plane.PER_PX * plane.TURN_PX)


def test_coarse_layers_are_asked_at_the_centre_of_their_own_pixels():
    item = make_item()
    numbers = plane.render(item, "middle", BASE[:480, 480:960])
    expected = plane.number_at(item, "middle", np.array([481.0]), np.array([1.0]))
    assert plane.meaning(item, "middle") == "x-hundreds"
    assert numbers.shape == (240, 240)
    assert numbers[0, 0] == round(float(expected[0]))


def test_overviews_are_asked_at_the_centre_of_their_own_pixels():
    item = make_item()
    numbers = plane.render(item, "other", cell_grid(item, 4, 0, 0))
    assert numbers[0, 0] == 2.0
    assert item.grid("other", 4) == coarser(BASE, 4)


def test_time_is_a_number_too():
    numbers = [plane.render(make_item(day=d), "coarse", BASE[:6, :6])[0, 0] for d in (0, 1, 250)]
    days = (START - plane.DAYS_FROM) / timedelta(days=1)
    assert numbers[0] == round(1 + days)
    assert list(np.diff(numbers)) == [1, 249]


def test_eight_bits_hold_what_they_can():
    item = make_item()
    assert plane.meaning(item, "classes") == "y-hundreds"
    numbers = plane.render(item, "classes", BASE[600:720, :4])
    assert numbers[0, 0] == 1 + 6
    assert numbers[-1, 0] == 1 + 7
