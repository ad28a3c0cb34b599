"""The GeoTIFFs of one sample as a task: read once per modality, encoded one by one."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from eodata.core.band import Band
from eodata.exchange.geotiff import Compression, Picture, encode
from eodata.exchange.source import Sample, Source, Step, iso
from eodata.exchange.task import Made, Task, mark


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How the files of a tree are written.

    Attributes:
        compression: Lossless, or none.
        dtype: Of Sentinel-1 in published trees; `""` keeps the store's.
        complete: Only samples that have every step.
    """

    compression: Compression = "deflate"
    dtype: str = ""
    complete: bool = False


@dataclass(frozen=True, slots=True)
class TiffFile:
    """What one file holds.

    Attributes:
        modality: Its name.
        step: Which step of it.
        channels: Positions on the band axis of the store, in the order of the file.
        dtype: Of the numbers in the file.
        tags: Facts in the file.
        bands: Names and units to state in the file; none for published trees.
    """

    modality: str
    step: Step
    channels: tuple[int, ...]
    dtype: str
    tags: Mapping[str, str]
    bands: tuple[Band, ...] = ()


def tiff_task(
    source: Source,
    sample: Sample,
    files: Mapping[str, TiffFile],
    compression: Compression,
    *,
    cog: bool,
) -> Task:
    """Return the task that writes these files, by path, of one sample."""
    place = sample.place
    shared = (place.crs, place.left, place.top, place.size, compression, cog)
    marks = {
        path: mark(shared, f.modality, f.step.number, f.step.valid, f.channels, f.dtype, f.tags)
        for path, f in files.items()
    }

    def make(wanted: Collection[str]) -> Made:
        by_name = sorted(wanted, key=lambda p: (files[p].modality, files[p].step.number))
        for _, paths in groupby(by_name, key=lambda p: files[p].modality):
            mine = list(paths)
            for path, picture in _pictures(source, sample, {p: files[p] for p in mine}):
                yield path, [encode(picture, compression, cog=cog)]

    return Task(marks, make)


def facts_of(source: Source, sample: Sample, modality: str, step: Step) -> dict[str, str]:
    """Return the tags that tell where the pixels of a file come from.

    `TIFFTAG_DATETIME` has whole seconds, as TIFF wants it; `EODATA_DATETIME` has all digits.
    """
    meta = source.reader.meta
    tags = {
        "EODATA_SAMPLE": sample.id,
        "EODATA_SPLIT": sample.split,
        "EODATA_MODALITY": modality,
        "EODATA_STEP": str(step.number),
        "EODATA_ITEMS": json.dumps(step.items, ensure_ascii=False),
        "EODATA_STATUS": step.status,
        "TIFFTAG_COPYRIGHT": str(meta["licence"]),
    }
    if step.when:
        tags["EODATA_DATETIME"] = iso(step.when)
        tags["TIFFTAG_DATETIME"] = f"{step.when:%Y:%m:%d %H:%M:%S}"
    if meta["synthetic"]:
        tags["EODATA_SYNTHETIC"] = "these pixels are simulated"
    return tags


def _pictures(
    source: Source, sample: Sample, files: Mapping[str, TiffFile]
) -> Iterator[tuple[str, Picture]]:
    """Read some steps of one modality at once, for a chunk may hold several."""
    (name,) = {file.modality for file in files.values()}
    geobox = sample.place.geobox(source.reader.gsd(name))
    steps: Sequence[int] = [file.step.number for file in files.values()]
    values, valid = source.reader.read(name, sample.row, steps)
    for position, (path, file) in enumerate(files.items()):
        chosen = values[position][list(file.channels)].astype(file.dtype, copy=False)
        yield path, Picture(chosen, valid[position], geobox, file.tags, file.bands)
