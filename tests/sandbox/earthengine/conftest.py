"""Small images for the graphs' own tests."""

from __future__ import annotations

import numpy as np
import pytest

from tests.sandbox.earthengine.graphing import MadeCatalogue

SHAPE = (3, 4)


@pytest.fixture
def made() -> MadeCatalogue:
    """Three images of two bands; `a` is an integer masked where it is 0, `b` a fraction."""
    rng = np.random.default_rng(7)
    catalogue = MadeCatalogue()
    clouds = (10, 60, None)
    for k, cloud in enumerate(clouds):
        a = rng.integers(0, 4, SHAPE).astype(np.uint16) * np.uint16(1000)
        b = rng.uniform(-1, 1, SHAPE).astype(np.float32)
        told = {"number": k, "kind": "odd" if k % 2 else "even"}
        if cloud is not None:
            told["cloud"] = cloud
        catalogue.add(f"i{k}", {"a": a, "b": b}, told, day=k)
    return catalogue


@pytest.fixture
def arrays(made: MadeCatalogue) -> dict:
    """The numbers of these images by index and band."""
    return {(name[-2:], key): array for (name, key), array in made.archive.arrays.items()}
