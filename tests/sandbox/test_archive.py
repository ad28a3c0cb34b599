"""One read for all collections."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eodata.core.sandbox_spec import SandboxSettings
from eodata.sandbox import archive as module
from eodata.sandbox import plane
from eodata.sandbox.archive import SandboxArchive
from tests.sandbox.making import MadeCollection, formula, make_item


@pytest.fixture
def made(monkeypatch):
    collection = MadeCollection()
    monkeypatch.setattr(module, "open_collections", lambda _: {"made": collection})
    return collection


def whole(key):
    item = make_item()
    height, width = item.base.shape
    return formula(item, key, item.base[: height - height % 6, : width - width % 6])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 700), st.integers(1, 200), st.integers(0, 550), st.integers(1, 200))
def test_any_window_is_cut_from_the_same_pixels(top, height, left, width):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "open_collections", lambda _: {"made": MadeCollection()})
        archive = SandboxArchive()
    window = archive.read(make_item(), "middle", (top, top + height), (left, left + width))
    expected = whole("middle")[top : top + height, left : left + width]
    assert (window[: expected.shape[0], : expected.shape[1]] == expected).all()
    assert window.dtype == np.uint16


def test_what_was_made_is_not_made_again(made):
    archive = SandboxArchive()
    for _ in range(2):
        archive.read(make_item(), "fine", (0, 500), (0, 500))
    assert len(made.rendered) == 4  # 2 x 2 squares


def test_a_window_that_cuts_a_square_is_not_charged_for_all_of_it(made, monkeypatch):
    shapes, render = [], made.render

    def watched(item, keys, base):
        shapes.append((tuple(base.shape), tuple(keys)))
        return render(item, keys, base)

    monkeypatch.setattr(made, "render", watched)
    archive = SandboxArchive()
    for rows, cols in (((0, 100), (0, 40)), ((20, 90), (0, 50)), ((50, 200), (0, 40))):
        window = archive.read(make_item(), "fine", rows, cols)
        assert (window == whole("fine")[slice(*rows), slice(*cols)]).all()
    archive.read_many(make_item(), {"fine": ((470, 480), (0, 9)), "coarse": ((0, 10), (0, 9))})
    assert shapes == [((102, 42), ("fine",)), ((480, 480), ("fine",)), ((60, 54), ("coarse",))]


def test_many_layers_of_one_square_are_made_together(made):
    archive = SandboxArchive()
    windows = {
        "fine": ((0, 100), (0, 100)),
        "middle": ((0, 50), (0, 50)),
        "coarse": ((0, 9), (0, 9)),
    }
    found = archive.read_many(make_item(), windows)
    assert [keys for _, keys, _ in made.rendered] == [("fine", "middle", "coarse")]
    assert all((found[k] == whole(k)[slice(*r), slice(*c)]).all() for k, (r, c) in windows.items())


def test_layers_are_read_where_each_needs_it(made):
    windows = {"fine": ((0, 10), (0, 10)), "coarse": ((100, 110), (100, 110))}
    found = SandboxArchive().read_many(make_item(), windows)
    assert (found["coarse"] == whole("coarse")[100:110, 100:110]).all()
    assert ("fine",) in [keys for _, keys, _ in made.rendered]


def test_an_overview_is_made_on_its_own_grid(made):
    SandboxArchive().read(make_item(), "fine", (0, 10), (0, 10), factor=4)
    assert len(made.rendered) == 1


def test_the_plane_world_asks_no_instrument(made):
    archive = SandboxArchive(SandboxSettings(mode="plane"))
    window = archive.read(make_item(), "other", (20, 30), (0, 5))
    assert window[0, 0] == 20.5
    assert plane.meaning(make_item(), "other") == "y"
    assert made.rendered == []
