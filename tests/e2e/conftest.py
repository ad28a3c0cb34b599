"""Whole builds through the command line, in processes of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from eodata.cli.app import main
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


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """The folder that `run` works in."""
    return tmp_path


@pytest.fixture
def run(
    workplace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Cli:
    """Run `eodata …` in this process."""
    monkeypatch.setenv("EODATA_HOME", str(workplace / "home"))
    monkeypatch.chdir(workplace)

    def run(*arguments: object) -> Ran:
        with pytest.raises(SystemExit) as ended:
            main([str(a) for a in arguments])
        out, err = capsys.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return run
