"""The default method of resampling."""

from __future__ import annotations

import pytest

from eodata.core.errors import RecipeError
from eodata.pipeline.resampling import default_resampling


@pytest.mark.parametrize(
    ("kind", "finer", "equal", "coarser"),
    [
        ("continuous", "bilinear", "bilinear", "average"),
        ("categorical", "nearest", "nearest", "mode"),
    ],
)
def test_the_method_follows_kind_and_direction(kind, finer, equal, coarser):
    assert default_resampling(kind, 20, 10) == finer
    assert default_resampling(kind, 10, 10) == equal
    assert default_resampling(kind, 10, 10 + 1e-9) == equal
    assert default_resampling(kind, 10, 20) == coarser


def test_a_bitmask_is_copied_but_never_made_coarser():
    assert default_resampling("bitmask", 20, 10) == "nearest"
    assert default_resampling("bitmask", 20, 20) == "nearest"
    with pytest.raises(RecipeError) as error:
        default_resampling("bitmask", 20, 60)
    assert "20 m" in error.value.found
    assert "60 m" in error.value.found
    assert error.value.fix
