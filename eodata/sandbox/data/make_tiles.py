"""Find out which Sentinel-2 tiles show land, or sea near land, for `eodata.sandbox.squares`.

    python -m eodata.sandbox.data.make_tiles

`sentinel2_tiles.npz` is written next to this file, from the coasts of `eodata.sandbox.planet.globe`
alone. It takes about a minute, which is why the answer is kept.
"""

from __future__ import annotations

import sys

import numpy as np

from eodata.sandbox.planet.globe import globe
from eodata.sandbox.squares import LAND_FILE, LAND_KM, ZONES, lattice, meridian, turned


def main() -> None:
    """Write one bit per zone and square: land lies within `LAND_KM` of a place in its tile."""
    places = lattice()
    land = np.zeros((ZONES + 1, len(places)), bool)
    for zone in range(1, ZONES + 1):
        lon, lat = turned(places[..., 0] + meridian(zone)), places[..., 1]
        land[zone] = (globe().coast_km(lon, lat) > -LAND_KM).any(axis=(1, 2))
    np.savez_compressed(LAND_FILE, land=np.packbits(land, axis=1))
    sys.stdout.write(f"{LAND_FILE.name}: {LAND_FILE.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
