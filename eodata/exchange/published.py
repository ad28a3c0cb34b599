"""The published trees of the SEN12MS family as tasks: who is in, under which names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import pandas

from eodata.core.errors import RecipeError
from eodata.exchange.layouts import Layer, Layout, check_fit, positions
from eodata.exchange.names import SeriesName, SingleName, family_key
from eodata.exchange.source import Sample, Source, Step, dtype_of, unusable
from eodata.exchange.task import Job, Task
from eodata.exchange.tiffs import TiffFile, TreeSettings, facts_of, tiff_task

NO_KEY = "its area has no season and number of the family"
INCOMPLETE = "not every step is there on all sides"

Steps = Mapping[int, frozenset[int]]
"""Per row the steps that all layers have."""


def published_job(source: Source, layout: Layout, settings: TreeSettings) -> Job:
    """Plan a published tree.

    A step that one layer lacks is left out of all, so that each folder holds as many files as its
    sister.

    Raises:
        RecipeError: The store does not fit, two areas would share a folder, or nothing is left.
    """
    notes = check_fit(source.reader, layout)
    _check_areas(source)
    keyed = source.without(_without_key(source))
    missing = _missing(keyed, layout)
    paired = _paired(keyed, layout, missing)
    chosen = keyed.without(_refused(keyed, layout, missing, paired, settings)).limited()
    lost = missing[missing["row"].isin(chosen.rows)].drop_duplicates(["row", "step"])
    tasks = _tasks(chosen, layout, settings, paired)
    whole, n = frozenset(range(_n_steps(source, layout))), len(chosen.rows)
    notes = (*notes, *_uneven(chosen, paired, whole))
    return Job(tasks, n, n, chosen.left_out, Counter(lost["why"]), notes)


def _tasks(source: Source, layout: Layout, settings: TreeSettings, paired: Steps) -> Iterator[Task]:
    channels = {layer.name: positions(source.reader, layer) for layer in layout.layers}
    for row in source.rows:
        sample = source.sample(row)
        files = {
            _path(sample, layout, layer, step): TiffFile(
                layer.name,
                step,
                channels[layer.name],
                _dtype(source, layer, settings),
                facts_of(source, sample, layer.name, step),
            )
            for layer in layout.layers
            for step in sample.steps[layer.name]
            if step.number in paired[row]
        }
        yield tiff_task(source, sample, files, settings.compression, cog=False)


def _path(sample: Sample, layout: Layout, layer: Layer, step: Step) -> str:
    season, number = sample.season, int(sample.scene)
    if layout.steps > 1 and step.when:  # steps of a series without a date were left out
        day = step.when.date()
        return SeriesName(season, number, layer.name, step.number, day, sample.number).path
    single = SingleName(season, number, layer.name, sample.number)
    return single.path(by_sensor=layout.by_sensor)


def _dtype(source: Source, layer: Layer, settings: TreeSettings) -> str:
    stored = str(dtype_of(source.reader, layer.name))
    return settings.dtype if settings.dtype and layer.name == "s1" else stored


def _without_key(source: Source) -> dict[int, str]:
    found = source.samples.loc[list(source.rows), ["season", "scene"]]
    return {
        row: NO_KEY
        for row, season, scene in zip(found.index, found["season"], found["scene"], strict=True)
        if family_key(season, scene) is None
    }


def _check_areas(source: Source) -> None:
    """Refuse two areas of one season and number: their files would overwrite each other.

    Areas of all splits count, because further splits may follow into the same tree.
    """
    areas = source.samples[["area", "season", "scene"]].drop_duplicates()
    owners: dict[tuple[str, int], str] = {}
    for area, season, scene in areas.itertuples(index=False):
        key = family_key(season, scene)
        if key is None or owners.setdefault(key, area) == area:
            continue
        raise RecipeError(
            str(source.reader.path),
            f"areas {owners[key]} and {area} are both {season} {scene}",
            "the published tree has one folder per season and number.",
            "Give them numbers of their own, or take --format geotiff.",
        )


def _missing(source: Source, layout: Layout) -> pandas.DataFrame:
    """Return the steps that cannot leave, with `why`, by row, layer and step."""
    steps = source.chosen_steps(layout.names)
    return unusable(steps, source.selection.statuses, dated=layout.steps > 1)


def _n_steps(source: Source, layout: Layout) -> int:
    return min(source.reader.shape(name)[1] for name in layout.names)


def _paired(source: Source, layout: Layout, missing: pandas.DataFrame) -> Steps:
    n = _n_steps(source, layout)
    gone = missing.groupby("row")["step"].agg(frozenset).to_dict()
    return {row: frozenset(range(n)) - gone.get(row, frozenset()) for row in source.rows}


def _refused(
    source: Source,
    layout: Layout,
    missing: pandas.DataFrame,
    paired: Steps,
    settings: TreeSettings,
) -> dict[int, str]:
    """Return why samples stay that have no pair at all, or not all when all are asked for."""
    n = _n_steps(source, layout)
    first = missing.drop_duplicates("row").set_index("row")["why"].to_dict()
    refused = {row: INCOMPLETE for row in source.rows if settings.complete and len(paired[row]) < n}
    return refused | {row: first[row] for row in source.rows if not paired[row]}


def _uneven(source: Source, paired: Steps, whole: frozenset[int]) -> list[str]:
    """Return a note when areas do not have the same patches at every step of the `whole` series.

    The published loader takes the n-th file of each folder for the n-th patch, so it would join
    looks at different places without a word.
    """
    areas = source.samples["area"]
    seen: dict[str, set[frozenset[int]]] = {}
    for row in source.rows:
        seen.setdefault(areas[row], set()).add(paired[row])
    uneven = sorted(area for area, kinds in seen.items() if kinds != {whole})
    if not uneven:
        return []
    note = (
        f"{len(uneven)} of {len(seen)} areas, {uneven[0]} first, lack patches at some steps: the "
        "published loader counts files and would mix patches up; --complete leaves such samples out"
    )
    return [note]
