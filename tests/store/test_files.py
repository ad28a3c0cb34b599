import json
import sys

import pytest

from eodata.core.errors import StoreError
from eodata.store.files import (
    PLAN,
    is_store,
    read_plan,
    remove_file,
    sweep_partials,
    write_bytes,
    write_plan,
)

# The kernel refuses bytes beyond RLIMIT_FSIZE as a full disk does: write() fails half-way.
DISK_FULL = """
import resource, signal, sys
from pathlib import Path
from eodata.core.errors import StoreError
from eodata.store.files import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_bytes(Path(sys.argv[1]), bytes(1_000_000))
except StoreError as error:
    print(error)
"""


def test_write_bytes_when_folder_is_missing_then_makes_it_and_leaves_one_file(tmp_path):
    path = tmp_path / "c" / "0" / "1"
    write_bytes(path, b"one")
    with path.open("rb") as reader:
        write_bytes(path, b"two")
        assert reader.read() == b"one"  # who reads the old file reads it to its end
    assert path.read_bytes() == b"two"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [path]


@pytest.mark.skipif(sys.platform == "win32", reason="no RLIMIT_FSIZE")
def test_write_bytes_when_disk_is_full_then_old_file_stays_and_nothing_else(tmp_path, run_code):
    path = tmp_path / "shard"
    write_bytes(path, b"old")
    ran = run_code(DISK_FULL, path)
    assert ran.returncode == 0, ran.stderr
    assert str(path) in ran.stdout
    assert "File too large" in ran.stdout
    assert "Free space" in ran.stdout
    assert [p.name for p in tmp_path.iterdir()] == ["shard"]
    assert path.read_bytes() == b"old"


def test_write_bytes_when_a_file_is_in_the_way_then_store_error_names_it(tmp_path):
    (tmp_path / "c").write_bytes(b"")
    with pytest.raises(StoreError) as caught:
        write_bytes(tmp_path / "c" / "0", b"x")
    assert caught.value.where == str(tmp_path / "c" / "0")
    assert "File exists" in caught.value.found


def test_remove_file_when_it_is_a_folder_then_store_error(tmp_path):
    remove_file(tmp_path / "not-there" / "either")
    with pytest.raises(StoreError):
        remove_file(tmp_path)


def test_sweep_partials_when_runs_were_killed_then_only_leftovers_go(tmp_path):
    write_bytes(tmp_path / "a" / "0", b"x")
    (tmp_path / "a" / "0.0123456789abcdef.partial").write_bytes(b"x")
    (tmp_path / "samples.parquet.fedcba9876543210.partial").write_bytes(b"x")
    (tmp_path / "thesis.partial").write_bytes(b"somebody's")
    assert sweep_partials(tmp_path) == 2
    assert sweep_partials(tmp_path) == 0
    assert (tmp_path / "thesis.partial").exists()
    assert (tmp_path / "a" / "0").read_bytes() == b"x"


def test_write_plan_when_read_back_then_same_digest_and_second_time_is_free(tmp_path, plan):
    assert not is_store(tmp_path)
    write_plan(tmp_path, plan)
    before = (tmp_path / PLAN).stat().st_mtime_ns
    write_plan(tmp_path, plan)
    assert (tmp_path / PLAN).stat().st_mtime_ns == before
    assert is_store(tmp_path)
    assert read_plan(tmp_path).digest == plan.digest
    assert read_plan(tmp_path).tasks == plan.tasks


def test_write_plan_when_store_follows_another_then_store_error(tmp_path, plan, make_plan):
    write_plan(tmp_path, plan)
    other = make_plan(distance=8000)
    with pytest.raises(StoreError) as caught:
        write_plan(tmp_path, other)
    assert plan.digest[:12] in caught.value.found
    assert other.digest[:12] in caught.value.found


def _edit(text: str, **changes: object) -> str:
    return json.dumps({**json.loads(text), **changes})


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda text: text[:100], "no JSON"),
        (lambda text: "[]", "no plan of eodata"),
        (lambda text: "{}", "no plan of eodata"),
        (lambda text: _edit(text, format=99), "format 99"),
        (lambda text: _edit(text, synthetic=True), "its content has"),
        (lambda text: _edit(text, digest="0" * 64), "states digest 000000000000"),
        (lambda text: _edit(text, items=[{}]), "KeyError"),
        (lambda text: _edit(text, recipe={}), "RecipeError"),
        (lambda text: _edit(text, patches=[["a", 0]]), "ValueError"),
    ],
)
def test_read_plan_when_file_is_not_what_was_written_then_store_error(
    tmp_path, plan, change, found
):
    write_plan(tmp_path, plan)
    path = tmp_path / PLAN
    path.write_text(change(path.read_text()))
    with pytest.raises(StoreError) as caught:
        read_plan(tmp_path)
    assert caught.value.where == str(path)
    assert found in caught.value.found


def test_read_plan_when_there_is_none_then_store_error(tmp_path):
    with pytest.raises(StoreError, match="no such file"):
        read_plan(tmp_path / "nowhere")
