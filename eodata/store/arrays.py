"""The Zarr group of a store and its metadata, meant for people who have zarr-python alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from pyproj import CRS
from zarr.core.buffer import Buffer
from zarr.storage import MemoryStore

from eodata.core.band import Band
from eodata.core.errors import StoreError
from eodata.core.grid import crs_wkt
from eodata.core.modality_plan import ModalityPlan
from eodata.core.plan import Plan
from eodata.store.files import (
    DATA,
    GROUP_MARK,
    GROUP_METADATA,
    check_same_plan,
    read_json,
    write_bytes,
)
from eodata.store.shard import array_settings, compressors

STORE_FORMAT = 1
VALID = "_valid"
AXES = ("sample", "time", "band", "y", "x")
VALID_AXES = ("sample", "time", "y", "x")


def create_arrays(root: Path, plan: Plan) -> None:
    """Create the group and its arrays; the same plan again changes nothing.

    The group's own metadata comes last, so a group that exists is complete.

    Raises:
        StoreError: The store follows another plan, or the disk refuses.
    """
    if (root / GROUP_METADATA).is_file():
        check_same_plan(root, str(group_attributes(root).get("plan_digest")), plan)
        return
    documents = metadata(plan)
    for key in sorted(documents, key=lambda k: (k == "zarr.json", k)):
        write_bytes(root / DATA / key, documents[key])


def group_attributes(root: Path) -> dict[str, Any]:
    """Return the attributes of the store's group.

    Raises:
        StoreError: There is no group, or it was not made by eodata, or by a newer one.
    """
    path = root / GROUP_METADATA
    document = read_json(path, f"{root} is no store; give a folder that `eodata build` has made.")
    attributes = document.get("attributes") if isinstance(document, dict) else None
    if not isinstance(attributes, dict) or GROUP_MARK not in attributes:
        raise StoreError(
            str(path),
            "the Zarr group was not made by eodata",
            "its attributes state no eodata_format.",
            "Give the folder that holds data.zarr of a build.",
        )
    if attributes[GROUP_MARK] != STORE_FORMAT:
        raise StoreError(
            str(path),
            f"the store has format {attributes[GROUP_MARK]}",
            f"this eodata reads format {STORE_FORMAT}.",
            "Use the version of eodata that built the store.",
        )
    return attributes


def array_metadata(root: Path, name: str) -> dict[str, Any]:
    """Return the Zarr metadata document of one array, shape and attributes among it.

    Raises:
        StoreError: It is missing or damaged.
    """
    path = root / DATA / name / "zarr.json"
    document = read_json(path, "The store is damaged; copy it again, or rebuild it.")
    if isinstance(document, dict) and {"shape", "attributes"} <= set(document):
        return document
    raise StoreError(str(path), "it is no array of Zarr v3", "the file is damaged.", "Copy again.")


def band_to_json(band: Band) -> dict[str, Any]:
    """Return a band as the attributes of an array hold it; the inverse of `band_from_json`."""
    return {
        "name": band.name,
        "common_name": band.common_name,
        "kind": band.kind,
        "dtype": band.dtype,
        "unit": band.unit,
        "scale": band.scale,
        "offset": band.offset,
        "nodata": _finite_or_text(band.nodata),
        "gsd": band.gsd,
        "classes": [{"value": v, "name": n, "colour": c} for v, n, c in band.classes],
    }


def band_from_json(data: Mapping[str, Any]) -> Band:
    """Read what `band_to_json` wrote."""
    nodata = data["nodata"]
    return Band(
        name=data["name"],
        kind=data["kind"],
        dtype=data["dtype"],
        gsd=data["gsd"],
        unit=data["unit"],
        scale=data["scale"],
        offset=data["offset"],
        nodata=float(nodata) if isinstance(nodata, str) else nodata,
        common_name=data["common_name"],
        classes=tuple((c["value"], c["name"], c["colour"]) for c in data["classes"]),
    )


def authority_code(crs: str) -> str | None:
    """Return `EPSG:32632` and the like, or None for a CRS that no authority lists."""
    found = CRS.from_user_input(crs).to_authority(min_confidence=100)
    return ":".join(found) if found else None


def metadata(plan: Plan) -> dict[str, bytes]:
    """Return the metadata document of the group and of each array, by its path in the group."""
    documents: dict[str, Buffer] = {}
    group = zarr.create_group(
        MemoryStore(documents), attributes=_group_attributes(plan), zarr_format=3
    )
    ground = _ground_attributes(plan)
    for modality in plan.modalities.values():
        _add_arrays(group, plan, modality, {"gsd": modality.gsd, **ground})
    return {key: document.to_bytes() for key, document in documents.items()}


def _add_arrays(
    group: zarr.Group, plan: Plan, modality: ModalityPlan, shared: Mapping[str, Any]
) -> None:
    spec, layout = plan.recipe.store, plan.layout(modality.name)
    dtype, flag = np.dtype(layout.dtype), np.dtype(bool)
    group.create_array(
        modality.name,
        **array_settings(layout.shape, layout.chunk, layout.shard, dtype),
        fill_value=modality.fill,
        compressors=compressors(spec.codec, spec.level, dtype),
        dimension_names=AXES,
        attributes={**_modality_attributes(modality), **shared},
    )
    group.create_array(
        modality.name + VALID,
        **array_settings(
            without_band(layout.shape), without_band(layout.chunk), without_band(layout.shard), flag
        ),
        fill_value=False,
        compressors=compressors(spec.codec, spec.level, flag),
        dimension_names=VALID_AXES,
        attributes={"meaning": f"True = {modality.name} is usable in every band", **shared},
    )


def without_band(axes: tuple[int, int, int, int, int]) -> tuple[int, int, int, int]:
    """Return the `valid` array's shape for a shape `(sample, time, band, y, x)`."""
    return (*axes[:2], *axes[3:])


