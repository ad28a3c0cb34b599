"""What the simulated Earth costs, and how believable it is.

Usage: python -m benchmarks.sandbox [--part speed|clouds|shift|sensors|learn|all] [--images 50]
       [--real FOLDER]

Prints Markdown tables. `speed` runs on one core; the others measure the simulation against its own
truth with s2cloudless, scikit-image and torch. `--real` compares medians by band with real data in
a folder of yours: TerraMesh patches (`S2L1C/*.tif`, `S2L2A/*.tif`, `LULC/*.tif`) and WorldCereal
patches (`S2_L2A_10m_*.nc`, `S2_L2A_20m_*.nc`, `OUTPUT_*.nc`), at any depth.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from benchmarks import realism
from benchmarks.real_medians import RealMedians, real_medians
from benchmarks.squares import Place, land_places
from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.items import CELL, SandboxItem

SETTINGS = SandboxSettings(seed=1)
EDGE = 2048
"""Of the window that is timed [10 m px]."""
CORNER = 10 * CELL
OPEN_GROUND = (
    (-93.5, 42, 7), (3, 50.8, 7), (36.2, 48.2, 6), (-3.7, 40.4, 7), (5, 27, 4), (25, -27, 7),
    (-55, -12, 7), (75.5, 30.8, 3), (-60.5, -33, 11), (148, -33.5, 1), (-106, 51, 8), (20, -28, 6),
    (15.5, 47, 7), (104, 15.5, 1), (-119.8, 36.6, 7), (31, 30.6, 4),
)  # fmt: skip
"""Longitude, latitude and a month that is often clear."""
SOIL = (
    (5, 27, 4), (20, 25, 7), (45, 22, 2), (55, 33, 5), (133, -25, 8), (-69, -23, 3),
    (75.5, 30.8, 11), (-5, 40, 8), (20, -28, 6), (67, 28, 12), (60, 38, 10), (15, 17, 1),
    (-112, 30, 6), (48, 31, 3), (125, -28, 11),
)  # fmt: skip
URBAN = (
    (2.35, 48.86, 5), (77.2, 28.6, 3), (31.24, 30.05, 7), (-118.25, 34.05, 4), (116.4, 39.9, 10),
    (-99.1, 19.4, 12), (37.6, 55.75, 6), (139.7, 35.7, 11), (-87.7, 41.9, 5), (13.4, 52.5, 9),
    (46.7, 24.7, 2), (18.5, -33.95, 1), (-3.7, 40.4, 8),
)  # fmt: skip
SNOW = (
    (26, 62, 3), (100, 60, 3), (-106, 51, 3), (10.5, 46.8, 3), (87, 47, 2), (80, 32, 1),
    (40, 54, 3), (125, 48, 2), (-110, 44, 2), (76, 42, 1), (-45, 66, 6), (45, 42.7, 2),
    (-75, 58, 4),
)  # fmt: skip
KINDS = {"soil": SOIL, "urban": URBAN, "snow": SNOW}


def places_of(listed: tuple[tuple[float, float, int], ...], days: int = 60) -> list[Place]:
    """Return places to look at from the first of a month of 2019 on."""
    starts = [datetime(2019, month, 1, tzinfo=UTC) for _, _, month in listed]
    return [Place(lon, lat, t, days) for (lon, lat, _), t in zip(listed, starts, strict=True)]


def table(title: str, head: str, rows: list[str]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n\n| {head} |\n|{'---|' * (head.count('|') + 1)}")
    for row in rows:
        print(f"| {row} |", flush=True)


def speed() -> None:
    """Time one window of 2048 x 2048 px of all bands, on one core."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = []
    archive = SandboxArchive(SETTINGS)
    for name, item in (("clear", s2_item(archive, 0)), ("cloudy", s2_item(archive, 60))):
        rows += timed(f"Sentinel-2 L1C, {name}", item)
    rows += timed("Sentinel-1 GRD", s1_item(archive))
    head = "item | run | wall s | CPU s | Mpx/s native | Mpx/s, all on 10 m"
    table("Speed: 2048 x 2048 px, one core, by CPU time", head, rows)


def s2_item(archive: SandboxArchive, percent: float) -> SandboxItem:
    """Return the whole item over Belgium whose cloud cover is nearest to a value."""
    place = Place(3.3, 50.9, datetime(2020, 4, 1, tzinfo=UTC), 120)
    found = archive.collections["sentinel-2-l1c"].find(place.ground, place.span)
    whole = [item for item in found if item.footprint.area > 1.4]  # square degrees: all of a tile
    return min(whole, key=lambda item: abs(item.properties["eo:cloud_cover"] - percent))


def s1_item(archive: SandboxArchive) -> SandboxItem:
    """Return an item of Sentinel-1 over Belgium."""
    place = Place(3.3, 50.9, datetime(2020, 6, 1, tzinfo=UTC), 12)
    return next(iter(archive.collections["sentinel-1-grd"].find(place.ground, place.span)))


