"""How cloudy each step is, from the tables of the store; no pixel is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eodata.core.errors import RecipeError, nearest
from eodata.core.outcome import Status

PERCENT = 100.0


def choose_cloud_source(
    wanted: str, dated: Sequence[str], masks: Sequence[str], steps: Any
) -> tuple[str, str]:
    """Return the modality and the column of `steps.parquet` that tell the coverage.

    Args:
        wanted: Modality that was asked for, `""` to look for one.
        dated: Modalities of the store that have a time axis.
        masks: Those of them that are class masks.
        steps: DataFrame of the whole store.

    Raises:
        RecipeError: There is no such modality, nothing tells, or several masks do.
    """
    if wanted:
        if wanted not in dated:
            raise RecipeError(
                "steps: cloud", f'no modality with steps is "{wanted}"', "", nearest(wanted, dated)
            )
        candidates: Sequence[str] = [wanted]
    elif len(masks) > 1:
        raise RecipeError(
            "steps: cloud",
            f"the store has the class masks {', '.join(masks)}",
            "one of them must tell which steps are cloudy.",
            f'Name it, such as cloud="{masks[0]}".',
        )
    else:
        candidates = masks or dated
    for name in candidates:
        column = "marked" if name in masks else "cloud_cover"
        mine = steps[steps["modality"] == name]
        if column in mine and mine[column].notna().any():
            return name, column
    raise RecipeError(
        "steps",
        f"nothing tells how cloudy the steps of {', '.join(candidates)} are",
        "the rule needs a class mask over time, or the cloud cover that an archive states.",
        "Name another modality with cloud=…, choose steps by number, or use RandomSteps.",
    )


def coverage_of(
    steps: Any, name: str, column: str, rows: NDArray[np.int64], length: int
) -> NDArray[np.float64]:
    """Return the coverage `(N, T)` as a fraction; NaN where the step is not done or nothing tells.

    Args:
        steps: DataFrame of the whole store.
        name: Modality that tells.
        column: `marked`, a fraction, or `cloud_cover` [%].
        rows: `(N,)` rows of the samples, strictly increasing.
        length: T.
    """
    mine = steps[
        (steps["modality"] == name)
        & (steps["status"] == Status.DONE.value)
        & steps["row"].isin(rows)
    ]
    out = np.full((len(rows), length), np.nan)
    sample = np.searchsorted(rows, mine["row"].to_numpy(dtype=np.int64))
    numbers = mine[column].to_numpy(dtype=np.float64)
    out[sample, mine["step"].to_numpy(dtype=np.int64)] = numbers
    return out / PERCENT if column == "cloud_cover" else out


def usable_steps(
    present: Mapping[str, NDArray[np.bool_]], dated: Sequence[str]
) -> NDArray[np.bool_]:
    """Return `(N, T)`, True where every one of the modalities `dated` has a done step."""
    usable: NDArray[np.bool_] = np.logical_and.reduce([present[name] for name in dated])
    return usable
