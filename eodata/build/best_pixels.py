"""Composites of best pixels (Schmitt et al. 2019) on a window: score, rank, read what wins.

Clouds are told apart on a coarser grid that reaches beyond the window: by the filters' width on
all sides, and towards the sun by as far as clouds throw shadows. How cloudy an image is over the
area as a whole is measured once per area, so that its windows agree on what lies on top.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import ceil, cos, radians, sin
from typing import TypeVar

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.build.acquire import ContradictedError, Layer, read_acquisition
from eodata.build.composing import Canvas, Image, Pass, guided
from eodata.core.composite import SchmittComposite
from eodata.core.errors import ProviderError
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import FREE, Cost
from eodata.core.protocols import Provider
from eodata.pipeline.best_pixel import best_of, cloudy_fraction, quality_score
from eodata.pipeline.cloud_score import cloud_score
from eodata.pipeline.cloud_shadow import FILTER_REACH, shadow_reach, shadow_score

SCORE_RADIUS_M = 50.0
"""Half width of the mean filter of the cloud score: 5 px of 10 m."""
QUALITY_RADIUS_M = 100.0
"""Half width of the mean filter of the quality: 5 px of 20 m."""
T = TypeVar("T", bound=np.generic)
MARGIN_M = FILTER_REACH + SCORE_RADIUS_M + QUALITY_RADIUS_M
"""What all filters together reach beyond a pixel."""


@dataclass(frozen=True, slots=True)
class Survey:
    """How cloudy the acquisitions of one step are over a whole area.

    Attributes:
        cloudy: Cloudy fraction of each, nan where nothing of it was measured or believed.
        cost: What it took to find out.
    """

    cloudy: tuple[float, ...]
    cost: Cost


class Surveys:
    """Remembers surveys, so that each is made once per process; threads wait for each other."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[Hashable, threading.Lock] = {}
        self._known: dict[Hashable, Survey] = {}

    def get(self, key: Hashable, make: Callable[[], Survey]) -> tuple[Survey, Cost]:
        """Return a survey, and what it cost just now: nothing when it was known."""
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key in self._known:
                return self._known[key], FREE
            self._known[key] = found = make()
            return found, found.cost


def survey(
    provider: Provider,
    passes: Sequence[Pass],
    modality: ModalityPlan,
    spec: SchmittComposite,
    ground: GeoBox,
) -> Survey:
    """Measure the cloudy fraction of every acquisition over an area.

    Args:
        provider: Reads.
        passes: The acquisitions.
        modality: The composite.
        spec: Its settings.
        ground: All patches of the area, at `spec.survey_gsd`.

    Raises:
        ProviderError: An item cannot be read.
    """
    plan, cost, found = guided(modality, spec.survey_gsd), FREE, []
    for items in passes:
        try:
            layer = read_acquisition(provider, items, plan, ground)
        except ContradictedError as error:
            cost += error.cost
            found.append(float("nan"))
            continue
        cost += layer.cost
        cloud = cloud_score(_reflectance(layer, plan), _px(SCORE_RADIUS_M, spec.survey_gsd))
        found.append(cloudy_fraction(cloud, spec.cloud_above))
    return Survey(tuple(found), cost)


def best_image(
    provider: Provider,
    passes: Sequence[Pass],
    modality: ModalityPlan,
    spec: SchmittComposite,
    window: GeoBox,
    cloudy: Sequence[float],
) -> Image:
    """Return per pixel the best acquisition.

    Args:
        provider: Reads.
        passes: The acquisitions, the preferred first.
        modality: What to read.
        spec: Settings of the scores.
        window: Onto which grid.
        cloudy: Cloudy fraction of each acquisition over the area.

    Raises:
        ProviderError: An item cannot be read, or does not state where the sun stood.
        ContradictedError: No item's pixels are what its archive says.
    """
    scored = [_quality(provider, items, modality, spec, window) for items in passes]
    cost = sum((one.cost for one in scored), FREE)
    quality = np.stack([one.quality for one in scored])
    best = _on(best_of(quality, cloudy, spec.keep_below), window, spec.gsd)
    canvas = Canvas(provider, passes, modality, window)
    for number in np.unique(best[best >= 0]):
        canvas.lay(int(number), best == number)
    # At the edge of a swath the coarse grid may promise pixels that the fine one does not have.
    for number in np.argsort([np.inf if np.isnan(c) else c for c in cloudy], kind="stable"):
        canvas.lay(int(number), _on(~np.isnan(quality[number]), window, spec.gsd))
    return canvas.image(cost)


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    quality: NDArray[np.float32]
    cost: Cost


