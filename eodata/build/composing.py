"""Make one image of several acquisitions on a window: median, mosaic in time, best pixels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.build.acquire import ContradictedError, Layer, read_acquisition
from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import FREE, Cost
from eodata.core.protocols import Provider
from eodata.pipeline.best_pixel import median_of
from eodata.pipeline.resampling import default_resampling

STACK_BYTES = 512 * 1024 * 1024
"""A median holds all acquisitions at once; larger windows are made in strips."""

Pass = Sequence[Item]
"""The items of one acquisition, the first on top."""


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One image made of several acquisitions.

    Attributes:
        layer: Pixels, and what they cost.
        origin: `(H, W)`, position of the acquisition that each pixel came from, -1 for none; None
            where no choice was made: a step of one acquisition, or pixels that came from all.
    """

    layer: Layer
    origin: NDArray[np.int16] | None

    def told(self, passes: Sequence[Pass], rows: slice, cols: slice) -> str:
        """Return the share of a sample's pixels per acquisition, named by its first item, as JSON.

        `""` where no choice was made, or no pixel is filled.
        """
        if self.origin is None:
            return ""
        part = self.origin[rows, cols]
        counts = np.bincount(part[part >= 0].ravel(), minlength=len(passes))
        shares = {
            passes[k][0].id: round(float(n) / part.size, 4) for k, n in enumerate(counts) if n
        }
        return json.dumps({"from": shares}) if shares else ""


