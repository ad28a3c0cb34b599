"""The door: one Typer application, one place where errors become exit codes."""

from __future__ import annotations

import sys
import warnings
from typing import Annotated

import typer

from eodata.cli import (
    build_commands,
    catalog_commands,
    doctor_command,
    exchange_commands,
    recipe_commands,
    sandbox_commands,
    split_commands,
)
from eodata.cli.output import say_error, say_usage
from eodata.core.errors import EodataError, InterruptedBuildError, RecipeError

app = typer.Typer(
    name="eodata",
    help="Build and curate Earth-observation datasets: one recipe in, one verified dataset out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    epilog="Start here: eodata build demo",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"eodata {version('eodata')}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show stack traces.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print and exit."),
    ] = False,
) -> None:
    """Build and curate Earth-observation datasets: one recipe in, one verified dataset out."""


recipe_commands.register(app)
build_commands.register(app)
catalog_commands.register(app)
sandbox_commands.register(app)
split_commands.register(app)
doctor_command.register(app)
exchange_commands.register(app)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with the right exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    # rasterio warns on stderr of what we refuse with an error, or place by points on purpose.
    warnings.filterwarnings("ignore", "Dataset has no geotransform")
    debug = "--debug" in arguments
    try:
        code = app(args=arguments, standalone_mode=False)
    except EodataError as error:
        if debug:
            raise
        say_error(error)
        code = error.exit_code
    except typer.Abort:
        code = InterruptedBuildError.exit_code
    except typer.TyperException as error:
        say_usage(error)
        code = RecipeError.exit_code
    except Exception as error:
        if debug:
            raise
        say_error(
            EodataError(
                "internal error",
                f"{type(error).__name__}: {error}",
                "this is a bug in eodata.",
                "Run it again with --debug and report what it prints.",
            )
        )
        code = EodataError.exit_code
    sys.exit(code or 0)
