"""What leaks from one dataset's training into another's test, by key and by ground."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import geopandas
import pandas as pd
import pytest
from shapely.geometry import Polygon, box
from shapely.geometry.base import BaseGeometry

from eodata.catalog.split_sources import published_lists, read_members
from eodata.catalog.splits import Audit, audit
from eodata.core.errors import RecipeError, StoreError
from eodata.core.patch import Patch
from eodata.core.reproject import reproject

HEAD = "season,scene,split,region,source"
SEN12MS = ("fall,35,test,,a", "fall,39,test,,a", "fall,144,test,,a", "spring,1,train,,a")
CR = (
    *("summer,100,train,asiaWest,b", "summer,73,test,asiaEast,b", "winter,22,val,africa,b"),
    *("fall,35,train,,b", "fall,39,train,,b", "fall,144,train,,b", "fall,57,train,,b"),
)
CR_TS = (
    *("summer,100,test,asiaWest,c", "summer,73,test,asiaEast,c", "winter,22,val,africa,c"),
    *("fall,57,train,asiaWest,c", "summer,17,val,europa,c"),
)
Write = Callable[..., str]


@pytest.fixture
def write_list(tmp_path: Path) -> Write:
    def write(name: str, *rows: str, head: str = HEAD) -> str:
        path = tmp_path / f"{name}.csv"
        path.write_text("\n".join((head, *rows)) + "\n", encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def write_samples(tmp_path: Path) -> Write:
    """Write a sample table: one row per (area, split, outline), further columns by name."""

    def write(name: str, *rows: tuple[str, str, BaseGeometry | None], **columns: object) -> str:
        table = {
            "id": [f"{name}_{n}" for n in range(len(rows))],
            "row": range(len(rows)),
            "area": [area for area, _, _ in rows],
            "season": "",
            "split": [split for _, split, _ in rows],
            "status": "done",
            **columns,
        }
        ground = geopandas.GeoSeries([outline for _, _, outline in rows], crs="EPSG:4326")
        (tmp_path / name).mkdir()
        frame = geopandas.GeoDataFrame(table, geometry=ground)
        frame.to_parquet(tmp_path / name / "samples.parquet", index=False)
        return str(tmp_path / name)

    return write


def outline(crs: str, left: float, top: float, size: float = 2560.0) -> BaseGeometry:
    return Patch("any", crs, left, top, size, 0, 0).footprint


def utm31(left: float, top: float = 5_600_000.0, size: float = 2560.0) -> BaseGeometry:
    return outline("EPSG:32631", left, top, size)


def run(*names: str) -> Audit:
    return audit(*(read_members(name) for name in names))


def told(found: Audit) -> list[tuple[str, str, str, str]]:
    return [(f.place, f.a.split, f.b.split, f.drop) for f in found.leaks]


def test_key_when_a_training_place_is_tested_elsewhere_then_a_leak(write_list: Write) -> None:
    found = run(write_list("cr", *CR), write_list("cr-ts", *CR_TS))
    assert told(found) == [("summer_100", "train", "test", "a")]
    assert [(f.place, f.severity) for f in found.shared] == [
        ("fall_57", "shared"),
        ("summer_73", "shared"),
        ("winter_22", "shared"),
    ]
    assert (found.by_key, found.by_ground) == (True, False)


def test_key_then_the_other_direction_leaks_too_in_order_of_number(write_list: Write) -> None:
    sen12ms, cr = write_list("sen12ms", *SEN12MS), write_list("cr", *CR)
    fall = [(f"fall_{n}", "test", "train", "b") for n in (35, 39, 144)]
    assert told(run(sen12ms, cr)) == fall
    assert told(run(cr, sen12ms)) == [(place, b, a, "a") for place, a, b, _ in fall]


@pytest.mark.parametrize(
    ("a", "b", "drop"),
    [
        *(("train", "val", "a"), ("train", "test", "a"), ("val", "test", "a")),
        *(("val", "train", "b"), ("test", "train", "b"), ("test", "val", "b")),
        *(("train", "train", ""), ("val", "val", ""), ("test", "test", "")),
    ],
)
def test_splits_then_the_laxer_one_leaks(write_list: Write, a: str, b: str, drop: str) -> None:
    found = run(write_list("a", f"fall,1,{a}"), write_list("b", f"fall,1,{b}"))
    assert [(f.drop, f.severity) for f in found.findings] == [(drop, "leak" if drop else "shared")]


def test_key_when_the_season_differs_then_another_place(write_list: Write) -> None:
    found = run(write_list("a", "summer,100,train"), write_list("b", "winter,100,test"))
    assert found.findings == ()


def test_key_when_spelt_otherwise_then_the_same_place(write_list: Write) -> None:
    found = run(write_list("a", "Autumn,035,train"), write_list("b", "fall,35,test"))
    assert told(found) == [("fall_35", "train", "test", "a")]


def test_unknown_keys_then_they_are_counted_and_never_equal(write_list: Write) -> None:
    a = read_members(write_list("a", "fall,,train", ",7,train", ",,train", "fall,1,train"))
    b = read_members(write_list("b", "fall,,test", ",7,test", "fall,1,train"))
    assert (a.n_keyless, a.n_areas) == (3, 4)
    assert [f.place for f in audit(a, b).findings] == ["fall_1"]


def test_one_list_when_a_place_stands_twice_then_it_leaks(write_list: Write) -> None:
    found = run(write_list("a", "fall,1,test", "fall,1,train", "fall,2,train", "fall,2,train"))
    assert told(found) == [("fall_1", "train", "test", "a")]
    assert found.shared == ()


def test_store_by_key_then_samples_of_the_area_are_counted(
    write_list: Write, write_samples: Write
) -> None:
    rows = [("p", "train", None), ("p", "train", None), ("q", "train", None)]
    keys = {"season": ["summer", "summer", "fall"], "scene": ["100", "100", ""]}
    store = read_members(write_samples("store", *rows, **keys))
    found = audit(store, read_members(write_list("cr-ts", *CR_TS)))
    (leak,) = found.leaks
    assert (leak.a.areas, leak.a.samples, leak.a.ids) == (("p",), 2, ("store_0", "store_1"))
    assert (leak.b.areas, leak.b.samples) == (("summer_100",), None)
    assert (store.n_keyless, store.n_areas) == (1, 2)


def test_ground_when_footprints_overlap_then_areas_and_samples_are_told(
    write_samples: Write,
) -> None:
    a = write_samples("a", ("here", "train", utm31(500_000)), ("far", "train", utm31(600_000)))
    b = write_samples("b", *(("there", "test", utm31(500_000 + x)) for x in (1280, 2000, 9000)))
    found = run(a, b)
    (leak,) = found.leaks
    assert (leak.kind, leak.place, leak.drop) == ("ground", "here / there", "a")
    assert (leak.a.ids, leak.b.ids) == (("a_0",), ("b_0", "b_1"))
    assert (leak.a.samples, leak.b.samples) == (1, 2)
    assert leak.share == pytest.approx(0.5, abs=1e-4)
    assert (found.by_key, found.by_ground) == (False, True)


def test_ground_when_another_crs_says_it_then_the_same_place(write_samples: Write) -> None:
    # 6° E is the border of zones 31 and 32: both name the same ground, far from round numbers.
    mine = Patch("any", "EPSG:32631", 711_000.0, 5_600_000.0, 2560.0, 0, 0)
    west, _, _, north = reproject(mine.polygon, "EPSG:32631", "EPSG:32632", 640.0).bounds
    a = write_samples("a", ("here", "train", mine.footprint))
    b = write_samples("b", ("there", "val", outline("EPSG:32632", west, north)))
    (leak,) = run(a, b).leaks
    assert leak.share is not None
    assert 0.8 < leak.share < 1.0


def test_ground_when_across_the_date_line_then_both_sides_meet(write_samples: Write) -> None:
    # Zone 60 ends and zone 1 begins at 180°; each square reaches over it.
    east = outline("EPSG:32660", 815_600.0, 2_000_000.0, 4_000.0)
    west = outline("EPSG:32601", 180_400.0, 2_000_000.0, 4_000.0)
    for square in (east, west):
        assert square.bounds[2] - square.bounds[0] > 359
    middle = box(0, 17, 10, 19)
    a = write_samples("a", ("eve", "train", east), ("none", "train", middle))
    found = run(a, write_samples("b", ("dawn", "test", west)))
    assert told(found) == [("eve / dawn", "train", "test", "a")]


def test_ground_when_a_table_jumps_over_the_date_line_then_it_is_cut(write_samples: Write) -> None:
    square = box(815_600, 1_996_000, 819_600, 2_000_000)
    uncut = reproject(square, "EPSG:32660", "EPSG:4326", 1_000)
    # Taken as it stands it would be a band around the Earth.
    assert uncut.intersects(box(0, 17, 10, 19))
    a = write_samples("a", ("eve", "train", uncut))
    b = write_samples("b", ("africa", "test", box(0, 17, 10, 19)), ("own", "test", uncut))
    assert told(run(a, b)) == [("eve / own", "train", "test", "a")]


def test_ground_when_a_table_has_a_crs_of_its_own_then_it_is_reprojected(
    write_samples: Write,
) -> None:
    a = write_samples("a", ("here", "train", utm31(500_000)))
    b = write_samples("b", ("there", "test", box(500_000, 5_597_440, 502_560, 5_600_000)))
    path = Path(b) / "samples.parquet"
    frame = geopandas.read_parquet(path)
    frame.set_crs("EPSG:32631", allow_override=True).to_parquet(path)
    assert [f.share for f in run(a, b).leaks] == [pytest.approx(1.0, abs=1e-4)]
    frame.set_crs(None, allow_override=True).to_parquet(path)
    assert not read_members(b).grounded.any()


def test_ground_when_an_outline_crosses_itself_then_it_is_mended(write_samples: Write) -> None:
    bow_tie = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    a = write_samples("a", ("here", "train", bow_tie))
    found = run(a, write_samples("b", ("there", "test", box(0, 0, 2, 2))))
    assert [f.share for f in found.leaks] == [pytest.approx(1.0)]


@pytest.mark.parametrize("latitude", [0, 45, 60, 80])
@pytest.mark.parametrize("shift", [0, 333, 1280])
def test_ground_when_squares_only_touch_then_nothing(
    write_samples: Write, latitude: int, shift: int
) -> None:
    top = 111_000.0 * latitude + 10_000
    beside = [utm31(497_440, top - shift), utm31(502_560, top - shift), utm31(500_000, top + 2560)]
    a = write_samples("a", ("here", "train", utm31(500_000, top)))
    b = write_samples("b", *(("there", "test", one) for one in beside))
    assert run(a, b).findings == ()
    overlap = write_samples("c", ("there", "test", utm31(502_550, top - shift)))
    assert len(run(a, overlap).leaks) == 1


def test_one_store_then_only_different_splits_count_each_pair_once(write_samples: Write) -> None:
    rows = [("p", "test", 0), ("p", "train", 1280), ("p", "train", 640), ("q", "val", 9000)]
    name = write_samples("a", *((area, split, utm31(500_000 + x)) for area, split, x in rows))
    (leak,) = run(name).findings
    assert (leak.place, leak.a.split, leak.b.split, leak.drop) == ("p / p", "train", "test", "a")
    assert (leak.a.ids, leak.b.ids) == (("a_1", "a_2"), ("a_0",))


def test_one_store_when_cells_of_an_area_are_split_then_ground_decides(
    write_samples: Write,
) -> None:
    keys = {"season": "fall", "scene": "1"}
    cells = [("p", "train", utm31(500_000)), ("p", "test", utm31(520_000))]
    assert run(write_samples("cells", *cells, **keys)).findings == ()
    # Without footprints, or in another area of that key, the key is all there is to go by.
    blind = [(area, split, None) for area, split, _ in cells]
    assert told(run(write_samples("blind", *blind, **keys))) == [("fall_1", "train", "test", "a")]
    two = [("p", "train", utm31(500_000)), ("q", "test", utm31(520_000))]
    assert told(run(write_samples("two", *two, **keys))) == [("fall_1", "train", "test", "a")]


def test_store_without_splits_then_it_counts_as_training(write_samples: Write) -> None:
    a = write_samples("a", ("here", "all", utm31(500_000)))
    b = write_samples("b", ("x", "train", utm31(500_000)), ("y", "test", utm31(501_000)))
    found = run(a, b)
    assert told(found) == [("here / y", "all", "test", "a")]
    assert [f.place for f in found.shared] == ["here / x"]


def test_samples_that_are_not_done_are_left_out_and_counted(write_samples: Write) -> None:
    rows = [("here", "train", utm31(500_000)), ("here", "train", utm31(510_000))]
    a = read_members(write_samples("a", *rows, status=["rejected", "done"]))
    b = read_members(write_samples("b", ("there", "test", utm31(500_000))))
    assert a.left_out == 1
    assert audit(a, b).findings == ()


@pytest.mark.parametrize(("year", "same"), [(2018, True), (2019, False), (None, None)])
def test_time_then_told_but_no_reason_to_pass(
    write_samples: Write, year: int | None, same: bool | None
) -> None:
    def span(first: int) -> dict[str, object]:
        days = [pd.Timestamp(f"{y}-01-01", tz="UTC") for y in (first, first + 1)]
        return {"start_datetime": [days[0]], "end_datetime": [days[1]]}

    a = write_samples("a", ("here", "train", utm31(500_000)), **span(2018))
    told_time = span(year) if year else {}
    b = write_samples("b", ("there", "test", utm31(500_000)), **told_time)
    (leak,) = run(a, b).leaks
    assert leak.same_time is same


def test_key_and_ground_when_both_tell_then_the_ground_decides(write_samples: Write) -> None:
    keys = {"season": "summer", "scene": "100"}
    a = write_samples("a", ("p", "train", utm31(500_000)), **keys)
    found = run(a, write_samples("b", ("q", "test", utm31(500_000)), **keys))
    assert [(f.kind, f.place) for f in found.leaks] == [("ground", "p / q")]
    elsewhere = write_samples("c", ("q", "test", utm31(700_000)), **keys)
    assert run(a, elsewhere).findings == ()


def test_order_then_that_of_rows_does_not_matter(write_samples: Write, write_list: Write) -> None:
    rows = [(f"p{n}", ("train", "val")[n % 2], utm31(500_000 + 1000 * n)) for n in range(12)]
    others = [(f"q{n}", ("test", "train")[n % 2], utm31(500_500 + 1000 * n)) for n in range(12)]
    one = run(write_samples("a", *rows), write_samples("b", *others))
    two = run(write_samples("c", *rows[::-1]), write_samples("d", *others[::-1]))

    def plain(found: Audit) -> list[tuple[object, ...]]:
        return [
            (f.place, f.severity, f.a.split, f.b.split, f.a.samples, f.share)
            for f in found.findings
        ]

    assert plain(one) == plain(two)
    severities = [f.severity for f in one.findings]
    assert severities == sorted(severities)
    assert {"leak", "shared"} == set(severities)
    assert told(run(write_list("cr", *CR[::-1]), write_list("s", *SEN12MS[::-1]))) == told(
        run(write_list("cr", *CR), write_list("s", *SEN12MS))
    )


def test_nothing_to_compare_by_then_refused_instead_of_passed(
    write_list: Write, write_samples: Write
) -> None:
    store = write_samples("store", ("p", "train", utm31(500_000)))
    with pytest.raises(RecipeError, match="nothing to be compared by"):
        run(store, write_list("cr", *CR))
    with pytest.raises(RecipeError, match="nothing to be compared by"):
        run(write_list("blank", ",,train"))


def test_name_when_unknown_then_the_nearest_published_one(tmp_path: Path) -> None:
    lists = {"sen12ms-cr": tmp_path / "x.csv"}
    with pytest.raises(RecipeError, match='Did you mean "sen12ms-cr"'):
        read_members("sen12ms_cr", lists)


def test_name_when_published_then_it_wins_over_a_folder(
    write_list: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "known").mkdir()
    monkeypatch.chdir(tmp_path)
    lists = {"known": Path(write_list("cr", *CR))}
    assert read_members("known", lists).kind == "list"
    with pytest.raises(StoreError, match="there is no such table"):
        read_members("./known", lists)


@pytest.mark.parametrize(
    ("head", "rows", "words"),
    [
        ("season,scenes,split", ["fall,1,train"], 'no column scene\n.*\n.*"scenes"'),
        (HEAD, ["fall,1,train", "fall,2,tset"], '(?s)line 3.*"tset".*Did you mean "test"'),
        (HEAD, ["fall,1,"], "there is no split"),
        (HEAD, [], "it has no rows"),
    ],
)
def test_list_when_wrong_then_the_place_and_the_nearest_word(
    write_list: Write, head: str, rows: list[str], words: str
) -> None:
    with pytest.raises(RecipeError, match=words):
        read_members(write_list("bad", *rows, head=head))


def test_list_when_missing_then_its_path_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        read_members(str(tmp_path / "gone.csv"))


def test_list_of_a_spreadsheet_then_its_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"{HEAD}\nfall, 1 ,train,,x\n", encoding="utf-8-sig")
    assert read_members(str(tmp_path / "a.csv")).table["area"].tolist() == ["fall_1"]


def test_store_when_damaged_or_foreign_then_refused(tmp_path: Path, write_samples: Write) -> None:
    with pytest.raises(StoreError, match="there is no such table"):
        read_members(str(tmp_path))
    (tmp_path / "samples.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="cannot be read"):
        read_members(str(tmp_path))
    with pytest.raises(RecipeError, match='Did you mean "train"'):
        read_members(write_samples("folds", ("p", "trian", utm31(500_000))))
    name = write_samples("bare", ("p", "train", utm31(500_000)))
    path = Path(name) / "samples.parquet"
    geopandas.read_parquet(path).drop(columns="area").to_parquet(path)
    with pytest.raises(StoreError, match="no column area"):
        read_members(name)


def test_built_store_then_its_own_split_is_audited(built) -> None:
    store = read_members(str(built.root))
    assert (store.n_areas, store.left_out, store.grounded.all()) == (1, 1, True)
    assert audit(store).findings == ()
    assert len(audit(store, store).shared) == 3


@pytest.mark.skipif(not published_lists(), reason="no list travels with this copy")
def test_published_lists_then_the_known_leak_is_found() -> None:
    assert ("summer_100", "train", "test", "a") in told(run("sen12ms-cr", "sen12ms-cr-ts"))
    leaks = told(run("sen12ms", "sen12ms-cr"))
    assert {(f"fall_{n}", "test", "train", "b") for n in (35, 39, 144)} <= set(leaks)
    for name in published_lists():
        assert run(name).leaks == ()
