"""Computing on one grid: everything once, within a budget."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import box

from eodata.sandbox.earthengine import canvas as module
from eodata.sandbox.earthengine.canvas import Budget, PlainCanvas
from eodata.sandbox.earthengine.expression_errors import ExpressionError
from eodata.sandbox.earthengine.ground import plain
from eodata.sandbox.earthengine.images import PixelGrid
from eodata.sandbox.earthengine.pixeltype import of_dtype
from eodata.sandbox.earthengine.values import Pixels, Source
from tests.sandbox.earthengine.graphing import GRID, MadeArchive

DEGREES = PixelGrid(4, 4, (1, 0, 10, 0, -1, 50), "EPSG:4326")


def counting(made):
    """Return a source that notes each time it is computed."""

    def make(canvas):
        made.append(canvas.grid)
        return Pixels(np.full((3, 4), 7.9), np.arange(12).reshape(3, 4) > 5)

    return Source(of_dtype("uint8"), make)


def test_sources_are_computed_once_in_their_type():
    made = []
    source, canvas = counting(made), PlainCanvas(MadeArchive(), GRID)
    first, again = canvas.pixels(source), canvas.pixels(source)
    assert made == [GRID]
    assert first.values is again.values
    assert first.values.dtype == np.uint8
    assert first.values.ravel().tolist() == [0] * 6 + [7] * 6
    with pytest.raises(ValueError, match="read-only"):
        first.values[0] = 1


def test_what_does_not_fit_is_forgotten(monkeypatch):
    monkeypatch.setattr(module, "KEPT_BYTES", 30)  # one band takes 24
    made = []
    canvas, one, other = PlainCanvas(MadeArchive(), GRID), counting(made), counting(made)
    for source in (one, other, other, one):
        canvas.pixels(source)
    assert len(made) == 3


def test_canvases_share_a_budget():
    canvas = PlainCanvas(MadeArchive(), GRID, Budget(30 + 3 * module.PER_SOURCE))
    canvas.pixels(counting([]))
    beside = canvas.beside(GRID)
    beside.pixels(counting([]))
    with pytest.raises(ExpressionError, match="too large"):
        canvas.pixels(counting([]))


@pytest.mark.parametrize(
    ("outline", "inside"),
    [
        (box(9, 40, 15, 51), np.ones((4, 4), bool)),
        (box(0, 0, 1, 1), np.zeros((4, 4), bool)),
        (box(10, 48, 12, 50), [[1, 1, 0, 0], [1, 1, 0, 0], [0] * 4, [0] * 4]),
        (box(11.4, 47.6, 11.6, 47.4), [[0] * 4, [0] * 4, [0, 1, 0, 0], [0] * 4]),
    ],
)
def test_inside_goes_by_centres(outline, inside):
    canvas = PlainCanvas(MadeArchive(), DEGREES)
    assert np.array_equal(canvas.inside(plain(outline)), np.asarray(inside, bool))
