"""Composites that the server makes: one answer instead of one per image, and the same pixels.

Only copies of pixels give the same composite wherever it is made: resampling and ranking do not
commute. So the server is asked where every image lies on the target's own pixels, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from odc.geo.geobox import GeoBox

from eodata.core.item import Item
from eodata.core.modality_plan import BandRead
from eodata.core.outcome import Cost
from eodata.core.protocols import Composed
from eodata.providers.earthengine.fetch import Layers
from eodata.providers.earthengine.graph import HALF, Call, constant, load, select
from eodata.providers.earthengine.images import BandGrid, told_grid
from eodata.providers.raster_read import asset_of
from eodata.providers.source import Values
from eodata.providers.source_window import source_window

Rule = tuple[BandRead, tuple[int, ...]]
Passes = Sequence[Sequence[Item]]
ORIGIN = "_origin"
"""Band that says which acquisition a pixel came from."""
MEDIAN, HIGHEST = "median", "highest"
SHORT = ("uint8", "int8", "uint16", "int16", "float32")
"""Types of which single precision holds the mean of any two numbers, rounded once."""
LARGEST = float(np.finfo(np.float32).max)
"""Products hold no larger number; NaN is never smaller."""
NESTED = 1e-6
"""Most that a corner of a fine pixel strays from the edges of a coarse one [px]."""


def composite_layers(
    passes: Passes, reads: Sequence[BandRead], geobox: GeoBox, by: str, rule: Rule | None
) -> Layers | None:
    """Return what to fetch of a composite; the arguments are those of `Composer.compose`.

    Returns:
        None when an image's pixels are not those of the grid, copied, or no image meets the grid.

    Raises:
        ProviderError: An item has not the bands, or does not say where they lie.
    """
    needed = [*reads, rule[0]] if rule else list(reads)
    met = [[item for item in items if _meets(item, needed, geobox)] for items in passes]
    items = [item for part in met for item in part]
    if not items or not all(_is_copied(i, read, geobox) for i in items for read in needed):
        return None
    dtypes = {read.asset: _band(items[0], read).dtype for read in reads}
    if any(_band(item, read).dtype != dtypes[read.asset] for item in items for read in reads):
        return None
    name = f"{by} of {len(items)} images of {items[0].collection}, {items[0].id} the first"
    kind, _, ranked = by.partition(":")
    if kind == MEDIAN:
        own = np.dtype(np.float32 if set(map(str, dtypes.values())) <= {*SHORT} else np.float64)
        picture, dtypes = _median(met, reads, rule, own), dict.fromkeys(dtypes, own)
    else:
        is_ranked = kind == HIGHEST
        picture = _highest(met, reads, rule, ranked) if is_ranked else _on_top(met, reads, rule)
        dtypes = {**dtypes, ORIGIN: np.dtype(np.int16)}
    height, width = geobox.shape
    crs = _band(items[0], reads[0]).crs
    return Layers(name, picture, geobox, crs, ((0, height), (0, width)), dtypes)


def composed(layers: Layers, reads: Sequence[BandRead], cost: Cost) -> Composed:
    """Return what was fetched of a composite as the store has it.

    Args:
        layers: From `composite_layers`, filled.
        reads: The bands.
        cost: Of the requests, without bytes.
    """
    found = [layers.pixels(read.asset) for read in reads]
    valid = np.logical_and.reduce([known for _, known in found])
    values = tuple(
        np.where(valid, _stored(dn, read), _nothing(read))
        for (dn, _), read in zip(found, reads, strict=True)
    )
    n_bytes = sum(layers.pixels(band)[0].nbytes for band in layers.dtypes)
    origin = None
    if ORIGIN in layers.dtypes:
        origin = np.where(valid, layers.pixels(ORIGIN)[0], np.int16(-1))
    return Composed(values, valid, origin, cost + Cost(n_bytes))


def _stored(dn: Values, read: BandRead) -> Values:
    dtype = np.dtype(read.band.dtype)
    halves = dn.dtype.kind == "f" and dtype.kind in "iu"
    return (np.rint(dn) if halves else dn).astype(dtype)


def _nothing(read: BandRead) -> float | int:
    return float("nan") if np.dtype(read.band.dtype).kind == "f" else 0


def _median(
    passes: Passes, reads: Sequence[BandRead], rule: Rule | None, dtype: np.dtype[np.generic]
) -> Call:
    images = [_mosaic([_usable(i, reads, rule) for i in items]) for items in passes if items]
    # Beyond a number of images that nobody states, the server would guess from a histogram.
    reducer = Call("Reducer.median", maxRaw=len(images))
    stack = Call("ImageCollection.fromImages", images=images)
    reduced = Call("ImageCollection.reduce", collection=stack, reducer=reducer)
    named = Call("Image.rename", input=reduced, names=_keys(reads))
    return Call("Image.toFloat", value=named) if dtype == np.float32 else named


def _highest(passes: Passes, reads: Sequence[BandRead], rule: Rule | None, ranked: str) -> Call:
    """Return the first of the images in which a band is highest.

    Nobody states which of equal images `qualityMosaic` takes. A mosaic of all that reach the
    maximum has an order that is documented.
    """
    read = next(read for read in reads if read.band.name == ranked)
    images = [
        _mosaic([_usable(item, reads, rule, k) for item in items])
        for k, items in enumerate(passes)
        if items
    ]
    ratings = [_rating(image, read) for image in images]
    stack = Call("ImageCollection.fromImages", images=ratings)
    best = Call("ImageCollection.reduce", collection=stack, reducer=Call("Reducer.max"))
    return _mosaic(
        [
            Call("Image.updateMask", image=image, mask=Call("Image.eq", image1=own, image2=best))
            for image, own in zip(images, ratings, strict=True)
        ]
    )


def _rating(image: Call, read: BandRead) -> Call:
    """Return a band as it is compared: as stored, so that rounding makes the same ones equal."""
    own = select(image, [read.asset])
    return Call("Image.toFloat", value=own) if read.band.dtype == "float32" else own


def _on_top(passes: Passes, reads: Sequence[BandRead], rule: Rule | None) -> Call:
    return _mosaic(
        [_usable(item, reads, rule, k) for k, items in enumerate(passes) for item in items]
    )


def _mosaic(images: Sequence[Call]) -> Call:
    """Return images over each other, the first on top; the server's mosaic has the last there."""
    if len(images) == 1:
        return images[0]
    stack = Call("ImageCollection.fromImages", images=list(reversed(images)))
    return Call("ImageCollection.mosaic", collection=stack)


