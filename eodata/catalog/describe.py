"""Write the card of a built store: what the plan promised and what the tables hold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd

from eodata.catalog.card import (
    Card,
    CardLabels,
    CardModality,
    Counts,
    Extent,
    PatchEdge,
    Provenance,
    SplitProof,
)
from eodata.catalog.shifts import COLUMNS, sum_up
from eodata.catalog.split_sources import plain_key
from eodata.core.label_plan import LabelPlan
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import Status
from eodata.core.plan import Plan
from eodata.core.product import Product
from eodata.core.split import smallest_distance
from eodata.store.files import CARD, SAMPLES, STEPS, write_bytes
from eodata.store.label_files import LABELS

BBOX_DIGITS = 6


def make_card(root: Path, plan: Plan, products: Mapping[str, Product], created: datetime) -> Card:
    """Return the card of a store.

    Samples and bbox are counted over the rows that `samples.parquet` holds as done, the bbox over
    all rows when none is; the size leaves out the card itself and what the build keeps for
    itself (plan and ledger), so that writing a card twice gives the same card.

    Args:
        root: The store, with its tables written.
        plan: What was built.
        products: The product tables by id, at least those of the plan.
        created: Stands in the card's provenance.
    """
    samples = geopandas.read_parquet(root / SAMPLES)
    steps = _read_steps(root, plan)
    recipe = plan.recipe
    used = _products_of(plan, products)
    files, size_bytes = _measure(root)
    return Card(
        name=recipe.name,
        title=recipe.title,
        version=recipe.version,
        source="built",
        synthetic=plan.synthetic,
        description=recipe.description,
        task=recipe.task,
        keywords=_unique([*recipe.keywords, *(word for p in used for word in p.keywords)]),
        licence=recipe.licence,
        attribution=_unique(f"{p.attribution or p.title} ({p.licence})" for p in used),
        citation=recipe.citation,
        modalities=tuple(_modality(m, plan, products, steps) for m in plan.modalities.values()),
        labels=tuple(_labels(label) for label in plan.labels),
        extent=Extent(bbox=_bbox(samples), span=_span(plan)),
        counts=_counts(samples, steps, plan),
        patch=_patch_edge(plan),
        crs=_unique(sorted({patch.crs for patch in plan.patches})),
        files=files,
        size_bytes=size_bytes,
        split=_split_proof(plan),
        provenance=Provenance(
            created_utc=created, plan_digest=plan.digest, tools=dict(plan.provenance)
        ),
    )


def write_card(root: Path, card: Card) -> None:
    """Write the card into its store, whole or not at all.

    Raises:
        StoreError: The disk refuses.
    """
    write_bytes(root / CARD, card.dumps().encode("utf-8"))


def _products_of(plan: Plan, products: Mapping[str, Product]) -> list[Product]:
    ids = _unique(m.product for m in plan.modalities.values())
    return [products[i] for i in ids if i in products]


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def _read_steps(root: Path, plan: Plan) -> pd.DataFrame:
    compared = any(m.alignment for m in plan.modalities.values())
    shifts = ["modality", "step", "shift", *COLUMNS] if compared else []
    return pd.read_parquet(root / STEPS, columns=["status", *shifts])


def _modality(
    modality: ModalityPlan, plan: Plan, products: Mapping[str, Product], steps: pd.DataFrame
) -> CardModality:
    product = products.get(modality.product)
    return CardModality(
        name=modality.name,
        product=modality.product,
        sensor=product.constellation if product else "",
        bands=tuple(band.name for band in modality.bands),
        gsd=modality.gsd,
        unit=", ".join(_unique(band.unit for band in modality.bands)),
        radiometry=modality.derive or modality.radiometry,
        role="target" if modality.role == "target" else "input",
        synthetic=plan.synthetic,
        shift=sum_up(modality, steps, plan.recipe.checks.max_shift_px),
    )


def _labels(label: LabelPlan) -> CardLabels:
    return CardLabels(
        name=label.name,
        modality=label.modality,
        classes=tuple(name for _, name, _ in label.legend),
    )


def _bbox(samples: geopandas.GeoDataFrame) -> tuple[float, float, float, float] | None:
    """Return the bbox of what was built [degrees], rounded outwards to about 0.1 m."""
    done = samples[samples["status"] == Status.DONE.value]
    bounds = np.asarray((done if len(done) else samples).total_bounds, dtype=float)
    if not np.isfinite(bounds).all():
        return None
    unit = 10.0**BBOX_DIGITS
    west, south = (math.floor(v * unit) / unit for v in bounds[:2])
    east, north = (math.ceil(v * unit) / unit for v in bounds[2:])
    return max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0)


def _span(plan: Plan) -> tuple[datetime, datetime]:
    spans = [area.time or plan.recipe.time.span for area in plan.areas.values()]
    spans = spans or [plan.recipe.time.span]
    return min(s.start for s in spans), max(s.end for s in spans)


def _counts(samples: pd.DataFrame, steps: pd.DataFrame, plan: Plan) -> Counts:
    done = samples[samples["status"] == Status.DONE.value]
    return Counts(
        samples=len(done),
        by_split=_tally(done["split"]),
        by_status=_tally(samples["status"]),
        steps=plan.recipe.time.steps,
        outcomes=_tally(steps["status"]),
    )


def _tally(column: pd.Series) -> dict[str, int]:
    return {str(key): int(n) for key, n in sorted(column.value_counts().items())}


def _patch_edge(plan: Plan) -> PatchEdge:
    edge = plan.recipe.area.patch
    finest = min(m.gsd for m in plan.modalities.values())
    return PatchEdge(metres=edge, pixels=round(edge / finest))


def _split_proof(plan: Plan) -> SplitProof | None:
    """Measure the splits over every patch that the split itself did not reject.

    Later losses can only make the distance larger, so the number is a lower bound.
    """
    spec = plan.recipe.split
    if spec is None:
        return None
    kept = [i for i, placed in enumerate(plan.placed) if not placed.rejected]
    measured = smallest_distance(
        [plan.patches[i] for i in kept], [plan.placed[i].split for i in kept]
    )
    rule = f"by {spec.by}" + (f" of {spec.cell:g} m" if spec.cell is not None else "")
    return SplitProof(
        rule=rule, asked_m=spec.min_distance, measured_m=measured, keys=_shared_keys(plan)
    )


def _shared_keys(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Return the keys of the areas that have one, by split, each once and in order."""
    keys: dict[str, dict[str, None]] = {}
    for patch, placed in zip(plan.patches, plan.placed, strict=True):
        area = plan.areas[patch.area]
        key = plain_key(area.season, area.scene)
        if key:
            keys.setdefault(placed.split, {})[key] = None
    return {split: tuple(found) for split, found in sorted(keys.items())}


def _measure(root: Path) -> tuple[int, int]:
    """Return number and bytes of the files that a user of the dataset reads."""
    folders = (root / "data.zarr", root / LABELS)
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    files += root.glob("*.parquet")
    return len(files), sum(path.stat().st_size for path in files)
