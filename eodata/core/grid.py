"""Ground and grids: which CRS, which lattice, which patches. Pure geometry on odc-geo's GeoBox.

World order is (x, y), array order is (row, col), row 0 is north, and an affine maps pixel
*corners*. All lengths are metres, so the CRS must be projected in metres.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pyproj
import shapely
from affine import Affine
from numpy.typing import NDArray
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from eodata.core.errors import GridError
from eodata.core.patch import Area, Patch
from eodata.core.reproject import WGS84, reproject

ARCTIC = "EPSG:3413"
ANTARCTIC = "EPSG:3031"
UTM_LIMIT_DEG = 84.0
EDGE_TOLERANCE_PX = 1e-6
WORLD_M = 1e8
"""Far beyond any sensible coordinate [m]; projections run to infinity where they do not hold."""
COVER_TOLERANCE = 1e-9
"""Areas of polygons are rounded; without it `cover: 1` would refuse patches that are inside."""


def resolve_crs(wanted: str, area: BaseGeometry) -> str:
    """Return the CRS for an area as a string that `odc.geo.CRS` reads.

    Args:
        wanted: `utm` (zone of the area's centre, polar stereographic beyond 84 degrees) or
            anything that pyproj reads: `EPSG:3035`, a PROJ string, WKT.
        area: The ground, EPSG:4326.

    Raises:
        GridError: The CRS is unknown, or not projected in metres.
    """
    if wanted.lower() == "utm":
        return utm_of(area.centroid.x, area.centroid.y)
    try:
        crs = pyproj.CRS.from_user_input(wanted)
    except CRSError:
        raise GridError(
            "area.crs",
            f'"{wanted}" is no coordinate reference system',
            "",
            "Use utm, an authority code such as EPSG:3035, a PROJ string or WKT.",
        ) from None
    units = {axis.unit_name for axis in crs.axis_info}
    if not crs.is_projected or units != {"metre"} or len(crs.axis_info) != 2:
        raise GridError(
            "area.crs",
            f'"{wanted}" has {len(crs.axis_info)} axes in {", ".join(sorted(units)) or "no unit"}',
            "patch sizes are metres, so the CRS must be projected, with two axes in metres.",
            "Use utm, or a projected CRS such as EPSG:3035.",
        )
    return str(CRS(wanted))


def utm_of(lon: float, lat: float) -> str:
    """Return the EPSG code of the UTM zone at a place, polar stereographic beyond 84 degrees.

    The exceptions for south-west Norway (32V) and Svalbard (31X to 37X) are kept.

    >>> utm_of(3.02, 50.82), utm_of(5.0, 60.0), utm_of(-70.0, -33.0)
    ('EPSG:32631', 'EPSG:32632', 'EPSG:32719')
    """
    if lat > UTM_LIMIT_DEG:
        return ARCTIC
    if lat < -UTM_LIMIT_DEG:
        return ANTARCTIC
    lon = (lon + 180.0) % 360.0 - 180.0
    zone = min(int((lon + 180.0) // 6.0) + 1, 60)  # -180 less a rounding error becomes 180
    if 56.0 <= lat < 64.0 and 3.0 <= lon < 12.0:
        zone = 32
    elif lat >= 72.0 and 0.0 <= lon < 42.0:
        zone = 31 + 2 * int((lon + 3.0) // 12.0)
    return f"EPSG:{326 if lat >= 0 else 327}{zone:02d}"


def check_nesting(patch: float, stride: float, gsds: dict[str, float]) -> None:
    """Refuse a recipe whose pixels would not end where its patches end.

    Args:
        patch: Edge of a patch [m].
        stride: Distance of neighbouring patches [m].
        gsds: Pixel size per modality [m].

    Raises:
        GridError: A gsd does not divide the patch or the stride, or is longer than it.
    """
    for name, gsd in gsds.items():
        for key, length in (("patch", patch), ("stride", stride)):
            if length < gsd or not _divides(gsd, length):
                low = math.floor(length / gsd) * gsd
                working = f"{low:g} or {low + gsd:g}" if low else f"{gsd:g}"
                raise GridError(
                    f"modalities.{name}.gsd",
                    f"{gsd:g} m does not divide area.{key} = {length:g} m ({length / gsd:.2f} px)",
                    "the pixels of this modality would not end where those of the others end.",
                    f"Use area.{key} = {working}, or another gsd.",
                )


def tile_area(
    area: Area, patch: float, stride: float, align: str, snap: float, cover: float
) -> list[Patch]:
    """Cut an area into square patches, row by row from the north-west.

    Args:
        area: The ground; `area.crs` is the CRS of the patches.
        patch: Edge of a patch [m].
        stride: Distance of neighbouring patches [m]; less than `patch` makes them overlap.
        align: `lattice` puts corners at multiples of the stride from the CRS origin, so that
            areas share one lattice; `area` starts at the area's own north-west corner.
        snap: Coarsest gsd [m]; with `align="area"` the corner is rounded to multiples of it, so
            that pixels of every modality nest.
        cover: Smallest fraction of a patch that must lie inside the area, in (0, 1].

    Returns:
        Patches ordered by row, then column; possibly none.

    Raises:
        GridError: The area does not exist in its CRS.
    """
    ground = reproject(area.geometry, WGS84, area.crs, _densify(area))
    left, bottom, right, top = ground.bounds
    if not all(abs(edge) < WORLD_M for edge in ground.bounds):
        raise GridError(
            f"area {area.id}",
            f"a part of it has no sensible coordinates in {area.crs}",
            "a projection only holds for a part of the Earth.",
            "Use crs: utm, or a CRS that is made for this place.",
        )
    if align == "lattice":
        # The first patches that reach over the western and the northern edge of the area; an edge
        # that lies on the lattice but for rounding lies on it.
        x0 = (math.floor((left - patch) / stride + EDGE_TOLERANCE_PX) + 1) * stride
        y0 = (math.ceil((top + patch) / stride - EDGE_TOLERANCE_PX) - 1) * stride
    else:
        x0, y0 = round(left / snap) * snap, round(top / snap) * snap
    n_cols = max(0, math.ceil((right - x0) / stride))
    n_rows = max(0, math.ceil((y0 - bottom) / stride))
    row, col = (index.ravel() for index in np.mgrid[:n_rows, :n_cols])
    kept = _are_inside(ground, x0 + col * stride, y0 - row * stride, patch, cover)
    return [
        Patch(area.id, area.crs, x0 + c * stride, y0 - r * stride, patch, r, c)
        for r, c in zip(row[kept].tolist(), col[kept].tolist(), strict=True)
    ]


def _are_inside(
    ground: BaseGeometry,
    left: NDArray[np.float64],
    top: NDArray[np.float64],
    patch: float,
    cover: float,
) -> NDArray[np.bool_]:
    """Return which squares lie in the ground by at least the fraction `cover`."""
    outlines = shapely.box(left, top - patch, left + patch, top)
    shapely.prepare(ground)
    kept: NDArray[np.bool_] = shapely.covers(ground, outlines)
    edge = np.flatnonzero(~kept)  # only there areas have to be worked out
    parts = shapely.area(shapely.intersection(ground, outlines[edge])) / patch**2
    kept[edge] = parts >= cover - COVER_TOLERANCE
    return kept


def _densify(area: Area) -> float:
    """Return the segment length [degrees] that keeps straight edges straight to about 1 cm."""
    west, south, east, north = area.geometry.bounds
    return max(1e-4, float(max(east - west, north - south)) / 64)


def hilbert_order(patches: Iterable[Patch]) -> list[Patch]:
    """Order the patches of one area along a Hilbert curve over their rows and columns.

    Runs of 4, 16, 64 … patches of a full lattice are then squares of ground, which keeps the
    windows that blocks read small.
    """
    items = list(patches)
    order = max((max(p.row, p.col) for p in items), default=0).bit_length()
    return sorted(items, key=lambda p: (hilbert_index(p.col, p.row, order), p.row, p.col))


def hilbert_index(x: int, y: int, order: int) -> int:
    """Return the position of cell `(x, y)` on the Hilbert curve over a `2**order` square.

    >>> [hilbert_index(x, y, 1) for x, y in [(0, 0), (0, 1), (1, 1), (1, 0)]]
    [0, 1, 2, 3]
    """
    distance = 0
    side = 1 << max(order - 1, 0)
    while side:
        right, up = int(bool(x & side)), int(bool(y & side))
        distance += side * side * ((3 * right) ^ up)
        if not up:
            if right:
                x, y = side - 1 - (x & (side - 1)), side - 1 - (y & (side - 1))
            x, y = y, x
        x, y = x & (side - 1), y & (side - 1)
        side >>= 1
    return distance


def window_of(patches: Iterable[Patch], gsd: float) -> GeoBox:
    """Return the smallest grid at `gsd` [m] that holds all `patches` (one CRS, one lattice).

    Raises:
        GridError: The patches do not share one pixel lattice.
    """
    items = list(patches)
    left, top = min(p.left for p in items), max(p.top for p in items)
    right, bottom = max(p.left + p.size for p in items), min(p.top - p.size for p in items)
    for p in items:
        if p.crs != items[0].crs or not (
            _divides(gsd, p.left - left) and _divides(gsd, top - p.top)
        ):
            raise GridError(
                f"patch {p.id}",
                f"its corner ({p.left:g}, {p.top:g}) is off the {gsd:g} m lattice of {items[0].id}",
                "patches of one window must share a CRS and a pixel lattice.",
                "This is a bug in the tiling; please report it with the recipe.",
            )
    shape = (round((top - bottom) / gsd), round((right - left) / gsd))
    return GeoBox(shape, Affine(gsd, 0, left, 0, -gsd, top), CRS(items[0].crs))


def covering(patches: Iterable[Patch], gsd: float) -> GeoBox:
    """Return a grid at `gsd` [m] over all `patches` of one CRS, from their north-west corner on.

    It may reach beyond them by less than a pixel in the south and east, for `gsd` need not divide
    anything.
    """
    items = list(patches)
    left, top = min(p.left for p in items), max(p.top for p in items)
    width = max(p.left + p.size for p in items) - left
    height = top - min(p.top - p.size for p in items)
    shape = (math.ceil(height / gsd - 1e-9), math.ceil(width / gsd - 1e-9))
    return GeoBox(shape, Affine(gsd, 0, left, 0, -gsd, top), CRS(items[0].crs))


def place_in(window: GeoBox, patch: Patch, gsd: float) -> tuple[slice, slice]:
    """Return the `(rows, cols)` of `patch` inside a window made by `window_of`."""
    row = round((window.affine.f - patch.top) / gsd)
    col = round((patch.left - window.affine.c) / gsd)
    n = round(patch.size / gsd)
    return slice(row, row + n), slice(col, col + n)


@lru_cache(maxsize=64)
def crs_wkt(crs: str) -> str:
    """Return WKT 2 of a CRS string; works without an EPSG code."""
    return str(pyproj.CRS.from_user_input(crs).to_wkt())


def _divides(part: float, whole: float) -> bool:
    count = whole / part
    return abs(count - round(count)) < EDGE_TOLERANCE_PX
