"""`eodata plan`, `eodata build`, `eodata verify`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eodata.cli.output import AsJson, human_bytes, progress_bar, put, put_json, put_table, say
from eodata.cli.recipe_commands import RecipeName

if TYPE_CHECKING:
    from eodata.build.locations import Wish
    from eodata.build.prepare import Prepared
    from eodata.build.report import BuildReport

Provider = Annotated[
    str,
    typer.Option(
        "--provider",
        metavar="NAME",
        help="Provider instead of the recipe's: for all modalities, or s1=NAME,s2=NAME for some.",
    ),
]
Archive = Annotated[
    str, typer.Option("--archive", help="STAC catalog on disk for the provider archive.")
]
Sandbox = Annotated[
    str,
    typer.Option(
        "--sandbox",
        help="World of the provider sandbox: seed=7 mode=plane shift_rate=0.3 … (docs/sandbox.md).",
    ),
]
Endpoints = Annotated[
    list[str] | None,
    typer.Option(
        "--endpoint",
        metavar="NAME=URL",
        help="Where a STAC archive is found instead of its usual address; repeatable.",
    ),
]
Scale = Annotated[
    str,
    typer.Option(
        "--scale",
        metavar="'areas=N side=M steps=N images=N'",
        help="Build a miniature: fewer and smaller areas [m], fewer steps, fewer images.",
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, help="Keep only the first patches: another plan.")
]
StorePath = Annotated[Path, typer.Argument(metavar="STORE", help="Folder of a built dataset.")]


def register(app: typer.Typer) -> None:
    """Hang these commands under `eodata`."""
    app.command("plan")(plan_recipe)
    app.command("build")(build_recipe)
    app.command("verify")(verify_store)


def plan_recipe(
    recipe: RecipeName,
    provider: Provider = "",
    archive: Archive = "",
    sandbox: Sandbox = "",
    endpoint: Endpoints = None,
    scale: Scale = "",
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Decide what a build would read, and print it; --json prints the whole plan.

    Example: eodata plan demo
    """
    from eodata.build.locations import Wish
    from eodata.build.prepare import prepare

    wish = Wish(recipe, provider, archive, sandbox, limit, tuple(endpoint or ()), scale)
    plan = prepare(wish).plan
    if as_json:
        put(plan.dumps())
        return
    rows = [
        (name, step, span.start.date(), area, "+".join(plan.items[i].id for i in choice.items), why)
        for name, by_area in plan.choices.items()
        for area, row in by_area.items()
        for step, (choice, span) in enumerate(zip(row, plan.spans(area), strict=False))
        for why in [choice.reason]
    ]
    put_table(("modality", "step", "start", "area", "items", "gap"), rows)
    say(f"plan {plan.digest[:12]}: {len(plan.patches)} samples, {len(plan.tasks)} tasks")


def build_recipe(
    recipe: RecipeName,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder of the store; default ./NAME.")
    ] = None,
    provider: Provider = "",
    archive: Archive = "",
    sandbox: Sandbox = "",
    endpoint: Endpoints = None,
    scale: Scale = "",
    limit: Limit = None,
    workers: Annotated[
        int | None,
        typer.Option(
            "--workers", min=1, max=256, help="Tasks at once on this machine; default: its cores."
        ),
    ] = None,
    scheduler: Annotated[
        str, typer.Option("--scheduler", help="Address of a running dask scheduler: tcp://…")
    ] = "",
    locked: Annotated[
        bool, typer.Option("--locked", help="Read exactly what the store's plan says; no search.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Remove the store's earlier build and start over.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would cost; read and write no pixels.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build a dataset from a recipe; run it again to resume or to mend what failed.

    Exit code 0: complete. 9: complete, with losses that the recipe allows. 8: incomplete; mend what
    the reasons name, then run it again.

    Example: eodata build demo
    """
    from eodata.build.conductor import build
    from eodata.build.locations import Wish
    from eodata.build.loop import Settings
    from eodata.build.price import price
    from eodata.build.target import check_target

    wish = Wish(recipe, provider, archive, sandbox, limit, tuple(endpoint or ()), scale)
    prepared, root = _prepare(wish, out, locked=locked)
    check_target(root, prepared.plan, force=force)
    if dry_run:
        costs = price(prepared.plan)
        if as_json:
            put_json({"digest": prepared.plan.digest, "store": str(root), **costs})
        else:
            put_table(("what", "number"), costs.items())
        return
    with progress_bar(prepared.plan.recipe.name) as on_progress:
        settings = Settings(
            workers or os.cpu_count() or 1,
            scheduler,
            force,
            on_progress=on_progress,
            on_stop=lambda n: say(
                f"stopping: waiting for {n} running tasks; Ctrl-C again gives up what archives owe"
            ),
        )
        report = build(prepared, root, settings)
    if as_json:
        put_json(report.to_json())
    else:
        _print_report(report)
    raise typer.Exit(report.exit_code)


def _prepare(wish: Wish, out: Path | None, *, locked: bool) -> tuple[Prepared, Path]:
    from eodata.build.locations import find_locations
    from eodata.build.prepare import Prepared, check_packages, prepare
    from eodata.build.reading import load_recipe
    from eodata.build.target import check_folder
    from eodata.core.errors import RecipeError
    from eodata.store.files import read_plan

    if not locked:
        root = out or Path(load_recipe(wish.recipe).recipe.name)
        check_folder(root)  # before a search that may take minutes
        return prepare(wish), root
    if wish.limit is not None or wish.provider or wish.scale:
        raise RecipeError(
            "--locked",
            "it stands beside --limit, --scale or --provider",
            "a locked build reads what the store's plan says, and nothing else.",
            "Leave the others out.",
        )
    root = out or Path(load_recipe(wish.recipe).recipe.name)
    plan = read_plan(root)
    loaded = load_recipe(wish.recipe, plan.recipe.scale)
    if plan.recipe != loaded.recipe:
        say("the recipe has changed since; the store is built as it was planned")
    check_packages(plan.recipe)
    return Prepared(plan, find_locations(loaded, wish)), root


def _print_report(report: BuildReport) -> None:
    put_table(
        ("store", "samples", "done", "empty", "rejected", "failed", "files", "size", "seconds"),
        [
            (
                report.store,
                report.samples,
                *(report.outcomes[s] for s in ("done", "empty", "rejected", "failed")),
                report.files,
                human_bytes(report.bytes),
                report.seconds,
            )
        ],
    )
    say(f"{report.verdict}; ran {report.tasks_run} of {report.tasks} tasks")
    if report.retryable:
        say(f"{report.retryable} tasks may get their pixels when the command is run again")
    if report.permanent:
        say(f"{report.permanent} tasks fail again until what the reasons name is mended")
    if report.synthetic:
        say("SYNTHETIC: these pixels are simulated")
    if report.warning:
        say(f"warning: {report.warning}")
    for reason, count in report.reasons.items():
        say(f"{count} x {reason}")


def verify_store(
    store: StorePath,
    quick: Annotated[
        bool, typer.Option("--quick", help="Compare sizes instead of checksums and pixels.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Prove that a store is what its plan says: checksums, counts, pixels, splits.

    Example: eodata verify demo
    """
    from eodata.core.errors import StoreError
    from eodata.store.verify import verify

    verdict = verify(store, quick=quick)
    if as_json:
        put_json({"ok": verdict.ok, "checks": [asdict(c) for c in verdict.checks]})
    else:
        rows = [("ok" if c.ok else "BAD", c.name, c.detail) for c in verdict.checks]
        put_table(("result", "check", "detail"), rows)
    if not verdict.ok:
        raise typer.Exit(StoreError.exit_code)
