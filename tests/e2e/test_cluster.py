"""The same bytes from a dask.distributed cluster of two processes."""

from __future__ import annotations

from pathlib import Path

import pytest
from distributed import LocalCluster

from tests.e2e.building import Cli, array_bytes


@pytest.mark.e2e
@pytest.mark.filterwarnings("default")  # distributed warns about ports and files as it ends
def test_build_on_a_cluster_then_same_bytes_as_in_threads(
    cli: Cli, demo: Path, tmp_path: Path
) -> None:
    store = tmp_path / "cluster"
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as cluster:
        ran = cli("build", "demo", "--out", store, "--scheduler", cluster.scheduler_address)
    assert ran.code == 0, ran.err
    assert array_bytes(store) == array_bytes(demo)


@pytest.mark.e2e
def test_build_when_no_scheduler_answers_then_exit_2(cli: Cli, tmp_path: Path) -> None:
    ran = cli("build", "demo", "--out", tmp_path / "x", "--scheduler", "tcp://127.0.0.1:9")
    assert ran.code == 2
    assert "no dask scheduler answers" in ran.err
