"""`eodata catalog …` finds datasets and samples; `eodata show` draws one sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from eodata.cli import items_command
from eodata.cli.build_commands import StorePath
from eodata.cli.output import AsJson, put, put_json, put_table, say

Bbox = Annotated[str, typer.Option("--bbox", help="west,south,east,north in degrees.")]
Time = Annotated[str, typer.Option("--time", help="2018, 2018-06, or start/end (end excluded).")]

catalog = typer.Typer(
    help="Find datasets, and samples inside them.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Hang these commands under `eodata`."""
    app.add_typer(catalog, name="catalog")
    items_command.register(catalog)
    app.command("show")(show_sample)


@catalog.command("search")
def search(
    text: Annotated[str, typer.Argument(help="Words in name, title, keywords or task.")] = "",
    task: Annotated[str, typer.Option("--task", help="For example cloud-removal.")] = "",
    sensor: Annotated[str, typer.Option("--sensor", help="For example sentinel-1 or s2.")] = "",
    bbox: Bbox = "",
    time: Time = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Find datasets that were built here, or that eodata knows.

    Example: eodata catalog search --task cloud-removal --sensor sentinel-1
    """
    from eodata import resources
    from eodata.catalog.criteria import parse_bbox, parse_span
    from eodata.catalog.index import cards
    from eodata.catalog.search import search_cards

    known, broken = cards(shipped=resources.card_files())
    found = search_cards(
        known,
        text=text or None,
        task=task or None,
        sensor=sensor or None,
        bbox=parse_bbox(bbox) if bbox else None,
        span=parse_span(time) if time else None,
    )[:limit]
    for card in broken:
        say(f"left out {card.path}: {card.reason}")
    if as_json:
        put_json([{"store": _text(p), **card.model_dump(mode="json")} for p, card in found])
        return
    rows = [
        (
            card.name,
            card.title + (" [SYNTHETIC]" if card.synthetic else ""),
            card.task,
            card.counts.samples,
            _text(path) or card.where or card.homepage,
        )
        for path, card in found
    ]
    put_table(("name", "title", "task", "samples", "where"), rows)
    say(f"{len(found)} of {len(known)} datasets")


@catalog.command("samples")
def samples(
    store: StorePath,
    bbox: Bbox = "",
    time: Time = "",
    split: Annotated[str, typer.Option("--split", help="train, val or test.")] = "",
    status: Annotated[
        str, typer.Option("--status", help="done, rejected, failed or all.")
    ] = "done",
    cloud: Annotated[str, typer.Option("--cloud", help='Cloud cover [%], for example "<30".')] = "",
    valid: Annotated[
        str, typer.Option("--valid", help='Fraction of valid pixels, for example ">0.9".')
    ] = "",
    shift: Annotated[
        str, typer.Option("--shift", help='Largest measured misfit [px], for example "<0.5".')
    ] = "",
    modality: Annotated[
        str, typer.Option("--modality", help="The one that --time, --valid and --shift ask about.")
    ] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
) -> None:
    """Find samples inside a built store.

    Example: eodata catalog samples demo --split train --cloud "<40"
    """
    from eodata.catalog.criteria import parse_bbox, parse_limit, parse_span
    from eodata.catalog.samples import search_samples

    found = search_samples(
        store,
        bbox=parse_bbox(bbox) if bbox else None,
        span=parse_span(time) if time else None,
        split=split or None,
        status=None if status == "all" else status,
        cloud=parse_limit(cloud) if cloud else None,
        valid=parse_limit(valid) if valid else None,
        shift=parse_limit(shift) if shift else None,
        modality=modality or None,
        limit=limit,
    )
    if as_json:
        put_json(_records(found))
        return
    columns = ["id", "row", "split", "status", "eo:cloud_cover"]
    columns += [c for c in found.columns if c.endswith((":done", ":valid", ":shift"))]
    put_table(columns, found[columns].itertuples(index=False, name=None))
    say(f"{len(found)} samples")


def show_sample(
    store: StorePath,
    sample: Annotated[str, typer.Argument(help="Id of a sample, or its row.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Picture to write; default SAMPLE.png.")
    ] = None,
    shifts: Annotated[
        bool, typer.Option("--shifts", help="Draw how far pictures lie from their reference.")
    ] = False,
) -> None:
    """Draw one sample: every modality over time, validity, classes with their colours.

    Example: eodata show demo flanders_r000_c000 --out sample.png
    """
    from eodata.catalog.quicklook import draw_sample

    put(str(draw_sample(store, sample, out or Path(f"{sample}.png"), shifts=shifts)))


@catalog.command("add")
def add_store(store: StorePath) -> None:
    """Put a store that was moved or copied here on the list that `catalog search` reads.

    Example: eodata catalog add demo
    """
    from eodata.catalog.index import register as register_store
    from eodata.store.reader import StoreReader

    register_store(StoreReader(store).path)
    say(f"{store} is on the list")


@catalog.command("forget")
def forget_store(store: StorePath) -> None:
    """Take a store off the list that `catalog search` reads; the store itself stays.

    Example: eodata catalog forget demo
    """
    from eodata.catalog.index import unregister

    unregister(store)
    say(f"{store} is off the list")


def _text(path: Path | None) -> str:
    return str(path) if path else ""


def _records(frame: Any) -> list[dict[str, Any]]:
    plain = frame.drop(columns=[c for c in ("geometry", "bbox") if c in frame.columns])
    boxes = frame.geometry.bounds.to_numpy().tolist()
    records = plain.astype(object).where(plain.notna(), None).to_dict("records")
    return [{**record, "bbox": box} for record, box in zip(records, boxes, strict=True)]
