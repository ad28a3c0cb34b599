"""Rasters whose place is known at some of their pixels only: ground control points.

Raw radar images have some two hundred of them and no grid. Between the points a thin plate spline
of GDAL's tells which pixel lies on a place; it meets every point exactly. A polynomial does not:
GDAL's default misses those of a real Sentinel-1 image by 9 of its pixels on average, since their
height differs from line to line (docs/decisions/0003-one-warp.md).

There is no terrain correction. A point holds for its own height alone; ground that is h higher
appears shifted towards the radar by about h / tan(incidence): 100 m of height are 100 to 180 m.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import pyproj
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from odc.geo import CRS
from pyproj.crs.coordinate_operation import LambertAzimuthalEqualAreaConversion
from rasterio.control import GroundControlPoint
from rasterio.errors import CRSError
from rasterio.io import MemoryFile
from rasterio.transform import GCPTransformer
from rasterio.vrt import WarpedVRT

Numbers = NDArray[np.float64]

FEWEST = 4
"""Three points fix a plane, and nothing would tell that one of them is wrong."""
MISS_PX = 0.01
"""A spline that misses its own points by more was made from points that contradict each other."""

LINE = 1e-6
"""Width of a cloud of points, of its length, below which it is a line."""


class Point(NamedTuple):
    """One pixel whose place is known.

    Attributes:
        col: Along x, 0 at the left edge of the first pixel.
        row: Along y, 0 at the upper edge of the first pixel.
        x: In the CRS of the points.
        y: In the CRS of the points.
    """

    col: float
    row: float
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class GroundControl:
    """Where a raster lies, by points: what a `GeoBox` is to a raster that has a grid.

    Attributes:
        shape: `(rows, cols)` of the raster.
        crs: Of the points; a plane one, so that neither the date line nor a pole tears them apart.
        points: At least four.
    """

    shape: tuple[int, int]
    crs: CRS
    points: tuple[Point, ...]

    @classmethod
    def of(
        cls, shape: tuple[int, int], crs: CRS, points: Sequence[GroundControlPoint]
    ) -> GroundControl:
        """Take the points of a file; those in degrees are moved to a plane around their middle.

        Pixel coordinates are taken as GDAL means them, from the corner of the first pixel. The
        annotation of Sentinel-1 counts samples, so its points name centres and are half a pixel
        (5 m) off in the raw files; `moved(0.5, 0.5)` mends that.

        Raises:
            CRSError: There are too few points, they lie on a line, contradict each other, or have a
                CRS without a plane.
        """
        if len(points) < FEWEST:
            raise CRSError(f"{len(points)} ground control points; at least {FEWEST} are needed")
        x, y = (np.array([getattr(p, axis) for p in points], np.float64) for axis in "xy")
        _refuse_nowhere(x, y)
        plane = _plane_around(crs, x, y)
        x, y = (x, y) if plane == crs else crs.transformer_to_crs(plane)(x, y)
        placed = cls(
            (int(shape[0]), int(shape[1])),
            plane,
            tuple(
                Point(float(p.col), float(p.row), float(u), float(v))
                for p, u, v in zip(points, x, y, strict=True)
            ),
        )
        placed._check()
        return placed

    def pixels(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """Return `(col, row)` pixel coordinates of places, NaN for NaN.

        Args:
            x: In `crs`, any shape.
            y: In `crs`, same shape.
        """
        known = np.isfinite(x) & np.isfinite(y)
        col, row = np.full(known.shape, np.nan), np.full(known.shape, np.nan)
        if known.any():
            with GCPTransformer(self._gcps(), tps=True) as spline:
                row[known], col[known] = spline.rowcol(x[known], y[known], op=_as_it_is)
        return col, row

    def moved(self, cols: float, rows: float) -> GroundControl:
        """Return the same ground with pixels counted otherwise.

        Args:
            cols: Added to the column of every point [px].
            rows: Added to the row of every point [px].
        """
        moved = (p._replace(col=p.col + cols, row=p.row + rows) for p in self.points)
        return replace(self, points=tuple(moved))

    def _check(self) -> None:
        col, row, x, y = np.array(self.points).T
        _refuse_nowhere(col, row, x, y)
        if _is_line(col, row) or _is_line(x, y):
            raise CRSError("the ground control points lie on one line")
        u, v = self.pixels(x, y)
        miss = np.hypot(u - col, v - row).max()
        if not miss <= MISS_PX:
            raise CRSError(f"ground control points contradict each other by {miss:.2g} px")

    def _gcps(self) -> list[GroundControlPoint]:
        return [GroundControlPoint(row=p.row, col=p.col, x=p.x, y=p.y) for p in self.points]


def read_by_points(view: WarpedVRT, source: str, points: Iterable[Point]) -> NDArray[np.generic]:
    """Read a warped view, `(B, H, W)`, as if its source had these points instead of an affine map.

    rasterio's `WarpedVRT` ignores points, and its `reproject` fixes the error of coordinates at
    0.125 px. GDAL's own description of a view can state both, so that one is rewritten.

    Args:
        view: From the CRS of the points to the target grid; its affine map is not used.
        source: Name of the dataset under the view.
        points: In pixels of the source.
    """
    with MemoryFile(ext=".vrt") as memory:
        rasterio.shutil.copy(view, memory.name, driver="VRT")
        text = memory.read()
    document = ET.fromstring(text)  # noqa: S314 (GDAL's words about our own view)
    dataset = _only(document, "SourceDataset")
    dataset.text = source
    dataset.set("relativeToVRT", "0")
    projection = _only(document, "GenImgProjTransformer")
    for name in ("SrcGeoTransform", "SrcInvGeoTransform"):
        projection.remove(_only(projection, name))
    projection.insert(0, _spline(points))
    with rasterio.open(ET.tostring(document, encoding="unicode")) as file:
        return np.asarray(file.read())


def _spline(points: Iterable[Point]) -> ET.Element:
    """Return a thin plate spline in the words of GDAL's virtual format."""
    outer = ET.Element("SrcTPSTransformer")
    inner = ET.SubElement(outer, "TPSTransformer")
    ET.SubElement(inner, "Reversed").text = "0"
    listed = ET.SubElement(inner, "GCPList")
    for p in points:
        place = {
            "Id": "",
            "Pixel": repr(p.col),
            "Line": repr(p.row),
            "X": repr(p.x),
            "Y": repr(p.y),
        }
        ET.SubElement(listed, "GCP", place)
    return outer


