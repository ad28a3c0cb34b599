"""`eodata catalog items` lists what an archive has, before anything is built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eodata.cli.build_commands import Archive, Endpoints, Sandbox
from eodata.cli.output import AsJson, put_json, put_table, say

if TYPE_CHECKING:
    from eodata.build.looking import Seen, Sight

ROWS = 50
"""Of a table, unless --limit says otherwise."""
COLUMNS = (
    "id",
    "datetime",
    "cloud %",
    "platform",
    "orbit",
    "baseline",
    "covers %",
    "scale/offset",
    "note",
)


def register(group: typer.Typer) -> None:
    """Hang this command under `eodata catalog`."""
    group.command("items")(list_items)


def list_items(
    product: Annotated[
        str, typer.Option("--product", help="Id of a product; eodata doctor lists them.")
    ],
    bbox: Annotated[
        str,
        typer.Option(
            "--bbox",
            metavar="W,S,E,N",
            help="Degrees; west above east crosses the date line.",
        ),
    ],
    time: Annotated[
        str,
        typer.Option(
            "--time",
            metavar="START/END",
            help="End excluded; .. leaves a side open; not asked of products without dates.",
        ),
    ] = "",
    provider: Annotated[
        str,
        typer.Option("--provider", help="Who is asked; default: the first in the product's table."),
    ] = "",
    where: Annotated[
        str,
        typer.Option("--where", help="As in recipes: '{eo:cloud_cover: {max: 80}}'."),
    ] = "",
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help=f"At most so many; default of the table: {ROWS}."),
    ] = None,
    endpoint: Endpoints = None,
    archive: Archive = "",
    sandbox: Sandbox = "",
    as_json: AsJson = False,
    as_geojson: Annotated[
        bool, typer.Option("--geojson", help="Print outlines as a FeatureCollection.")
    ] = False,
) -> None:
    """List the items of an archive that a build would choose from.

    \b
    Example: eodata catalog items --provider sandbox --product sentinel-2-l2a --bbox 11.0,48.0,11.1,48.1 --time 2018-06-01/2018-06-12
    """  # noqa: D301, E501 (\b keeps the example on one line)
    from eodata.build.looking import look
    from eodata.build.question import Question, parse_ground, parse_time, parse_where

    _refuse_two_forms(as_json, as_geojson)
    sight = look(
        Question(
            product,
            parse_ground(bbox),
            parse_time(time),
            parse_where(where),
            provider,
            tuple(endpoint or ()),
            archive,
            sandbox,
        )
    )
    if not provider:
        say(f"asked {sight.provider}: the first provider of {product} that can be used here")
    shown = sight.seen[: limit or (None if as_json or as_geojson else ROWS)]
    if as_json:
        put_json([_record(seen) for seen in shown])
    elif as_geojson:
        put_json({"type": "FeatureCollection", "features": [_feature(seen) for seen in shown]})
    else:
        put_table(COLUMNS, [_row(seen) for seen in shown])
    _say_rest(sight, len(shown))


def _refuse_two_forms(as_json: bool, as_geojson: bool) -> None:
    from eodata.core.errors import RecipeError

    if as_json and as_geojson:
        raise RecipeError(
            "--geojson", "it stands beside --json", "both go to stdout.", "Leave one of them out."
        )


def _say_rest(sight: Sight, shown: int) -> None:
    count = len(sight.seen)
    more = f"; {count - shown} more: --limit {count}" if shown < count else ""
    say(f"{shown} of {count} items of {sight.collection} at {sight.provider}{more}")
    if sight.found > count:
        say(f"{sight.found - count} earlier processings are left out, as in a build")
    if any(seen.synthetic for seen in sight.seen):
        say("SYNTHETIC: these pixels are simulated")


def _row(seen: Seen) -> tuple[Any, ...]:
    from eodata.core.span import format_utc

    item, said = seen.item, seen.item.properties
    notes = ["SYNTHETIC"] if seen.synthetic else []
    notes += [f"supersedes {', '.join(seen.supersedes)}"] if seen.supersedes else []
    return (
        item.id,
        format_utc(item.datetime.replace(microsecond=0)),
        item.cloud,
        said.get("platform"),
        _words((said.get("sat:relative_orbit"), said.get("sat:orbit_state"))) or None,
        seen.baseline or None,
        round(100 * seen.covers, 1),
        _coding(seen),
        "; ".join(notes) or None,
    )


def _words(parts: Iterable[object]) -> str:
    return " ".join(str(part) for part in parts if part is not None)


def _coding(seen: Seen) -> str | None:
    """Return `B01 0.0001/-0.1`; None for products whose offset never changed."""
    if seen.told is None:
        return None
    band, scale, offset = seen.told
    return "unknown" if scale is None or offset is None else f"{band} {scale:g}/{offset:g}"


def _facts(seen: Seen) -> dict[str, Any]:
    """Return what the table shows, by words that no property of an archive has."""
    from eodata.core.span import format_utc

    item, said = seen.item, seen.item.properties
    band, scale, offset = seen.told or (None, None, None)
    return {
        "id": item.id,
        "collection": item.collection,
        "datetime": format_utc(item.datetime),
        "cloud": item.cloud,
        "platform": said.get("platform"),
        "relative_orbit": said.get("sat:relative_orbit"),
        "orbit_state": said.get("sat:orbit_state"),
        "baseline": seen.baseline or None,
        "covers": round(seen.covers, 4),
        "offset_band": band,
        "scale": scale,
        "offset": offset,
        "supersedes": list(seen.supersedes),
        "synthetic": seen.synthetic,
    }


def _record(seen: Seen) -> dict[str, Any]:
    from eodata.build.looking import bbox_of

    return {
        **_facts(seen),
        "bbox": bbox_of(seen.item.footprint),
        "properties": seen.item.properties,
        "assets": {key: asset.href for key, asset in sorted(seen.item.assets.items())},
    }


def _feature(seen: Seen) -> dict[str, Any]:
    """Return an outline with plain columns, which every reader of GeoJSON makes a table of."""
    from shapely.geometry import mapping

    from eodata.build.looking import bbox_of

    columns = {**_facts(seen), "supersedes": " ".join(seen.supersedes)}
    return {
        "type": "Feature",
        "id": seen.item.id,
        "bbox": bbox_of(seen.item.footprint),
        "geometry": mapping(seen.item.footprint),
        "properties": columns,
    }
