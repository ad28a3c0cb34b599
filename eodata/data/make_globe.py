"""Make the compact shapes of land, lakes and towns from Natural Earth GeoJSON.

    python eodata/data/make_globe.py FOLDER

The folder holds `ne_50m_land.json`, `ne_50m_lakes.json` and `ne_50m_urban_areas.json` (public
domain, naturalearthdata.com). `natural_earth_50m.npz` is written next to this file.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

TARGET = Path(__file__).parent / "natural_earth_50m.npz"
LAYERS = ("land", "lakes", "urban_areas")
STEP_DEG = 0.001
"""Coordinates are whole multiples of this, about 100 m: finer than the source is true."""
SNAP_DEG = 0.005
"""Vertices this close to the date line or the south pole are put on it."""


def main(folder: Path) -> None:
    """Write the rings of all layers into one archive of numpy arrays."""
    arrays: dict[str, Any] = {}
    for layer in LAYERS:
        arrays |= _arrays(layer, _parts(folder / f"ne_50m_{layer}.json"))
    np.savez_compressed(TARGET, **arrays)
    sys.stdout.write(f"{TARGET.name}: {TARGET.stat().st_size} bytes\n")


def _parts(path: Path) -> NDArray[np.object_]:
    """Return the polygons of a file on the rounded grid, disjoint and valid."""
    shapes = shapely.get_parts(shapely.from_geojson(path.read_text()))
    snapped = shapely.transform(shapely.get_parts(shapes), _snap)
    return np.asarray(shapely.get_parts(shapely.union_all(snapped, grid_size=STEP_DEG)))


def _snap(points: NDArray[np.float64]) -> NDArray[np.float64]:
    lon, lat = points[:, 0], points[:, 1]
    lon = np.where(np.abs(lon) > 180 - SNAP_DEG, np.copysign(180.0, lon), lon)
    return np.stack([lon, np.where(lat < SNAP_DEG - 90, -90.0, lat)], axis=1)


def _arrays(layer: str, parts: NDArray[np.object_]) -> dict[str, NDArray[np.int32]]:
    """Return what `globe` reads of one layer.

    `steps` (2, N) are the differences of one vertex to the next in units of STEP_DEG, x and y;
    `rings` (R + 1,) is where rings begin and end, `parts` (R,) the number of the polygon of each.
    """
    rings, owner = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    steps = np.diff(np.rint(points.T / STEP_DEG), prepend=0, axis=1)
    ends = np.append(np.flatnonzero(np.diff(ring, prepend=-1)), ring.size)
    found = {"steps": steps, "rings": ends, "parts": owner}
    return {f"{layer}_{name}": values.astype(np.int32) for name, values in found.items()}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
