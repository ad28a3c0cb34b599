"""One band of an open GeoTIFF as a source of the warp; damage is an error, never a zero."""

from __future__ import annotations

import numpy as np
from odc.geo import CRS
from odc.geo.geobox import GeoBox
from rasterio.enums import MaskFlags
from rasterio.errors import CRSError, RasterBlockError
from rasterio.io import DatasetReader
from rasterio.windows import Window

from eodata.providers.ground_control import GroundControl
from eodata.providers.source import Valid, Values, measured


class RasterFile:
    """One band of an open raster. Threads must not share it.

    Args:
        dataset: Open; stays the caller's to close.
        band: 1-based.
        nodata: DN of a missing value, None when every pixel counts.
        by_points: Read a file without a grid by its ground control points. Without terrain
            correction: ground that is h higher than its points say lies h / tan(incidence) too
            near to the radar. So it is the caller who must want it.

    Raises:
        CRSError: The file has no CRS, or ground control points alone that may not be used.
    """

    def __init__(
        self, dataset: DatasetReader, band: int, nodata: float | None, by_points: bool = False
    ) -> None:
        self._dataset, self._band, self._nodata = dataset, band, nodata
        self.grid = _points(dataset) if by_points and _is_bare(dataset) else _grid(dataset)
        self.dtype = np.dtype(dataset.dtypes[band - 1])

    def read(self, rows: slice, cols: slice) -> tuple[Values, Valid]:
        """Read a window inside the raster: DN, and where they were measured.

        Raises:
            RasterioError: The file is damaged, or has blocks that were never written.
        """
        window = Window.from_slices(rows, cols)
        self._refuse_unwritten(window)
        dn = self._dataset.read(self._band, window=window)
        valid = measured(dn, self._nodata)
        if MaskFlags.per_dataset in self._dataset.mask_flag_enums[self._band - 1]:
            valid &= self._dataset.read_masks(self._band, window=window) != 0
        return dn, valid

    def _refuse_unwritten(self, window: Window) -> None:
        """Refuse blocks that have no bytes: GDAL would make zeros of them without a word.

        A writer that was killed leaves them, and so does a sparse file on purpose. They are read
        only where the file's own nodata value says what they are.

        Raises:
            RasterBlockError: A block of the window was never written.
        """
        dataset, band, nodata = self._dataset, self._band, self._nodata
        stated = dataset.nodatavals[band - 1]
        both_nan = stated is not None and nodata is not None and stated != stated
        both_nan = both_nan and nodata != nodata
        if dataset.driver != "GTiff" or both_nan or (stated is not None and stated == nodata):
            return
        height, width = dataset.block_shapes[band - 1]
        for row in _blocks(window.row_off, window.height, height):
            for col in _blocks(window.col_off, window.width, width):
                if dataset.get_tag_item(f"BLOCK_OFFSET_{col}_{row}", "TIFF", bidx=band) is None:
                    raise RasterBlockError(
                        f"block (row {row}, column {col}) was never written, "
                        "and no nodata value says what it stands for"
                    )


def _is_bare(dataset: DatasetReader) -> bool:
    return dataset.crs is None or dataset.transform.is_identity


def _points(dataset: DatasetReader) -> GroundControl:
    points, crs = dataset.gcps
    if crs is None:
        raise CRSError(f"{len(points)} ground control points without a CRS")
    return GroundControl.of(dataset.shape, CRS(crs.to_wkt()), points)


def _grid(dataset: DatasetReader) -> GeoBox:
    if _is_bare(dataset):
        points = f"only {len(dataset.gcps[0])} ground control points" if dataset.gcps[0] else "none"
        raise CRSError(f"a CRS and a transform are needed, and the file has {points}")
    return GeoBox(dataset.shape, dataset.transform, CRS(dataset.crs.to_wkt()))


def _blocks(first: int, length: int, size: int) -> range:
    return range(int(first) // size, -(-int(first + length) // size))
