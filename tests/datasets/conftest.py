"""A small store written by hand, with everything that a dataset may trip over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import zarr
from shapely.geometry import box

from eodata.core.band import Band
from eodata.store.arrays import STORE_FORMAT, VALID, band_to_json
from tests.datasets.series import Series, write_series

S2 = (
    Band("B02", "continuous", "uint16", 10.0, scale=1e-4, common_name="blue"),
    Band("B04", "continuous", "uint16", 10.0, scale=1e-4, offset=-0.1, common_name="red"),
    Band("B05", "continuous", "uint16", 20.0, scale=1e-4, common_name="rededge"),
    Band("B06", "continuous", "uint16", 20.0, scale=1e-4, common_name="rededge"),
)
S1 = (Band("vv", "continuous", "float32", 10.0, "dB"), Band("vh", "continuous", "float32", 10.0))
LEGEND = ((0, "water", "0000ff"), (1, "land", "00ff00"))
LC = (Band("map", "categorical", "uint8", 20.0, "", classes=LEGEND),)
QA = (Band("qa", "bitmask", "uint32", 10.0, ""),)
BANDS = {"s2": S2, "s1": S1, "lc": LC, "qa": QA}
STEPS = {"s2": 4, "s1": 4, "lc": 1, "qa": 4}
PIXELS = {"s2": 8, "s1": 8, "lc": 4, "qa": 8}
BLOCK, N_ROWS = 4, 12
# row: (split, status); rows 3, 7, 10 and 11 hold no patch.
PLACES = {
    0: ("train", "done"),
    1: ("train", "done"),
    2: ("train", "done"),
    4: ("train", "rejected"),
    5: ("train", "done"),
    6: ("val", "done"),
    8: ("val", "done"),
    9: ("test", "rejected"),
}
STATUS = ("done", "done", "empty", "rejected", "failed")


@dataclass
class Source:
    """What was written, in memory."""

    path: Path
    values: dict[str, np.ndarray]
    valid: dict[str, np.ndarray]
    status: dict[str, np.ndarray]
    instants: dict[str, np.ndarray]

    def usable(self, name: str, row: int) -> np.ndarray:
        """Valid pixels `(T, H, W)` of the steps that are done."""
        return self.valid[name][row] & (self.status[name][row] == "done")[:, None, None]


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    made = _draw(tmp_path_factory.mktemp("store") / "tiny")
    _write_pixels(made)
    _samples().to_parquet(made.path / "samples.parquet", index=False)
    _steps(made).to_parquet(made.path / "steps.parquet", index=False)
    return made


@pytest.fixture(scope="session")
def series(tmp_path_factory: pytest.TempPathFactory) -> Series:
    return write_series(tmp_path_factory.mktemp("series") / "series")


def _draw(path: Path) -> Source:
    rng = np.random.default_rng(7)
    source = Source(path, {}, {}, {}, {})
    for name, bands in BANDS.items():
        shape = (N_ROWS, STEPS[name], len(bands), PIXELS[name], PIXELS[name])
        highest = {"s1": 30, "lc": 2, "qa": 2**32 - 1}.get(name, 10_000)
        values = rng.integers(0, highest, shape).astype(bands[0].dtype)
        valid = rng.random((*shape[:2], *shape[3:])) > 0.3
        if name == "s1":
            values = np.where(valid[:, :, None], -values, np.nan).astype(np.float32)
        source.values[name], source.valid[name] = values, valid
        source.status[name] = rng.choice(STATUS, shape[:2])
        source.status[name][0] = "done"
        days = rng.integers(0, 10_000, shape[:2]).astype("timedelta64[D]")
        instants = np.datetime64("1984-03-01T10:30:05", "s") + days
        instants[np.isin(source.status[name], ["empty", "failed"])] = "NaT"
        source.instants[name] = np.full_like(instants, "NaT") if name == "lc" else instants
    return source


def _write_pixels(source: Source) -> None:
    group = zarr.create_group(source.path / "data.zarr")
    group.attrs.update({"eodata_format": STORE_FORMAT, "modalities": list(BANDS)})
    for name, values in source.values.items():
        for key, data in ((name, values), (f"{name}{VALID}", source.valid[name])):
            group.create_array(
                key,
                shape=data.shape,
                dtype=data.dtype,
                chunks=(1, 1, *data.shape[2:]),
                shards=(BLOCK, *data.shape[1:]),
                fill_value=data.dtype.type(0),
            )[:] = data
        bands = [band_to_json(band) for band in BANDS[name]]
        group[name].attrs.update({"bands": bands, "gsd": 10.0, "static": name == "lc"})


def _samples() -> gpd.GeoDataFrame:
    """Lines in an order of their own, so that neither line nor index is the row."""
    records: list[dict[str, Any]] = [
        {"id": f"a_r{row:03d}", "row": row, "area": "a", "split": split, "status": status}
        for row, (split, status) in PLACES.items()
    ]
    geometry = [box(10 + row, 50, 10.5 + row, 50.5) for row in PLACES]
    table = gpd.GeoDataFrame(records, geometry=geometry, crs=4326)
    return table.sample(frac=1.0, random_state=3)


def _steps(source: Source) -> pd.DataFrame:
    records = [
        {
            "id": f"a_r{row:03d}",
            "row": row,
            "modality": name,
            "step": step,
            "status": source.status[name][row, step],
            "datetime": source.instants[name][row, step],
        }
        for name in BANDS
        for row in PLACES
        for step in range(STEPS[name])
    ]
    table = pd.DataFrame.from_records(records).sample(frac=1.0, random_state=4)
    return table.assign(
        datetime=pd.to_datetime(table["datetime"], utc=True),
        relative_orbit=pd.array([None] * len(table), "Int64"),
    )
