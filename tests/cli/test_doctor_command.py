"""`eodata doctor`: endpoints and their keys, with and without asking them."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from eodata import resources
from eodata.cli.app import main

pytest_plugins = ["eodata.sandbox.pytest_plugin"]

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("EODATA_HOME", str(tmp_path / "home"))

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["doctor", *(str(a) for a in arguments)])
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


@pytest.fixture
def dead() -> str:
    """Return the address of a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def endpoints(out: str) -> dict[str, dict[str, object]]:
    return {one["name"]: one for one in json.loads(out)["endpoints"]}


def test_offline_then_nobody_is_asked_and_online_is_offered(run: Run) -> None:
    code, out, err = run()
    assert code == 0
    assert "--online asks the endpoints" in err
    lines = [line.split("\t") for line in out.splitlines()]
    asked = {row[0]: row[3] for row in lines if row[0] in resources.endpoints() and len(row) == 4}
    assert "endpoint\taddress\tkeys\tonline" in out
    assert "earth-search\thttps://earth-search.aws.element84.com/v1\t" in out
    assert "not asked" in asked["cdse"]
    found = endpoints(run("--json")[1])
    assert set(found) == set(resources.endpoints())
    assert {one["reachable"] for one in found.values()} == {None}


def test_packages_of_the_stac_extra_then_listed(run: Run) -> None:
    packages = json.loads(run("--json")[1])["packages"]
    for name in ("pystac-client", "aiohttp", "obstore"):
        assert packages[name] == version(name)


def test_keys_then_said_whether_they_are_set_and_never_their_values(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CDSE_S3_ACCESS_KEY", "geheim-1")
    monkeypatch.delenv("CDSE_S3_SECRET_KEY", raising=False)
    _, out, err = run()
    _, as_json, _ = run("--json")
    assert "CDSE_S3_ACCESS_KEY is set, CDSE_S3_SECRET_KEY is not set" in out
    told = endpoints(as_json)
    assert told["cdse"]["keys_set"] == {"CDSE_S3_ACCESS_KEY": True, "CDSE_S3_SECRET_KEY": False}
    assert told["planetary-computer"]["keys_set"] == {}
    assert "geheim" not in out + err + as_json


def test_online_then_a_server_is_counted_and_a_dead_port_is_named(
    run: Run, dead: str, sandbox_server: Callable[..., object]
) -> None:
    server = sandbox_server("earth-search")
    there = [
        *("--endpoint", f"earth-search={server.api}"),
        *("--endpoint", f"planetary-computer={dead}"),
        *("--endpoint", f"cdse={server.url}/_sandbox"),
    ]
    code, out, err = run("--online", *there)
    assert code == 0
    assert "reachable (" in out
    assert "not reachable: connection refused" in out
    assert "not reachable: it answers 404 Not Found" in out
    assert "--online" not in err
    found = endpoints(run("--online", *there, "--json")[1])
    assert found["earth-search"]["reachable"] is True
    assert found["earth-search"]["collections"] > 1
    assert found["planetary-computer"]["reachable"] is False
    assert found["planetary-computer"]["collections"] is None
