"""The pure floors import nothing that reads, writes or trains."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import eodata

ROOT = Path(eodata.__file__).parent
MODULES = sorted(p for floor in ("core", "pipeline") for p in (ROOT / floor).glob("**/*.py"))
IMPURE = {
    "dask", "distributed", "ee", "fsspec", "geopandas", "glob", "http", "io", "os", "pathlib",
    "pyogrio", "rasterio", "requests", "shutil", "socket", "sqlite3", "tempfile", "torch",
    "urllib", "yaml", "zarr",
}  # fmt: skip
CORE_ALONE = ("eodata.core",)
FLOORS = {"core": CORE_ALONE, "pipeline": (*CORE_ALONE, "eodata.pipeline")}


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_pure_module_then_imports_no_file_network_or_torch(path: Path) -> None:
    assert not {name.split(".")[0] for name in imported(path)} & IMPURE


@pytest.mark.parametrize("path", MODULES, ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_pure_module_then_imports_no_higher_floor(path: Path) -> None:
    own = {name for name in imported(path) if name.split(".")[0] == "eodata"}
    floor = path.relative_to(ROOT).parts[0]
    assert all(name.startswith(FLOORS[floor]) for name in own)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: f"{p.parent.name}.{p.stem}")
def test_pure_module_then_asks_for_no_clock_and_opens_nothing(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            called = node.func.id if isinstance(node.func, ast.Name) else called
            assert called not in {"open", "now", "utcnow", "today", "urlopen"}
