"""Pixels of a store together with where and when they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas

from eodata.core.errors import StoreError
from eodata.core.patch import Patch
from eodata.core.raster import Raster
from eodata.store.files import STEPS
from eodata.store.reader import StoreReader


def read_raster(
    reader: StoreReader, name: str, row: int, steps: Sequence[int] | None = None
) -> Raster:
    """Read one sample of one modality with its grid and its acquisition times.

    Args:
        reader: An open store.
        name: Modality.
        row: Position on the sample axis.
        steps: Positions on the time axis; None means all.

    Returns:
        Raster of DN; its times are NaT in gaps, and those of the items' records for
        static layers. Its `valid` is that of the
        pixels: whether a step was rejected stands in the table of steps.

    Raises:
        StoreError: There is no such modality, or no patch in this row.
    """
    samples = reader.samples()
    found = samples[samples["row"] == row]
    if found.empty:
        raise StoreError(
            str(reader.path),
            f"there is no sample in row {row}",
            "rows at the end of a block may have no patch.",
            "Take rows from samples.parquet.",
        )
    place = found.iloc[0]
    patch = Patch(place["area"], place["crs"], place["left"], place["top"], place["size"], 0, 0)
    wanted = range(reader.shape(name)[1]) if steps is None else steps
    values, valid = reader.read(name, row, wanted)
    return Raster(
        values=values,
        valid=valid,
        bands=reader.bands(name),
        times=_times(reader, name, row)[list(wanted)],
        geobox=patch.geobox(reader.gsd(name)),
    )


def _times(
    reader: StoreReader, name: str, row: int
) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    filters = [("row", "==", row), ("modality", "==", name)]
    table = pandas.read_parquet(
        reader.path / STEPS, columns=["step", "datetime"], filters=filters
    ).set_index("step")
    instants = table["datetime"].dt.tz_convert("UTC").dt.tz_localize(None)
    steps = range(reader.shape(name)[1])
    return np.asarray(instants.reindex(steps), dtype="datetime64[s]")
