"""How well unlike sensors are laid over each other: methods, pairs, bands, real data, cost.

Usage: python -m benchmarks.coregister.unlike [--part methods|pairs|wrong|coarse|real|cost|all]
       [--places 12] [--real FOLDER]

Prints Markdown tables. The ground is simulated (two dates each of up to twelve places, one of them
cloudy) and every item is displaced by a known shift of up to 3 px along each axis. `--real` looks,
at any depth, for TerraMesh (`S1RTC/*.tif` with `S2L1C`, `LULC` and `DEM` beside it) and BigEarthNet
(folders of `*_VV.tif` and `*_B04.tif`): there the shift is not known, so known ones are added to it
by cubic splines. CPU time is of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.coregister.unlike_ground import Block, Worlds, cut, of_bands, whole
from benchmarks.coregister.unlike_methods import METHODS, Method
from benchmarks.coregister.unlike_real import real_pairs
from benchmarks.sandbox import table
from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.measure import measure_shift
from eodata.pipeline.coregister.peaks import find_peaks
from eodata.pipeline.coregister.unlike import class_edges, surface_unlike
from eodata.pipeline.coregister.view import shrunk

Shift = tuple[float, float]
Pair = tuple[View, View, Shift]
"""Image, reference and the true shift."""
REACH = 8
PATCHES = {"16 patches of 256": (256, 4), "16 of 64": (64, 4)}
STARTS = {1024: (0,), 256: (0, 512), 128: (0, 384, 768), 64: (0, 384, 768)}
"""By edge, where along the diagonal patches of different places are compared [px]."""
STRANGERS = 6
"""Each block is compared with other places among so many that follow."""
COARSE = 24
"""Edge of a coarse pixel [10 m]: MODIS has about 250 m."""


class Tally:
    """Errors and confidences of one kind of comparison."""

    def __init__(self) -> None:
        self.errors: list[NDArray[np.float64]] = []
        self.confidences: list[float] = []
        self.seconds: list[float] = []
        self.asked = 0

    def ask(self, image: View, reference: View, truth: Shift) -> None:
        """Measure one shift."""
        self.asked += 1
        start = time.process_time()
        field = measure_shift(image, reference, alike=False).field
        self.seconds.append(time.process_time() - start)
        if field is not None:
            self.errors.append(np.subtract(field.mean, truth))
            self.confidences.append(field.confidence)

    def row(self, name: str) -> str:
        """Return a row of the table."""
        if not self.errors:
            return f"{name} | {self.asked} | 0 | | | | | | "
        off = np.hypot(*np.transpose(self.errors))
        sure = np.array(self.confidences) >= 0.9
        row, col = np.median(self.errors, axis=0)
        ms = 1e3 * np.median(self.seconds)
        return (
            f"{name} | {self.asked} | {len(off)} | {np.median(off):.3f} | "
            f"{np.quantile(off, 0.9):.2f} | {off.max():.2f} | "
            f"{sure.sum()} / {(off[sure] > 1).sum()} | {row:+.3f} {col:+.3f} | {ms:.0f}"
        )


HEAD = (
    "pair | asked | found | median error px | 90 % | worst | sure / of them > 1 px | "
    "bias row, col px | ms"
)


def both_ways(block: Block) -> Iterator[Pair]:
    """Yield optics against radar and the reverse, the first of them displaced."""
    yield block.optical_moved, block.radar, block.optical_shift
    yield block.radar_moved, block.optical, block.radar_shift


def methods(blocks: Sequence[Block]) -> None:
    """Compare methods on pooled and single patches."""
    for title, (edge, per_axis) in PATCHES.items():
        rows = []
        for name, method in METHODS.items():
            start = time.process_time()
            pooled, single, count = method_errors(method, blocks, edge, per_axis)
            ms = 1e3 * (time.process_time() - start) / count
            rows.append(
                f"{name} | {np.median(pooled):.3f} | {np.quantile(pooled, 0.9):.2f} | "
                f"{np.mean(pooled > 1):.0%} | {np.median(single):.2f} | {np.mean(single <= 1):.0%}"
                f" | {ms:.1f}"
            )
        head = (
            "method | pooled: median error px | 90 % | > 1 px | one patch: median error px | "
            "within 1 px | CPU ms per patch"
        )
        table(f"Sentinel-2 and Sentinel-1, {title}, {2 * len(blocks)} shifts", head, rows)


def method_errors(
    method: Method, blocks: Iterable[Block], edge: int, per_axis: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return errors of pooled and of single patches [px], and how many were compared."""
    pooled, single, count = [], [], 0
    for image, reference, truth in (pair for block in blocks for pair in both_ways(block)):
        surfaces = []
        for rows, cols in patches(edge, per_axis):
            sides = cut(image, rows, cols), cut(reference, rows, cols)
            if min(side.valid.mean() for side in sides) >= 0.15:
                count += 1
                surface = method(*sides, REACH)
                if surface is not None:
                    surfaces.append(surface)
        if surfaces:
            stack = np.stack([np.sum(surfaces, axis=0), *surfaces]).astype(np.float32)
            off = np.nan_to_num(np.hypot(*(find_peaks(stack).places - truth).T), nan=REACH)
            pooled.append(off[0])
            single.extend(off[1:])
    return np.array(pooled), np.array(single), count


