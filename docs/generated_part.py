"""Pages with a part that is written by people and a part that is generated from the code."""

from __future__ import annotations

import sys
from pathlib import Path

DOCS = Path(__file__).parent
MARK = "<!-- Generated below this line by {script}. Edit the code, then run it. -->\n"


def renewed(page: Path, script: str, part: str) -> str:
    """Return the text of a page with its generated part replaced; the head stays.

    Raises:
        SystemExit: The page has no mark that says where the generated part begins.
    """
    mark = MARK.format(script=script)
    head, found, _ = page.read_text(encoding="utf-8").partition(mark)
    if not found:
        raise SystemExit(f"{page.name} has no line\n{mark}")
    return f"{head}{mark}\n{part.strip()}\n"


def write_or_check(page: Path, script: str, part: str, arguments: list[str]) -> int:
    """Write a page, or with `--check` only compare it.

    Returns:
        Exit code: 1 when the page on disk is out of date and was only compared, else 0.
    """
    text = renewed(page, script, part)
    if "--check" not in arguments:
        page.write_text(text, encoding="utf-8")
        print(f"wrote {page.name}")
        return 0
    if text == page.read_text(encoding="utf-8"):
        return 0
    print(f"{page.name} is out of date: run python docs/{script}", file=sys.stderr)
    return 1
