"""Real algorithms on the simulated Earth, at a small size; `benchmarks/sandbox.py` is the large."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice

import numpy as np
import pytest

from benchmarks import realism
from benchmarks.squares import Place, at_ratio, clear_squares, land_places
from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.planet.cover import Cover

COARSE = 6
"""Pixels of 60 m, which s2cloudless was made for: a ninth of the work."""
FIELDS = Place(-93.5, 42, datetime(2020, 7, 1, tzinfo=UTC), 50)
DESERT = Place(25, -27, datetime(2019, 7, 1, tzinfo=UTC), 30)


def at(lon, lat, *day, days=30):
    return Place(lon, lat, datetime(*day, tzinfo=UTC), days)


@pytest.fixture(scope="module")
def archive():
    return SandboxArchive(SandboxSettings(seed=1))


@pytest.fixture(scope="module")
def displaced():
    planted = Defects(shift_rate=1, shift_px=3)
    return SandboxArchive(SandboxSettings(seed=1, defects=planted))


def test_a_real_cloud_mask_finds_thick_cloud(archive):
    scores = realism.cloud_mask_scores(archive, land_places(20, seed=0), 3, COARSE)
    assert scores.images == 3
    assert scores.cloudy >= 2
    assert scores.pooled_iou >= 0.7
    assert scores.recall >= 0.9


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("soil", at(5, 27, 2019, 4, 1)),
        ("urban", at(-3.7, 40.4, 2019, 8, 1)),
        ("snow", at(-106, 51, 2019, 3, 1)),
    ],
)
def test_a_real_cloud_mask_sees_no_cloud_on_bright_ground(archive, kind, place):
    ((_, share),) = realism.false_alarms(archive, [place], kind, COARSE)
    assert share <= 0.05


def test_planted_shifts_are_recovered(archive, displaced):
    errors = realism.shift_error(archive, displaced, [FIELDS, DESERT], normalization=None)
    assert len(errors) == 2
    assert max(errors) <= 0.1


def test_shifts_are_planted_by_more_than_what_is_allowed(archive, displaced):
    square = next(clear_squares(archive, DESERT))
    item = displaced.collections["sentinel-2-l1c"].get(square.item.id)
    assert max(abs(metres) for metres in item.origin.shift) > 5


def test_radar_and_optics_show_the_same_ground(archive):
    row, col, contrast = realism.mutual_information_peak(archive, FIELDS, size=256)
    assert (row, col) == (0, 0)
    assert contrast > 1.1


def test_a_small_network_learns_land_cover(archive):
    torch = pytest.importorskip("torch")
    from benchmarks.landcover_unet import learn, sample

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        near = at(-93.2, 42.1, 2020, 7, 1, days=50)
        learnt, unseen = sample(archive, FIELDS), sample(archive, near)
        part = unseen[0][:, :240, :240], unseen[1][:240, :240]
        scores = learn([learnt], [part], steps=50, crop=32, batch=8)
    finally:
        torch.set_num_threads(threads)
    assert scores.majority < 0.75
    assert scores.accuracy > scores.majority + 0.15


def test_medians_tell_covers_apart(archive):
    crop = realism.band_medians(archive, [FIELDS], (Cover.SUMMER_CROP,))
    water = realism.band_medians(archive, [FIELDS], (Cover.LAKE, Cover.STREET))
    assert crop["B08"] > 0.2
    assert not water or water["B08"] < crop["B08"]
    assert realism.band_medians(archive, [FIELDS], (Cover.ICE,)) == {}


def test_a_known_displacement_is_measured():
    rng = np.random.default_rng(0)
    wide = np.cumsum(np.cumsum(rng.normal(size=(140, 140)), 0), 1).astype(np.float32)
    assert realism.displacement(wide[5:133, 5:133], wide[3:131, 8:136]) == (2.0, -3.0)


def test_mutual_information_peaks_where_images_agree():
    image = np.random.default_rng(0).normal(size=(80, 80)).astype(np.float32)
    found = realism.mutual_information_map(image, np.roll(image, (2, -1), (0, 1)) ** 3)
    assert np.unravel_index(found.argmax(), found.shape) == (6, 3)


def test_bands_are_brought_to_one_grid():
    fine = np.arange(16, dtype=np.float32).reshape(4, 4)
    assert (at_ratio(fine, 1, 2) == [[2.5, 4.5], [10.5, 12.5]]).all()
    assert (at_ratio(fine, 6, 2)[:3, :3] == 0).all()
    assert at_ratio(fine, 6, 2).shape == (12, 12)


def test_places_are_on_land_and_the_same_in_every_run():
    places = list(islice(land_places(5, seed=3), 5))
    assert places == land_places(5, seed=3)
    assert len({place.lon for place in places}) == 5
