"""The format `npy`: one folder per sample with its arrays, and one table of all."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Iterator
from io import StringIO

from eodata.exchange.records import array_parts, array_sizes, describe, json_bytes
from eodata.exchange.source import Sample, Source, unusable
from eodata.exchange.task import Job, Made, Task, mark

INDEX = "index.csv"
DOCUMENT = "sample.json"
COLUMNS = (
    *("id", "row", "path", "split", "area", "season", "scene", "region"),
    *("crs", "left", "top", "size"),
)


def npy_job(source: Source) -> Job:
    """Plan the folders and the table.

    Raises:
        RecipeError: Nothing is left.
    """
    chosen = source.limited()
    steps = chosen.chosen_steps(chosen.reader.names)
    lost = Counter(unusable(steps, source.selection.statuses, dated=False)["why"])
    n = len(chosen.rows)
    return Job(_tasks(chosen), n + 1, n, chosen.left_out, lost)


def _tasks(source: Source) -> Iterator[Task]:
    for row in source.rows:
        yield _sample_task(source, source.sample(row))
    yield _index_task(source)


def _sample_task(source: Source, sample: Sample) -> Task:
    folder = f"{sample.place.area}/{sample.id}"
    document = json_bytes(describe(source, sample))
    names = {
        f"{folder}/{key}.npy": name
        for name in source.reader.names
        for key, _ in array_sizes(source, name)
    }
    same = mark(document.decode())
    files = {**dict.fromkeys(names, same), f"{folder}/{DOCUMENT}": same}

    def make(wanted: Collection[str]) -> Made:
        for name in dict.fromkeys(names[path] for path in wanted if path in names):
            for key, parts in array_parts(source, sample, name):
                if (path := f"{folder}/{key}.npy") in wanted:
                    yield path, parts
        # Last, so that a folder with the document has its arrays.
        if f"{folder}/{DOCUMENT}" in wanted:
            yield f"{folder}/{DOCUMENT}", [document]

    return Task(files, make)


def _index_task(source: Source) -> Task:
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for facts in source.samples.loc[list(source.rows)].to_dict("records"):
        known = {**facts, "path": f"{facts['area']}/{facts['id']}"}
        writer.writerow([known[column] for column in COLUMNS])
    content = text.getvalue().encode()
    return Task({INDEX: mark(text.getvalue())}, lambda _: iter([(INDEX, [content])]))
