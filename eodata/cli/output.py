"""Results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eodata.core.errors import EodataError

if TYPE_CHECKING:
    from eodata.build.loop import Progress

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def say(text: str) -> None:
    """Print prose for people to stderr."""
    typer.echo(text, err=True)


def say_error(error: EodataError) -> None:
    """Print an error with its notes to stderr."""
    say(f"error: {error}")
    for note in getattr(error, "__notes__", ()):
        say(f"also: {note}")


def say_usage(error: typer.TyperException) -> None:
    """Print what is wrong with the command line itself to stderr."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "eodata"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    say(f"error: {command}: {message}\n  Try: {command} --help")


def put(text: str) -> None:
    """Print a result to stdout; a reader that has gone away, such as `head`, is no error."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered would raise again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None


def put_json(value: object) -> None:
    """Print a result as JSON to stdout."""
    put(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def put_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a result as a table to stdout; plain tab-separated text when it is no terminal."""
    if not sys.stdout.isatty():
        lines = ["\t".join(columns), *("\t".join(_cell(value) for value in row) for row in rows)]
        put("\n".join(lines))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row))
    Console().print(table)


def _cell(value: object) -> str:
    if value is None or value != value:
        return "-"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def human_bytes(count: float) -> str:
    """Return a size with a decimal unit.

    >>> human_bytes(1_234_567)
    '1.2 MB'
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 999.95:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[Progress], None]]:
    """Show tasks done, rate and time left on stderr while a build runs."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import (
        Progress as Bar,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tasks  {task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=False) as bar:
        task = bar.add_task(title, total=None, rate="")

        def update(progress: Progress) -> None:
            seconds = bar.tasks[0].elapsed or 1e-9
            rate = f"{human_bytes(progress.bytes_read / seconds)}/s"
            bar.update(task, completed=progress.done, total=progress.total, rate=rate)

        yield update
