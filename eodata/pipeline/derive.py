"""Modalities that are computed from finished ones: one function per derivation. Pure.

Every function takes a batch of images of one source modality, values `(N, C, H, W)` as DN and
valid `(N, H, W)`, and returns a `Derivation` of the same images.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eodata.core.derivation import (
    S2_CLOUDLESS_BANDS,
    ClassMap,
    ClassMask,
    CloudScore,
    CloudShadowRules,
    Derived,
    S2Cloudless,
    Stretch,
    Threshold,
)
from eodata.core.modality_plan import ModalityPlan
from eodata.pipeline.cloud_score import SCORE_RADIUS_M, cloud_score, cloud_shadow_rules
from eodata.pipeline.s2cloudless import cloud_probability
from eodata.pipeline.threshold import threshold

GREY = 255
"""The largest of 8 bit."""


@dataclass(frozen=True, slots=True, eq=False)
class Derivation:
    """A batch of derived images.

    Attributes:
        values: `(N, C, H, W)` in the dtype of the derived bands.
        valid: `(N, H, W)`, True = usable.
        measured: Per image what was measured on the way, as JSON; empty for nothing.
    """

    values: NDArray[np.generic]
    valid: NDArray[np.bool_]
    measured: tuple[str, ...] = ()


def derive(
    spec: Derived,
    plan: ModalityPlan,
    source: ModalityPlan,
    values: NDArray[np.generic],
    valid: NDArray[np.bool_],
) -> Derivation:
    """Compute a batch of images of a derived modality.

    Args:
        spec: What the recipe says.
        plan: The derived modality.
        source: The modality that `values` belong to.
        values: `(N, C, H, W)`, the store's DN.
        valid: `(N, H, W)`, True = usable.

    Raises:
        AuthError: A package is missing.
    """
    if plan.takes is not None:
        source = replace(source, bands=source.bands[plan.takes : plan.takes + 1])
        values = values[:, plan.takes : plan.takes + 1]
    return _FUNCTIONS[type(spec)](spec, plan, source, values, valid)


def class_mask(values: NDArray[np.generic], classes: Sequence[int]) -> NDArray[np.uint8]:
    """Mark the pixels whose class is one of `classes`.

    Args:
        values: Class ids, any shape.
        classes: Ids to mark.

    Returns:
        1 or 0, same shape. Invalid pixels are marked like any other: `valid` tells.
    """
    return np.isin(values, np.asarray(classes)).astype(np.uint8)


def class_map(
    values: NDArray[np.generic], recode: Sequence[tuple[int, int]]
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Replace classes.

    Args:
        values: Class ids, any shape, 0 to 255.
        recode: `(old, new)` pairs.

    Returns:
        New ids, 0 where the old one is in no pair; and True where it is in one.
    """
    table, known = np.zeros(256, np.uint8), np.zeros(256, np.bool_)
    for old, new in recode:
        table[old], known[old] = new, True
    index = values.astype(np.uint8)
    return table[index], known[index] & (index == values)


def stretch(
    numbers: NDArray[np.floating], valid: NDArray[np.bool_], sigmas: float
) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Cut one band at `mean - sigmas * std` and `mean + sigmas * std`, and scale it to 0..255.

    Args:
        numbers: `(H, W)`, physical.
        valid: `(H, W)`; only these pixels count for mean and deviation, all others become 0.
        sigmas: Standard deviations on either side.

    Returns:
        Grey values, and the two limits; NaN for a band without a valid pixel.
    """
    if not valid.any():
        return np.zeros(numbers.shape, np.uint8), (float("nan"), float("nan"))
    used = numbers[valid].astype(np.float64)
    mean, reach = float(used.mean()), sigmas * float(used.std())
    low, high = mean - reach, mean + reach
    span = (high - low) or 1.0
    grey = np.rint(np.clip((np.where(valid, numbers, low) - low) / span, 0.0, 1.0) * GREY)
    return np.where(valid, grey, 0).astype(np.uint8), (low, high)


def _class_mask(
    spec: Any, _: ModalityPlan, __: ModalityPlan, values: Any, valid: NDArray[np.bool_]
) -> Derivation:
    return Derivation(class_mask(values, spec.classes), valid)


def _class_map(
    _: Any, plan: ModalityPlan, __: ModalityPlan, values: Any, valid: NDArray[np.bool_]
) -> Derivation:
    mapped, known = class_map(values, plan.recode)
    return Derivation(mapped, valid & known[:, 0])


def _s2cloudless(
    _: Any, __: ModalityPlan, source: ModalityPlan, values: Any, valid: NDArray[np.bool_]
) -> Derivation:
    bands = _reflectance(source, values)
    cube = np.stack([bands[name] for name in S2_CLOUDLESS_BANDS], axis=1)
    return Derivation(cloud_probability(cube)[:, None], valid)


def _cloud_score(
    _: Any, __: ModalityPlan, source: ModalityPlan, values: Any, valid: NDArray[np.bool_]
) -> Derivation:
    bands, radius = _reflectance(source, values), max(1, round(SCORE_RADIUS_M / source.gsd))
    scores = [
        cloud_score({k: np.where(valid[i], band[i], np.nan) for k, band in bands.items()}, radius)
        for i in range(len(values))
    ]
    return Derivation(np.stack(scores)[:, None], valid)


def _cloud_shadow_rules(
    spec: Any, _: ModalityPlan, source: ModalityPlan, values: Any, valid: NDArray[np.bool_]
) -> Derivation:
    bands = _reflectance(source, values)
    found = [
        cloud_shadow_rules(
            {k: np.where(valid[i], band[i], np.nan) for k, band in bands.items()}, spec.threshold
        )
        for i in range(len(values))
    ]
    return Derivation(np.stack(found)[:, None], valid)


def _threshold(
    spec: Any, _: ModalityPlan, source: ModalityPlan, values: Any, valid: NDArray[np.bool_]
) -> Derivation:
    marked = threshold(
        source.bands[0].physical(values[:, 0]),
        valid,
        above=spec.above,
        below=spec.below,
        average_over=spec.average_over,
        dilation_size=spec.dilation_size,
    )
    return Derivation(marked[:, None], valid)


def _stretch(
    spec: Any, _: ModalityPlan, source: ModalityPlan, values: Any, valid: NDArray[np.bool_]
) -> Derivation:
    grey, told = np.zeros(values.shape, np.uint8), []
    for i, image in enumerate(values):
        limits: dict[str, tuple[float, float]] = {}
        for c, band in enumerate(source.bands):
            grey[i, c], limits[band.name] = stretch(band.physical(image[c]), valid[i], spec.sigmas)
        told.append(json.dumps({"limits": limits}) if valid[i].any() else "")
    return Derivation(grey, valid, tuple(told))


def _reflectance(
    source: ModalityPlan, values: NDArray[np.generic]
) -> Mapping[str, NDArray[np.float32]]:
    """Return the bands of a batch by name, each `(N, H, W)` in physical units."""
    return {
        band.name: band.physical(values[:, c]).astype(np.float32, copy=False)
        for c, band in enumerate(source.bands)
    }


_Function = Callable[[Any, ModalityPlan, ModalityPlan, Any, NDArray[np.bool_]], Derivation]
_FUNCTIONS: dict[type[Derived], _Function] = {
    ClassMask: _class_mask,
    ClassMap: _class_map,
    S2Cloudless: _s2cloudless,
    CloudScore: _cloud_score,
    CloudShadowRules: _cloud_shadow_rules,
    Threshold: _threshold,
    Stretch: _stretch,
}
