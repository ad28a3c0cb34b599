"""A sample as arrays and JSON: what the formats `npy` and `webdataset` hold of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eodata.exchange.source import Sample, Source, dtype_of, iso
from eodata.exchange.task import Part
from eodata.store.arrays import VALID, band_to_json

STATED = ("role", "static", "product", "provider", "radiometry", "placed_by", "physical")


def describe(source: Source, sample: Sample) -> dict[str, Any]:
    """Return the JSON document of a sample: place, dates, bands, and how each step ended.

    `present` is true for steps whose pixels are in the arrays; elsewhere valid is False and values
    are fill.
    """
    place, meta = sample.place, source.reader.meta
    return {
        "id": sample.id,
        "row": sample.row,
        "dataset": meta["name"],
        "licence": meta["licence"],
        "synthetic": meta["synthetic"],
        "split": sample.split,
        "area": place.area,
        "season": sample.season,
        "scene": sample.scene,
        "region": sample.region,
        "crs": place.crs,
        "left": place.left,
        "top": place.top,
        "size": place.size,
        "modalities": {name: _modality(source, sample, name) for name in source.reader.names},
    }


def array_parts(source: Source, sample: Sample, name: str) -> Iterator[tuple[str, list[Part]]]:
    """Read a modality and yield its two arrays as `.npy`: name without suffix, header and bytes.

    Values are `(T, C, H, W)` DN in the store's type, valid is bool `(T, H, W)`. Lengths are those
    that `array_sizes` tells without reading.
    """
    values, valid = source.reader.read(name, sample.row)
    kept = source.selection.statuses
    gone = [step.number for step in sample.steps[name] if step.status not in kept]
    fill = np.nan if np.issubdtype(values.dtype, np.floating) else 0
    values[gone], valid[gone] = fill, False
    yield name, _npy(values)
    yield name + VALID, _npy(valid)


def array_sizes(source: Source, name: str) -> tuple[tuple[str, int], ...]:
    """Return what `array_parts` will yield for any sample: name and bytes."""
    _, t, c, h, w = source.reader.shape(name)
    dtype = dtype_of(source.reader, name)
    shapes = ((name, dtype, (t, c, h, w)), (name + VALID, np.dtype(bool), (t, h, w)))
    return tuple(
        (key, len(_header(kind, shape)) + int(np.prod(shape)) * kind.itemsize)
        for key, kind, shape in shapes
    )


def json_bytes(document: object) -> bytes:
    """Return a document as UTF-8, one key per line."""
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _modality(source: Source, sample: Sample, name: str) -> dict[str, Any]:
    reader, place = source.reader, sample.place
    gsd, attributes = reader.gsd(name), reader.attrs(name)
    return {
        **{key: attributes[key] for key in STATED if key in attributes},
        "gsd": gsd,
        "transform": [gsd, 0.0, place.left, 0.0, -gsd, place.top],
        "bands": [band_to_json(band) for band in reader.bands(name)],
        "steps": [
            {
                "step": step.number,
                "present": step.status in source.selection.statuses,
                "datetime": iso(step.when) or None,
                "items": list(step.items),
                "status": step.status,
                "reason": step.reason,
                "valid": step.valid,
            }
            for step in sample.steps[name]
        ],
    }


def _npy(array: NDArray[np.generic]) -> list[Part]:
    # No copy as bytes: a sample may be large.
    return [_header(array.dtype, array.shape), np.ascontiguousarray(array).data.cast("B")]


def _header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    file = BytesIO()
    descr = np.lib.format.dtype_to_descr(dtype)
    facts = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, facts)
    return file.getvalue()
