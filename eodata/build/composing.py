"""Make one image of several acquisitions on a window: median, mosaic in time, best pixels."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.build.acquire import ContradictedError, Layer, read_acquisition
from eodata.core.item import Item
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import FREE, Cost
from eodata.core.protocols import Provider
from eodata.pipeline.best_pixel import median_of

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
            where every pixel came from all.
    """

    layer: Layer
    origin: NDArray[np.int16] | None

    def told(self, passes: Sequence[Pass], rows: slice, cols: slice) -> str:
        """Return the share of a sample's pixels per acquisition, named by its first item, as JSON.

        `""` where there is but one, or every pixel came from all.
        """
        if self.origin is None:
            return ""
        part = self.origin[rows, cols]
        counts = np.bincount(part[part >= 0].ravel(), minlength=len(passes))
        shares = {
            passes[k][0].id: round(float(n) / part.size, 4) for k, n in enumerate(counts) if n
        }
        return json.dumps({"from": shares}) if shares else ""


def median_image(
    provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
) -> Image:
    """Return per pixel and band the median of all acquisitions that are valid there.

    Raises:
        ProviderError: An item cannot be read. Nothing is returned in part.
        ContradictedError: No item's pixels are what its archive says.
    """
    row_bytes = window.shape[1] * (np.dtype(modality.dtype).itemsize * len(modality.reads) + 1)
    rows = max(1, int(STACK_BYTES // (row_bytes * len(passes))))
    strips = [
        _median_strip(provider, passes, modality, window[start : start + rows, :])
        for start in range(0, window.shape[0], rows)
    ]
    cost = sum((strip.cost for strip in strips), FREE)
    values, valid, clipped = (
        np.concatenate([getattr(strip, key) for strip in strips], axis=-2)
        for key in ("values", "valid", "clipped")
    )
    return Image(Layer(values, valid, clipped, cost), None)


def _median_strip(
    provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
) -> Layer:
    layers, cost = read_believed(provider, passes, modality, window)
    values, valid = median_of(
        np.stack([layer.values for layer in layers]), np.stack([layer.valid for layer in layers])
    )
    clipped = np.maximum.reduce([layer.clipped for layer in layers])
    return Layer(values, valid, np.where(valid, clipped, 0).astype(np.uint8), cost)


def read_believed(
    provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
) -> tuple[list[Layer], Cost]:
    """Read all acquisitions, without those whose pixels contradict what their archive says.

    Raises:
        ProviderError: An item cannot be read.
        ContradictedError: None is left.
    """
    layers: list[Layer] = []
    cost, refused = FREE, None
    for items in passes:
        try:
            layers.append(read_acquisition(provider, items, modality, window))
            cost += layers[-1].cost
        except ContradictedError as error:
            cost, refused = cost + error.cost, error
    if not layers and refused is not None:
        raise ContradictedError(str(refused), cost)
    return layers, cost


def top_image(
    provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
) -> Image:
    """Return per pixel the first acquisition that is valid there.

    Raises:
        ProviderError: An item cannot be read. Nothing is returned in part.
        ContradictedError: No item's pixels are what its archive says.
    """
    canvas = Canvas(provider, passes, modality, window)
    everywhere = np.ones(tuple(window.shape), np.bool_)
    for number in range(len(passes)):
        if canvas.is_full:
            break
        canvas.lay(number, everywhere)
    return canvas.image()


class Canvas:
    """An image that fills with pixels of one acquisition after the other; none is painted over.

    Args:
        provider: Reads.
        passes: The acquisitions.
        modality: What to read.
        window: Onto which grid.
    """

    def __init__(
        self, provider: Provider, passes: Sequence[Pass], modality: ModalityPlan, window: GeoBox
    ) -> None:
        shape = tuple(window.shape)
        self._read: Callable[[Pass], Layer] = lambda items: read_acquisition(
            provider, items, modality, window
        )
        self._passes = passes
        self._values = np.full((len(modality.reads), *shape), modality.fill, modality.dtype)
        self._clipped = np.zeros(shape, np.uint8)
        self._cost = FREE
        self._refused: ContradictedError | None = None
        self.origin = np.full(shape, -1, np.int16)

    @property
    def is_full(self) -> bool:
        """True when every pixel is filled."""
        return bool((self.origin >= 0).all())

    def lay(self, number: int, where: NDArray[np.bool_]) -> None:
        """Fill the empty ones of some pixels from an acquisition, as far as it is valid there.

        An acquisition whose pixels contradict its archive fills nothing.
        """
        wanted = where & (self.origin < 0)
        if not wanted.any():
            return
        try:
            layer = self._read(self._passes[number])
        except ContradictedError as error:
            self._cost += error.cost
            self._refused = error
            return
        take = wanted & layer.valid
        self._values[:, take] = layer.values[:, take]
        self._clipped[take] = layer.clipped[take]
        self.origin[take] = number
        self._cost += layer.cost

    def image(self, more: Cost = FREE) -> Image:
        """Return what was laid.

        Raises:
            ContradictedError: Nothing was, for no item's pixels are what its archive says.
        """
        cost = self._cost + more
        filled = self.origin >= 0
        if self._refused is not None and not filled.any():
            raise ContradictedError(str(self._refused), cost)
        return Image(Layer(self._values, filled, self._clipped, cost), self.origin)


def guided(modality: ModalityPlan, gsd: float) -> ModalityPlan:
    """Return the modality that reads what a composite is decided by."""
    reads = modality.guides
    bands = tuple(read.band for read in reads)
    return replace(modality, gsd=gsd, reads=reads, bands=bands, validity=None, composite="")
