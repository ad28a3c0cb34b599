"""The pages of the documentation, and a small store that they are held against."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from eodata.cli.app import main

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four samples of the demo in a folder called demo; tests only read it."""
    folder = tmp_path_factory.mktemp("docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EODATA_HOME", str(folder / "home"))
        with pytest.raises(SystemExit) as ended:
            main(["build", "demo", "--limit", "4", "--out", str(folder / "demo")])
    assert ended.value.code == 0
    return folder / "demo"


@pytest.fixture(scope="session")
def page() -> Callable[[str], str]:
    """Return the text of a page of the documentation."""
    return lambda name: (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def script() -> Callable[[str], ModuleType]:
    """Load a script of the documentation as a module; it runs nothing."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(DOCS))
            patch.delitem(sys.modules, "generated_part", raising=False)
            spec.loader.exec_module(module)
        return module

    return load
