"""How well images of one kind of sensor are laid over each other: dates, bands, fields, cost.

Usage: python -m benchmarks.coregister.alike [--part dates|radar|bands|fields|real|cost|all]
       [--places 40] [--csv FILE] [--png FILE] [--real FOLDER]

Prints Markdown tables. The ground is simulated and every item is displaced by a known shift of up
to 5 px along each axis; errors are those along the worse axis. `skimage` is
`phase_cross_correlation` of one band (Hann window, phases, a hundredth of a pixel), which does not
know which pixels are valid and never says that it does not know. `--csv` and `--png` write the
error by cloud. `--real` looks, at any depth, for patches of WorldCereal (`S2_L2A_10m_*.nc`,
`S2_L2A_20m_*.nc`): known shifts are added by cubic splines, and dates are compared in all pairs.
CPU time is of one thread.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import combinations, islice, pairwise
from pathlib import Path

import numpy as np

from benchmarks.coregister.alike_ground import (
    Floats,
    Pair,
    band_pairs,
    date_pairs,
    radar_pairs,
    real_dates,
    smooth_field,
    unrelated,
    warped,
)
from benchmarks.realism import displacement
from benchmarks.sandbox import table
from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.field import Field
from eodata.pipeline.coregister.measure import measure_shift

SIZES = (64, 128, 256, 480)
CLOUDS = ((0.0, 0.01), (0.01, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.9), (0.9, 1.01))
SURE = 0.9
Answer = tuple[float, float] | None
"""Error [px], infinite where no answer is right, and confidence; None for no answer."""


def ours(pair: Pair, alike: bool = True, reach: int = 6) -> Answer:
    """Return how far `measure_shift` is off."""
    field = measure_shift(pair.image, pair.reference, alike=alike, reach=reach).field
    return None if field is None else (error(pair, field.mean), field.confidence)


def peer(pair: Pair) -> Answer:
    """Return how far scikit-image is off; it is always sure."""
    return error(pair, displacement(pair.reference.values[0], pair.image.values[0])), 1.0


def error(pair: Pair, found: tuple[float, float]) -> float:
    """Return the distance from the truth along the worse axis [px]."""
    if pair.shift is None:
        return float("inf")
    return max(abs(a - b) for a, b in zip(found, pair.shift, strict=True))


def summary(answers: Iterable[Answer]) -> str:
    """Return how many were asked and answered, median, 95th percentile, and the sure and wrong."""
    asked = list(answers)
    given = [answer for answer in asked if answer is not None]
    off = np.array([one for one, _ in given if np.isfinite(one)])
    wrong = sum(one > 1 and sure >= SURE for one, sure in given)
    spread = f"{np.median(off):.3f} | {np.quantile(off, 0.95):.3f}" if off.size else "- | -"
    return f"{len(asked)} | {len(given) / max(len(asked), 1):.2f} | {spread} | {wrong}"


HEAD = "pairs | answered | median px | 95 % px | sure and off by > 1 px"


def dates(places: int, curve: Path | None, picture: Path | None) -> None:
    """Compare dates of Sentinel-2, with clouds told and untold."""
    found = list(date_pairs(places))
    every = [pair for pairs in found for pair in pairs]
    ways: dict[str, Callable[[Pair], Answer]] = {
        "clouds told": ours,
        "untold": lambda pair: ours(pair.untold),
        "skimage": peer,
    }
    by_size = []
    for size in SIZES:
        parts = [pair.part(size) for pair in every if pair.cloud <= CLOUDS[3][1]]
        by_size += [f"{size} | {way} | {summary(map(ask, parts))}" for way, ask in ways.items()]
        strangers = [pair.part(size) for pair in unrelated(found)]
        by_size += [f"{size} | unrelated ground | {summary(map(ours, strangers))}"]
    table("Dates of Sentinel-2, clouds up to 60 %", f"window px | | {HEAD}", by_size)
    rows = []
    for low, high in CLOUDS:
        parts = [pair.part(256) for pair in every if low <= pair.cloud < high]
        rows += [(low, high, way, list(map(ask, parts))) for way, ask in ways.items()]
    lines = [
        f"{low:.0%} to {min(high, 1):.0%} | {way} | {summary(a)}" for low, high, way, a in rows
    ]
    table("The same by cloud, 256 px", f"cloud | | {HEAD}", lines)
    if curve:
        write_curve(curve, rows)
    if picture:
        draw_curve(picture, rows)


Rows = list[tuple[float, float, str, list[Answer]]]
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def quantiles(answers: list[Answer]) -> Floats:
    """Return the error at each of `QUANTILES` of the pairs answered [px], NaN without any."""
    off = [answer[0] for answer in answers if answer is not None]
    return np.quantile(off, QUANTILES) if off else np.full(len(QUANTILES), np.nan)


def write_curve(path: Path, rows: Rows) -> None:
    """Write error by cloud and method."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        names = [f"error_px_q{100 * q:.0f}" for q in QUANTILES]
        writer.writerow(["cloud_from", "cloud_to", "method", "pairs", "answered", *names])
        for low, high, way, answers in rows:
            given = sum(answer is not None for answer in answers)
            numbers = [f"{number:.4f}" for number in quantiles(answers)]
            writer.writerow([low, high, way, len(answers), given, *numbers])


