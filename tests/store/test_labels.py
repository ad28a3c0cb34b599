"""Tables of labels: written from the pixels of a store, read back, and proven."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eodata.core.errors import StoreError
from eodata.core.label_plan import LabelPlan
from eodata.core.outcome import Status
from eodata.store.label_files import META
from eodata.store.ledger import SqliteLedger
from eodata.store.reader import StoreReader
from eodata.store.sink import ZarrSink
from eodata.store.tables import write_tables
from eodata.store.verify import verify

LEGEND = ((1, "dry", "aaaaaa"), (3, "wet", "0000ff"), (5, "snow", "ffffff"))
COVER = LabelPlan("cover", "lc", LEGEND, tuple((v, v // 3 * 2 + 1) for v in range(1, 8)), 0.3)
PLAIN = LabelPlan("plain", "lc", tuple((v, f"class {v}", "000000") for v in range(1, 10)), (), 0.1)
FILE = "labels/cover.parquet"
EDGE = 16


@pytest.fixture(scope="session")
def labelled_plan(plan):
    return replace(plan, labels=(COVER, PLAIN))


@pytest.fixture(scope="session")
def labelled_once(labelled_plan, build, tmp_path_factory) -> Path:
    """A store with labels that no test may change."""
    root = tmp_path_factory.mktemp("labelled") / "small"
    build(root, labelled_plan)
    return root


@pytest.fixture
def labelled(labelled_once, tmp_path) -> Path:
    """A store with labels to break."""
    return Path(shutil.copytree(labelled_once, tmp_path / "small"))


@pytest.fixture
def rewrite(labelled, labelled_plan):
    """Write the tables again for outcomes that differ in the label layer."""

    def write(**by_row) -> StoreReader:
        with SqliteLedger(labelled, readonly=True) as ledger:
            told = list(ledger.outcomes())
        outcomes = [
            (t, replace(o, status=by_row[f"row{o.row}"]))
            if t.startswith("lc") and f"row{o.row}" in by_row
            else (t, o)
            for t, o in told
        ]
        (labelled / FILE).unlink()  # as a build does before it writes pixels
        write_tables(labelled, labelled_plan, outcomes)
        return StoreReader(labelled)

    return write


def _problems(root: Path, *, quick: bool = False) -> dict[str, str]:
    return {check.name: check.detail for check in verify(root, quick=quick).checks if not check.ok}


def _edit(root: Path, **columns: object) -> None:
    """Replace columns of the table, and leave its metadata alone."""
    table = pq.read_table(root / FILE)
    for name, values in columns.items():
        i = table.column_names.index(name)
        table = table.set_column(i, name, pa.array(values, table.schema.field(i).type))
    pq.write_table(table, root / FILE)


def _counted(plan, truth, row: int) -> list[int]:
    """Classes of the valid pixels of one sample, joined as COVER says, one by one."""
    task = next(t for t in plan.tasks if t.modality == "lc" and t.block == row // 4)
    delivered = truth(plan, task)
    pairs = zip(delivered.values[row % 4, 0, 0].flat, delivered.valid[row % 4, 0].flat, strict=True)
    joined = dict(COVER.recode)
    return [joined[int(v)] for v, ok in pairs if ok and int(v) in joined]


def test_table_when_built_then_it_is_what_counting_gives(labelled_once, labelled_plan, truth):
    frame = StoreReader(labelled_once).labels("cover")
    assert list(frame["row"]) == [0, 1, 2, 3, 4]
    assert list(frame["id"]) == [patch.id for patch in labelled_plan.patches]
    for row in range(5):
        seen = _counted(labelled_plan, truth, row)
        shares = {value: seen.count(value) / len(seen) for value, _, _ in LEGEND}
        line = frame.iloc[row]
        assert line["valid"] == len(seen) / EDGE**2
        assert line["single"] == max(shares, key=lambda value: (shares[value], -value))
        assert list(line["multi"]) == [value for value in shares if shares[value] >= 0.3]
        found = [line[f"fraction:{name}"] for _, name, _ in LEGEND]
        assert found == [np.float32(share) for share in shares.values()]


def test_table_when_read_with_arrow_alone_then_types_and_legend_stand(labelled_once):
    schema = pq.read_schema(labelled_once / FILE)
    assert [(field.name, str(field.type)) for field in schema] == [
        ("id", "string"),
        ("row", "int64"),
        ("single", "uint8"),
        ("multi", "list<element: uint8>"),
        ("valid", "double"),
        ("fraction:dry", "float"),
        ("fraction:wet", "float"),
        ("fraction:snow", "float"),
    ]
    assert json.loads(schema.metadata[META]) == {
        "name": "cover",
        "from": "lc",
        "least": 0.3,
        "classes": [{"value": v, "name": n, "colour": c} for v, n, c in LEGEND],
    }


def test_reader_when_there_are_labels_then_names_and_legends(labelled_once, built_once):
    reader = StoreReader(labelled_once)
    assert reader.label_names == ("cover", "plain")
    assert reader.label_classes("cover") == LEGEND
    assert StoreReader(built_once).label_names == ()


@pytest.mark.parametrize("read", [StoreReader.labels, StoreReader.label_classes])
def test_reader_when_the_name_is_unknown_then_the_nearest_is_told(labelled_once, read):
    with pytest.raises(StoreError, match='Did you mean "cover"'):
        read(StoreReader(labelled_once), "cove")


@pytest.mark.parametrize("read", [StoreReader.labels, StoreReader.label_classes])
def test_reader_when_the_file_is_damaged_or_foreign_then_store_error(labelled, read):
    (labelled / FILE).write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="damaged or foreign"):
        read(StoreReader(labelled), "cover")
    pd.DataFrame({"shots": [1.0]}).to_parquet(labelled / FILE)
    with pytest.raises(StoreError, match="damaged or foreign"):
        read(StoreReader(labelled), "cover")


def test_tables_when_written_again_then_the_same_bytes(labelled_once, labelled, rewrite):
    rewrite()
    for name in ("cover", "plain"):
        path = f"labels/{name}.parquet"
        assert (labelled / path).read_bytes() == (labelled_once / path).read_bytes()
    assert len(list((labelled / "labels").iterdir())) == 2


@pytest.mark.parametrize("status", [Status.FAILED, Status.REJECTED, Status.EMPTY])
def test_table_when_the_layer_is_not_done_then_nulls(rewrite, labelled_once, status):
    frame = rewrite(row1=status, row4=status).labels("cover")
    before = StoreReader(labelled_once).labels("cover")
    for row in (1, 4):
        line = frame.iloc[row]
        assert line["valid"] == 0
        assert pd.isna(line["single"])
        assert line["multi"] is None
        assert line.filter(like="fraction:").isna().all()
    pd.testing.assert_frame_equal(frame.drop([1, 4]), before.drop([1, 4]))
    assert frame["single"].dtype == "UInt8"


@pytest.mark.parametrize("harm", [lambda data: data[:-9], lambda data: b"", None])
def test_write_tables_when_the_table_is_gone_or_damaged_then_made_again(
    labelled, labelled_plan, harm
):
    before = (labelled / FILE).read_bytes()
    if harm is None:
        (labelled / FILE).unlink()
    else:
        (labelled / FILE).write_bytes(harm(before))
    with SqliteLedger(labelled, readonly=True) as ledger:
        write_tables(labelled, labelled_plan, ledger.outcomes())
    assert (labelled / FILE).read_bytes() == before


def test_write_tables_when_the_table_is_sound_then_no_pixel_is_read(labelled, labelled_plan):
    before = (labelled / FILE).read_bytes()
    shutil.rmtree(labelled / "data.zarr/lc/c")
    with SqliteLedger(labelled, readonly=True) as ledger:
        write_tables(labelled, labelled_plan, ledger.outcomes())
    assert (labelled / FILE).read_bytes() == before


def test_table_when_nothing_is_built_then_nulls_without_a_look_at_pixels(tmp_path, labelled_plan):
    write_tables(tmp_path, labelled_plan, [])
    table = pq.read_table(tmp_path / FILE)
    assert table["single"].null_count == 5
    assert table["valid"].to_pylist() == [0] * 5


def test_write_tables_when_a_shard_is_damaged_then_store_error(labelled, rewrite):
    shard = next(path for path in (labelled / "data.zarr/lc/c").rglob("*") if path.is_file())
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(StoreError, match="damaged"):
        rewrite()


@pytest.mark.parametrize("quick", [True, False])
def test_verify_when_labels_are_as_built_then_ok(labelled_once, quick):
    assert _problems(labelled_once, quick=quick) == {}


@pytest.mark.parametrize("column", ["single", "multi", "valid", "fraction:wet"])
def test_verify_when_a_number_was_changed_then_line_and_column(labelled, column):
    values = pq.read_table(labelled / FILE)[column].to_pylist()
    values[2] = {"single": 5 if values[2] == 1 else 1, "multi": [1, 3, 5, 5]}.get(column, 0.001)
    _edit(labelled, **{column: values})
    told = _problems(labelled)
    assert set(told) == {"labels"}
    assert f"{FILE}, line 2, {column}: " in told["labels"]
    assert "plan and pixels say" in told["labels"]
    assert _problems(labelled, quick=True) == {}  # no pixel is read


@pytest.mark.parametrize("quick", [True, False])
def test_verify_when_rows_are_foreign_then_named(labelled, quick):
    _edit(labelled, row=[0, 1, 2, 3, 9])
    assert f"{FILE}, line 4, row: 9" in _problems(labelled, quick=quick)["labels"]
    pq.write_table(pq.read_table(labelled / FILE)[:4], labelled / FILE)
    assert "has 4 rows, plan and pixels have 5" in _problems(labelled, quick=quick)["labels"]


@pytest.mark.parametrize("quick", [True, False])
def test_verify_when_a_file_is_missing_or_too_many_then_named(labelled, quick):
    (labelled / FILE).rename(labelled / "labels/old.parquet")
    told = _problems(labelled, quick=quick)["labels"]
    assert told == "labels/old.parquet: the plan has no labels of this name (and 1 more)"
    (labelled / "labels/old.parquet").unlink()
    assert f"{FILE} cannot be read" in _problems(labelled, quick=quick)["labels"]


@pytest.mark.parametrize("meaning", [b"{}", b"no JSON", None])
def test_verify_when_the_legend_was_changed_then_named(labelled, meaning):
    table = pq.read_table(labelled / FILE)
    table = table.replace_schema_metadata({META: meaning} if meaning else None)
    pq.write_table(table, labelled / FILE)
    assert "another legend or rule" in _problems(labelled, quick=True)["labels"]


def test_verify_when_others_added_a_column_then_still_ok(labelled):
    table = pq.read_table(labelled / FILE)
    pq.write_table(table.append_column("note", pa.array(["x"] * 5)), labelled / FILE)
    assert verify(labelled).ok


def test_verify_when_pixels_changed_then_labels_are_named_too(labelled, labelled_plan, truth):
    task = next(task for task in labelled_plan.tasks if task.modality == "lc")
    delivered = truth(labelled_plan, task)
    values = np.where(delivered.values == 4, 7, delivered.values).astype(np.uint8)
    ZarrSink(labelled, labelled_plan).write(task, values, delivered.valid)
    assert {"shards", "labels"} <= set(_problems(labelled))
