"""`eodata doctor`: what is installed, and which providers can be used."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import typer

from eodata.cli.output import AsJson, put_json, put_table, say

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
    ("earthengine-api", "earthengine"),
)


def register(app: typer.Typer) -> None:
    """Hang this command under `eodata`."""
    app.command("doctor")(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Say what is installed, which providers can be used here, and what each needs.

    Example: eodata doctor
    """
    from eodata import resources
    from eodata.catalog.index import home, registered
    from eodata.providers.registry import REGISTRY

    packages = [(name, _version(name), extra) for name, extra in PACKAGES]
    providers = [(r.name, r.is_usable, r.meaning, r.needs) for r in REGISTRY.values()]
    facts = {
        "eodata": _version("eodata"),
        "recipes": list(resources.recipe_files()),
        "products": list(resources.products()),
        "home": str(home()),
        "stores": [str(path) for path in registered()],
        "cuda": _cuda(),
    }
    if as_json:
        names = ("name", "usable", "meaning", "needs")
        listed = [dict(zip(names, row, strict=True)) for row in providers]
        put_json({**facts, "packages": {n: v for n, v, _ in packages}, "providers": listed})
        return
    for key, value in facts.items():
        say(f"{key}: {', '.join(value) if isinstance(value, list) else value}")
    missing = [(n, f"missing: pip install eodata[{extra}]") for n, v, extra in packages if not v]
    put_table(("package", "version"), [(n, v) for n, v, _ in packages if v] + missing)
    rows = [(name, "yes" if usable else "no", *rest) for name, usable, *rest in providers]
    put_table(("provider", "usable", "what", "needs"), rows)


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