def _usable(
    item: Item, reads: Sequence[BandRead], rule: Rule | None, number: int | None = None
) -> Call:
    """Return the bands of an image, masked where one of them is missing or the rule says no.

    NaN and infinities are missing, masked or not.
    """
    image = load(asset_of(item, reads[0]).href)
    shown = select(image, _keys(reads))
    if number is not None:
        origin = Call("Image.toInt16", value=constant(number))
        named = Call("Image.rename", input=origin, names=[ORIGIN])
        shown = Call("Image.addBands", dstImg=shown, srcImg=named)
    needed = [*reads, rule[0]] if rule else list(reads)
    share = Call("Image.mask", image=select(image, _keys(needed)))
    least = Call("Image.reduce", image=share, reducer=Call("Reducer.min"))
    usable = Call("Image.gte", image1=least, image2=constant(HALF))
    for key in dict.fromkeys(read.asset for read in reads if _band(item, read).dtype.kind == "f"):
        size = Call("Image.abs", value=select(image, [key]))
        is_finite = Call("Image.lte", image1=size, image2=constant(LARGEST))
        usable = Call("Image.and", image1=usable, image2=is_finite)
    for key, value in _refused(needed, rule):
        differs = Call("Image.neq", image1=select(image, [key]), image2=constant(value))
        usable = Call("Image.and", image1=usable, image2=differs)
    return Call("Image.updateMask", image=shown, mask=usable)


def _refused(needed: Sequence[BandRead], rule: Rule | None) -> Iterator[tuple[str, float]]:
    """Yield bands and numbers under which a pixel is not usable: missing classes, and the rule's.

    Of measurements the mask alone tells what is missing.
    """
    for read in needed:
        if read.band.kind != "continuous" and read.band.nodata is not None:
            yield read.asset, read.band.nodata
    if rule is not None:
        for value in rule[1]:
            yield rule[0].asset, value


def _keys(reads: Sequence[BandRead]) -> list[str]:
    """Return Earth Engine's names of bands, each once."""
    return list(dict.fromkeys(read.asset for read in reads))


def _meets(item: Item, needed: Sequence[BandRead], geobox: GeoBox) -> bool:
    return any(source_window(_band(item, read).grid, geobox) is not None for read in needed)


def _is_copied(item: Item, read: BandRead, geobox: GeoBox) -> bool:
    """Return True when reading would copy an image's numbers to the grid, and to the store."""
    asset, band = asset_of(item, read), _band(item, read)
    coding = read.band.scale, read.band.offset
    told = (
        coding[0] if asset.scale is None else asset.scale,
        coding[1] if asset.offset is None else asset.offset,
    )
    target = np.dtype(read.band.dtype)
    fits = np.can_cast(band.dtype, target) or band.dtype.kind == target.kind == "f"
    window = source_window(band.grid, geobox)
    same = window is None or window.exact
    return (
        told == coding
        and fits
        and (same or (read.resampling == "nearest" and _is_nested(band.grid, geobox)))
    )


def _is_nested(coarse: GeoBox, fine: GeoBox) -> bool:
    """Return True when every fine pixel lies within one coarse pixel, so that nearest is clear."""
    if coarse.crs != fine.crs:
        return False
    onto = ~coarse.affine @ fine.affine
    if max(abs(onto.b), abs(onto.d)) > NESTED or min(onto.a, onto.e) <= 0:
        return False
    counts = 1 / onto.a, 1 / onto.e
    shifts = onto.c * counts[0], onto.f * counts[1]
    return min(counts) >= 1 - NESTED and all(
        abs(number - round(number)) < NESTED * max(counts) for number in (*counts, *shifts)
    )


def _band(item: Item, read: BandRead) -> BandGrid:
    return told_grid(item, asset_of(item, read).key)
