"""Files whose bytes come by ranges: whatever is read, it is what the file holds."""

from __future__ import annotations

import io
import random
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eodata.core.endpoint import Endpoint
from eodata.core.errors import ProviderError
from eodata.providers.remote.http import Piece
from eodata.providers.remote.ranges import LARGEST, Range
from eodata.providers.remote.remote_file import (
    HEAD_BYTES,
    READ_AHEAD,
    Arrivals,
    Heads,
    RemoteBytes,
    RemoteFile,
    load_heads,
)
from eodata.providers.remote.transport import Address, Traffic, Transport
from tests.providers.remote.conftest import AT_ONCE, Reading
from tests.providers.remote.file_server import Answer, FileServer

SIZES = (0, 1, 100, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + 1, 3 * READ_AHEAD + 7)
DATA = random.Random(2).randbytes(max(SIZES))


@dataclass(frozen=True, slots=True)
class Read:
    """A read, as GDAL makes it: from a place on, so many bytes; a negative number means all."""

    start: int
    n_bytes: int


PLACES = st.integers(0, max(SIZES) + 10)
LENGTHS = st.integers(0, 2 * READ_AHEAD)
READS = st.lists(st.builds(Read, PLACES, st.one_of(LENGTHS, st.just(-1))), max_size=8)
PARTS = st.lists(st.tuples(PLACES, LENGTHS).map(lambda p: (p[0], p[0] + p[1])), max_size=5)


def of_server(server: FileServer, name: str = "a.bin") -> RemoteBytes:
    endpoint = Endpoint(name="test", title="Test", url=server.url, patience=5)
    transport = Transport(endpoint, policy=AT_ONCE)
    return RemoteBytes(Address(f"{server.url}/{name}", "things"), transport, Traffic())


def arrive(content: RemoteBytes, parts: list[Range]) -> None:
    with Arrivals([(content, parts)]) as arrivals:
        arrivals.wait_for(content)


@given(
    size=st.sampled_from(SIZES),
    reads=READS,
    parts=PARTS,
    has_head=st.booleans(),
    tells_size=st.booleans(),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_reads_then_the_bytes_of_the_file(
    file_server: FileServer,
    size: int,
    reads: list[Read],
    parts: list[Range],
    has_head: bool,
    tells_size: bool,
) -> None:
    data = file_server.files["/a.bin"] = DATA[:size]
    file_server.tells_size = tells_size
    content = of_server(file_server)
    if has_head:
        load_heads([content], Heads())
    arrive(content, parts)
    file = RemoteFile(content)
    for read in reads:
        assert file.seek(read.start) == read.start
        wanted = data[read.start :] if read.n_bytes < 0 else data[read.start :][: read.n_bytes]
        assert file.read(read.n_bytes) == wanted
        assert file.tell() == read.start + len(wanted)
    assert content.error is None


@pytest.mark.parametrize("tells_size", [True, False])
def test_large_file_then_read_to_its_end(file_server: FileServer, tells_size: bool) -> None:
    data = file_server.files["/a.bin"] = random.Random(3).randbytes(2 * LARGEST)
    file_server.tells_size = tells_size
    assert RemoteFile(of_server(file_server)).read() == data


def test_what_was_fetched_then_not_fetched_again(file_server: FileServer) -> None:
    content = of_server(file_server)
    load_heads([content], Heads())
    arrive(content, [(90_000, 90_500), (50_000, 50_010), (0, 10), (0, 0)])
    before = len(file_server.seen)
    arrive(content, [(90_100, 90_200), (50_000, 50_010), (20_000, 30_000)])
    file = RemoteFile(content)
    for start, stop in ((5, 20_000), (90_499, 90_500), (50_002, 50_008)):
        file.seek(start)
        assert file.read(stop - start) == file_server.files["/a.bin"][start:stop]
    assert len(file_server.seen) == before == 2


def test_short_piece_within_a_long_one_then_the_long_one_serves(file_server: FileServer) -> None:
    content = of_server(file_server)
    data = file_server.files["/a.bin"]
    content.add(0, Piece(data[:1000], len(data)))
    content.add(100, Piece(data[100:110], len(data)))
    assert content.read(105, 500) == data[105:605]
    assert not file_server.seen


def test_size_then_seeking_from_the_end_knows_it(file_server: FileServer) -> None:
    content = of_server(file_server)
    load_heads([content], Heads())
    file = RemoteFile(content)
    assert file.seek(-10, io.SEEK_END) == 99_990
    assert file.read(100) == file_server.files["/a.bin"][-10:]
    assert file.seek(-5, io.SEEK_CUR) == 99_995
    assert file.read(0) == b""
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)


