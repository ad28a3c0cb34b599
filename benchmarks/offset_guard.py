"""How often the offset guard is wrong, and how often it sees a lie: real and simulated windows.

Usage: python -m benchmarks.offset_guard [--real FOLDER] [--places 12] [--edges 64 512]

Every window is judged four times: honest without and with +1000 DN, and with either statement
turned round. `--real` looks, at any depth, for WorldCereal patches (`S2_L2A_10m_*.nc` and
`S2_L2A_20m_*.nc`), TerraMesh (`S2L1C/*.tif`, `S2L2A/*.tif`), BigEarthNet (folders of
`*_B02.tif`), an Earth Search catalogue (folders with `B02.tif` and `SCL.tif`) and exports of Earth
Engine with bands B1 to B12. Their numbers are brought to those without offset first, negative ones
kept where the file has them. `--places` simulates that many places of each kind of ground.
"""

from __future__ import annotations

import argparse
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning

from benchmarks.sandbox import OPEN_GROUND, SNOW, SOIL, URBAN, places_of, table
from benchmarks.squares import L1C_BANDS, L2A_BANDS, Place, Square, square_at, squares
from eodata.core.band import Band
from eodata.core.sandbox_spec import SandboxSettings
from eodata.pipeline.offset_guard import judge_offset
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.items import SandboxItem, coarser

Numbers = NDArray[np.int32]
OFFSET_DN, SCALE = 1000, 1e-4
CLOUDY_SCL = (3, 8, 9, 10)
WATER = (
    (4.5, 52.7, 6), (-88, 43, 7), (8, -5, 5), (33, -1, 8), (12.4, 44.5, 9), (103.9, 12.8, 2),
    (24.5, 60, 7), (-60, -2.5, 8), (18, 58, 6), (-122.5, 37.5, 9), (153.5, -27.5, 5), (139, 35, 11),
)  # fmt: skip
FOREST = (
    (-62, -4, 8), (20, 0, 6), (113, 0, 3), (-79, -2, 10), (10, 60, 8), (30, 62, 7), (-123, 45, 8),
    (140, -6, 1), (15, 49, 6), (-70, 46, 7), (100, 58, 7), (-55, -3, 9),
)  # fmt: skip
GROUNDS = {
    "field": OPEN_GROUND, "desert": SOIL, "snow": SNOW, "town": URBAN, "water": WATER,
    "forest": FOREST,
}  # fmt: skip
LARGEST = 2052
"""Edge of what is simulated in one go [10 m px], a multiple of 6 a little over 2048."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """Pixels whose numbers are those without offset.

    Attributes:
        source: Data set or kind of ground.
        level: L1C or L2A.
        cloud: Share of cloud and shadow, NaN where nobody says.
        bands: Names.
        dn: `(C, H, W)`.
        valid: `(H, W)`.
    """

    source: str
    level: str
    cloud: float
    bands: tuple[str, ...]
    dn: Numbers
    valid: NDArray[np.bool_]

    @property
    def sky(self) -> str:
        """In a word."""
        return "clear" if not self.cloud >= 0.1 else "partly" if self.cloud < 0.9 else "overcast"


def tiles(whole: Window, cloud: NDArray[np.bool_] | None, edges: Sequence[int]) -> Iterator[Window]:
    """Yield the squares that fit, side by side, of each size; those half invalid are left out."""
    height, width = whole.valid.shape
    for edge in edges:
        for row in range(0, height - edge + 1, edge):
            for col in range(0, width - edge + 1, edge):
                part = np.s_[row : row + edge, col : col + edge]
                share = whole.cloud if cloud is None else float(cloud[part].mean())
                if whole.valid[part].mean() > 0.5:
                    dn = whole.dn[(slice(None), *part)]
                    yield replace(whole, cloud=share, dn=dn, valid=whole.valid[part])


def read(path: Path | str) -> NDArray[Any]:
    """Return all bands of a raster."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(path) as source:
            numbers: NDArray[Any] = source.read()
    return numbers


