"""What a whole build makes of planted shifts: how far items lie off before and after.

Usage: python -m benchmarks.coregister.built [--places N] [--shift PX] [--bend PX]

Per place one block of 16 patches of 256 px, four steps of Sentinel-2 and of Sentinel-1 under the
default clouds of the simulated Earth, every item displaced by up to `shift` px along each axis and
bent by up to `bend` px. It is built as it is, and with everything moved onto the clearest step; the
truth of the sandbox says what should have been found. Errors are lengths of (row, col) in px. Steps
and references of several items are left out: those of the sandbox lie apart from each other.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import Transformer

from eodata.build.conductor import build
from eodata.build.locations import Wish
from eodata.build.loop import Settings
from eodata.build.prepare import prepare
from eodata.core.sandbox_spec import SandboxSettings
from eodata.core.shift import IS_REFERENCE
from eodata.sandbox.archive import SandboxArchive

Floats = NDArray[np.float64]
PIXEL_M = 10.0
SURE = 0.9
GROUND = {
    "Bavaria": (11.0, 48.25, 4), "Iowa": (-93.5, 42.0, 7), "Belgium": (3.0, 50.8, 5),
    "Madrid": (-3.7, 40.4, 6), "Brazil": (-55.0, -12.0, 6), "Punjab": (75.5, 30.8, 3),
    "Ukraine": (36.2, 48.2, 5), "Thailand": (104.0, 15.5, 1), "Botswana": (25.0, -27.0, 6),
    "Finland": (26.0, 62.0, 6), "Alps": (10.5, 46.8, 7), "Paris": (2.35, 48.86, 5),
}  # fmt: skip
"""Longitude, latitude and first of four months."""
COLLECTIONS = {"s2": "sentinel-2-l1c", "s1": "sentinel-1-grd"}
RECIPE = """\
name: shifted
title: Displaced items
licence: CC0-1.0
area: {{bbox: [{west}, {south}, {east}, {north}], patch: 2560, cover: 0.3}}
time: {{start: 2018-{first:02d}-01, end: 2018-{last:02d}-01, steps: 4}}
modalities:
  s2:
    product: sentinel-2-l1c
    provider: sandbox
    bands: [B02, B04, B08]
    gsd: 10
    anchor: true
    choose: {{by: least-cloudy, max_cloud: 60}}{moved}
  s1:
    product: sentinel-1-grd
    provider: sandbox
    gsd: 10
    pair: {{with: s2, within: 12d}}{moved}
store: {{block: 16}}
"""


def recipe_of(place: str, *, moved: bool) -> str:
    """Return the recipe of a place as YAML."""
    lon, lat, month = GROUND[place]
    half = 0.046
    wide = half / np.cos(np.radians(lat))
    return RECIPE.format(
        west=round(lon - wide, 4),
        east=round(lon + wide, 4),
        south=round(lat - half, 4),
        north=round(lat + half, 4),
        first=month,
        last=month + 4,
        moved="\n    coregister_to: s2" if moved else "",
    )


def steps_of(place: str, world: str, folder: Path, *, moved: bool) -> pd.DataFrame:
    """Build a place and return its table of steps, with the middle of each sample."""
    recipe = folder / f"{place}-{moved}.yaml"
    recipe.write_text(recipe_of(place, moved=moved))
    store = folder / f"{place}-{moved}"
    report = build(prepare(Wish(str(recipe), sandbox=world)), store, Settings(workers=2))
    assert report.exit_code in (0, 9), report.reasons
    samples = pd.read_parquet(store / "samples.parquet").set_index("id")
    steps = pd.read_parquet(store / "steps.parquet")
    steps = steps[steps["status"] == "done"]
    half = samples["size"] / 2
    return steps.assign(
        x=steps["id"].map(samples["left"] + half),
        y=steps["id"].map(samples["top"] - half),
        crs=steps["id"].map(samples["crs"]),
        id=place + " " + steps["id"],  # the same ids stand in every place
    )


def true_shifts(steps: pd.DataFrame, world: str) -> Floats:
    """Return how far each sample and step really lies from the reference (row, col) [px].

    NaN where either is made of several items.
    """
    archive = SandboxArchive(SandboxSettings.from_text(world))
    still = steps[steps["shift_why"] == IS_REFERENCE]
    references = dict(zip(still["id"], still["items"], strict=True))

    def displaced(collection: str, item: str, row: Any) -> Floats:
        """Return how far an item is displaced in the middle of a sample."""
        record: Any = archive.collections[collection].get(item)
        # An item's displacement counts in its own CRS, which may be that of the next zone.
        own = Transformer.from_crs(row.crs, str(record.base.crs), always_xy=True)
        x, y = own.transform(row.x, row.y)
        east, north = archive.displacement(record).at(x, y)
        moved = own.transform(x + float(east), y + float(north), direction="INVERSE")
        return np.array([row.y - moved[1], moved[0] - row.x]) / PIXEL_M

    rows = [
        displaced(COLLECTIONS[row.modality], row.items_[0], row)
        - displaced(COLLECTIONS["s2"], references[row.id][0], row)
        if len(row.items_) == len(references.get(row.id, ())) == 1
        else np.full(2, np.nan)
        for row in steps.rename(columns={"items": "items_"}).itertuples()
    ]
    return np.array(rows)


def row_of(name: str, errors: Floats, asked: int, sure_and_wrong: int) -> str:
    """Return a line of a Markdown table."""
    known = errors[~np.isnan(errors)]
    numbers = (np.median(known), np.percentile(known, 95), known.max())
    told = " | ".join(f"{number:.3f}" for number in numbers)
    return f"| {name} | {asked} | {len(known) / asked:.2f} | {told} | {sure_and_wrong} |"


def judged(steps: pd.DataFrame, world: str, reach: float) -> list[str]:
    """Return lines for both modalities of a table of steps: only what lies within reach counts."""
    lines = []
    truth = true_shifts(steps, world)
    within = (np.abs(truth) < reach).all(axis=1) & (steps["shift_why"] != IS_REFERENCE).to_numpy()
    found = steps[["shift_row", "shift_col"]].to_numpy(float)
    placed = steps[["moved_row", "moved_col"]].to_numpy(float)
    off = np.hypot(*(found + placed - truth).T)
    left = np.hypot(*(truth - placed).T)
    left[np.isnan(found[:, 0])] = np.nan
    for name in COLLECTIONS:
        chosen = within & (steps["modality"] == name).to_numpy()
        wrong = int(((off > 1) & (steps["shift_confidence"] >= SURE).to_numpy())[chosen].sum())
        lines.append(row_of(f"{name}: error of what is told", off[chosen], chosen.sum(), wrong))
        if placed[chosen].any():
            lines.append(row_of(f"{name}: truly left", left[chosen], chosen.sum(), wrong))
    return lines


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--places", type=int, default=len(GROUND))
    parser.add_argument("--shift", type=float, default=2.5)
    parser.add_argument("--bend", type=float, default=0.0)
    asked = parser.parse_args()
    world = f"seed=5 shift_rate=1 shift_px={asked.shift:g} bend_px={asked.bend:g}"
    print(f"{world}\n")
    print("| what | samples x steps | measurable | median | 95 % | largest | sure, off by > 1 px |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as text:
        for moved in (False, True):
            tables = [
                steps_of(place, world, Path(text), moved=moved)
                for place in list(GROUND)[: asked.places]
            ]
            steps = pd.concat(tables, ignore_index=True)
            told = "moved" if moved else "as it is"
            for line in judged(steps, world, reach=5.5):
                print(line.replace("| s", f"| {told}, s", 1))


if __name__ == "__main__":
    main()
