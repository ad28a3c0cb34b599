"""Read one acquisition onto a window: every item of the pass, the first on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.core.errors import ProviderError
from eodata.core.item import Item
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import Cost
from eodata.core.protocols import Pixels, Provider
from eodata.pipeline.decode import harmonise, stated_coding
from eodata.pipeline.offset_guard import judge_offset


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One step of one modality on a window.

    Attributes:
        values: `(C, H, W)`, the store's DN.
        valid: `(H, W)`, True = usable in every band.
        clipped: `(H, W)`, number of bands that had to be clipped to their range.
        cost: Bytes and requests that it took.
        origin: `(H, W)`, position of the item that fills each pixel; None where one fills all.
    """

    values: NDArray[np.generic]
    valid: NDArray[np.bool_]
    clipped: NDArray[np.uint8]
    cost: Cost
    origin: NDArray[np.uint16] | None = None


JUDGED_EDGE_PX = 1024
"""Of larger windows every second or third pixel tells as much, and takes a quarter of the time."""


class ContradictedError(Exception):
    """The pixels of an item contradict what its archive says of them.

    Attributes:
        cost: What reading them took.
    """

    def __init__(self, reason: str, cost: Cost) -> None:
        super().__init__(reason)
        self.cost = cost

    def __str__(self) -> str:
        return str(self.args[0])


def read_acquisition(
    provider: Provider,
    items: Sequence[Item],
    modality: ModalityPlan,
    window: GeoBox,
    leader: ModalityPlan | None = None,
) -> Layer:
    """Mosaic the items of one pass: the first item that is usable at a pixel fills it.

    Args:
        provider: Reads the items.
        items: The first is on top.
        modality: What to read.
        window: Onto which grid.
        leader: Decides where an item is usable; None lets the modality decide for itself. So a
            class map and the image that it belongs to come from the same item in every pixel.

    Raises:
        ProviderError: An item cannot be read. Nothing is returned in part.
        ContradictedError: An item's pixels are not what its archive says.
    """
    top = _read_item(provider, items[0], modality, window)
    if len(items) == 1:
        return top
    filled = _usable(provider, items[0], leader, window, top)
    for number, item in enumerate(items[1:], start=1):
        if filled.all():
            break
        try:
            below = _read_item(provider, item, modality, window)
        except (ProviderError, ContradictedError) as error:
            error.cost += top.cost
            raise
        usable = _usable(provider, item, leader, window, below)
        top = _lay_under(top, below, usable & ~filled, number)
        filled |= usable
    return top


def _usable(
    provider: Provider, item: Item, leader: ModalityPlan | None, window: GeoBox, own: Layer
) -> NDArray[np.bool_]:
    valid = own.valid if leader is None else _read_item(provider, item, leader, window).valid
    return valid.copy()


def _lay_under(top: Layer, below: Layer, take: NDArray[np.bool_], number: int) -> Layer:
    origin = np.zeros(take.shape, np.uint16) if top.origin is None else top.origin
    return Layer(
        np.where(take, below.values, top.values),
        np.where(take, below.valid, top.valid),
        np.where(take, below.clipped, top.clipped),
        top.cost + below.cost,
        np.where(take, np.uint16(number), origin),
    )


def _read_item(provider: Provider, item: Item, modality: ModalityPlan, window: GeoBox) -> Layer:
    rule = modality.validity
    reads = [*modality.reads, rule[0]] if rule else list(modality.reads)
    pixels = provider.read(item, reads, window)
    valid = np.logical_and.reduce(pixels.valid)
    if rule:
        valid &= ~np.isin(pixels.values[-1], np.asarray(rule[1]))
    if modality.states_offset:
        _check_offset(item, pixels, modality)
    values = np.empty((len(modality.reads), *window.shape), modality.dtype)
    clipped = np.zeros(tuple(window.shape), np.uint8)
    for c, read in enumerate(modality.reads):
        asset = item.assets[read.asset]
        values[c], outside = harmonise(pixels.values[c], pixels.valid[c], asset, read.band)
        clipped += outside
    return Layer(values, valid, clipped, pixels.cost)


def _check_offset(item: Item, pixels: Pixels, modality: ModalityPlan) -> None:
    """Compare the offset that the archive states with the pixels, unless the recipe trusts it."""
    measured = [c for c, read in enumerate(modality.reads) if read.band.kind == "continuous"]
    assets = [item.assets[modality.reads[c].asset] for c in measured]
    stated = [stated_coding(item, asset) for asset in assets]
    if not measured or modality.trusts_offsets:
        return
    step = max(1, min(pixels.values[0].shape) // JUDGED_EDGE_PX)
    thinned = (slice(None, None, step), slice(None, None, step))
    finding = judge_offset(
        np.stack([pixels.values[c][thinned] for c in measured]),
        np.stack([pixels.valid[c][thinned] for c in measured]),
        stated,
        [modality.reads[c].band for c in measured],
        modality.radiometry,
    )
    if finding.verdict == "contradicts":
        raise ContradictedError(f"offset: item {item.id}: {finding.reason}", pixels.cost)
