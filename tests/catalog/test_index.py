"""Stores that were built are found again, whatever else happens to them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eodata.catalog.card import Card
from eodata.catalog.index import cards, home, register, registered, unregister
from eodata.core.errors import StoreError

REPOSITORY = Path(__file__).resolve().parents[2]
REGISTER_MANY = """
import sys
from pathlib import Path
from eodata.catalog.index import register
print("ready", flush=True)
sys.stdin.readline()
for root in sys.argv[1:]:
    register(Path(root))
"""


def make_store(root: Path, name: str = "a") -> Path:
    root.mkdir(parents=True)
    card = Card(name=name, title=name, source="built", licence="MIT")
    (root / "card.yaml").write_text(card.dumps(), encoding="utf-8")
    return root


def test_home_is_the_variable_or_the_users_own(register_folder: Path, monkeypatch) -> None:
    assert home() == register_folder
    monkeypatch.delenv("EODATA_HOME")
    assert home().name == "eodata" and home().is_absolute()


def test_a_registered_store_is_found_by_its_absolute_path(
    register_folder: Path, tmp_path: Path, monkeypatch
) -> None:
    assert registered() == []
    root = make_store(tmp_path / "data" / "größe 1")
    monkeypatch.chdir(root.parent)
    register(Path(root.name))
    register(root)
    assert registered() == [root]
    unregister(root)
    unregister(root)
    assert registered() == [] and root.is_dir()


def test_a_store_that_is_gone_comes_back_with_its_disk(
    register_folder: Path, tmp_path: Path
) -> None:
    root = make_store(tmp_path / "disk" / "store")
    register(root)
    shutil.move(tmp_path / "disk", tmp_path / "unplugged")
    assert registered() == []
    shutil.move(tmp_path / "unplugged", tmp_path / "disk")
    assert registered() == [root]


@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b'{"path": 3}', b"\xff"])
def test_a_damaged_entry_hides_no_other(register_folder: Path, tmp_path: Path, junk) -> None:
    root = make_store(tmp_path / "store")
    register(root)
    (register_folder / "stores" / "0.json").write_bytes(junk)
    assert registered() == [root]


def test_two_processes_at_once_lose_no_store(register_folder: Path, tmp_path: Path) -> None:
    roots = [make_store(tmp_path / f"s{i:02d}") for i in range(30)]
    shared = roots[10:20]
    both = [roots[:10] + shared, shared[::-1] + roots[20:]]
    running = [
        subprocess.Popen(
            [sys.executable, "-c", REGISTER_MANY, *map(str, part)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=REPOSITORY,
        )
        for part in both
    ]
    for process in running:
        assert process.stdout.readline() == b"ready\n"
    for process in running:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in running:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert registered() == roots
    assert len(list((register_folder / "stores").iterdir())) == 30


def test_a_register_that_cannot_be_written_names_the_variable(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EODATA_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreError, match="EODATA_HOME"):
        register(make_store(tmp_path / "store"))


def test_cards_gathers_all_and_tells_of_the_broken(register_folder: Path, tmp_path: Path) -> None:
    known, unfinished = make_store(tmp_path / "known", "known"), tmp_path / "unfinished"
    unfinished.mkdir()
    register(known)
    register(unfinished)
    other = make_store(tmp_path / "other", "other")
    good, bad = make_store(tmp_path / "x", "shipped") / "card.yaml", tmp_path / "bad.yaml"
    bad.write_text("name: bad\n", encoding="utf-8")
    found, broken = cards([other, known], shipped=[good, bad])
    assert [(path, card.name) for path, card in found] == [
        (known, "known"),
        (other, "other"),
        (None, "shipped"),
    ]
    assert [b.path for b in broken] == [unfinished / "card.yaml", bad]
    assert "the key is missing" in broken[1].reason
