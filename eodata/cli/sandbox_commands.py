"""`eodata sandbox`: a simulated Earth behind real protocols, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer

from eodata.cli.build_commands import Sandbox
from eodata.cli.output import say

sandbox = typer.Typer(
    no_args_is_help=True, help="A simulated Earth whose truth is known, served as archives do."
)


def register(app: typer.Typer) -> None:
    """Hang these commands under `eodata`."""
    app.add_typer(sandbox, name="sandbox")


@sandbox.command("serve")
def serve(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")
    ] = 8080,
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; the default is this machine only.")
    ] = "127.0.0.1",
    flavour: Annotated[
        str,
        typer.Option(
            "--flavour",
            help="Shape of the items: sandbox, earth-search, planetary-computer or cdse.",
        ),
    ] = "sandbox",
    earthengine: Annotated[
        bool,
        typer.Option(
            "--earthengine", help="Serve the REST API of Earth Engine instead of a STAC API."
        ),
    ] = False,
    sandbox: Sandbox = "",
    faults: Annotated[
        str,
        typer.Option(
            "--faults", help="Faults: a YAML file, or 429=0.1,latency=0.2 … (docs/sandbox.md)."
        ),
    ] = "",
    seconds: Annotated[
        float | None, typer.Option("--seconds", min=0.1, help="Stop by itself after this time.")
    ] = None,
) -> None:
    """Serve a STAC API and its GeoTIFFs until Ctrl-C: SYNTHETIC data, deterministic by seed.

    Example: eodata sandbox serve --port 0 --seconds 1
    """
    from eodata.core.sandbox_spec import SandboxSettings
    from eodata.sandbox.serve.needs import check_installed

    check_installed()
    from eodata.sandbox.serve.assembly import serve as run

    settings = SandboxSettings.from_text(sandbox)
    say("SYNTHETIC: everything served here is simulated")
    if earthengine:
        from eodata.sandbox.earthengine.server import serve as run_engine

        _check_no_flavour(flavour)
        run_engine(settings, faults=faults, host=host, port=port, seconds=seconds, say=say)
        return
    run(settings, flavour=flavour, faults=faults, host=host, port=port, seconds=seconds, say=say)


def _check_no_flavour(flavour: str) -> None:
    from eodata.core.errors import RecipeError

    if flavour != "sandbox":
        why = "flavours are shapes of a STAC API."
        raise RecipeError("--flavour", f"{flavour} with --earthengine", why, "Give one of the two.")
