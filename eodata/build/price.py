"""What a build will cost, before the first pixel is read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eodata.build.best_pixels import LOWEST_SUN, QUALITY_RADIUS_M
from eodata.build.coregistering import ROUNDS
from eodata.core.composite import SchmittComposite
from eodata.core.modality_plan import ModalityPlan
from eodata.core.plan import Plan
from eodata.pipeline.cloud_score import SCORE_RADIUS_M
from eodata.pipeline.cloud_shadow import FILTER_REACH, shadow_reach

MARGIN_M = FILTER_REACH + SCORE_RADIUS_M + QUALITY_RADIUS_M
"""What filters reach beyond a window [m]."""
COMPARED_BYTES = 40
"""Memory that both sides of a comparison take per pixel of the window."""
SCORE_BYTES = 79
"""Memory that scores take per pixel of their grid."""


def price(plan: Plan) -> dict[str, Any]:
    """Say what a build will cost before the first pixel is read.

    Returns:
        Counts of samples, tasks, reads (one band of one item onto one window) and files, bytes
        of the store before compression, and the memory that one running task needs [bytes].
    """
    layouts = [plan.layout(name) for name in plan.modalities]
    groups = [(block, area, part) for block in plan.blocks for area, part in block.groups()]
    windows = [area for _, area, _ in groups]
    ground = max(block.window_area(positions) for block, _, positions in groups)
    gaps = sum(
        not choice.items
        for by_area in plan.choices.values()
        for row in by_area.values()
        for choice in row
    )
    return {
        "samples": len(plan.patches),
        "blocks": len(plan.blocks),
        "tasks": len(plan.tasks),
        "items": len(plan.items),
        "reads": sum(
            _reads(plan, name, windows) for name, m in plan.modalities.items() if not m.derive
        ),
        "empty_steps": gaps,
        "shard_files": 2 * sum(layout.n_shards for layout in layouts),
        "bytes_uncompressed": sum(layout.shard_bytes * layout.n_shards for layout in layouts),
        "bytes_in_memory_per_task": max(_memory(plan, name, ground) for name in plan.modalities),
    }


def _reads(plan: Plan, name: str, windows: Sequence[str]) -> int:
    """Return how many bands of items are read onto windows, each named by its area, at most.

    A composite of best pixels reads its guides for every window, and once for the whole area. What
    is moved onto a reference is looked at several times before.
    """
    modality = plan.modalities[name]
    n_guides = len(modality.guides)
    n_bands = len(modality.reads) + (modality.validity is not None) + n_guides
    n_bands += _looked_at(plan.mover(name))
    n_items = {
        area: sum(len(plan.choice(name, area, step).items) for step in range(plan.n_steps(name)))
        for area in plan.areas
    }
    onto_windows = sum(n_items[area] for area in windows)
    return n_bands * onto_windows + n_guides * sum(n_items.values())


def _looked_at(mover: ModalityPlan) -> int:
    """Return how many bands of an item are read to find out how it is to be moved, at most."""
    ruled = mover.validity is not None
    found = 0
    if mover.alignment and mover.alignment.moves:
        found += (ROUNDS + 1) * (len(mover.alignment.bands) + ruled)
    if mover.steady_band is not None:
        found += 2 * (len(mover.reads) + ruled)
    return found


def _memory(plan: Plan, name: str, ground: float) -> int:
    """Return what one running task of a modality holds at its peak, about [bytes].

    The largest window has `ground` m². It holds its shard three times (array, encoder, encoded),
    that window twice (as read, as decoded), and the layers that are interpolated: 40 bytes per
    pixel of the window, as measured. What is compared takes as much again.
    """
    layout = plan.layout(name)
    pixels = ground / plan.modalities[name].gsd ** 2
    per_pixel = 2 * layout.shape[2] * layout.itemsize + 40
    if plan.modalities[name].alignment:
        per_pixel += COMPARED_BYTES
    return round(3 * layout.shard_bytes + pixels * per_pixel) + _scores_memory(plan, name, ground)


def _scores_memory(plan: Plan, name: str, ground: float) -> int:
    """Return what a composite of best pixels holds beside, about [bytes]: measured per pixel.

    Its scores are made on a grid that reaches beyond the window of `ground` m², towards the sun by
    as far as shadows of clouds; the lowest sun of all items counts.
    """
    spec = getattr(plan.recipe.modalities[name], "composite", None)
    if not isinstance(spec, SchmittComposite):
        return 0
    used = {i for row in plan.choices[name].values() for choice in row for i in choice.items}
    suns = [plan.items[i].properties.get("view:sun_elevation") for i in used]
    lowest = max(LOWEST_SUN, min((float(sun) for sun in suns if sun is not None), default=30.0))
    reach = 2 * MARGIN_M + shadow_reach(90.0 - lowest, spec.shadows.highest)
    n_images = max(len(c.acquisitions) for row in plan.choices[name].values() for c in row)
    window = ground / spec.gsd**2
    return round(SCORE_BYTES * (ground**0.5 + reach) ** 2 / spec.gsd**2 + 4 * n_images * window)
