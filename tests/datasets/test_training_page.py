"""The page on training: its examples run, its table is the table of the code."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from eodata.datasets import SCALINGS

PAGE = (Path(__file__).parents[2] / "docs/training.md").read_text(encoding="utf-8")


def test_examples_run_one_after_the_other(series, tmp_path, monkeypatch):
    shutil.copytree(series.path, tmp_path / "demo")
    monkeypatch.chdir(tmp_path)
    found: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, found)  # noqa: S102 (our own page)
    assert found["item"]["target"]["s2"].shape == (1, 3, 4, 4)
    assert found["reflectance"].max() <= 1 < found["prediction"].max()
    assert found["checkpoint"]["sampler"]["epoch"] == 2
    assert found["blocks"].quality().neighbours_full > 0


@pytest.mark.parametrize("row", SCALINGS, ids=lambda row: f"{row.name}-{row.quantity}")
def test_every_scaling_stands_in_the_table(row):
    cells = (f"`{row.name}`", row.quantity, row.formula, row.interval, row.source)
    assert f"| {' | '.join(cells)} |" in PAGE


def test_the_table_has_no_scaling_too_many():
    table = PAGE.split("| name | of |")[1].split("\n\n")[0]
    assert table.count("\n| `") == len(SCALINGS)