def _group_attributes(plan: Plan) -> dict[str, Any]:
    recipe = plan.recipe
    return {
        GROUP_MARK: STORE_FORMAT,
        "name": recipe.name,
        "version": recipe.version,
        "title": recipe.title,
        "description": recipe.description,
        "task": recipe.task,
        "licence": recipe.licence,
        "citation": recipe.citation,
        "plan_digest": plan.digest,
        "synthetic": plan.synthetic,
        "modalities": list(plan.modalities),
        "axes": list(AXES),
        "rows": "column `row` of samples.parquet; rows without a table row hold no patch",
    }


def _modality_attributes(modality: ModalityPlan) -> dict[str, Any]:
    shown = modality.display
    return {
        "bands": [band_to_json(band) for band in modality.bands],
        "physical": "value = DN * scale + offset",
        "role": modality.role,
        "static": modality.static,
        "product": modality.product,
        "provider": modality.provider,
        "radiometry": modality.radiometry,
        "placed_by": modality.placed_by,
        "resampling": {read.band.name: read.resampling for read in modality.reads},
        "derive": modality.derive,
        "source": modality.source,
        "marks": list(modality.classes),
        "display": [list(shown[0]), shown[1], shown[2]] if shown else None,
    }


def _ground_attributes(plan: Plan) -> dict[str, Any]:
    """Return the CRS that all patches share, or where to find the CRS of each."""
    crs = {patch.crs for patch in plan.patches}
    if len(crs) != 1:
        return {"crs": "differs: columns crs, left, top and size of samples.parquet"}
    (only,) = crs
    code = authority_code(only)
    return {"crs_wkt": crs_wkt(only), **({"proj:code": code} if code else {})}


def _finite_or_text(number: float | None) -> float | str | None:
    """Return a number that JSON can hold: NaN and infinity become text."""
    return number if number is None or math.isfinite(number) else str(number)
