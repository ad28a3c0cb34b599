"""The torch layer over a store.

Importing it loads nothing heavy; what needs torch brings it when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eodata.datasets.opening import open_dataset
    from eodata.datasets.sampler import EpochSampler
    from eodata.datasets.scalings import SCALINGS
    from eodata.datasets.steps import RandomSteps, TargetSteps

__all__ = ["SCALINGS", "EpochSampler", "RandomSteps", "TargetSteps", "open_dataset"]

_HOMES = {
    "SCALINGS": "scalings",
    "EpochSampler": "sampler",
    "RandomSteps": "steps",
    "TargetSteps": "steps",
    "open_dataset": "opening",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"eodata.datasets.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'eodata.datasets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
