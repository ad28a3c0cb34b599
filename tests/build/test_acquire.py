"""Several items of one pass: who fills which pixel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest
from affine import Affine
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.build.acquire import read_acquisition
from eodata.core.band import Band
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead, ModalityPlan
from eodata.core.protocols import Pixels

WINDOW = GeoBox((1, 4), Affine(10, 0, 0, 0, -10, 0), CRS("EPSG:32631"))
RED = BandRead(Band("red", "continuous", "uint16", 10.0, scale=1e-4, nodata=0), "red", "nearest")
SCL = BandRead(Band("scl", "categorical", "uint8", 10.0, nodata=0), "scl", "nearest")
CLOUD, GRASS = 9, 4

PIXELS = {
    # The upper item is cloudy on the left and has no red in the third pixel.
    "upper": {"red": [8000, 8000, 0, 700], "scl": [CLOUD, CLOUD, GRASS, GRASS]},
    "lower": {"red": [500, 500, 500, 500], "scl": [GRASS, GRASS, GRASS, GRASS]},
}


class TwoItems:
    """A provider of two items whose pixels stand above."""

    name = "two"
    synthetic = True

    def search(self, query: object) -> Sequence[Item]:
        return ITEMS

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        values = [np.array([PIXELS[item.id][r.asset]], r.band.dtype) for r in reads]
        return Pixels(tuple(values), tuple(v != 0 for v in values), bytes_read=8)


ITEMS = tuple(
    Item(
        name,
        "c",
        datetime(2018, 6, 1, tzinfo=UTC),
        box(0, 0, 1, 1),
        assets={"red": Asset("red", "red", scale=1e-4, offset=0.0), "scl": Asset("scl", "scl")},
    )
    for name in ("upper", "lower")
)


def modality(name: str, read: BandRead, *, clear: bool) -> ModalityPlan:
    return ModalityPlan(
        name=name,
        gsd=10,
        static=False,
        role="input",
        reads=(read,),
        bands=(read.band,),
        provider="two",
        product="p",
        collection="c",
        radiometry="r",
        validity=(SCL, (0, 1, CLOUD) if clear else (0, 1)),
    )


def test_mosaic_when_the_first_item_is_usable_then_it_is_on_top() -> None:
    layer = read_acquisition(TwoItems(), ITEMS, modality("s2", RED, clear=False), WINDOW)
    assert layer.values.tolist() == [[[8000, 8000, 500, 700]]]
    assert layer.valid.all()


def test_mosaic_when_only_clear_pixels_count_then_the_second_item_fills_the_cloud() -> None:
    layer = read_acquisition(TwoItems(), ITEMS, modality("s2", RED, clear=True), WINDOW)
    assert layer.values.tolist() == [[[500, 500, 500, 700]]]


@pytest.mark.parametrize("clear", [False, True])
def test_follower_then_comes_from_the_same_item_as_its_leader_in_every_pixel(clear: bool) -> None:
    leader = modality("s2", RED, clear=clear)
    follower = modality("scl", SCL, clear=False)
    image = read_acquisition(TwoItems(), ITEMS, leader, WINDOW)
    classes = read_acquisition(TwoItems(), ITEMS, follower, WINDOW, leader)
    for red, scl in zip(image.values[0, 0], classes.values[0, 0], strict=True):
        upper = (int(red), int(scl)) in zip(*PIXELS["upper"].values(), strict=True)
        lower = (int(red), int(scl)) in zip(*PIXELS["lower"].values(), strict=True)
        assert upper or lower
    assert classes.values.tolist() == [[[GRASS] * 4 if clear else [CLOUD, CLOUD, GRASS, GRASS]]]
