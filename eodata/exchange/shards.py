"""The format `webdataset`: tar files of records, one record per sample, read front to back."""

from __future__ import annotations

import tarfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from eodata.exchange.names import record_key, shard_path
from eodata.exchange.records import array_parts, array_sizes, describe, json_bytes
from eodata.exchange.source import Sample, Source, unusable
from eodata.exchange.task import Job, Made, Part, Task, mark

MEGABYTE = 1_000_000
DEFAULT_MB = 512
_END = bytes(2 * tarfile.BLOCKSIZE)


@dataclass(frozen=True, slots=True)
class Shard:
    """A file to be.

    Attributes:
        path: Its name.
        rows: Its samples, in order.
        mark: Of all their documents.
    """

    path: str
    rows: tuple[int, ...]
    mark: str


@dataclass(frozen=True, slots=True)
class _Record:
    """A sample: its row, its bytes in a shard, the mark of its document."""

    row: int
    size: int
    mark: str


def webdataset_job(source: Source, shard_mb: float = DEFAULT_MB) -> Job:
    """Plan the shards, by split and then in store order.

    Sizes follow from the tables, so that cuts are known before a pixel is read: a shard has at most
    `shard_mb` megabytes, or else one sample.

    Raises:
        RecipeError: Nothing is left.
    """
    chosen = source.limited()
    steps = chosen.chosen_steps(chosen.reader.names)
    lost = Counter(unusable(steps, source.selection.statuses, dated=False)["why"])
    shards = list(_cut(chosen, int(shard_mb * MEGABYTE)))
    tasks = (_shard_task(chosen, shard) for shard in shards)
    return Job(tasks, len(shards), len(chosen.rows), chosen.left_out, lost)


def tar_header(name: str, size: int) -> bytes:
    """Return the head of a member, the same on every machine and day: no owner and no time."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, 0, 0o644
    return info.tobuf(tarfile.PAX_FORMAT)


def _cut(source: Source, most: int) -> Iterator[Shard]:
    by_split: dict[str, list[int]] = {}
    for row in source.rows:
        by_split.setdefault(source.samples.at[row, "split"], []).append(row)
    for split, rows in sorted(by_split.items()):
        for number, records in enumerate(_groups(_records(source, rows), most)):
            marks = [record.mark for record in records]
            yield Shard(shard_path(split, number), tuple(r.row for r in records), mark(marks))


def _records(source: Source, rows: Sequence[int]) -> Iterator[_Record]:
    arrays = [one for name in source.reader.names for one in array_sizes(source, name)]
    for row in rows:
        sample = source.sample(row)
        document = _document(source, sample)
        key = record_key(row, sample.id)
        size = sum(_member_size(f"{key}.{name}.npy", size) for name, size in arrays)
        size += _member_size(f"{key}.json", len(document))
        yield _Record(row, size, mark(document.decode()))


def _groups(records: Iterable[_Record], most: int) -> Iterator[list[_Record]]:
    """Cut records into runs of at most so many bytes, or of one."""
    held: list[_Record] = []
    size = len(_END)
    for record in records:
        if held and size + record.size > most:
            yield held
            held, size = [], len(_END)
        held.append(record)
        size += record.size
    yield held


def _member_size(name: str, size: int) -> int:
    return len(tar_header(name, size)) + size + _padding(size)


def _padding(size: int) -> int:
    return -size % tarfile.BLOCKSIZE


def _document(source: Source, sample: Sample) -> bytes:
    return json_bytes({"__key__": record_key(sample.row, sample.id), **describe(source, sample)})


def _shard_task(source: Source, shard: Shard) -> Task:
    def make(wanted: Collection[str]) -> Made:
        for path in wanted:
            yield path, _content(source, shard.rows)

    return Task({shard.path: shard.mark}, make)


def _content(source: Source, rows: Sequence[int]) -> Iterator[Part]:
    for row in rows:
        sample = source.sample(row)
        key = record_key(row, sample.id)
        for name in source.reader.names:
            for array, parts in array_parts(source, sample, name):
                yield from _member(f"{key}.{array}.npy", parts)
        yield from _member(f"{key}.json", [_document(source, sample)])
    yield _END


def _member(name: str, parts: Iterable[Part]) -> Iterator[Part]:
    held = list(parts)
    size = sum(map(len, held))
    yield tar_header(name, size)
    yield from held
    yield bytes(_padding(size))
