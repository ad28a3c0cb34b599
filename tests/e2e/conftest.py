"""Whole builds through the command line, in processes of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.e2e.building import Cli, Ran, run_command


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "EODATA_HOME": str(home), "PYTHONWARNINGS": "default"}


@pytest.fixture(scope="session")
def cli(environment: dict[str, str]) -> Cli:
    """Run `eodata …` and return how it ended."""

    def run(*arguments: object, cwd: Path | None = None) -> Ran:
        return run_command([sys.executable, "-m", "eodata", *arguments], environment, cwd)

    return run


@pytest.fixture(scope="session")
def demo(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo store, built once; tests only read it."""
    store = tmp_path_factory.mktemp("stores") / "demo"
    ran = cli("build", "demo", "--out", store)
    assert ran.code == 0, ran.err
    return store
