"""Signed distances to polygons on the sphere, for many places at once.

The globe is cut into cells; each cell knows the few edges that can be nearest to a place in it, so
a distance is exact and costs little. What a place gets depends on nothing but the place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from eodata.sandbox.planet.lattice import Field
from eodata.sandbox.planet.sites import Floats

DATA = Path(__file__).parents[2] / "data" / "natural_earth_50m.npz"
STEP_DEG = 0.001
"""Unit of the stored coordinates."""
KM_PER_DEG = 111.195
"""Length of a degree on a sphere of 6371 km."""
BOX_DEG = 1.0
"""Edge of the boxes of which is known at once whether they are all inside or outside."""
CELL_DEG = 0.125
"""Edge of the cells that keep their nearest edges; a power of two, so borders are exact."""
CELLS = 16384
"""Cells kept per layer, about 2 kB each."""
BLOCK = 8192
"""Places evaluated at once, so that the arrays stay in the processor's cache."""
WRAP_DEG = 30.0
"""Edges this close to the date line are seen from its other side too."""
MARGIN_DEG = 1 / 64
"""Pieces hang over their cell, so that no place lies on a cut."""


@dataclass(frozen=True, slots=True, eq=False)
class _Cell:
    """What is near one cell.

    Attributes:
        edges: `(4, S, 1)` float32, x0, y0, dx, dy of edges in degrees from the cell's corner.
        piece: The shapes in the cell, or None when the cell is all inside or all outside.
        sign: Of the distance: +1 inside; means nothing when there is a piece.
        owners: `(S,)`, the polygon of each edge; without edges one value, the polygon around the
            cell or -1.
    """

    edges: Field
    owners: NDArray[np.int32]
    piece: shapely.Geometry | None
    sign: np.float32


