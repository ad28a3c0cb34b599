"""An archive whose pixels are functions of the place, and plans to read it with."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry import box

from eodata.core.band import Band
from eodata.core.derived_rules import GUIDE_BANDS
from eodata.core.errors import ProviderError
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead, ModalityPlan
from eodata.core.protocols import Pixels

BYTES = 100
"""What every read of an item costs."""
START = datetime(2018, 6, 1, tzinfo=UTC)
Field = Callable[[str, NDArray[np.float64], NDArray[np.float64]], Any]
"""From band and centres of pixels (x, y) [m] to DN; NaN for not measured."""


class FieldProvider:
    """An archive of items that are functions of the place, read at the centres of pixels.

    Attributes:
        reads: Id, number of bands and shape of every read so far.
        broken: Errors by id, raised instead of pixels.
    """

    name = "fields"
    synthetic = True

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self.fields = fields
        self.reads: list[tuple[str, int, tuple[int, ...]]] = []
        self.broken: dict[str, ProviderError] = {}
        self._lock = threading.Lock()

    def search(self, query: object) -> Sequence[Item]:
        return ()

    def check_access(self, item: Item, reads: Sequence[BandRead]) -> None:
        """Nothing is needed."""

    def read(self, item: Item, reads: Sequence[BandRead], geobox: GeoBox) -> Pixels:
        with self._lock:
            self.reads.append((item.id, len(reads), tuple(geobox.shape)))
        if item.id in self.broken:
            raise self.broken[item.id]
        a, (height, width) = geobox.affine, geobox.shape
        x = a.c + (np.arange(width) + 0.5)[np.newaxis, :] * a.a
        y = a.f + (np.arange(height) + 0.5)[:, np.newaxis] * a.e
        found = [
            np.broadcast_to(self.fields[item.id](r.band.name, x, y), (height, width)) for r in reads
        ]
        valid = [~np.isnan(numbers) for numbers in found]
        values = [
            np.nan_to_num(numbers).astype(r.band.dtype)
            for numbers, r in zip(found, reads, strict=True)
        ]
        return Pixels(tuple(values), tuple(valid), bytes_read=BYTES, requests=1)


def item(name: str, day: float = 0, offset: float = 0.0, **properties: Any) -> Item:
    """An item of the archive, with every band of Sentinel-2 and the sun in the south."""
    sun = {"view:sun_azimuth": 180.0, "view:sun_elevation": 45.0}
    told = {key.replace("__", ":"): value for key, value in properties.items()}
    return Item(
        name,
        "c",
        START + timedelta(days=day),
        box(0, 0, 1, 1),
        properties={**sun, **told},
        assets={band: Asset(band, band, scale=1e-4, offset=offset) for band in GUIDE_BANDS},
    )


def passes(*items: Item) -> list[list[Item]]:
    """Acquisitions of one item each."""
    return [[one] for one in items]


def read_of(name: str, dtype: str = "uint16") -> BandRead:
    scale = 1.0 if dtype.startswith("float") else 1e-4
    band = Band(name, "continuous", dtype, 10.0, scale=scale, nodata=0)
    return BandRead(band, name, "nearest")


def modality(
    *bands: str, gsd: float = 10.0, guided: bool = False, states_offset: bool = False
) -> ModalityPlan:
    """A composite of some bands."""
    reads = tuple(read_of(band) for band in bands)
    return ModalityPlan(
        name="s2",
        gsd=gsd,
        static=False,
        role="input",
        reads=reads,
        bands=tuple(read.band for read in reads),
        provider="fields",
        product="sentinel-2-l1c",
        collection="c",
        radiometry="toa-reflectance",
        states_offset=states_offset,
        composite="schmitt-2019" if guided else "median",
        guides=tuple(read_of(band) for band in GUIDE_BANDS) if guided else (),
    )


def window(
    rows: int, cols: int, gsd: float = 10.0, left: float = 500_000, top: float = 5_600_000
) -> GeoBox:
    """A window of some rows and columns whose north-west corner is known."""
    return GeoBox((rows, cols), Affine(gsd, 0, left, 0, -gsd, top), CRS("EPSG:32631"))


def rolling(seed: int, wavelength: float = 700.0) -> Field:
    """A smooth pattern between 0 and 1 that never repeats within a window."""
    rng = np.random.default_rng(seed)
    waves = [(*rng.normal(0, 6.28 / wavelength, 2), rng.uniform(0, 6.28)) for _ in range(5)]

    def field(band: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        total = sum(np.sin(u * (x % 100_000) + v * (y % 100_000) + w) for u, v, w in waves)
        return 0.5 + np.clip(total / 10.0, -0.5, 0.5)

    return field
