"""What the halves of the simulated Earth Engine share: its images, its catalogue, its pixel grids.

The catalogue says which images there are; the evaluator of expressions, `getPixels` and the
listings read them. No pixel is made here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from affine import Affine
from odc.geo.crs import CRS
from odc.geo.geobox import GeoBox
from shapely.geometry.base import BaseGeometry

from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.items import SandboxItem
from eodata.sandbox.sensors.sinusoidal import CRS as SINUSOIDAL_PROJ

SINUSOIDAL = "SR-ORG:6974"
"""Earth Engine's code of the grid of the MODIS land products; no other library knows it."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One band of one catalogue image, as the archive holds it.

    Attributes:
        record: The sandbox's own item.
        key: Of its layer.
        dtype: NumPy's name of what Earth Engine serves, e.g. `uint16`, `float32`.
        scale: Earth Engine's number is `dn * scale + offset` of the sandbox's DN.
        offset: See `scale`; harmonised Sentinel-2 takes the 1000 of baseline 04.00 out with it.
            What leaves the range of an integer `dtype` is clipped to it.
        nodata: DN that Earth Engine shows as masked; NaN is masked in any case.
    """

    record: SandboxItem
    key: str
    dtype: str
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None

    @property
    def grid(self) -> GeoBox:
        """Return the band's own pixels."""
        return self.record.grid(self.key)


@dataclass(frozen=True, slots=True)
class CatalogueImage:
    """One image.

    Attributes:
        id: Whole asset id, e.g. `COPERNICUS/S2/20180601T103021_20180601T103024_T32UPU`.
        bands: By Earth Engine's band name, in its order.
        properties: Earth Engine's names and types, with `system:index`, `system:time_start` and
            `system:time_end` [ms since 1970, UTC], and `sandbox:synthetic`, which is 1.
        start: Of the acquisition, or of the period that it stands for (UTC).
        end: Its end.
        footprint: Where it has data, EPSG:4326.
    """

    id: str
    bands: Mapping[str, Leaf]
    properties: Mapping[str, Any]
    start: datetime
    end: datetime
    footprint: BaseGeometry


@dataclass(frozen=True, slots=True)
class PixelGrid:
    """A grid of pixels as a request states it.

    Attributes:
        width: Columns.
        height: Rows.
        affine: `scaleX, shearX, translateX, shearY, scaleY, translateY`: from pixel corners
            `(col, row)` to `(x, y)`, as in `affineTransform` and as the first six numbers of
            `affine.Affine`.
        crs: Code such as `EPSG:32632` or `SR-ORG:6974`, or WKT.
    """

    width: int
    height: int
    affine: tuple[float, float, float, float, float, float]
    crs: str

    @property
    def geobox(self) -> GeoBox:
        """Return the same pixels as a GeoBox; `shape` is `(height, width)`."""
        crs = SINUSOIDAL_PROJ if self.crs == SINUSOIDAL else self.crs
        return GeoBox((self.height, self.width), Affine(*self.affine), crs)


def code_of(grid: GeoBox) -> str:
    """Return the CRS of a grid as Earth Engine names it: a code, or WKT where there is none."""
    if grid.crs is None:
        return ""
    if grid.crs.epsg is not None:
        return f"EPSG:{grid.crs.epsg}"
    is_modis = grid.crs == CRS(SINUSOIDAL_PROJ)
    return SINUSOIDAL if is_modis else str(grid.crs.to_wkt())


class Catalogue(Protocol):
    """All images that there are. Threads may share it."""

    @property
    def archive(self) -> SandboxArchive:
        """Return what holds the pixels of all leaves."""
        ...

    def image(self, asset_id: str) -> CatalogueImage:
        """Return one image.

        Raises:
            LookupError: There is no such image.
        """
        ...

    def images(
        self,
        collection: str,
        ground: BaseGeometry | None,
        start: datetime | None,
        end: datetime | None,
    ) -> Iterator[CatalogueImage]:
        """Yield the images of a collection by time and id, lazily.

        Args:
            collection: Asset id.
            ground: EPSG:4326; those whose footprint shares ground with it. None: everywhere.
            start: Those that begin then or later (UTC). None: from the beginning.
            end: Those that begin before. None: to the end.

        Raises:
            LookupError: There is no such collection.
        """
        ...

    def has_collection(self, collection: str) -> bool:
        """Return True when it has a collection of this asset id."""
        ...