def patches(edge: int, per_axis: int) -> list[tuple[slice, slice]]:
    """Return patches that are spread over a block."""
    starts = [256 * i for i in range(per_axis)]
    return [(slice(r, r + edge), slice(c, c + edge)) for r, c in product(starts, starts)]


def pairs(blocks: Sequence[Block]) -> None:
    """Measure shifts between all kinds of sensors and bands, as a build does."""
    everything = {
        "S2 red, nir, swir and S1 vv, vh": lambda b: both_ways(b),
        "S2 red and S1 vv, vh": lambda b: _chosen(b, [0], [0, 1]),
        "S2 red, nir and S1 vv, vh": lambda b: _chosen(b, [0, 1], [0, 1]),
        "S2 red, swir and S1 vv, vh": lambda b: _chosen(b, [0, 2], [0, 1]),
        "S2 red, nir, swir and S1 vv": lambda b: _chosen(b, [0, 1, 2], [0]),
        "S2 red, nir, swir and S1 vh": lambda b: _chosen(b, [0, 1, 2], [1]),
        "the same, nothing displaced": lambda b: [(b.optical, b.radar, (0.0, 0.0))],
        "the same, clouds not left out": lambda b: [
            (whole(b.optical_moved.values), b.radar, b.optical_shift)
        ],
        "one patch of 256": lambda b: _corner(b, 256),
        "one patch of 128": lambda b: _corner(b, 128),
        "one patch of 64": lambda b: _corner(b, 64),
        "S2 and WorldCover": lambda b: [(b.optical_moved, _classes(b), b.optical_shift)],
        "S2 and WorldCover, nothing displaced": lambda b: [(b.optical, _classes(b), (0.0, 0.0))],
        "S1 and WorldCover": lambda b: [(b.radar_moved, _classes(b), b.radar_shift)],
        "S1 and DEM": lambda b: [(b.radar_moved, b.elevation, b.radar_shift)],
        "S2 and DEM": lambda b: [(b.optical_moved, b.elevation, b.optical_shift)],
    }
    table("Shifts of blocks of 1026 px", HEAD, _tallied(everything, blocks))
    cloudy = [b for b in blocks if b.cloud >= 0.15]
    table("Of cloudy blocks alone", HEAD, _tallied({"S2 and S1": both_ways}, cloudy))


def _tallied(
    kinds: dict[str, Callable[[Block], Iterable[Pair]]], blocks: Sequence[Block]
) -> list[str]:
    rows = []
    for name, pairs_of in kinds.items():
        tally = Tally()
        for pair in (pair for block in blocks for pair in pairs_of(block)):
            tally.ask(*pair)
        rows.append(tally.row(name))
    return rows


def _chosen(block: Block, optical: list[int], radar: list[int]) -> Iterator[Pair]:
    optics = [of_bands(view, optical) for view in (block.optical, block.optical_moved)]
    echoes = [of_bands(view, radar) for view in (block.radar, block.radar_moved)]
    yield optics[1], echoes[0], block.optical_shift
    yield echoes[1], optics[0], block.radar_shift


def _corner(block: Block, edge: int) -> Iterator[Pair]:
    part = slice(300, 300 + edge)
    for image, reference, truth in both_ways(block):
        yield cut(image, part, part), cut(reference, part, part), truth


def _classes(block: Block) -> View:
    return whole(class_edges(block.classes, np.ones(block.classes.shape, np.bool_)))


def wrong(blocks: Sequence[Block]) -> None:
    """Count how often a shift is believed where image and reference show different ground."""
    around = [*blocks, *blocks]
    strangers = [
        (block, other)
        for n, block in enumerate(blocks)
        for other in around[n + 1 : n + STRANGERS]
        if block.name != other.name
    ]
    rows = []
    for edge in STARTS:
        asked, found, sure = 0, 0, 0
        for block, other in strangers:
            for start in STARTS[edge]:
                part = slice(start, start + edge)
                sides = cut(block.optical, part, part), cut(other.radar, part, part)
                field = measure_shift(*sides, alike=False).field
                asked += 1
                found += field is not None
                sure += field is not None and field.confidence >= 0.9
        rows.append(f"{edge} | {asked} | {found} | {sure}")
    table("Optics of one place, radar of another", "edge px | asked | found | sure", rows)


