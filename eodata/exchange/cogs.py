"""A tree with one cloud-optimised GeoTIFF per sample, modality and step: any store fits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from rasterio.dtypes import check_dtype

from eodata.core.errors import RecipeError
from eodata.exchange.names import step_path
from eodata.exchange.source import Sample, Source, dtype_of, unusable
from eodata.exchange.task import Job, Task
from eodata.exchange.tiffs import TiffFile, TreeSettings, facts_of, tiff_task
from eodata.store.arrays import band_to_json

STATED = ("role", "static", "product", "provider", "radiometry", "placed_by")
"""Attributes of a modality that every one of its files repeats."""


def geotiff_job(source: Source, settings: TreeSettings) -> Job:
    """Plan the tree; steps without pixels are left out.

    Raises:
        RecipeError: GeoTIFF cannot hold the numbers of a modality, or nothing is left.
    """
    reader = source.reader
    for name in reader.names:
        _check_dtype(name, str(dtype_of(reader, name)))
    chosen = source.limited()
    lost = unusable(chosen.chosen_steps(reader.names), source.selection.statuses, dated=False)
    n = len(chosen.rows)
    return Job(_tasks(chosen, settings), n, n, chosen.left_out, Counter(lost["why"]))


def _tasks(source: Source, settings: TreeSettings) -> Iterator[Task]:
    stated = {name: _stated(source, name) for name in source.reader.names}
    for row in source.rows:
        sample = source.sample(row)
        files = dict(_files(source, sample, stated))
        yield tiff_task(source, sample, files, settings.compression, cog=True)


def _files(
    source: Source, sample: Sample, stated: dict[str, dict[str, str]]
) -> Iterator[tuple[str, TiffFile]]:
    for name, steps in sample.steps.items():
        bands = source.reader.bands(name)
        static, dtype = source.reader.is_static(name), str(dtype_of(source.reader, name))
        for step in steps:
            if step.status not in source.selection.statuses:
                continue
            day = step.when.date() if step.when and not static else None
            path = step_path(
                sample.place.area, sample.id, name, None if static else step.number, day
            )
            tags = facts_of(source, sample, name, step) | stated[name]
            yield path, TiffFile(name, step, tuple(range(len(bands))), dtype, tags, bands)


def _stated(source: Source, name: str) -> dict[str, str]:
    attributes = source.reader.attrs(name)
    bands = [band_to_json(band) for band in source.reader.bands(name)]
    return {
        "EODATA_BANDS": json.dumps(bands, ensure_ascii=False),
        **{f"EODATA_{key.upper()}": str(attributes.get(key, "")) for key in STATED},
    }


def _check_dtype(name: str, dtype: str) -> None:
    if not check_dtype(dtype):
        raise RecipeError(
            "--format geotiff",
            f"{name} is {dtype}",
            "GeoTIFF has no such numbers.",
            "Take --format npy or webdataset.",
        )
