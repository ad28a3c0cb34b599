"""Say where the patch lies: its square of ground, its pixels, its outline."""

from typing import Any

from affine import Affine
from rasterio.transform import from_origin
from rasterio.warp import transform as warp_points

EPSG = 32631
CRS = f"EPSG:{EPSG}"
LEFT, TOP, SIDE_M = 501360, 5629680, 640
TILE = "31UDS"


def affine_of(size: float) -> Affine:
    """Place square pixels of a size in metres; the origin is the upper-left corner."""
    placed: Affine = from_origin(LEFT, TOP, size, size)
    return placed


def asset_fields(size: int) -> dict[str, Any]:
    """Describe the grid of an asset with square pixels of a size in metres."""
    count = SIDE_M // size
    return {"proj:shape": [count, count], "proj:transform": [size, 0, LEFT, 0, -size, TOP]}


def item_fields(gsd: int) -> dict[str, Any]:
    """Describe the place of an item whose finest pixels have a size in metres."""
    return {"gsd": gsd, "proj:code": CRS, "grid:code": f"MGRS-{TILE}"}


def footprint() -> tuple[dict[str, Any], list[float]]:
    """Compute the patch's outline in longitude and latitude, counter-clockwise, and its box."""
    xs = [LEFT, LEFT, LEFT + SIDE_M, LEFT + SIDE_M, LEFT]
    ys = [TOP, TOP - SIDE_M, TOP - SIDE_M, TOP, TOP]
    lons, lats = warp_points(CRS, "EPSG:4326", xs, ys)
    ring = [[round(lon, 9), round(lat, 9)] for lon, lat in zip(lons, lats, strict=True)]
    west, south = (min(point[axis] for point in ring) for axis in (0, 1))
    east, north = (max(point[axis] for point in ring) for axis in (0, 1))
    return {"type": "Polygon", "coordinates": [ring]}, [west, south, east, north]
