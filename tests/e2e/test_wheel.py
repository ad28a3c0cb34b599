"""The wheel carries recipes, cards and the demo's pixels, and builds the demo without the repo."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.e2e.building import run_command

ROOT = Path(__file__).parents[2]


@pytest.mark.e2e
def test_wheel_when_installed_elsewhere_then_builds_the_demo(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    wheels, site, empty = tmp_path / "wheels", tmp_path / "site", tmp_path / "empty"
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True, timeout=120)
    (wheel,) = wheels.glob("eodata-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "eodata/_shipped/recipes/demo.yaml" in names
    assert "eodata/_shipped/catalog/sen12ms-cr-ts.yaml" in names
    assert not [n for n in names if "tests/" in n or "/.venv" in n]
    install = [*pip, "install", "--no-deps", "--no-index", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    empty.mkdir()
    code = (
        "import eodata, sys; from eodata.cli.app import main; "
        "print(eodata.__file__, file=sys.stderr); main(['build', 'demo', '--limit', '4'])"
    )
    ran = run_command(
        [sys.executable, "-c", code], {**environment, "PYTHONPATH": os.fspath(site)}, cwd=empty
    )
    assert ran.code == 0, ran.err
    assert str(site) in ran.err
    assert (empty / "demo" / "card.yaml").exists()