def timed(name: str, item: SandboxItem) -> list[str]:
    """Return rows: nothing known, and all known; a square of 480 px that is cut is made in part."""
    archive = SandboxArchive(SETTINGS)
    corner = CORNER if "L1C" in name else 20 * CELL
    windows = {
        key: ((corner // layer.ratio, (corner + EDGE) // layer.ratio),) * 2
        for key, layer in item.layers.items()
    }
    native = sum((rows[1] - rows[0]) * (cols[1] - cols[0]) for rows, cols in windows.values())
    rows = []
    for run in ("cold", "warm"):
        wall, cpu = seconds(lambda: archive.read_many(item, windows))
        flat = len(windows) * EDGE * EDGE
        rates = f"{native / cpu / 1e6:.1f} | {flat / cpu / 1e6:.1f}"
        rows.append(f"{name} | {run} | {wall:.2f} | {cpu:.2f} | {rates}")
    return rows


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU time of one run [s]."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def clouds(images: int) -> None:
    """Score s2cloudless on random land, and on clear ground that is mistaken for cloud."""
    archive = SandboxArchive(SETTINGS)
    places = land_places(3 * images, seed=0)
    scores = realism.cloud_mask_scores(archive, places, images)
    table(
        f"s2cloudless against true thick cloud, {scores.images} images of 240 px at 20 m",
        "measure | value",
        [f"{name} | {getattr(scores, name):.3f}" for name in type(scores).__slots__],
    )
    rows = []
    for kind, listed in KINDS.items():
        found = [share for _, share in realism.false_alarms(archive, places_of(listed), kind)]
        worst, over = max(found, default=np.nan), sum(share > 0.05 for share in found)
        rows.append(f"{kind} | {len(found)} | {np.mean(found):.4f} | {worst:.4f} | {over}")
    table("False alarms on clear squares", "ground | images | mean | worst | over 5 %", rows)


def shift() -> None:
    """Recover planted shifts between two clear dates."""
    archive = SandboxArchive(SETTINGS)
    planted = Defects(shift_rate=1, shift_px=3)
    displaced = SandboxArchive(SETTINGS.model_copy(update={"defects": planted}))
    rows = []
    for band in ("B04", "B08"):
        for norm in ("phase", None):
            found = realism.shift_error(archive, displaced, places_of(OPEN_GROUND), norm, band)
            over = sum(error > 0.1 for error in found)
            centre = f"{np.median(found):.3f} | {max(found):.3f}"
            rows.append(f"{band} | {norm or 'none'} | {len(found)} | {centre} | {over}")
    head = "band | normalization | pairs | median px | worst px | over 0.1 px"
    table("Planted shifts of up to 3 px, recovered by correlation", head, rows)


def sensors() -> None:
    """Say where the mutual information of radar and optics peaks."""
    archive = SandboxArchive(SETTINGS)
    rows = []
    for place in places_of(OPEN_GROUND, 40):
        found = realism.mutual_information_peak(archive, place)
        if found:
            row, col, contrast = found
            rows.append(f"{place.lon:g}, {place.lat:g} | {row} | {col} | {contrast:.2f}")
    head = "lon, lat | peak, rows | peak, columns | peak over rim"
    table("Mutual information of VH and NDVI, 256 x 256 px", head, rows)


def learn() -> None:
    """Train a small network on some places and test it some thirty kilometres from each."""
    from benchmarks.landcover_unet import CLASSES, landcover_unet

    archive = SandboxArchive(SETTINGS)
    places = places_of(OPEN_GROUND)
    elsewhere = [replace(place, lon=place.lon + 0.35) for place in places]
    scores = landcover_unet(archive, places, elsewhere)
    rows = [
        f"right, unseen places | {scores.accuracy:.3f}",
        f"the commonest class alone | {scores.majority:.3f}",
        *(f"found of {n} | {hit:.3f}" for n, hit in zip(CLASSES, scores.recalls, strict=True)),
        f"training, s | {scores.seconds:.0f}",
    ]
    table("U-Net, simplified WorldCover", "measure | value", rows)


def compare(folder: Path) -> None:
    """Print how medians by band deviate from real ones of the same place, season and cover."""
    archive = SandboxArchive(SETTINGS)
    rows: list[str] = []
    deviations: list[float] = []
    for real in real_medians(folder):
        made = like(archive, real)
        both = {band: 100 * (made[band] / real.medians[band] - 1) for band in real.medians if made}
        deviations += both.values()
        said = " ".join(f"{band} {percent:+.0f}" for band, percent in both.items())
        about = f"{real.name} | {real.level} | {real.day:%Y-%m-%d} | {real.ndvi:.2f}"
        rows.append(f"{about} | {said or 'nothing like it'}")
    table("Medians against real ones [%]", "ground | level | date | NDVI | deviation by band", rows)
    within = sum(abs(percent) <= 30 for percent in deviations)
    print(f"\n{within} of {len(deviations)} within 30 %")


def like(archive: SandboxArchive, real: RealMedians) -> dict[str, float]:
    """Return medians of simulated pixels like the real ones, from five squares around.

    When that year had no clear day about then, the years after are looked at.
    """
    around = ((0, 0), (0.3, 0.2), (-0.3, 0.2), (0.3, -0.2), (-0.3, -0.2))
    near = (real.ndvi - 0.08, real.ndvi + 0.08)
    for years in range(3):
        start = real.day + timedelta(days=365 * years - 20)
        places = [Place(real.lon + x, real.lat + y, start, 40) for x, y in around]
        collection = f"sentinel-2-{real.level}"
        made = realism.band_medians(archive, places, real.covers, collection, near)
        if made:
            return made
    return {}


def main() -> None:
    """Measure what is asked for."""
    parts: dict[str, Callable[[], None]] = {
        "clouds": lambda: clouds(asked.images), "shift": shift, "sensors": sensors,
        "learn": learn, "speed": speed,
    }  # fmt: skip
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--part", choices=(*parts, "all"), default=None)
    parser.add_argument("--images", type=int, default=50, help="for the part clouds")
    parser.add_argument("--real", type=Path, help="folder with real data to compare with")
    asked = parser.parse_args()
    wanted = asked.part or ("none" if asked.real else "all")
    for name, work in parts.items():
        if wanted in (name, "all"):
            work()
    if asked.real:
        compare(asked.real)


if __name__ == "__main__":
    main()
