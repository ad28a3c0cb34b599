"""Parts of tiles against footprints of real products."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import box

from eodata.sandbox.orbits import SENTINEL2_HALF_SWATH_KM, Track
from eodata.sandbox.sensors.sentinel2_sights import Searched, sight
from eodata.sandbox.tiles import tile

# Nodata in real items of Planetary Computer and Earth Search: tile, relative orbit, percent.
REAL = [
    ("13TEF", 141, 12.68), ("13TEE", 141, 36.66), ("13TDF", 141, 0.0), ("33TWL", 122, 12.78),
    ("33TWL", 79, 0.02),
]  # fmt: skip


def seen(name, relative):
    return sight(tile(name), Track("sentinel-2", relative, ascending=False))


@pytest.mark.parametrize(("name", "relative", "nodata"), REAL)
def test_the_share_that_is_seen_is_that_of_real_products(name, relative, nodata):
    assert 100 * (1 - seen(name, relative).share) == pytest.approx(nodata, abs=1.5)


def test_the_mask_the_outline_and_the_share_agree():
    found = seen("13TEE", 141)
    assert found.seen.mean() == pytest.approx(found.share, abs=0.01)
    assert found.footprint.area / found.tile.footprint.area == pytest.approx(found.share, abs=0.01)
    assert found.footprint.is_valid
    assert found.tile.footprint.buffer(1e-4).contains(found.footprint)


def test_the_cut_side_of_the_outline_is_the_edge_of_the_swath():
    found = seen("13TEE", 141)
    lon, lat = np.array(found.footprint.exterior.coords).T
    across, _ = Track("sentinel-2", 141, ascending=False).locate(lon, lat)
    assert np.abs(across).max() < SENTINEL2_HALF_SWATH_KM + 0.1
    assert (np.abs(np.abs(across) - SENTINEL2_HALF_SWATH_KM) < 0.1).sum() >= 5


def test_less_than_a_hundredth_of_a_tile_is_no_product():
    """Real items show 0.3 percent of this tile."""
    assert seen("13SEB", 141) is None


def test_the_other_side_of_the_earth_is_not_seen():
    assert seen("56HLH", 141) is None


def test_a_search_knows_which_tiles_a_track_may_show():
    ground = Searched(box(2.0, 50.5, 3.2, 51.2))
    tracks = {r: ground.on(Track("sentinel-2", r, ascending=False)) for r in range(1, 144)}
    assert {r for r, tiles in tracks.items() if tiles} >= {51, 94}
    assert {t.name for t in tracks[51]} == {"31UDR", "31UDS", "31UER", "31UES"}
    assert not ground.shares(tile("33TWL").footprint)
