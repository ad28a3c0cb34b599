"""The loop in the background: interrupts, other processes, and the end of the process."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import pytest

from eodata.core.endpoint import Endpoint
from eodata.providers.remote.loop import background, run
from tests.providers.remote.conftest import Reading
from tests.providers.remote.file_server import Answer, FileServer

READ = """
import atexit, functools, sys, threading
# The first to be registered is the last to run.
atexit.register(lambda: print(transport._line._http._session.closed))
from eodata.core.endpoint import Endpoint
from eodata.providers.remote.transport import Address, Traffic, Transport

url = sys.argv[1]
transport = Transport(Endpoint(name="test", title="", url=url, patience=60))
wanted = [(Address(url + "/a.bin", ""), (n, n + 9)) for n in range(8)]
assert len(transport.fetch(wanted, Traffic())) == 8
# As providers do: something lives until the very end.
keep = functools.lru_cache(lambda: transport)
sys.kept = keep, keep()
"""
LEAVE_ONE_HANGING = """
reading = threading.Thread(
    target=lambda: transport.fetch([(Address(url + "/hang", ""), (0, 9))], Traffic()), daemon=True
)
reading.start()
sys.stdin.readline()
"""
WAIT_IN_MAIN = """
print("waiting", flush=True)
transport.fetch([(Address(url + "/hang", ""), (0, 9))], Traffic())
"""


def started(program: str, *arguments: str) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    words = [sys.executable, "-W", "always", "-c", program, *arguments]
    return subprocess.Popen(words, text=True, cwd=os.getcwd(), **pipes)  # noqa: PTH109


def test_coroutine_then_its_result_or_its_error() -> None:
    async def fine() -> int:
        return 7

    async def wrong() -> None:
        raise ValueError("wrong")

    assert run(fine()) == 7
    with pytest.raises(ValueError, match="wrong"):
        run(wrong())


def test_many_threads_at_first_then_one_loop() -> None:
    loops: list[asyncio.AbstractEventLoop] = []
    threads = [threading.Thread(target=lambda: loops.append(background())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(loop) for loop in loops}) == 1


def test_waiting_thread_is_interrupted_then_the_work_is_cancelled() -> None:
    ended = threading.Event()
    here = threading.get_ident()

    async def endless() -> None:
        while sys._current_frames()[here].f_code.co_name != "wait":
            await asyncio.sleep(0)
        os.kill(os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(1000)
        finally:
            ended.set()

    with pytest.raises(KeyboardInterrupt):
        run(endless())
    assert ended.wait(20)


def test_transport_nobody_uses_then_its_connections_are_closed(
    endpoint: Endpoint, file_server: FileServer
) -> None:
    """A session that is dropped without being closed warns, and warnings fail the tests."""
    reading = Reading(endpoint)
    reading.get((0, 9))
    line = reading.transport._line
    del reading
    gc.collect()

    async def until_closed() -> None:
        while not line._http._session.closed:
            await asyncio.sleep(0.001)

    run(asyncio.wait_for(until_closed(), 20))


def test_process_ends_then_nothing_is_left_open(file_server: FileServer) -> None:
    process = started(READ, file_server.url)
    assert process.communicate(timeout=50) == ("True\n", "")
    assert process.returncode == 0


def test_process_ends_while_a_request_hangs_then_it_ends_cleanly(file_server: FileServer) -> None:
    process = started(READ + LEAVE_ONE_HANGING, file_server.url)
    file_server.wait_for(8)
    file_server.always = Answer(hang=True)
    file_server.wait_for(9)
    closed, told = process.communicate("\n", timeout=50)
    assert closed == "True\n"
    assert "Unclosed" not in told
    assert "was destroyed" not in told
    assert process.returncode == 0


def test_process_is_interrupted_then_it_ends_cleanly(file_server: FileServer) -> None:
    process = started(READ + WAIT_IN_MAIN, file_server.url)
    assert process.stdout is not None
    file_server.wait_for(8)
    file_server.always = Answer(hang=True)
    assert process.stdout.readline() == "waiting\n"
    file_server.wait_for(9)
    process.send_signal(signal.SIGINT)
    closed, told = process.communicate(timeout=50)
    assert closed == "True\n"
    assert "KeyboardInterrupt" in told
    assert "Unclosed" not in told
    assert "was destroyed" not in told


def read_in_child(endpoint: Endpoint, answers: multiprocessing.Queue[bytes]) -> None:
    answers.put(Reading(endpoint).get((10, 20))[0])


def read_again_in_child(reading: Reading, answers: multiprocessing.Queue[bytes]) -> None:
    answers.put(reading.get((10, 20))[0])


def test_spawned_child_then_it_reads(
    endpoint: Endpoint, reading: Reading, file_server: FileServer
) -> None:
    reading.get((0, 9))
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    child = context.Process(target=read_in_child, args=(endpoint, answers))
    child.start()
    assert answers.get(timeout=50) == file_server.files["/a.bin"][10:20]
    child.join()
    assert child.exitcode == 0


if hasattr(os, "fork"):

    @pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
    def test_forked_child_then_it_reads_and_so_does_its_parent(
        reading: Reading, file_server: FileServer
    ) -> None:
        data = file_server.files["/a.bin"]
        assert reading.get(*[(n, n + 9) for n in range(8)])[7] == data[7:16]
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        child = context.Process(target=read_again_in_child, args=(reading, answers))
        child.start()
        assert answers.get(timeout=50) == data[10:20]
        child.join()
        assert child.exitcode == 0
        assert reading.get(*[(n, n + 9) for n in range(8)])[7] == data[7:16]
