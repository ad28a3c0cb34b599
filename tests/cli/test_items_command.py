"""`eodata catalog items`: what an archive has, in this process and over a server."""

from __future__ import annotations

import io
import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import geopandas
import pytest
from shapely.geometry import box

from eodata import resources
from eodata.cli.app import main

pytest_plugins = ["eodata.sandbox.pytest_plugin"]

Run = Callable[..., tuple[int, str, str]]
PLACE = ("--bbox", "11.0,48.0,11.1,48.1")
JUNE = ("--time", "2018-06-01/2018-06-12")
S2 = ("--product", "sentinel-2-l2a")
HERE = ("--provider", "sandbox")
SECRETS = ("sig=", "?se=", "sp=r", "token=", "skoid")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("EODATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["catalog", "items", *(str(a) for a in arguments)])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
def dead() -> str:
    """Return the address of a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def table(out: str) -> list[dict[str, str]]:
    head, *rows = (line.split("\t") for line in out.splitlines())
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_table_when_in_the_sandbox_then_what_its_items_say(run: Run) -> None:
    code, out, err = run(*HERE, *S2, *PLACE, *JUNE)
    assert code == 0
    rows = table(out)
    assert list(rows[0]) == [
        *("id", "datetime", "cloud %", "platform", "orbit", "baseline", "covers %"),
        *("scale/offset", "note"),
    ]
    assert [row["datetime"][:10] for row in rows] == [
        f"2018-06-{day:02d}" for day in (1, 3, 6, 8, 11)
    ]
    assert rows[0]["orbit"] == "65 descending"
    assert rows[0]["platform"] == "sentinel-2a"
    assert rows[0]["baseline"] == "02.07"
    assert rows[0]["scale/offset"] == "B01 0.0001/0"
    assert {row["note"] for row in rows} == {"SYNTHETIC"}
    assert "5 of 5 items of sentinel-2-l2a at sandbox" in err
    assert "SYNTHETIC" in err


def test_time_then_the_end_is_excluded_and_a_side_may_be_open(run: Run) -> None:
    def days(text: str) -> list[str]:
        return [row["datetime"][:10] for row in table(run(*HERE, *S2, *PLACE, "--time", text)[1])]

    assert days("2018-06-01/2018-06-11") == ["2018-06-01", "2018-06-03", "2018-06-06", "2018-06-08"]
    assert days("2018-06-01T10:27:26Z/2018-06-06") == ["2018-06-03"]
    assert days("../2015-07-15") == sorted(days("../2015-07-15"))


def test_json_then_plain_objects_with_boxes_and_assets(run: Run) -> None:
    code, out, _ = run(*HERE, *S2, *PLACE, *JUNE, "--json", "--limit", 2)
    first, second = json.loads(out)
    assert code == 0
    west, south, east, north = first["bbox"]
    assert west < 11.0 < 11.1 < east
    assert south < 48.0 < 48.1 < north
    assert first["covers"] == 1.0
    assert first["synthetic"] is True
    assert (first["offset_band"], first["scale"], first["offset"]) == ("B01", 0.0001, 0.0)
    assert first["properties"]["sat:relative_orbit"] == first["relative_orbit"] == 65
    assert first["assets"]["B04"].endswith(f"{first['id']}/B04")
    assert first["datetime"] < second["datetime"]


def test_limit_when_there_are_more_then_stderr_counts_them(run: Run) -> None:
    code, out, err = run(*HERE, *S2, *PLACE, *JUNE, "--limit", 3)
    assert (code, len(table(out))) == (0, 3)
    assert "3 of 5 items" in err
    assert "2 more: --limit 5" in err
    month = ("--bbox", "10.0,47.0,13.0,49.0", "--time", "2018-06-01/2018-06-12")
    code, out, err = run(*HERE, *S2, *month)
    assert len(table(out)) == 50
    assert "50 of " in err
    assert len(json.loads(run(*HERE, *S2, *month, "--json")[1])) > 50


def test_geojson_then_geopandas_reads_outlines_and_columns(run: Run) -> None:
    code, out, _ = run(*HERE, *S2, *PLACE, *JUNE, "--geojson")
    frame = geopandas.read_file(io.BytesIO(out.encode()))
    assert (code, len(frame)) == (0, 5)
    assert frame.crs == "EPSG:4326"
    assert frame.geometry.iloc[0].contains(geopandas.points_from_xy([11.05], [48.05])[0])
    assert frame["relative_orbit"].tolist() == [65, 22, 65, 22, 65]
    assert frame["synthetic"].all()
    assert frame["offset"].tolist() == [0.0] * 5


def test_where_then_only_items_that_meet_it(run: Run) -> None:
    code, out, _ = run(*HERE, *S2, *PLACE, *JUNE, "--where", "{sat:relative_orbit: 65}")
    assert code == 0
    assert {row["orbit"] for row in table(out)} == {"65 descending"}
    code, out, err = run(*HERE, *S2, *PLACE, *JUNE, "--where", "eo:cloud_cover: {max: 0}")
    assert (code, out) == (6, "")
    assert "5 items" in err
    assert "--where" in err


def test_processed_twice_then_the_later_names_the_earlier(run: Run) -> None:
    code, out, err = run(*HERE, *S2, *PLACE, *JUNE, "--sandbox", "duplicates=1")
    rows = table(out)
    assert (code, len(rows)) == (0, 5)
    assert {row["baseline"] for row in rows} == {"05.00"}
    assert all("supersedes S2" in row["note"] and "_N0207_" in row["note"] for row in rows)
    assert "5 earlier processings are left out" in err
    told = json.loads(run(*HERE, *S2, *PLACE, *JUNE, "--sandbox", "duplicates=1", "--json")[1])
    assert all(len(one["supersedes"]) == 1 for one in told)


def test_archive_on_disk_when_no_provider_is_named_then_it_is_the_first(run: Run) -> None:
    catalog = resources.shipped("recipes") / "archives/demo"
    flanders = ("--bbox", "3.0,50.5,3.5,51.2", "--time", "2018")
    code, out, err = run(*S2, *flanders, "--archive", catalog)
    assert code == 0
    assert table(out)[0]["note"] == "-"
    assert "asked archive: the first provider of sentinel-2-l2a" in err


def test_date_line_when_west_is_above_east_then_both_sides(run: Run) -> None:
    fiji = ("--bbox", "179.9,-17.0,-179.9,-16.8", "--time", "2018-06")
    code, out, _ = run(*HERE, *S2, *fiji, "--json")
    assert code == 0
    boxes = [one["bbox"] for one in json.loads(out)]
    assert any(west > east for west, _, east, _ in boxes)
    assert all(east - west < 5 for west, _, east, _ in boxes)


def test_static_product_then_no_time_is_asked_and_no_offset_told(run: Run) -> None:
    code, out, _ = run(*HERE, "--product", "cop-dem-glo-30", *PLACE)
    assert code == 0
    rows = table(out)
    assert {row["scale/offset"] for row in rows} == {row["cloud %"] for row in rows} == {"-"}
    # The box begins on the edge of two cells, which overlap by half a pixel.
    assert [row["covers %"] for row in rows] == ["0.1", "99.9"]
    code, _, err = run(*HERE, *S2, *PLACE)
    assert code == 2
    assert "--time" in err


def test_nothing_found_then_exit_6_and_what_to_widen(run: Run) -> None:
    code, out, err = run(*HERE, *S2, *PLACE, "--time", "2018-06-02/2018-06-03")
    assert (code, out) == (6, "")
    assert "Widen --time" in err


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (("--bbox", "11,48,11.1"), ("--bbox", "four numbers")),
        (("--bbox", "11,48.1,11.1,48.0"), ("--bbox", "south less than north")),
        (("--bbox", "11,48,11,48.1"), ("--bbox", "west must be less than east")),
        (("--bbox", "200,48,11,48.1"), ("--bbox", '"200,48,11,48.1"', "longitudes lie in")),
        (("--time", "2018-06-12/2018-06-01"), ("--time", "is not after the start")),
        (("--time", "June"), ("--time", '"June"')),
        (("--product", "sentinel-2-l2"), ("--product", 'Did you mean "sentinel-2-l2a"?')),
        (("--provider", "earthsearch"), ("--provider", 'Did you mean "earth-search"?')),
        (("--where", "{platform"), ("--where", "is no YAML")),
        (("--where", "sentinel"), ("--where", "is no mapping")),
        (("--where", "{eo:clouds: 3}"), ("--where", "eo:cloud_cover")),
        (("--endpoint", "earth-search=http://127.0.0.1:9"), ("--endpoint", "sandbox")),
        (("--archive", "catalog.json"), ("--archive", "nothing is read")),
        (("--json", "--geojson"), ("--geojson", "beside --json")),
    ],
)
def test_bad_option_then_exit_2_and_its_name(
    changed: tuple[str, ...], words: tuple[str, ...], run: Run
) -> None:
    code, out, err = run(*HERE, *S2, *PLACE, *JUNE, *changed)
    assert (code, out) == (2, "")
    assert all(word in err for word in words), err
    assert err.startswith(f"error: {words[0]}")


def test_provider_with_another_quantity_then_refused_and_named(run: Run) -> None:
    s1 = ("--product", "sentinel-1-grd", *PLACE, *JUNE)
    code, _, err = run("--provider", "earth-search", *s1)
    assert code == 2
    assert "as amplitude-dn, not sigma0-db" in err
    assert "sentinel-1-grd-dn" in err
    code, _, err = run("--provider", "cdse", "--product", "sentinel-2-c1-l2a", *PLACE, *JUNE)
    assert code == 2
    assert "cdse does not keep sentinel-2-c1-l2a" in err
    code, _, err = run("--product", "modis-mcd12q1", *PLACE, *JUNE)
    assert code == 4
    assert "--provider sandbox" in err


def test_nobody_listens_then_exit_3_and_one_paragraph(run: Run, dead: str) -> None:
    code, out, err = run(*S2, *PLACE, *JUNE, "--endpoint", f"earth-search={dead}")
    assert (code, out) == (3, "")
    assert "it cannot be reached: connection refused" in err
    assert "eodata doctor --online" in err
    assert "Traceback" not in err
    assert "urllib3" not in err
    assert len(err.splitlines()) == 3


@pytest.mark.parametrize("flavour", ["earth-search", "planetary-computer", "cdse"])
def test_served_flavour_then_listed_as_simulated_and_without_tokens(
    flavour: str, run: Run, sandbox_server: Callable[..., object]
) -> None:
    server = sandbox_server(flavour)
    there = ("--provider", flavour, "--endpoint", f"{flavour}={server.api}")
    later = ("--time", "2022-06-01/2022-06-08")
    code, out, err = run(*there, *S2, *PLACE, *later, "--json")
    assert code == 0, err
    listed = json.loads(out)
    assert len(listed) > 1
    assert all(one["synthetic"] for one in listed)
    assert all(one["scale"] == 0.0001 for one in listed)
    assert {one["offset"] for one in listed} <= {0.0, -0.1}
    assert all(href.startswith("http") for one in listed for href in one["assets"].values())
    rows = run(*there, *S2, *PLACE, *later)
    forms = run(*there, *S2, *PLACE, *later, "--geojson")
    for text in (out, err, *rows[1:], *forms[1:]):
        assert not any(secret in text for secret in SECRETS)
    assert "SYNTHETIC" in rows[1]


def test_served_archive_in_no_table_then_asked_in_our_own_words(
    run: Run, sandbox_server: Callable[..., object]
) -> None:
    server = sandbox_server()
    there = ("--provider", "stac", "--endpoint", f"stac={server.api}")
    code, out, err = run(*there, *S2, *PLACE, *JUNE)
    assert code == 0, err
    assert table(out)[0]["datetime"].startswith("2018-06-01")
    code, _, err = run("--provider", "stac", *S2, *PLACE, *JUNE)
    assert code == 2
    assert "--endpoint stac=URL" in err


def test_user_and_password_in_an_address_then_never_shown(run: Run, dead: str) -> None:
    address = dead.replace("http://", "http://me:geheim@")
    code, out, err = run(*S2, *PLACE, *JUNE, "--endpoint", f"earth-search={address}")
    assert code == 2
    assert "geheim" not in out + err


def test_archive_that_does_not_tell_then_unknown(run: Run, tmp_path: Path) -> None:
    shutil.copytree(resources.shipped("recipes") / "archives/demo", tmp_path / "silent")
    for path in (tmp_path / "silent/sentinel-2-l2a").rglob("*.json"):
        path.write_text(path.read_text().replace('"raster:offset"', '"raster:off"'))
    flanders = ("--bbox", "3.0,50.5,3.5,51.2", "--time", "2018", "--archive", "silent")
    assert {row["scale/offset"] for row in table(run(*S2, *flanders)[1])} == {"unknown"}
    assert {one["offset"] for one in json.loads(run(*S2, *flanders, "--json")[1])} == {None}


def test_box_on_the_edge_of_an_item_then_the_share_that_its_outline_covers(run: Run) -> None:
    edge = ("--bbox", "11.0,47.7,11.1,47.9", *JUNE)
    listed = json.loads(run(*HERE, *S2, *edge, "--json")[1])
    frame = geopandas.read_file(io.BytesIO(run(*HERE, *S2, *edge, "--geojson")[1].encode()))
    ground = box(11.0, 47.7, 11.1, 47.9)
    shares = [outline.intersection(ground).area / ground.area for outline in frame.geometry]
    assert [one["covers"] for one in listed] == pytest.approx(shares, abs=1e-4)
    assert any(0 < share < 1 for share in shares)
