"""A second small store: a series of eight steps whose cloud coverage and gaps are known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import zarr
from shapely.geometry import box

from eodata.core.band import Band
from eodata.store.arrays import STORE_FORMAT, VALID, band_to_json

N, T, SIDE, BLOCK = 10, 8, 4, 3
BANDS = {
    "s2": tuple(Band(n, "continuous", "uint16", 10.0, scale=1e-4) for n in ("B02", "B04", "B01")),
    "s1": tuple(Band(n, "continuous", "float32", 10.0, "dB") for n in ("vv", "vh")),
    "cloud": (Band("cloud", "categorical", "uint8", 10.0, ""),),
    "dem": (Band("height", "continuous", "float32", 30.0, "m"),),
}
ATTRIBUTES = {
    "s2": {"radiometry": "toa-reflectance", "marks": []},
    "s1": {"radiometry": "sigma0-db", "marks": []},
    "cloud": {"radiometry": "class", "marks": [3, 8, 9]},
    "dem": {"radiometry": "elevation", "marks": []},
}
CHUNK_STEPS = {"s2": 2, "s1": 4, "cloud": 1, "dem": 1}
FEW = 9  # in this row only two steps of s2 are done
GAPPY = 4  # in this row s1 lacks step 0, and of step 1 nothing tells the coverage


@dataclass
class Series:
    """What was written, in memory.

    Attributes:
        path: The store.
        values: Per modality `(N, T, C, y, x)`.
        valid: Per modality `(N, T, y, x)`.
        done: Per modality `(N, T)`.
        marked: `(N, T)` fraction that the cloud mask marks.
    """

    path: Path
    values: dict[str, np.ndarray]
    valid: dict[str, np.ndarray]
    done: dict[str, np.ndarray]
    marked: np.ndarray

    def coverage(self, row: int, *names: str) -> np.ndarray:
        """Coverage `(T,)` where every named modality and the mask are done, NaN elsewhere."""
        usable = np.logical_and.reduce([self.done[name][row] for name in (*names, "cloud")])
        return np.where(usable, self.marked[row], np.nan)


def write_series(path: Path) -> Series:
    """Write the store."""
    rng = np.random.default_rng(11)
    marked = rng.permuted(np.tile(np.linspace(0.0, 0.7, T), (N, 1)), axis=1).round(3)
    marked[GAPPY, 1] = np.nan
    series = Series(path, {}, {}, {}, marked)
    for name, bands in BANDS.items():
        shape = (N, 1 if name == "dem" else T, len(bands), SIDE, SIDE)
        series.values[name] = _numbers(rng, name, shape).astype(bands[0].dtype)
        series.valid[name] = rng.random((*shape[:2], *shape[3:])) > 0.2
        series.done[name] = np.ones(shape[:2], np.bool_)
    series.values["s1"][~np.repeat(series.valid["s1"][:, :, None], 2, axis=2)] = np.nan
    series.done["s1"][GAPPY, 0] = False
    series.done["s2"][FEW] = np.isin(np.arange(T), [2, 5])
    _write_pixels(series)
    _samples().to_parquet(path / "samples.parquet", index=False)
    _steps(series).to_parquet(path / "steps.parquet", index=False)
    return series


def _numbers(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> np.ndarray:
    low, high = {"s2": (0, 12_000), "s1": (-40, 5), "cloud": (0, 2), "dem": (0, 900)}[name]
    return rng.uniform(low, high, shape)


def _write_pixels(series: Series) -> None:
    group = zarr.create_group(series.path / "data.zarr")
    group.attrs.update({"eodata_format": STORE_FORMAT, "modalities": list(BANDS)})
    for name, values in series.values.items():
        for key, data in ((name, values), (f"{name}{VALID}", series.valid[name])):
            group.create_array(
                key,
                shape=data.shape,
                dtype=data.dtype,
                chunks=(1, CHUNK_STEPS[name], *data.shape[2:]),
                shards=(BLOCK, *data.shape[1:]),
                fill_value=data.dtype.type(0),
            )[:] = data
        bands = [band_to_json(band) for band in BANDS[name]]
        static = {"bands": bands, "gsd": 10.0, "static": name == "dem"}
        group[name].attrs.update({**static, **ATTRIBUTES[name]})


def _samples() -> gpd.GeoDataFrame:
    ids = [f"b_r{row:03d}" for row in range(N)]
    columns = {"id": ids, "row": range(N), "area": "b", "split": "train", "status": "done"}
    return gpd.GeoDataFrame(
        pd.DataFrame(columns), geometry=[box(i, 50, i + 0.5, 51) for i in range(N)], crs=4326
    )


def _steps(series: Series) -> pd.DataFrame:
    first = pd.Timestamp("2018-01-03T10:00:00Z")
    records = [
        {
            "id": f"b_r{row:03d}",
            "row": row,
            "modality": name,
            "step": step,
            "status": "done" if done[row, step] else "empty",
            "datetime": first + pd.Timedelta(days=12 * step) if done[row, step] else pd.NaT,
            "marked": series.marked[row, step] if name == "cloud" else np.nan,
            "cloud_cover": 10.0 * step if name == "s2" else np.nan,
        }
        for name, done in series.done.items()
        for row in range(N)
        for step in range(done.shape[1])
    ]
    return pd.DataFrame.from_records(records).assign(
        relative_orbit=pd.array([None] * len(records), "Int64")
    )