class Reader:
    """Reads the acquisitions of one image and adds up what that takes, failures included.

    Attributes:
        cost: Of everything so far.
        refused: Why the last acquisition was not believed; `""` when all were.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.cost: Cost = FREE
        self.refused = ""

    def read(self, items: Pass, modality: ModalityPlan, window: GeoBox) -> Layer | None:
        """Return the pixels of an acquisition; None when they contradict what its archive says.

        Raises:
            ProviderError: An item cannot be read. Its cost is that of everything so far.
        """
        try:
            layer = read_acquisition(self._provider, items, modality, window)
        except ContradictedError as error:
            self.cost += error.cost
            self.refused = str(error)
            return None
        except ProviderError as error:
            error.cost = self.cost = self.cost + error.cost
            raise
        self.cost += layer.cost
        return layer

    def contradicted(self) -> ContradictedError:
        """Return the error of an image that no acquisition is believed for."""
        return ContradictedError(self.refused, self.cost)


def median_image(
    provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
) -> Image:
    """Return per pixel and band the median of all acquisitions that are valid there.

    An acquisition whose pixels contradict its archive in one strip is left out of all.

    Raises:
        ProviderError: An item cannot be read. Nothing is returned in part.
        ContradictedError: No item's pixels are what its archive says.
    """
    reader, believed = Reader(provider), list(passes)
    rows = _strip_rows(len(passes), modality, window)
    strips: list[Layer] = []
    while len(strips) * rows < window.shape[0]:
        start = len(strips) * rows
        part = window[start : min(start + rows, window.shape[0]), :]
        read = [(items, reader.read(items, modality, part)) for items in believed]
        layers = [layer for _, layer in read if layer is not None]
        if not layers:
            raise reader.contradicted()
        if strips and len(layers) < len(read):
            strips = []  # begin again without it
        else:
            strips.append(_median(layers))
        believed = [items for items, layer in read if layer is not None]
    values, valid, clipped = (
        np.concatenate([getattr(strip, key) for strip in strips], axis=-2)
        for key in ("values", "valid", "clipped")
    )
    return Image(Layer(values, valid, clipped, reader.cost), None)


def _strip_rows(count: int, modality: ModalityPlan, window: GeoBox) -> int:
    """Return of how many rows at once all acquisitions are held."""
    pixel_bytes = np.dtype(modality.dtype).itemsize * len(modality.reads) + 2  # valid and clipped
    return max(1, int(STACK_BYTES // (pixel_bytes * window.shape[1] * count)))


def _median(layers: Sequence[Layer]) -> Layer:
    valid = np.stack([layer.valid for layer in layers])
    # Band by band: a stack of all would hold everything twice.
    bands = [
        median_of(np.stack([layer.values[c : c + 1] for layer in layers]), valid)[0]
        for c in range(len(layers[0].values))
    ]
    clipped = np.maximum.reduce([np.where(one.valid, one.clipped, 0) for one in layers])
    seen = np.logical_or.reduce(valid)
    return Layer(np.concatenate(bands), seen, clipped.astype(np.uint8), FREE)


def top_image(
    provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
) -> Image:
    """Return per pixel the first acquisition that is valid there.

    Raises:
        ProviderError: An item cannot be read. Nothing is returned in part.
        ContradictedError: No item's pixels are what its archive says.
    """
    canvas = Canvas(Reader(provider), passes, modality, window)
    for number in range(len(passes)):
        canvas.lay(number)
    return canvas.image()


def highest_image(
    provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox, band: int
) -> Image:
    """Return per pixel the acquisition in which a band is highest; of equal ones the first.

    One acquisition at a time is held beside the image.

    Args:
        provider: Reads.
        passes: The acquisitions, the preferred first.
        modality: What to read.
        window: Onto which grid.
        band: Position of the band.

    Raises:
        ProviderError: An item cannot be read. Nothing is returned in part.
        ContradictedError: No item's pixels are what its archive says.
    """
    canvas = Canvas(Reader(provider), passes, modality, window)
    for number in range(len(passes)):
        canvas.lay_highest(number, band)
    return canvas.image()


class Canvas:
    """An image that fills with pixels of one acquisition after the other.

    Args:
        reader: Reads.
        passes: The acquisitions.
        modality: What to read.
        window: Onto which grid.
    """

    def __init__(
        self, reader: Reader, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
    ) -> None:
        shape = tuple(window.shape)
        self._reader, self._passes, self._modality = reader, passes, modality
        self._window = window
        self._values = np.full((len(modality.reads), *shape), modality.fill, modality.dtype)
        self._clipped = np.zeros(shape, np.uint8)
        self._known: dict[int, NDArray[np.bool_]] = {}
        self.origin = np.full(shape, -1, np.int16)

    @property
    def is_full(self) -> bool:
        """True when every pixel is filled."""
        return bool((self.origin >= 0).all())

    def lay(self, number: int, where: NDArray[np.bool_] | None = None) -> None:
        """Fill the empty ones of some pixels from an acquisition, as far as it is valid there.

        None is painted over. An acquisition whose pixels contradict its archive fills nothing. One
        that has nothing to give is not read.

        Args:
            number: Which acquisition.
            where: `(H, W)`, which pixels; None means all.

        Raises:
            ProviderError: An item cannot be read.
        """
        wanted = self.origin < 0
        if where is not None:
            wanted &= where
        if number in self._known:
            wanted &= self._known[number]
        if not wanted.any():
            return
        layer = self._reader.read(self._passes[number], self._modality, self._window)
        if layer is None:
            self._known[number] = np.zeros(wanted.shape, np.bool_)
            return
        self._known[number] = layer.valid
        self._take(layer, wanted & layer.valid, number)

    def lay_highest(self, number: int, band: int) -> None:
        """Take the valid pixels of an acquisition in which a band is higher than what lies there.

        Equal ones stay as they are, and NaN is never taken. An acquisition whose pixels contradict
        its archive gives nothing.

        Args:
            number: Which acquisition.
            band: Position of the band.

        Raises:
            ProviderError: An item cannot be read.
        """
        layer = self._reader.read(self._passes[number], self._modality, self._window)
        if layer is None:
            return
        found = layer.values[band]
        higher = np.where(self.origin < 0, ~np.isnan(found), found > self._values[band])
        self._take(layer, higher & layer.valid, number)

    def _take(self, layer: Layer, where: NDArray[np.bool_], number: int) -> None:
        np.copyto(self._values, layer.values, where=where)
        np.copyto(self._clipped, layer.clipped, where=where)
        self.origin[where] = number

    def image(self) -> Image:
        """Return what was laid.

        Raises:
            ContradictedError: Nothing was, for no item's pixels are what its archive says.
        """
        filled = self.origin >= 0
        if self._reader.refused and not filled.any():
            raise self._reader.contradicted()
        return Image(Layer(self._values, filled, self._clipped, self._reader.cost), self.origin)


def guided(modality: ModalityPlan, gsd: float) -> ModalityPlan:
    """Return the modality that reads what a composite is decided by, at some pixel size [m]."""
    reads = tuple(
        replace(read, resampling=default_resampling(read.band.kind, read.band.gsd, gsd))
        for read in modality.guides
    )
    bands = tuple(read.band for read in reads)
    return replace(modality, gsd=gsd, reads=reads, bands=bands, validity=None, composite="")