class Shapes:
    """One layer of polygons on the sphere.

    Distances are measured in the plane whose x axis is shortened by the cosine of the place's own
    latitude: within 60 km of an edge that is true to a percent between the polar circles.

    Attributes:
        boxes: `(180, 360)` int8 from -90, -180: +1 and -1 where a box of one degree is all inside
            or all outside, further from any edge than the reach; else 0.

    Args:
        name: Of the layer: land, lakes or urban_areas.
        reach_km: Distances end here [km].
    """

    def __init__(self, name: str, reach_km: float) -> None:
        self._reach = reach_km
        self._polygons = _read(name)
        self._polygon_tree = shapely.STRtree(self._polygons)
        self._edges, self._owners = _edges(self._polygons)
        self._edge_tree = shapely.STRtree(
            shapely.box(
                np.minimum(self._edges[0], self._edges[2]),
                np.minimum(self._edges[1], self._edges[3]),
                np.maximum(self._edges[0], self._edges[2]),
                np.maximum(self._edges[1], self._edges[3]),
            )
        )
        self.boxes = self._know_boxes()
        self._cell = lru_cache(maxsize=CELLS)(self._make_cell)
        self._box_shapes = lru_cache(maxsize=512)(self._cut_box)

    def distance(self, lon: Floats, lat: Floats) -> Field:
        """Return the signed distance to the nearest edge [km], positive inside, clipped."""
        shape = np.shape(lon)
        lon, lat = _turned(lon), np.asarray(lat, np.float64).ravel()
        col = np.minimum(((lon + 180.0) / BOX_DEG).astype(np.int64), 359)
        row = np.minimum(((lat + 90.0) / BOX_DEG).astype(np.int64), 179)
        known = self.boxes[row, col]
        result = known * np.float32(self._reach)
        near = np.flatnonzero(known == 0)
        for cell, corner, group in self._by_cell(lon[near], lat[near]):
            where = near[group]
            result[where] = self._far(cell, corner, lon[where], lat[where])
        return result.reshape(shape)

    def owner(self, lon: Floats, lat: Floats) -> NDArray[np.int32]:
        """Return the number of the polygon that a place is in or whose edge is nearest.

        It is -1 where no edge is within reach of the place's cell.
        """
        shape = np.shape(lon)
        lon, lat = _turned(lon), np.asarray(lat, np.float64).ravel()
        result = np.full(lon.shape, -1, np.int32)
        for cell, corner, group in self._by_cell(lon, lat):
            result[group] = cell.owners[0]
            if cell.edges.shape[1]:
                far = _each(cell.edges, *_local(corner, lon[group], lat[group]))
                result[group] = cell.owners[far.argmin(axis=0)]
        return result.reshape(shape)

    def outline(self, number: int) -> tuple[Floats, Floats]:
        """Return longitudes and latitudes of the corners around a polygon [degrees]."""
        points = shapely.get_coordinates(shapely.get_exterior_ring(self._polygons[number]))
        return points[:, 0], points[:, 1]

    def _by_cell(
        self, lon: Floats, lat: Floats
    ) -> Iterator[tuple[_Cell, tuple[float, float], NDArray[np.intp]]]:
        """Yield cells, their south-western corners and which places lie in them, in blocks."""
        col = np.floor(lon / CELL_DEG).astype(np.int64)
        row = np.floor(lat / CELL_DEG).astype(np.int64)
        for group in _groups(row * 4096 + col):
            west, south = int(col[group[0]]), int(row[group[0]])
            cell, corner = self._cell(west, south), (west * CELL_DEG, south * CELL_DEG)
            for start in range(0, group.size, BLOCK):
                yield cell, corner, group[start : start + BLOCK]

    def _far(self, cell: _Cell, corner: tuple[float, float], lon: Floats, lat: Floats) -> Field:
        """Return distances of places in one cell."""
        if cell.edges.shape[1] == 0:
            return np.full(lon.shape, cell.sign * self._reach, np.float32)
        far = _each(cell.edges, *_local(corner, lon, lat)).min(axis=0)
        far = np.minimum(far, np.float32(self._reach))
        if cell.piece is None:
            return np.asarray(far * cell.sign)
        return np.asarray(np.where(shapely.intersects_xy(cell.piece, lon, lat), far, -far))

    def _make_cell(self, col: int, row: int) -> _Cell:
        """Find the edges that can be nearest to a place in a cell.

        A place of the cell is at most half a diagonal from the middle, and its own plane is a
        little wider or narrower than that of the middle: an edge further than the nearest one by
        more than that allows can be left out.
        """
        west, south = col * CELL_DEG, row * CELL_DEG
        which = self._edges_around(west, south, CELL_DEG)
        near, owners = self._edges[:, which], self._owners[which]
        east = np.cos(np.radians([south, south + CELL_DEG / 2, south + CELL_DEG]))
        half = 0.5 * CELL_DEG * KM_PER_DEG * np.hypot(1.0, east[1])
        middle = np.array([CELL_DEG / 2], np.float32)
        start = np.array([[west], [south]])
        edges = np.concatenate([near[:2] - start, near[2:] - near[:2]]).astype(np.float32)
        far = _each(edges[:, :, np.newaxis], middle, middle, east[1:2].astype(np.float32))[:, 0]
        least = (far - half) * (east.min() / east[1])
        most = (far.min(initial=np.inf) + half) * (east.max() / east[1])
        kept = (least <= most) & (least <= self._reach)
        around = self._around(west, south)
        owners = owners[kept] if kept.any() else np.array([around], np.int32)
        piece = self._piece(west, south) if (least <= 0).any() else None
        sign = np.float32(1.0 if around >= 0 else -1.0)
        return _Cell(edges[:, kept, np.newaxis], owners, piece, sign)

    def _edges_around(self, west: float, south: float, size: float) -> NDArray[np.intp]:
        """Return the numbers of the edges within reach of a square."""
        aside, up = _reach_deg(max(abs(south), abs(south + size)), self._reach)
        square = shapely.box(west - aside, south - up, west + size + aside, south + size + up)
        return np.sort(self._edge_tree.query(square))

    def _piece(self, west: float, south: float) -> shapely.Geometry | None:
        """Return the shapes in a cell, ready to be asked by many threads."""
        parts, _ = self._box_shapes(int(np.floor(west)), int(np.floor(south)))
        cut, _ = _areas(shapely.clip_by_rect(parts, *_square(west, south, CELL_DEG)))
        piece = shapely.multipolygons(cut)
        shapely.prepare(piece)
        shapely.intersects_xy(piece, west, south)  # builds the index now, before threads share it
        return piece

    def _cut_box(self, west: int, south: int) -> tuple[NDArray[np.object_], NDArray[np.int32]]:
        """Return the shapes in a box of one degree and the numbers of their polygons."""
        square = _square(west, south, BOX_DEG)
        found = np.sort(self._polygon_tree.query(shapely.box(*square)))
        parts, which = _areas(shapely.clip_by_rect(self._polygons[found], *square))
        return parts, found[which].astype(np.int32)

    def _around(self, west: float, south: float) -> int:
        """Return the number of the polygon around the middle of a cell, or -1."""
        parts, numbers = self._box_shapes(int(np.floor(west)), int(np.floor(south)))
        middle = west + CELL_DEG / 2, south + CELL_DEG / 2
        inside = numbers[shapely.intersects_xy(parts, *middle)]
        return int(inside[0]) if inside.size else -1

    def _know_boxes(self) -> NDArray[np.int8]:
        """Return for every box +1 all inside, -1 all outside, 0 when an edge is within reach.

        No edge lies between a box without edges and the next one: only the first of a run along a
        row is asked where it lies.
        """
        near = _boxes_near(self._edges, self._reach)
        first = ~near & np.concatenate([np.ones((180, 1), bool), near[:, :-1]], axis=1)
        row, col = np.nonzero(first)
        lon, lat = col - 179.5, row - 89.5
        which, part = self._polygon_tree.query(shapely.points(lon, lat))
        shapely.prepare(self._polygons)
        inside = shapely.intersects_xy(self._polygons[part], lon[which], lat[which])
        sign = np.full(row.size, -1, np.int8)
        sign[which[inside]] = 1
        return np.where(near, np.int8(0), sign[np.cumsum(first).reshape(first.shape) - 1])