def test_place_before_the_file_then_refused(file_server: FileServer) -> None:
    file = RemoteFile(of_server(file_server))
    file.seek(3)
    with pytest.raises(ValueError, match="-2"):
        file.seek(-5, io.SEEK_CUR)
    assert file.tell() == 3


def test_fetch_fails_then_no_bytes_and_the_error_is_kept(file_server: FileServer) -> None:
    content = of_server(file_server)
    load_heads([content], Heads())
    file_server.always = Answer(status=404)
    file = RemoteFile(content)
    file.seek(50_000)
    assert (file.read(10), file.tell()) == (b"", 50_000)
    assert isinstance(content.error, ProviderError)
    assert "404" in content.error.found
    assert file.read(10) == b""
    assert len(file_server.seen) == 2
    file.seek(0)
    assert file.read(10) == file_server.files["/a.bin"][:10]


def test_files_that_are_known_then_only_the_others_are_asked_for(file_server: FileServer) -> None:
    file_server.files |= {"/b.bin": b"b" * 50_000, "/c.bin": b"c" * 7}
    heads = Heads()
    load_heads([of_server(file_server)], heads)
    files = [of_server(file_server, name) for name in ("a.bin", "b.bin", "c.bin")]
    load_heads(files, heads)
    assert file_server.seen[0].path == "/a.bin"
    assert {seen.path for seen in file_server.seen[1:]} == {"/b.bin", "/c.bin"}
    assert [file.size for file in files] == [100_000, 50_000, 7]
    assert [file.read(0, 9) for file in files[1:]] == [b"b" * 9, b"c" * 7]
    assert len(file_server.seen) == 3


def test_one_file_is_missing_then_its_error_comes_at_once(file_server: FileServer) -> None:
    with pytest.raises(ProviderError, match=r"gone\.bin"):
        load_heads([of_server(file_server), of_server(file_server, "gone.bin")], Heads())


def test_no_files_then_no_request() -> None:
    load_heads([], Heads())
    with Arrivals([]):
        pass


def test_heads_then_those_used_longest_ago_go_first(reading: Reading) -> None:
    heads = Heads(keep=2)
    one, two, three = (Piece(name, None) for name in (b"1", b"2", b"3"))
    heads.put("1", one)
    heads.put("2", two)
    assert heads.get("1") == one
    heads.put("3", three)
    assert [heads.get(name) for name in "123"] == [one, None, three]
    heads.put("1", two)
    heads.put("2", two)
    assert [heads.get(name) for name in "123"] == [two, two, None]
    heads.forget("1")
    heads.forget("1")
    assert heads.get("1") is None


def test_arrivals_then_one_file_is_there_before_the_others(file_server: FileServer) -> None:
    one, other = of_server(file_server), of_server(file_server, "b.bin")
    file_server.files["/b.bin"] = DATA
    with Arrivals([(one, [(100, 200)]), (other, [(100, 200)])]) as arrivals:
        arrivals.wait_for(one)
        assert RemoteFile(one).read(1) == file_server.files["/a.bin"][:1]
        arrivals.wait_for(other)
    assert other.missing([(100, 200)]) == []


def test_arrivals_when_a_part_cannot_be_had_then_its_error_and_the_rest_is_given_up(
    file_server: FileServer,
) -> None:
    gone, other = of_server(file_server, "gone.bin"), of_server(file_server)
    with (
        pytest.raises(ProviderError) as error,
        Arrivals([(gone, [(0, 9)]), (other, [(0, 9)])]) as a,
    ):
        a.wait_for(gone)
    assert "404" in str(error.value)
    assert other.missing([(0, 9)]) == [(0, 9)]
