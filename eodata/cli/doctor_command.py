"""`eodata doctor`: what is installed, and which providers can be used."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eodata.cli.build_commands import Endpoints
from eodata.cli.output import AsJson, put_json, put_table, say

if TYPE_CHECKING:
    from eodata.build.reaching import Reach
    from eodata.core.endpoint import Endpoint

PACKAGES = (
    ("numpy", "base"),
    ("zarr", "base"),
    ("rasterio", "base"),
    ("odc-geo", "base"),
    ("geopandas", "base"),
    ("pystac", "base"),
    ("distributed", "base"),
    ("torch", "train"),
    ("pystac-client", "stac"),
    ("aiohttp", "stac"),
    ("obstore", "stac"),
    ("earthengine-api", "earthengine"),
    ("s2cloudless", "cloudmask"),
    ("numba", "cloudmask"),
)
ONLINE = "--online asks the endpoints whether they can be reached"


def register(app: typer.Typer) -> None:
    """Hang this command under `eodata`."""
    app.command("doctor")(doctor)


def doctor(
    online: Annotated[
        bool, typer.Option("--online", help="Ask the endpoints whether they can be reached.")
    ] = False,
    endpoint: Endpoints = None,
    as_json: AsJson = False,
) -> None:
    """Say what is installed, which providers can be used here, and what each needs.

    Example: eodata doctor
    """
    from eodata.providers.registry import REGISTRY

    packages = [(name, _version(name), extra) for name, extra in PACKAGES]
    providers = [(r.name, r.is_usable, r.meaning, r.needs) for r in REGISTRY.values()]
    asked = _endpoints(tuple(endpoint or ()), online=online)
    facts = _facts()
    if as_json:
        names = ("name", "usable", "meaning", "needs")
        put_json(
            {
                **facts,
                "packages": {n: v for n, v, _ in packages},
                "providers": [dict(zip(names, row, strict=True)) for row in providers],
                "endpoints": [_plain(one, keys, reach) for one, keys, reach in asked],
            }
        )
        return
    for key, value in facts.items():
        say(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    missing = [(n, f"missing: pip install eodata[{extra}]") for n, v, extra in packages if not v]
    put_table(("package", "version"), [(n, v) for n, v, _ in packages if v] + missing)
    rows = [(name, "yes" if usable else "no", *rest) for name, usable, *rest in providers]
    put_table(("provider", "usable", "what", "needs"), rows)
    put_table(("endpoint", "address", "keys", "online"), [_row(*one) for one in asked])
    if not online:
        say(ONLINE)


def _facts() -> dict[str, Any]:
    from eodata import resources
    from eodata.catalog.index import home, registered
    from eodata.providers.earthengine.access import find_access

    earthengine = find_access()
    return {
        "eodata": _version("eodata"),
        "recipes": list(resources.recipe_files()),
        "products": list(resources.products()),
        "home": str(home()),
        "stores": [str(path) for path in registered()],
        "cuda": _cuda(),
        "earthengine": " ".join(part for part in (f"{earthengine}.", earthengine.advice) if part),
    }


def _endpoints(
    given: tuple[str, ...], *, online: bool
) -> list[tuple[Endpoint, dict[str, bool], Reach | None]]:
    """Return every endpoint, which of its keys are set, and what it answers when it is asked."""
    from eodata.build.locations import stac_locations
    from eodata.build.reaching import endpoints_at, keys_of, reach_all

    found = endpoints_at(stac_locations(given))
    reached = reach_all(found) if online else {}
    return [(one, keys_of(one), reached.get(one.name)) for one in found]


def _row(endpoint: Endpoint, keys: dict[str, bool], reach: Reach | None) -> tuple[str, ...]:
    told = ", ".join(
        f"{name} {'is set' if there else 'is not set'}" for name, there in keys.items()
    )
    return endpoint.name, endpoint.url, told or "none needed", str(reach or "not asked")


def _plain(endpoint: Endpoint, keys: dict[str, bool], reach: Reach | None) -> dict[str, Any]:
    return {
        "name": endpoint.name,
        "url": endpoint.url,
        "keys_set": keys,
        "reachable": None if reach is None else reach.collections is not None,
        "collections": None if reach is None else reach.collections,
        "told": "not asked" if reach is None else str(reach),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _cuda() -> str:
    try:
        import torch
    except ImportError:
        return "no torch"
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "no device"
