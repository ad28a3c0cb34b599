"""Write the help of every command into `docs/cli.md`.

Usage: python docs/make_cli_reference.py [--check]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from generated_part import DOCS, write_or_check
from typer.main import get_command

from eodata.cli.app import app

PAGE = DOCS / "cli.md"
SCRIPT = "make_cli_reference.py"
COLUMNS = 100


def commands() -> Iterator[tuple[str, Any, str]]:
    """Yield `(words, command, help text)` of the program, its groups and its commands."""
    yield from _walk(get_command(app), "eodata", None)


def _walk(command: Any, name: str, parent: Any) -> Iterator[tuple[str, Any, str]]:
    context = command.make_context(
        name,
        [],
        parent=parent,
        resilient_parsing=True,
        terminal_width=COLUMNS,
        max_content_width=COLUMNS,
    )
    yield context.command_path, command, context.get_help()
    for word, inner in getattr(command, "commands", {}).items():
        yield from _walk(inner, word, context)


def render() -> str:
    """Return one section per command."""
    return "\n".join(
        f"### {words}\n\n```text\n{text.strip()}\n```\n" for words, _, text in commands()
    )


def main(arguments: list[str]) -> int:
    """Write or check the page."""
    return write_or_check(PAGE, SCRIPT, render(), arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