def stack(layers: Mapping[str, NDArray[Any]]) -> Numbers:
    """Return layers of one ground on the grid of the finest."""
    finest = max(len(layer) for layer in layers.values())
    return np.stack(
        [a.repeat(finest // len(a), 0).repeat(finest // len(a), 1) for a in layers.values()]
    ).astype(np.int32)


def real_windows(folder: Path, edges: Sequence[int]) -> Iterator[Window]:
    """Yield what can be found in a folder, whole where it is smaller than every edge."""
    for path in sorted(folder.rglob("S2_L2A_10m_*.nc")):
        yield from worldcereal(path)
    for path in sorted(folder.rglob("S2L[12][CA]/*.tif")):
        level, dn = path.parent.name[2:], read(path).astype(np.int32)
        bands = L1C_BANDS if level == "L1C" else L2A_BANDS
        top = read(path.parents[1] / "S2L1C" / path.name)[L1C_BANDS.index("B10")]
        # No tag tells whether the offset is in; the dark cirrus band of the same ground does.
        dn -= OFFSET_DN * int(np.median(top) > 900)
        yield from fitting(Window("TerraMesh", level, np.nan, bands, dn, dn[0] != 0), None, edges)
    for path in sorted(folder.rglob("*_B02.tif")):
        layers = {p.stem[-3:]: read(p)[0] for p in sorted(path.parent.glob("*_B??.tif"))}
        dn = stack(layers)
        whole = Window("BigEarthNet", "L2A", np.nan, tuple(layers), dn, (dn > 0).all(0))
        yield from fitting(whole, None, edges)
    for path in sorted(folder.rglob("SCL.tif")):
        layers = {p.stem: read(p)[0] for p in sorted(path.parent.glob("B??.tif"))}
        dn, cloud = stack(layers), np.isin(read(path)[0], CLOUDY_SCL)
        whole = Window("Earth Search", "L2A", np.nan, tuple(layers), dn, (dn > 0).all(0))
        yield from fitting(whole, cloud, edges)
    for path in sorted(folder.rglob("*.tif")):
        yield from earth_engine(path)


def fitting(
    whole: Window, cloud: NDArray[np.bool_] | None, edges: Sequence[int]
) -> Iterator[Window]:
    """Yield its squares, or all of it when none of the sizes fits."""
    small = [edge for edge in edges if edge <= min(whole.valid.shape)]
    yield from tiles(whole, cloud, small) if small else (whole,)


def worldcereal(path: Path) -> Iterator[Window]:
    """Yield every date of a patch of WorldCereal."""
    found: dict[str, NDArray[Any]] = {}
    for part in (path, Path(str(path).replace("_10m_", "_20m_"))):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(part) as source:
                names = source.subdatasets
        found |= {name.rpartition(":")[2]: read(name) for name in names}
    bands = tuple(sorted(name for name in found if re.fullmatch(r"B\w\w", name)))
    for date in range(len(found["B02"])):
        dn = stack({band: found[band][date] for band in bands})
        cloud = float(np.isin(found["SCL"][date], CLOUDY_SCL).mean())
        yield Window("WorldCereal", "L2A", cloud, bands, dn, (dn > 0).all(0))


def earth_engine(path: Path) -> Iterator[Window]:
    """Yield every step of an export that holds the bands of Level-1C as B1, B2 and so on."""
    with rasterio.open(path) as source:
        named = {name: n for n, name in enumerate(source.descriptions) if name}
    plain = [band.replace("B0", "B") for band in L1C_BANDS]
    if not named.keys() >= set(plain):
        return
    numbers = read(path)
    for end in ("", *(f"_{n}" for n in range(1, len(named)))):
        if f"B1{end}" in named:
            dn = numbers[[named[band + end] for band in plain]].astype(np.int32)
            yield Window("Earth Engine", "L1C", np.nan, L1C_BANDS, dn, (dn > 0).all(0))


def simulated(places: int, edges: Sequence[int]) -> Iterator[Window]:
    """Yield windows of some items of each place, the clearest and a middling one."""
    archive = SandboxArchive(SandboxSettings(seed=2))
    for ground, listed in GROUNDS.items():
        for number, place in enumerate(places_of(listed[:places])):
            # Every other place after baseline 04.00: only those items hold what is below zero.
            start = place.start.replace(year=2023 if number % 2 else 2019)
            for level in ("l1c", "l2a"):
                there = islice(
                    squares(archive, f"sentinel-2-{level}", replace(place, start=start)), 8
                )
                by_cloud = sorted(there, key=lambda s: float(s.item.properties["eo:cloud_cover"]))
                for square in by_cloud[:1] + by_cloud[len(by_cloud) // 2 :][:1]:
                    yield from of_item(archive, square.item, place, ground, edges)


def of_item(
    archive: SandboxArchive, item: SandboxItem, place: Place, ground: str, edges: Sequence[int]
) -> Iterator[Window]:
    """Yield windows of one item around a place; of the small ones, those of one corner."""
    size = LARGEST if max(edges) > 1024 else 1026
    corner = square_at(item, place)
    if corner is None:
        return
    row, col = (
        min(start, (length - size) // 6 * 6)
        for start, length in zip((corner.row, corner.col), item.base.shape, strict=True)
    )
    square = Square(item, row, col, size)
    bands = tuple(name for name in L1C_BANDS if name in item.layers)
    dn = stack(archive.read_many(item, {band: square.window(band) for band in bands}))
    valid = (dn > 0).all(0)
    dn += round((item.layers["B02"].offset or 0) / SCALE)
    level = "L1C" if "B10" in bands else "L2A"
    coarse = archive.truth(item, coarser(square.grid, 6))
    cloud = (coarse["cloud"] | coarse["shadow"]).repeat(6, 0).repeat(6, 1)
    for edge in edges:
        reach = min(size, 4 * edge)
        part = np.s_[:reach, :reach]
        whole = Window(ground, level, 0, bands, dn[(slice(None), *part)], valid[part])
        yield from tiles(whole, cloud[part], (edge,))


def judge(window: Window) -> dict[str, str]:
    """Return the verdicts on four statements about one window."""
    bands = [Band(name, "continuous", "uint16", 10, scale=SCALE) for name in window.bands]
    without, added = np.maximum(window.dn, 1), window.dn + OFFSET_DN
    radiometry = "toa-reflectance" if window.level == "L1C" else "boa-reflectance"
    cases = {
        "honest, 0": (without, 0.0), "honest, -0.1": (added, -0.1),
        "says 0, holds 1000": (added, 0.0), "says -0.1, holds 0": (without, -0.1),
    }  # fmt: skip
    return {
        name: judge_offset(
            dn, window.valid, [(SCALE, offset)] * len(bands), bands, radiometry
        ).verdict
        for name, (dn, offset) in cases.items()
    }


def report(title: str, windows: Iterator[Window]) -> None:
    """Print false alarms and detections by source, level, size and sky."""
    verdicts: dict[tuple[str, str, int, str], Counter[tuple[str, str]]] = defaultdict(Counter)
    for window in windows:
        key = window.source, window.level, window.valid.shape[0], window.sky
        verdicts[key].update([("", ""), *judge(window).items()])
    rows, total = [], Counter[tuple[str, str]]()
    for key in sorted(verdicts):
        total.update(verdicts[key])
        rows.append(" | ".join([*map(str, key), line(verdicts[key])]))
    rows.append(f"all | | | | {line(total)}")
    head = (
        "source | level | px | sky | windows | false alarms, honest 0 | honest -0.1 | "
        "seen: says 0, holds 1000 [%] | says -0.1, holds 0 [%] | lies called consistent"
    )
    table(title, head, rows)


def line(found: Counter[tuple[str, str]]) -> str:
    """Return the last columns of the table."""
    n, no = found["", ""], "contradicts"
    lies = "says 0, holds 1000", "says -0.1, holds 0"
    alarms = " | ".join(str(found[name, no]) for name in ("honest, 0", "honest, -0.1"))
    seen = " | ".join(f"{100 * found[lie, no] / n:.0f}" for lie in lies)
    return f"{n} | {alarms} | {seen} | {sum(found[lie, 'consistent'] for lie in lies)}"


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--real", type=Path, help="folder with real data")
    parser.add_argument("--places", type=int, default=0, help="simulated places by kind of ground")
    parser.add_argument("--edges", type=int, nargs="+", default=[64, 512], help="of windows [px]")
    asked = parser.parse_args()
    if asked.real:
        report("Real windows", real_windows(asked.real, asked.edges))
    if asked.places:
        report("Simulated windows", simulated(asked.places, asked.edges))


if __name__ == "__main__":
    main()
