"""A raster refuses what does not fit together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eodata.core.band import Band
from eodata.core.errors import GridError
from eodata.core.patch import Patch
from eodata.core.raster import Raster

GRID = Patch("a", "EPSG:32631", 0, 0, 40, 0, 0).geobox(10)
PARTS: dict[str, Any] = {
    "values": np.zeros((3, 2, 4, 4), np.uint16),
    "valid": np.ones((3, 4, 4), np.bool_),
    "bands": (Band("a", "continuous", "uint16", 10), Band("b", "continuous", "uint16", 10)),
    "times": np.zeros(3, "datetime64[s]"),
    "geobox": GRID,
}


def test_raster_when_all_parts_fit_then_made() -> None:
    assert Raster(**PARTS).geobox is GRID


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("values", np.zeros((3, 4, 4))),
        ("valid", np.ones((3, 2, 4, 4), np.bool_)),
        ("valid", np.ones((3, 4, 4), np.uint8)),
        ("bands", PARTS["bands"][:1]),
        ("times", np.zeros(2, "datetime64[s]")),
        ("geobox", GRID.pad(1)),
    ],
)
@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
def test_raster_when_one_part_does_not_fit_then_named(part: str, value: object) -> None:
    with pytest.raises(GridError) as caught:
        Raster(**{**PARTS, part: value})
    assert caught.value.where == f"Raster.{part}"