def _read(layer: str) -> NDArray[np.object_]:
    """Return the polygons of a layer."""
    with np.load(DATA) as arrays:
        steps, ends, owner = (arrays[f"{layer}_{name}"] for name in ("steps", "rings", "parts"))
    points = steps.cumsum(axis=1).T * STEP_DEG
    rings = shapely.linearrings(points, indices=np.repeat(np.arange(owner.size), np.diff(ends)))
    return np.asarray(shapely.polygons(rings, indices=owner))


def _edges(polygons: NDArray[np.object_]) -> tuple[Floats, NDArray[np.int32]]:
    """Return all true edges, `(4, S)` x0, y0, x1, y1 [degrees], and their polygons' numbers.

    Cuts of the map at the date line and the south pole are none.
    """
    rings, owner = shapely.get_rings(polygons, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    joined = ring[1:] == ring[:-1]
    edges = np.concatenate([points[:-1][joined], points[1:][joined]], axis=1).T
    owner = owner[ring[1:][joined]].astype(np.int32)
    date_line = (np.abs(edges[0]) == 180.0) & (edges[0] == edges[2])
    cut = date_line | ((edges[1] == -90.0) & (edges[3] == -90.0))
    edges, owner = edges[:, ~cut], owner[~cut]
    turn = np.array([[360.0], [0.0], [360.0], [0.0]])
    west, east = edges[0] < WRAP_DEG - 180.0, edges[0] > 180.0 - WRAP_DEG
    around = [edges, edges[:, west] + turn, edges[:, east] - turn]
    return np.concatenate(around, axis=1), np.concatenate([owner, owner[west], owner[east]])


def _boxes_near(edges: Floats, reach_km: float) -> NDArray[np.bool_]:
    """Return which boxes an edge comes near to, `(180, 360)`; a few too many do no harm."""
    west, east = np.minimum(edges[0], edges[2]), np.maximum(edges[0], edges[2])
    south, north = np.minimum(edges[1], edges[3]), np.maximum(edges[1], edges[3])
    aside, up = _reach_deg(np.maximum(np.abs(south), np.abs(north)) + BOX_DEG, reach_km)
    col = [np.clip(np.floor(lon + 180.0), -1, 360) for lon in (west - aside, east + aside)]
    row = [np.clip(np.floor(lat + 90.0), -1, 180) for lat in (south - up, north + up)]
    count = np.zeros((183, 363), np.int64)
    for end_row, end_col, step in ((0, 0, 1), (1, 1, 1), (0, 1, -1), (1, 0, -1)):
        corner = row[end_row].astype(int) + 1 + end_row, col[end_col].astype(int) + 1 + end_col
        np.add.at(count, corner, step)
    return count.cumsum(axis=0).cumsum(axis=1)[1:181, 1:361] > 0


def _reach_deg(lat: Floats | float, reach_km: float) -> tuple[Floats | float, float]:
    """Return a distance in degrees of longitude (at a latitude) and of latitude."""
    up = reach_km / KM_PER_DEG
    shrink = np.cos(np.radians(np.minimum(lat, 89.9)))
    return np.minimum(up / shrink, WRAP_DEG), up


def _square(west: float, south: float, size: float) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a square with a margin."""
    low, high = -MARGIN_DEG, size + MARGIN_DEG
    return west + low, south + low, west + high, south + high


def _areas(parts: NDArray[np.object_]) -> tuple[NDArray[np.object_], NDArray[np.intp]]:
    """Return the polygons among the results of a cut, and which result each comes from."""
    parts, which = shapely.get_parts(parts, return_index=True)
    areas = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    return parts[areas], which[areas]


def _groups(keys: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Yield the positions of every key."""
    if not keys.size:
        return
    if (keys == keys[0]).all():
        yield np.arange(keys.size)
        return
    order = np.argsort(keys, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def _turned(lon: Floats) -> Floats:
    """Return longitudes in a row, from -180 to below 180 degrees."""
    turned = (np.asarray(lon, np.float64).ravel() + 180.0) % 360.0 - 180.0
    return np.where(turned < 180.0, turned, -180.0)


def _local(corner: tuple[float, float], lon: Floats, lat: Floats) -> tuple[Field, Field, Field]:
    """Return x and y from a corner [degrees] and the length of a degree east in degrees north."""
    east = np.cos(np.radians(lat)).astype(np.float32)
    return (lon - corner[0]).astype(np.float32), (lat - corner[1]).astype(np.float32), east


def _each(edges: Field, x: Field, y: Field, east: Field) -> Field:
    """Return the distances of places `(N,)` to edges `(4, S, 1)` [km], `(S, N)`."""
    x0, dx = (edges[0] - x) * east, edges[2] * east
    y0, dy = edges[1] - y, edges[3]
    along = -(x0 * dx + y0 * dy) / (dx * dx + dy * dy + np.float32(1e-20))
    along = np.clip(along, np.float32(0.0), np.float32(1.0))
    x0, y0 = x0 + along * dx, y0 + along * dy
    return np.asarray(np.sqrt(x0 * x0 + y0 * y0) * np.float32(KM_PER_DEG))