def draw_curve(path: Path, rows: Rows) -> None:
    """Draw median and 95th percentile of the error by cloud."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for number, way in enumerate(dict.fromkeys(way for _, _, way, _ in rows)):
        mine = [row for row in rows if row[2] == way]
        x = [(low + min(high, 1)) / 2 for low, high, _, _ in mine]
        found = np.array([quantiles(answers) for *_, answers in mine])
        axes.semilogy(x, found[:, 2], f"C{number}-o", label=f"{way}, median")
        axes.semilogy(x, found[:, 5], f"C{number}--", label=f"{way}, 95 %")
    axes.set(xlabel="cloud in either image", ylabel="error of those answered [px]")
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)


def radar(places: int) -> None:
    """Compare dates of Sentinel-1."""
    pairs = list(radar_pairs(places))
    rows = [f"{n} | {summary(ours(pair.part(n)) for pair in pairs)}" for n in SIZES]
    table("Dates of Sentinel-1", f"window px | {HEAD}", rows)


def bands() -> None:
    """Compare the bands of an item, as alike and as unlike sensors."""
    asked: dict[tuple[str, str], list[Pair]] = {}
    for reference, band, pair in band_pairs():
        asked.setdefault((reference, band), []).append(pair)
    rows = [
        f"{band} to {reference} | {way} | {summary(ours(pair, alike, 8) for pair in pairs)}"
        for (reference, band), pairs in asked.items()
        for way, alike in (("alike", True), ("unlike", False))
    ]
    table(
        "Bands of one item, 256 px of 10 m; errors in px of the coarser", f"bands | | {HEAD}", rows
    )


def fields(places: int) -> None:
    """Recover smooth fields that were planted in one of two dates."""
    clear = (pair for pairs in date_pairs(places) for pair in pairs if pair.cloud < 0.3)
    found = list(islice(clear, 24))
    rng, rows = np.random.default_rng(0), []
    for terms, strength in ((1, 0.0), (3, 0.3), (3, 1.0), (3, 2.0), (6, 0.5), (6, 1.0)):
        results = [recovered(pair, smooth_field(480, terms, strength, rng)) for pair in found]
        off = [one for one in results if one is not None]
        medians = [one for one, _ in off]
        bent = np.mean([not constant for _, constant in off])
        rows.append(
            f"{terms} | {strength} | {len(off)} of {len(found)} | {np.median(medians):.3f}"
            f" | {max(medians):.3f} | {bent:.2f}"
        )
    head = "terms | strength px | answered | median px | worst median px | called a field"
    table("Smooth fields, windows of 480 px", head, rows)


def recovered(pair: Pair, planted: Floats) -> tuple[float, bool] | None:
    """Return the median error of a field over the window, and whether it was called constant."""
    image = warped(pair.image, planted)
    field = measure_shift(image, pair.reference, alike=True, reach=9).field
    if field is None or pair.shift is None:
        return None
    off = np.abs(field_over(field, planted.shape[1]) - planted - np.reshape(pair.shift, (2, 1, 1)))
    return float(np.median(off.max(axis=0))), field.is_constant


def field_over(field: Field, size: int) -> Floats:
    """Return a field over a square window, `(2, size, size)`."""
    return field.at(*np.indices((size, size)).reshape(2, -1)).T.reshape(2, size, size)


def real(folder: Path) -> None:
    """Compare real dates: how well they agree in a circle, and how well added shifts are found."""
    views = real_dates(folder)
    rows = [f"{len(views)} | {step} | {circle(views[::step])}" for step in (1, 2)]
    head = "clear dates | every | pairs answered | median px | 95 % px | dates apart, median px"
    table("Real dates: pairs against one position per date", head, rows)
    rng, answers = np.random.default_rng(0), []
    for image, reference in pairwise(views):
        shift = rng.uniform(-4, 4, 2)
        field = np.broadcast_to(shift[:, None, None], (2, *image.valid.shape))
        inner = np.s_[..., 6:-6, 6:-6]
        there = View(reference.values[inner], reference.valid[inner])
        sides = (View(v.values[inner], v.valid[inner]) for v in (image, warped(image, field)))
        before, after = (measure_shift(side, there, alike=True).field for side in sides)
        if before and after:
            off = np.subtract(after.mean, before.mean) - shift
            answers.append((float(np.abs(off).max()), after.confidence))
        else:
            answers.append(None)
    table("Real dates: shifts added", HEAD, [summary(answers)])


def circle(views: list[View]) -> str:
    """Return how well the shifts of all pairs are explained by one position per date."""
    pairs = list(combinations(range(len(views)), 2))
    found = [measure_shift(views[i], views[j], alike=True).field for i, j in pairs]
    kept = [(pair, field.mean) for pair, field in zip(pairs, found, strict=True) if field]
    design = np.zeros((len(kept), len(views)))
    for row, ((i, j), _) in zip(design, kept, strict=True):
        row[[i, j]] = 1, -1
    shifts, trust = np.array([mean for _, mean in kept]), np.ones((len(kept), 1))
    for _ in range(20):
        place = np.linalg.lstsq(trust * design, trust * shifts, rcond=None)[0]
        off = np.abs(shifts - design @ place).max(axis=1)
        trust = 1 / np.maximum(off, 0.05)[:, np.newaxis]
    apart = np.median(np.hypot(*(place - np.median(place, axis=0)).T))
    spread = f"{np.median(off):.3f} | {np.quantile(off, 0.95):.3f}"
    return f"{len(kept)} of {len(pairs)} | {spread} | {apart:.2f}"


def cost() -> None:
    """Time one pair by size, clouds told or not, one band or two."""
    pair = next(one for pairs in date_pairs(40) for one in pairs if 0.1 < one.cloud < 0.4)
    single = Pair(*(View(v.values[:1], v.valid) for v in (pair.image, pair.reference)), None, 0)
    kinds = {"two bands, clouds told": pair, "two bands": pair.untold, "one band": single.untold}
    rows = []
    for size in SIZES:
        for kind, asked in kinds.items():
            part = asked.part(size)
            rows.append(f"{size} | {kind} | {cpu_ms(partial(ours, part)):.1f}")
        rows.append(f"{size} | skimage, one band | {cpu_ms(partial(peer, pair.part(size))):.1f}")
    table("Cost of a pair", "window px | | CPU ms", rows)


def cpu_ms(work: Callable[[], object], times: int = 30) -> float:
    """Return the median CPU time of one call [ms]."""
    work()
    taken = []
    for _ in range(times):
        start = time.process_time()
        work()
        taken.append(1e3 * (time.process_time() - start))
    return float(np.median(taken))


def main() -> None:
    """Run one part or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    names = ("dates", "radar", "bands", "fields", "real", "cost", "all")
    parser.add_argument("--part", choices=names, default="all")
    parser.add_argument("--places", type=int, default=40)
    for name in ("csv", "png", "real"):
        parser.add_argument(f"--{name}", type=Path)
    asked = parser.parse_args()
    parts = {
        "dates": partial(dates, asked.places, asked.csv, asked.png),
        "radar": partial(radar, asked.places),
        "bands": bands,
        "fields": partial(fields, asked.places),
        "cost": cost,
    }
    if asked.real:
        parts["real"] = partial(real, asked.real)
    for name in parts if asked.part == "all" else [asked.part]:
        parts[name]()


if __name__ == "__main__":
    main()
