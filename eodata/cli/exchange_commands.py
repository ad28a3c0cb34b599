"""`eodata export` turns a store into files that other programs read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eodata.cli.build_commands import StorePath
from eodata.cli.output import AsJson, human_bytes, progress_bar, put_json, put_table, say

if TYPE_CHECKING:
    from eodata.exchange.export import ExportReport

REASONS = 10
"""Of each kind, unless --json asks for all."""


def register(app: typer.Typer) -> None:
    """Hang these commands under `eodata`."""
    app.command("export")(export_store)


def export_store(
    store: StorePath,
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="New folder, or one of an earlier run.")
    ],
    format_name: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="sen12ms-cr-ts, sen12ms-cr, sen12ms, geotiff, webdataset or npy.",
        ),
    ],
    split: Annotated[str, typer.Option("--split", help="Only samples of this split.")] = "",
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Only the first so many samples.")
    ] = None,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Also samples and steps that a check refused.")
    ] = False,
    complete: Annotated[
        bool,
        typer.Option(
            "--complete", help="sen12ms-cr-ts: only samples with every step, as its loader needs."
        ),
    ] = False,
    dtype: Annotated[
        str,
        typer.Option(
            "--dtype",
            help="Published trees: float32 or float64 for Sentinel-1; default: as stored.",
        ),
    ] = "",
    compress: Annotated[
        str, typer.Option("--compress", help="GeoTIFFs: deflate, zstd or none.")
    ] = "deflate",
    shard_mb: Annotated[
        float, typer.Option("--shard-mb", min=0.001, help="webdataset: most MB per tar.")
    ] = 512,
    workers: Annotated[
        int | None,
        typer.Option("--workers", min=1, max=256, help="Threads; default: the machine's cores."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Remove the folder's earlier export and start over.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write samples of a store as other files; run it again to go on where it stopped.

    Files that are there and complete are kept. What does not leave the store is counted with its
    reason. Nothing is invented: pixels, dates and grids are those of the store.

    Example: eodata export demo demo-tiffs --format geotiff
    """
    from eodata.exchange.export import plan_export, run_export
    from eodata.exchange.formats import FormatOptions
    from eodata.exchange.source import Selection

    options = FormatOptions(compress, dtype, complete, shard_mb)
    selection = Selection(split, limit, rejected)
    planned = plan_export(store, folder, format_name, selection, options, force=force)
    with progress_bar(format_name) as on_progress:
        report = run_export(planned, workers or os.cpu_count() or 1, on_progress)
    if as_json:
        put_json(report.to_json())
    else:
        _print_report(report)


def _print_report(report: ExportReport) -> None:
    tally = report.tally
    put_table(
        ("folder", "format", "samples", "files", "written", "size", "seconds"),
        [
            (
                report.folder,
                report.format,
                report.samples,
                tally.files,
                tally.written,
                human_bytes(tally.bytes),
                report.seconds,
            )
        ],
    )
    for note in report.notes:
        say(f"note: {note}")
    _say_left_out("samples", report.samples_left_out)
    _say_left_out("steps", report.steps_left_out)


def _say_left_out(what: str, reasons: Mapping[str, int]) -> None:
    if reasons:
        say(f"{sum(reasons.values())} {what} left out")
    for reason, count in list(reasons.items())[:REASONS]:
        say(f"  {count} x {reason}")
    if len(reasons) > REASONS:
        say(f"  and {len(reasons) - REASONS} more reasons: --json")
