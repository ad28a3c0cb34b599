"""The words of `--sandbox`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eodata.core.errors import RecipeError
from eodata.core.sandbox_spec import Defects, SandboxSettings

RATES = st.floats(0, 1)
WORLDS = st.builds(
    SandboxSettings,
    seed=st.integers(0, 2**31 - 1),
    mode=st.sampled_from(["planet", "plane"]),
    defects=st.builds(Defects, shift_rate=RATES, shift_px=st.floats(0, 50), duplicates=RATES),
)


@given(WORLDS)
def test_a_world_is_read_back_from_its_own_line(settings):
    assert SandboxSettings.from_text(settings.world) == settings


def test_the_line_holds_what_is_not_the_default_and_the_seed():
    assert SandboxSettings().world == "seed=1"
    settings = SandboxSettings(seed=7, mode="plane", defects=Defects(all_nodata=0.25))
    assert settings.world == "seed=7 mode=plane all_nodata=0.25"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sed=7", 'Did you mean "seed"?'),
        ("shift_rat=0.5", 'Did you mean "shift_rate"?'),
        ("seed", "seed=7 mode=plane"),
        ("shift_rate=2", "less than or equal to 1"),
        ("mode=cube", "'planet' or 'plane'"),
    ],
)
def test_a_wrong_line_says_what_would_work(text, told):
    with pytest.raises(RecipeError) as error:
        SandboxSettings.from_text(text)
    assert told in str(error.value)
    assert "--sandbox" in error.value.where