def _only(element: ET.Element, name: str) -> ET.Element:
    (found,) = element.iter(name)
    return found


def _plane_around(crs: CRS, x: Numbers, y: Numbers) -> CRS:
    """Return a plane CRS of the same datum; `crs` itself where it is one."""
    if crs.projected:
        return crs
    if not crs.geographic:
        raise CRSError(f"ground control points in {crs}, which is neither a map nor degrees")
    lon, lat = np.radians(x), np.radians(y)
    u, v, w = (np.cos(lat) * np.cos(lon)).mean(), (np.cos(lat) * np.sin(lon)).mean(), np.sin(lat)
    middle = LambertAzimuthalEqualAreaConversion(
        round(float(np.degrees(np.arctan2(w.mean(), np.hypot(u, v)))), 2),
        round(float(np.degrees(np.arctan2(v, u))), 2),
    )
    return CRS(pyproj.crs.ProjectedCRS(middle, geodetic_crs=crs.proj.to_2d()))


def _refuse_nowhere(*numbers: Numbers) -> None:
    if not np.isfinite(numbers).all():
        raise CRSError("a ground control point lies nowhere")


def _is_line(a: Numbers, b: Numbers) -> bool:
    widths = np.linalg.svd(np.stack([a - a.mean(), b - b.mean()]), compute_uv=False)
    return bool(widths[1] <= LINE * widths[0])


def _as_it_is(position: Numbers) -> Numbers:
    return position
