"""The official client of Earth Engine, pointed at a server of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ee
import pytest
from google.auth.credentials import AnonymousCredentials

PROJECT = "test-project"
MUNICH = [[11.55, 48.05], [11.65, 48.05], [11.65, 48.15], [11.55, 48.15], [11.55, 48.05]]
JUNE = {
    "startTime": "2018-06-01T00:00:00Z",
    "endTime": "2018-07-01T00:00:00Z",
    "region": {"type": "Polygon", "coordinates": [MUNICH]},
}
TILE = 'properties.MGRS_TILE="32UPU"'


@contextmanager
def connected(url: str, retries: int = 0) -> Iterator[None]:
    """Point the client at an address; it asks the wide web for nothing meanwhile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ee.deprecation, "_FetchDataCatalogStac", dict)
        ee.Initialize(AnonymousCredentials(), project=PROJECT, url=url)
        ee.data.setMaxRetries(retries)
        try:
            yield
        finally:
            ee.Reset()


def grid(x: float, y: float, size: int = 64, gsd: float = 10, crs: str = "EPSG:32632") -> Any:
    """Return a grid by its north-west corner, as requests state it."""
    return {
        "dimensions": {"width": size, "height": size},
        "affineTransform": {"scaleX": gsd, "translateX": x, "scaleY": -gsd, "translateY": y},
        "crsCode": crs,
    }
