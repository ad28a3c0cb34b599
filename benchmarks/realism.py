"""How believable the sandbox is: what real algorithms find on it, measured against its truth.

Small functions, used by `benchmarks/sandbox.py` at full size and by the tests at a small one.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.squares import (
    L1C_BANDS,
    L2A_BANDS,
    PIXEL_M,
    Floats,
    Place,
    Square,
    at_ratio,
    clear_pair,
    clear_squares,
    glance,
    radar,
    reflectance,
    squares,
)
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.clouds import THICK_CLOUD
from eodata.sandbox.planet.cover import BUILT, CROP, Cover

Mask = NDArray[np.bool_]
SOIL = (Cover.BARE, Cover.SAND, Cover.ROCK, *CROP)
CLOUD_BANDS = ("B01", "B02", "B04", "B05", "B08", "B8A", "B09", "B10", "B11", "B12")
"""What s2cloudless looks at, in its order."""


@dataclass(frozen=True, slots=True)
class CloudScores:
    """How well a cloud mask agrees with the truth.

    Attributes:
        pooled_iou: Intersection over union of all images' pixels together.
        mean_iou: Mean over the images with clouds (2 % or more, found or true).
        partly_iou: Pooled over the images that are neither clear nor overcast (2 % to 98 % true):
            the hardest of the three, since edges count most.
        recall: Share of the thick cloud that was found.
        precision: Share of what was found that is thick cloud.
        precision_any: Share of what was found that is thick or thin cloud.
        images: How many.
        cloudy: How many of them count for `mean_iou`.
    """

    pooled_iou: float
    mean_iou: float
    partly_iou: float
    recall: float
    precision: float
    precision_any: float
    images: int
    cloudy: int


@dataclass(frozen=True, slots=True)
class LearnScores:
    """What a network learnt, on places that it never saw.

    Attributes:
        accuracy: Share of pixels with the right class.
        majority: The same for always saying what is commonest on the unseen places.
        recalls: Share of each class that was found, NaN for a class that is not there.
        seconds: What training took.
    """

    accuracy: float
    majority: float
    recalls: tuple[float, ...]
    seconds: float


def cloud_mask(rho: Floats) -> Mask:
    """Return what s2cloudless calls cloud, `(H, W)`, from reflectances of `CLOUD_BANDS`."""
    image = np.moveaxis(rho, 0, -1)[np.newaxis]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own, about how LightGBM is called
        mask: Mask = _detector().get_cloud_masks(image)[0].astype(bool)
    return mask


@lru_cache(maxsize=1)
def _detector() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from s2cloudless import S2PixelCloudDetector

        return S2PixelCloudDetector(threshold=0.4, average_over=4, dilation_size=2, all_bands=False)


def cloud_images(
    archive: SandboxArchive, places: Iterable[Place], count: int, ratio: int = 2
) -> Iterator[tuple[Square, Mask, Mask, Mask]]:
    """Yield squares with the found mask, the true thick cloud and any true cloud, `(H, W)`.

    One per place, the first of its span whatever its clouds.
    """
    firsts = (next(squares(archive, "sentinel-2-l1c", place), None) for place in places)
    for square in islice((first for first in firsts if first), count):
        mask = cloud_mask(reflectance(archive, square, CLOUD_BANDS, ratio))
        truth = archive.truth(square.item, square.grid)
        thick, cloud = (
            at_ratio(part.astype(np.float32), 1, ratio) >= 0.5
            for part in (np.greater(truth["thick"], THICK_CLOUD), truth["cloud"])
        )
        yield square, mask, thick, cloud


def cloud_mask_scores(
    archive: SandboxArchive, places: Iterable[Place], n: int, ratio: int = 2
) -> CloudScores:
    """Return how well s2cloudless finds the true thick cloud on the first `n` usable places.

    Args:
        archive: Which Earth.
        places: Where to look; those without an item in the sun and swath are left out.
        n: How many images.
        ratio: Edge of the pixels that s2cloudless sees [10 m].
    """
    counts, ious, partly = [], [], [np.zeros(2)]
    for _, mask, thick, cloud in cloud_images(archive, places, n, ratio):
        both, either = (mask & thick).sum(), (mask | thick).sum()
        counts.append((both, either, thick.sum(), mask.sum(), (mask & cloud).sum()))
        if either >= 0.02 * mask.size:
            ious.append(both / either)
        if 0.02 <= thick.mean() <= 0.98:
            partly.append(np.array([both, either]))
    both, either, true, found, right = np.sum(counts, axis=0)
    return CloudScores(
        pooled_iou=_share(both, either),
        mean_iou=float(np.mean(ious)) if ious else float("nan"),
        partly_iou=_share(*np.sum(partly, axis=0)),
        recall=_share(both, true),
        precision=_share(both, found),
        precision_any=_share(right, found),
        images=len(counts),
        cloudy=len(ious),
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def false_alarms(
    archive: SandboxArchive, places: Iterable[Place], kind: str, ratio: int = 2
) -> list[tuple[Place, float]]:
    """Return the share that s2cloudless calls cloud on clear squares, by place.

    Args:
        archive: Which Earth.
        places: Where to look; those without a clear square of the kind are left out.
        kind: `soil`, `urban` or `snow`: what the truth must say covers 40 % or more.
        ratio: Edge of the pixels that s2cloudless sees [10 m].
    """
    made = []
    for place in places:
        for square in clear_squares(archive, place):
            if share_of(kind, glance(archive, square)) >= 0.4:
                mask = cloud_mask(reflectance(archive, square, CLOUD_BANDS, ratio))
                made.append((place, float(mask.mean())))
                break
    return made


def share_of(kind: str, truth: dict[str, NDArray[Any]]) -> float:
    """Return how much of a square is bright or bare soil, built up, or under snow."""
    if kind == "snow":
        return float(truth["snow"].mean())
    if kind == "urban":
        return float(np.isin(truth["cover"], BUILT).mean())
    bare = np.isin(truth["cover"], SOIL) & (truth["green"] < 0.3) & (truth["snow"] < 0.05)
    return float(bare.mean())


def displacement(
    fixed: Floats, moved: Floats, normalization: str | None = "phase"
) -> tuple[float, float]:
    """Return by how much the content of one image is displaced in another [px of row, col].

    Args:
        fixed: `(H, W)`.
        moved: Likewise.
        normalization: `phase`: every frequency counts alike. None: by its strength, which is plain
            cross-correlation.
    """
    from skimage.registration import phase_cross_correlation

    taper = np.hanning(fixed.shape[0])[:, np.newaxis] * np.hanning(fixed.shape[1])
    back, _, _ = phase_cross_correlation(
        *((image - image.mean()) * taper for image in (fixed, moved)),
        upsample_factor=100,
        normalization=normalization,
    )
    return -float(back[0]), -float(back[1])


def shift_error(
    archive: SandboxArchive,
    displaced: SandboxArchive,
    places: Iterable[Place],
    normalization: str | None = "phase",
    band: str = "B04",
) -> list[float]:
    """Return by how much planted shifts are missed, by place [10 m px, along the worse axis].

    Compared are two clear dates of one place, one of them displaced.

    Args:
        archive: An Earth without planted shifts.
        displaced: The same Earth with them.
        places: Where to look; those without two clear dates are left out.
        normalization: As in `displacement`.
        band: Which band to compare.
    """
    errors = []
    for first, second in (pair for place in places if (pair := clear_pair(archive, place))):
        item = displaced.collections[second.item.collection].get(second.item.id)
        moved = Square(item, second.row, second.col, second.size)
        row, col = displacement(
            reflectance(archive, first, (band,))[0],
            reflectance(displaced, moved, (band,))[0],
            normalization,
        )
        east, north = (metres / PIXEL_M for metres in item.origin.shift)
        errors.append(max(abs(row + north), abs(col - east)))
    return errors


def mutual_information(one: Floats, other: Floats, bins: int = 32) -> float:
    """Return the mutual information of two images [nat], each cut at its quantiles."""
    ranks = []
    for image in (one, other):
        edges = np.quantile(image, np.linspace(0, 1, bins + 1)[1:-1])
        ranks.append(np.searchsorted(edges, image.ravel()))
    joint = np.bincount(ranks[0] * bins + ranks[1], minlength=bins * bins).reshape(bins, bins)
    joint = joint / joint.sum()
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    some = joint > 0
    return float((joint[some] * np.log(joint[some] / apart[some])).sum())


def mutual_information_map(one: Floats, other: Floats, reach: int = 4) -> NDArray[np.float64]:
    """Return the mutual information by shift of `other`, `(2 reach + 1, 2 reach + 1)`."""
    height, width = one.shape
    kept = one[reach : height - reach, reach : width - reach]
    steps = range(2 * reach + 1)
    return np.array(
        [
            [
                mutual_information(kept, other[r : r + kept.shape[0], c : c + kept.shape[1]])
                for c in steps
            ]
            for r in steps
        ]
    )


def mutual_information_peak(
    archive: SandboxArchive, place: Place, size: int = 256, reach: int = 4
) -> tuple[int, int, float] | None:
    """Return where the mutual information of VH and NDVI peaks [px of row, col], and how clearly.

    Clearly: the value at the peak over that at the rim of the map. None when there is no clear
    square with a radar image of the same zone.
    """
    for square in clear_squares(archive, place):
        pair = radar(archive, square)
        if pair is not None:
            red, nir = reflectance(archive, square, ("B04", "B08"))[:, :size, :size]
            ndvi = (nir - red) / (nir + red + np.float32(1e-6))
            found = mutual_information_map(ndvi, pair[1, :size, :size], reach)
            row, col = np.unravel_index(found.argmax(), found.shape)
            rim = np.concatenate([found[0], found[-1], found[:, 0], found[:, -1]]).mean()
            return int(row) - reach, int(col) - reach, float(found.max() / rim)
    return None


def band_medians(
    archive: SandboxArchive,
    places: Iterable[Place],
    covers: Sequence[Cover],
    collection: str = "sentinel-2-l1c",
    ndvi: tuple[float, float] = (-1.0, 1.0),
) -> dict[str, float]:
    """Return medians by band of clear pixels of some covers; empty when fewer than 300.

    Args:
        archive: Which Earth.
        places: Where and when to look, one clear square each.
        covers: Which cover the truth must say.
        collection: Level-1C or Level-2A.
        ndvi: Least and greatest vegetation index of the pixels that count.
    """
    bands = L1C_BANDS if collection.endswith("l1c") else L2A_BANDS
    made = []
    for place in places:
        for square in islice(clear_squares(archive, place, collection), 1):
            rho = reflectance(archive, square, bands)
            red, nir = rho[bands.index("B04")], rho[bands.index("B08")]
            index = (nir - red) / (nir + red + 1e-6)
            kept = np.isin(archive.truth(square.item, square.grid)["cover"], covers)
            made.append(rho[:, kept & (index >= ndvi[0]) & (index <= ndvi[1])])
    pixels = np.concatenate(made, axis=1) if made else np.empty((len(bands), 0))
    if pixels.shape[1] < 300:
        return {}
    return dict(zip(bands, np.median(pixels, axis=1).tolist(), strict=True))