def _quality(
    provider: Provider,
    items: Pass,
    modality: ModalityPlan,
    spec: SchmittComposite,
    window: GeoBox,
) -> _Scored:
    """Return the quality on the coarse grid of the window; all NaN for pixels not believed."""
    azimuth, zenith = _sun(items)
    wide, inner = _widened(window, spec, azimuth, zenith)
    plan = guided(modality, spec.gsd)
    try:
        layer = read_acquisition(provider, items, plan, wide)
    except ContradictedError as error:
        shape = (inner[0].stop - inner[0].start, inner[1].stop - inner[1].start)
        return _Scored(np.full(shape, np.nan, np.float32), error.cost)
    bands, rule = _reflectance(layer, plan), spec.shadows
    cloud = cloud_score(bands, _px(SCORE_RADIUS_M, spec.gsd))
    shadow = shadow_score(
        bands,
        cloud,
        azimuth,
        zenith,
        spec.gsd,
        cloud_above=spec.cloud_above,
        dark_below=rule.dark_below,
        water_ndvi_below=rule.water_below,
        heights=(rule.lowest, rule.highest, rule.step),
    )
    quality = quality_score(cloud, shadow, _px(QUALITY_RADIUS_M, spec.gsd))
    return _Scored(quality[inner], layer.cost)


def _reflectance(layer: Layer, plan: ModalityPlan) -> dict[str, NDArray[np.float32]]:
    """Return `(H, W)` reflectance by band, NaN where it was not measured."""
    return {
        band.name: np.where(layer.valid, band.physical(dn), np.float32(np.nan))
        for band, dn in zip(plan.bands, layer.values, strict=True)
    }


def _sun(items: Pass) -> tuple[float, float]:
    """Return azimuth and zenith of the sun [degrees] over the first item.

    Raises:
        ProviderError: The archive does not state them.
    """
    told = items[0].properties
    try:
        azimuth, elevation = float(told["view:sun_azimuth"]), float(told["view:sun_elevation"])
    except (KeyError, TypeError, ValueError):
        raise ProviderError(
            f"item {items[0].id}",
            "the archive does not state view:sun_azimuth and view:sun_elevation",
            "a composite by schmitt-2019 looks for shadows away from the sun.",
            "Use another composite, or a provider that states both.",
        ) from None
    return azimuth, 90.0 - elevation


def _widened(
    window: GeoBox, spec: SchmittComposite, azimuth: float, zenith: float
) -> tuple[GeoBox, tuple[slice, slice]]:
    """Return the coarse grid that tells all about a window, and where the window lies in it.

    Both grids share the north-west corner of the window. The sun's azimuth is taken from grid
    north: the few degrees to true north move the far end of a shadow, not its side.
    """
    reach = shadow_reach(zenith, spec.shadows.highest)
    east, north = sin(radians(azimuth)) * reach, cos(radians(azimuth)) * reach
    gsd, own = spec.gsd, abs(window.affine.a)
    before = (_up(MARGIN_M + max(0.0, north), gsd), _up(MARGIN_M + max(0.0, -east), gsd))
    after = (_up(MARGIN_M + max(0.0, -north), gsd), _up(MARGIN_M + max(0.0, east), gsd))
    size = [ceil(n * own / gsd - 1e-9) for n in window.shape]
    height, width = (b + n + a for b, n, a in zip(before, size, after, strict=True))
    corner = Affine(
        gsd, 0, window.affine.c - before[1] * gsd, 0, -gsd, window.affine.f + before[0] * gsd
    )
    rows, cols = (slice(b, b + n) for b, n in zip(before, size, strict=True))
    return GeoBox((height, width), corner, window.crs), (rows, cols)


def _on(coarse: NDArray[T], window: GeoBox, gsd: float) -> NDArray[T]:
    """Return the value of the coarse pixel under the centre of each pixel of a window."""
    own = abs(window.affine.a)
    rows, cols = (
        np.minimum(((np.arange(n) + 0.5) * own / gsd).astype(np.intp), limit - 1)
        for n, limit in zip(window.shape, coarse.shape, strict=True)
    )
    return coarse[np.ix_(rows, cols)]


def _px(metres: float, gsd: float) -> int:
    return max(1, round(metres / gsd))


def _up(metres: float, gsd: float) -> int:
    return ceil(metres / gsd)
