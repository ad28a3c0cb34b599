"""Real pairs of unlike sensors, from folders of TerraMesh and BigEarthNet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from benchmarks.coregister.unlike_ground import whole
from eodata.pipeline.coregister.evidence import View
from eodata.pipeline.coregister.unlike import class_edges

BANDS = ("red", "nir", "swir")


def real_pairs(folder: Path) -> Iterator[tuple[str, View, View]]:
    """Yield name, image and reference of all pairs below a folder."""
    for path in sorted(folder.rglob("S1RTC/*.tif")):
        yield from _terramesh(path)
    for path in sorted(folder.rglob("*_VV.tif")):
        yield from _bigearthnet(path, folder)


def _terramesh(path: Path) -> Iterator[tuple[str, View, View]]:
    radar, optical = whole(_read(path)), _read(_beside(path, "S2L1C"))[[3, 7, 11]]
    yield f"{path.stem} S2 red, nir, swir and S1", whole(optical), radar
    for name, band in zip(BANDS, optical, strict=True):
        yield f"{path.stem} S2 {name} and S1", whole(band[np.newaxis]), radar
    names = _read(_beside(path, "LULC"))[0]
    classes = whole(class_edges(names, np.ones(names.shape, np.bool_)))
    yield f"{path.stem} S2 and land cover", whole(optical), classes
    yield f"{path.stem} S1 and DEM", radar, whole(_read(_beside(path, "DEM")))


def _bigearthnet(path: Path, folder: Path) -> Iterator[tuple[str, View, View]]:
    polarised = [path, path.with_name(path.name.replace("_VV", "_VH"))]
    radar = np.concatenate([_read(one) for one in polarised])
    tile = "_".join(path.stem.split("_")[-3:-1])
    for red in sorted(folder.rglob(f"*_{tile}_B04.tif")):
        bands = [red, red.with_name(red.name.replace("_B04", "_B08"))]
        optical = np.concatenate([_read(one) for one in bands])
        yield f"BigEarthNet {tile} S2 red, nir and S1", whole(optical), whole(radar)


def _beside(path: Path, kind: str) -> Path:
    return path.parents[1] / kind / path.name


def _read(path: Path) -> NDArray[np.float32]:
    with rasterio.open(path) as source:
        values: NDArray[np.float32] = source.read().astype(np.float32)
    return values
