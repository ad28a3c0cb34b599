"""What is wanted of an image, band by band: pixels of its own for our warp, or of the target."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from odc.geo.geobox import GeoBox
from rasterio.errors import RasterioError

from eodata.core.errors import ProviderError
from eodata.core.item import Asset, Item
from eodata.core.modality_plan import BandRead
from eodata.core.product import ProviderEntry
from eodata.providers.earthengine.fetch import Layers
from eodata.providers.earthengine.graph import load
from eodata.providers.earthengine.images import BandGrid, told_grid
from eodata.providers.earthengine.pixels import coarser, is_finer, pyramid_factor
from eodata.providers.earthengine.reprojection import Warp, check_shrink, crs_of, warp_shrink
from eodata.providers.loaded import NOWHERE, Loaded, Window, needed_window
from eodata.providers.raster_read import asset_of
from eodata.providers.source import Valid, Values, nothing
from eodata.providers.warp import LIMIT_DB, read_onto

Dtypes: TypeAlias = Mapping[str, np.dtype[np.generic]]
Groups: TypeAlias = Mapping[Hashable, Layers]
"""Bands of one request, by what they have in common."""


@dataclass(frozen=True, slots=True)
class Native:
    """One band, with the pixels of its own that a target needs."""

    read: BandRead
    asset: Asset
    band: BandGrid
    grid: GeoBox
    window: Window | None

    @property
    def key(self) -> Hashable | None:
        """What bands of one request have in common; None when nothing is needed."""
        if self.window is None:
            return None
        return self.asset.href, self.band.crs, self.grid, self.window

    @property
    def fetched(self) -> np.dtype[np.generic]:
        """Type of the numbers that come."""
        return self.band.dtype

    def layers(self, dtypes: Dtypes) -> Layers:
        """Return what to fetch of all bands that share the key."""
        image, window = self.asset.href, self.window or NOWHERE
        return Layers(image, load(image), self.grid, self.band.crs, window, dtypes)

    def onto(self, geobox: GeoBox, groups: Groups) -> tuple[Values, Valid, int]:
        """Place what was fetched.

        Raises:
            ProviderError: It holds numbers that cannot be resampled.
        """
        band, dtype = self.read.band, _dtype(self.read, self.band)
        nodata = _nodata(self.read)
        source = (
            Loaded.empty(self.grid, dtype)
            if self.key is None
            else groups[self.key].source(self.asset.key, dtype, nodata)
        )
        try:
            return read_onto(
                source,
                geobox,
                self.read.resampling,
                decibel=band.unit == "dB",
                scale=_scale(self.read, self.asset),
            )
        except RasterioError as error:
            raise _unusable(self.asset, f"{str(error).rstrip('.')}.") from error


@dataclass(frozen=True, slots=True)
class Reprojected:
    """One band that the server brings onto the target."""

    asset: Asset
    warp: Warp

    @property
    def key(self) -> Hashable:
        """What bands of one request have in common."""
        return self.warp

    @property
    def fetched(self) -> np.dtype[np.generic]:
        """Type of the numbers that come."""
        return np.dtype(self.warp.dtype)

    def layers(self, dtypes: Dtypes) -> Layers:
        """Return what to fetch of all bands that share the key."""
        warp = self.warp
        picture = warp.picture(list(dtypes))
        return Layers(warp.image, picture, warp.target, crs_of(warp.target), warp.window, dtypes)

    def onto(self, geobox: GeoBox, groups: Groups) -> tuple[Values, Valid, int]:
        """Place what was fetched.

        Raises:
            ProviderError: It holds numbers that are no powers.
        """
        dn, known = groups[self.key].pixels(self.asset.key)
        bel = self.warp.bel
        if bel is not None and (np.abs(dn[known].astype(np.float64) * bel) > LIMIT_DB / 10).any():
            why = (
                f"A number stands for more than {LIMIT_DB:g} dB; is it an undeclared nodata value?"
            )
            raise _unusable(self.asset, why)
        shape = geobox.shape[0], geobox.shape[1]
        values, valid = nothing(shape, self.fetched), np.zeros(shape, np.bool_)
        place = tuple(slice(*span) for span in self.warp.window)
        values[place] = np.where(known, dn, nothing((), self.fetched))
        valid[place] = known
        return values, valid, dn.nbytes


Wanted: TypeAlias = Native | Reprojected


def grouped(wanted: Sequence[Wanted]) -> Groups:
    """Return what is to be fetched, every band once."""
    found: dict[Hashable, tuple[Wanted, dict[str, np.dtype[np.generic]]]] = {}
    for one in wanted:
        if one.key is not None:
            found.setdefault(one.key, (one, {}))[1][one.asset.key] = one.fetched
    return {key: first.layers(dtypes) for key, (first, dtypes) in found.items()}


def wanted_of(item: Item, read: BandRead, geobox: GeoBox, entry: ProviderEntry) -> Wanted:
    """Return what to fetch of one band.

    Raises:
        ProviderError: The item has no such band, or the server cannot bring it onto the grid.
    """
    asset = asset_of(item, read)
    band = told_grid(item, asset.key)
    if read.warped_by == "server":
        warp = _warp(asset, band, read, geobox)
        if warp is not None:
            return Reprojected(asset, warp)
    factor = pyramid_factor(band.grid, geobox) if _may_shrink(read, entry) else 1
    grid = coarser(band.grid, factor)
    return Native(read, asset, band, grid, needed_window(grid, geobox))


def _warp(asset: Asset, band: BandGrid, read: BandRead, geobox: GeoBox) -> Warp | None:
    """Return how the server brings a band onto a grid.

    Returns:
        None where it has nothing to do, or where more would come than the band's own pixels.
    """
    shrink = warp_shrink(band.grid, geobox)
    window = needed_window(geobox, band.grid)
    if shrink is None or window is None or is_finer(band.grid, geobox):
        return None
    check_shrink(asset.href, shrink)
    dtype = _dtype(read, band)
    # Looking up changes no number, and the commonest class is one of them.
    counts = read.band.unit == "dB" and read.resampling not in ("nearest", "mode")
    if counts and dtype.kind != "f":
        raise _unusable(asset, f"Decibels as {dtype} would have to be rounded on the server.")
    return Warp(
        asset.href,
        band.grid,
        band.crs,
        geobox,
        window,
        shrink,
        read.resampling,
        dtype.name,
        _nodata(read),
        _scale(read, asset) / 10 if counts else None,
    )


def _dtype(read: BandRead, band: BandGrid) -> np.dtype[np.generic]:
    """Return the type that a file would have: single precision where the product needs no more."""
    return np.dtype(read.band.dtype) if band.dtype == np.float64 else band.dtype


def _nodata(read: BandRead) -> float | None:
    """Return the DN of a missing class. Of measurements the mask knows; 0 may be a dark pixel."""
    return None if read.band.kind == "continuous" else read.band.nodata


def _scale(read: BandRead, asset: Asset) -> float:
    return read.band.scale if asset.scale is None else asset.scale


def _may_shrink(read: BandRead, entry: ProviderEntry) -> bool:
    """Return True for measured quantities; a level holds means of decibels, not of powers."""
    band = read.band
    is_mean = band.kind == "continuous" and read.resampling != "nearest" and band.unit != "dB"
    return entry.overviews and is_mean


def _unusable(asset: Asset, why: str) -> ProviderError:
    return ProviderError(
        f"earthengine ({asset.href})",
        f"band {asset.key} cannot be resampled",
        why,
        "Plan without this item.",
    )