def coarse(blocks: Sequence[Block]) -> None:
    """Measure shifts on coarse pixels: two sensors of reflectance, one with a wide response."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    rng = np.random.default_rng(0)
    by_name: dict[str, list[Block]] = defaultdict(list)
    for block in blocks:
        by_name[block.name].append(block)
    for one, other in (pair for pair in by_name.values() if len(pair) == 2):
        for truth in ((0, 0), (7, -11), (-16, 13), (9, 4)):
            image = _wide(other.optical, truth, rng)
            reference = shrunk(one.optical, COARSE)
            n = min(*image.valid.shape, *reference.valid.shape)
            sides = [cut(view, slice(n), slice(n)) for view in (image, reference)]
            shift = truth[0] / COARSE, truth[1] / COARSE
            tallies["reflectance of 240 m, two dates"].ask(*sides, shift)
    rows = [tally.row(name) for name, tally in tallies.items()]
    table(f"Coarse pixels, of {10 * COARSE} m", HEAD, rows)


def _wide(view: View, shift: tuple[int, int], rng: np.random.Generator) -> View:
    """Return a view on coarse pixels whose response along rows is twice as wide, with noise."""
    moved = [np.roll(part, shift, (-2, -1)) for part in (view.values, view.valid)]
    blurred = ndimage.uniform_filter1d(moved[0], COARSE + 1, axis=2)
    made = shrunk(View(blurred, moved[1]), COARSE)
    noisy = made.values * (1 + 0.02 * rng.normal(size=made.values.shape))
    return View(noisy.astype(np.float32), made.valid)


def real(folder: Path) -> None:
    """Measure shifts of real pairs, and known shifts that are added to them."""
    rng = np.random.default_rng(0)
    rows = []
    for name, image, reference in real_pairs(folder):
        first = measure_shift(image, reference, alike=False).field
        if first is None:
            rows.append(f"{name} | none | | | | ")
            continue
        off = []
        for added in rng.uniform(-2.5, 2.5, (10, 2)):
            values = [ndimage.shift(band, added, mode="nearest") for band in image.values]
            field = measure_shift(whole(np.stack(values)), reference, alike=False).field
            if field is not None:
                off.append(np.hypot(*np.subtract(field.mean, first.mean) - added))
        rows.append(
            f"{name} | {first.mean[0]:+.2f} {first.mean[1]:+.2f} | {first.error:.2f} | "
            f"{first.confidence:.3f} | {np.median(off):.3f} | {max(off):.2f}"
        )
    head = "pair | shift row, col px | error | confidence | added shifts: median error px | worst"
    table("Real pairs", head, rows)


def cost() -> None:
    """Time one pair, beside one Fourier transform of a band of the same size."""
    rng = np.random.default_rng(0)
    rows = []
    for edge in (64, 128, 256):
        sides = [rng.normal(size=(n, edge, edge)).astype(np.float32) for n in (3, 2)]
        holes = ndimage.gaussian_filter(rng.normal(size=(edge, edge)), 8) < 0
        reference = whole(sides[1])
        spans = [
            _cpu(partial(surface_unlike, one, reference, 6))
            for one in (whole(sides[0]), View(sides[0], holes), whole(sides[0][:1]))
        ]
        fourier = _cpu(partial(np.fft.rfft2, sides[0][0]))
        rows.append(f"{edge} | {spans[0]:.1f} | {spans[1]:.1f} | {spans[2]:.1f} | {fourier:.2f}")
    head = (
        "edge px | 3 and 2 bands, CPU ms | half hidden | 1 and 2 bands | numpy.fft.rfft2 of a band"
    )
    table("One pair", head, rows)


def _cpu(call: Callable[[], object], times: int = 40) -> float:
    """Return the CPU time of a call [ms]."""
    call()
    start = time.process_time()
    for _ in range(times):
        call()
    return 1e3 * (time.process_time() - start) / times


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parts = {"methods": methods, "pairs": pairs, "wrong": wrong, "coarse": coarse}
    parser.add_argument("--part", choices=[*parts, "real", "cost", "all"], default="all")
    parser.add_argument("--places", type=int, default=12)
    parser.add_argument("--real", type=Path)
    asked = parser.parse_args()
    if asked.part in ("cost", "all"):
        cost()
    if asked.part in ("real", "all") and asked.real:
        real(asked.real)
    chosen = [part for name, part in parts.items() if asked.part in (name, "all")]
    if chosen:
        blocks = list(Worlds().blocks(asked.places))
        clouds = ", ".join(f"{block.name} {block.cloud:.0%}" for block in blocks)
        print(f"\n{len(blocks)} blocks with clouds: {clouds}")
        for part in chosen:
            part(blocks)


if __name__ == "__main__":
    main()
