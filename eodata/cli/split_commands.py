"""`eodata split …` asks whether what is trained on stays apart from what is held out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eodata.cli.output import AsJson, put_json, put_table, say

if TYPE_CHECKING:
    from eodata.catalog.split_sources import Members
    from eodata.catalog.splits import Audit, Finding, Side

ROWS = 50
"""Of the table, unless --limit says otherwise."""
COLUMNS = (
    *("kind", "place", "split in A", "samples in A", "split in B", "samples in B"),
    *("leave out", "severity"),
)
WHAT = "Name of a published split list, a CSV file, or the folder of a built store."

split = typer.Typer(
    help="Check that splits keep training and test apart.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def register(app: typer.Typer) -> None:
    """Hang these commands under `eodata`."""
    app.add_typer(split, name="split")


@split.callback()
def _group() -> None:
    """Check that splits keep training and test apart."""


@split.command("audit")
def audit_splits(
    a: Annotated[str, typer.Argument(metavar="A", help=WHAT)],
    b: Annotated[
        str, typer.Argument(metavar="B", help="Another one; without it A is audited alone.")
    ] = "",
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help=f"At most so many; default of the table: {ROWS}."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell whether places that A trains on are held out in B, or the other way round.

    The table shows leaks; --json shows what is shared without harm too. Exit code 0: no leak was
    found. 9: there are leaks. 2: there is nothing to compare by.

    Example: eodata split audit sen12ms-cr sen12ms-cr-ts
    """
    from eodata.catalog.split_sources import read_members
    from eodata.catalog.splits import audit
    from eodata.core.errors import EXIT_GAPS

    members = [read_members(what) for what in (a, b) if what]
    found = audit(*members)
    if as_json:
        put_json(_document(members, found, limit))
    else:
        shown = found.leaks[: limit or ROWS]
        put_table(COLUMNS, [_row(finding) for finding in shown])
        if len(shown) < len(found.leaks):
            rest = len(found.leaks) - len(shown)
            say(f"{rest} more: --limit {len(found.leaks)}")
    for letter, one in zip("AB", members, strict=False):
        _say_members(letter, one)
    _say_compared(members, found)
    _say_result(found)
    if found.leaks:
        raise typer.Exit(EXIT_GAPS)


def _row(found: Finding) -> tuple[Any, ...]:
    return (
        found.kind,
        found.place,
        found.a.split,
        found.a.samples,
        found.b.split,
        found.b.samples,
        _left_out(found),
        found.severity,
    )


def _left_out(found: Finding) -> str:
    """Return `train of A`: what must go so that the other side stays unseen."""
    side = found.a if found.drop == "a" else found.b
    return f"{side.split} of {found.drop.upper()}" if found.drop else "-"


def _say_members(letter: str, one: Members) -> None:
    from pathlib import Path

    # Two rows of one area in one split count once in a list; every sample of a store counts.
    rows = one.table[["area", "split"]]
    counts = Counter((rows.drop_duplicates() if one.kind == "list" else rows)["split"])
    told = ", ".join(f"{n} {name}" for name, n in sorted(counts.items()))
    unit = "areas listed" if one.kind == "list" else f"samples in {one.n_areas} areas"
    say(f"{letter} is {one.name}, a {one.kind}: {sum(counts.values())} {unit} ({told})")
    if one.kind == "list" and Path(one.name).is_dir():
        say(f"the published list is meant, not the folder here: that is ./{one.name}")
    if one.left_out:
        say(f"{one.left_out} samples of {letter} are not done, so they are not compared")
    if one.n_keyless:
        say(f"{one.n_keyless} of {one.n_areas} areas of {letter} have no attested key")


def _say_compared(members: list[Members], found: Audit) -> None:
    if not found.by_key:
        say("keys were not compared: not every side has some")
    if not found.by_ground:
        say("ground was not compared: not every side has footprints")
        return
    for letter, one in zip("AB", members, strict=False):
        lacking = int((~one.grounded).sum())
        if lacking:
            say(f"{lacking} of {len(one.table)} samples of {letter} have no footprint")


def _say_result(found: Audit) -> None:
    kinds = Counter(finding.kind for finding in found.leaks)
    told = ", ".join(f"{n} by {kind}" for kind, n in sorted(kinds.items(), reverse=True))
    if found.shared:
        places = "1 place is" if len(found.shared) == 1 else f"{len(found.shared)} places are"
        say(f"{places} shared by splits that may share: no leak")
    if not found.leaks:
        say("no leak among what was compared; a place that is not named may still be one")
        return
    count = "1 leak" if len(found.leaks) == 1 else f"{len(found.leaks)} leaks"
    say(f"{count} ({told}): leave out what the table says when all is used together")


def _document(members: list[Members], found: Audit, limit: int | None) -> dict[str, Any]:
    sides = {letter: _dataset(one) for letter, one in zip("ab", members, strict=False)}
    return {
        "a": sides["a"],
        "b": sides.get("b"),
        "compared": {"key": found.by_key, "ground": found.by_ground},
        "leaks": len(found.leaks),
        "shared": len(found.shared),
        "findings": [_record(finding) for finding in found.findings[:limit]],
    }


def _dataset(one: Members) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "areas": one.n_areas,
        "areas_without_key": one.n_keyless,
        "samples": len(one.table) if one.kind == "store" else None,
        "samples_without_footprint": int((~one.grounded).sum()) if one.kind == "store" else None,
        "samples_not_done": one.left_out,
    }


def _record(found: Finding) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "place": found.place,
        "severity": found.severity,
        "leave_out": found.drop or None,
        "share": found.share,
        "same_time": found.same_time,
        "a": _side(found.a),
        "b": _side(found.b),
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "areas": list(side.areas),
        "split": side.split,
        "samples": side.samples,
        "ids": list(side.ids),
    }
