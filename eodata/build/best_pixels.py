"""Composites of best pixels (Schmitt et al. 2019) on a window: score, rank, read what wins.

Clouds are told apart on a coarser grid that reaches beyond the window: by the filters' width on
all sides, and towards the sun by as far as clouds throw shadows. Its pixels lie on one lattice for
the whole CRS, and how cloudy an image is over the area as a whole is measured once per area. So
the windows of an area agree, however it is cut.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from math import ceil, isfinite

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.build.acquire import ContradictedError, Layer
from eodata.build.composing import Canvas, Image, Pass, Reader, guided
from eodata.build.score_grid import grid_azimuth, lattice_over, under, widened
from eodata.core.composite import SchmittComposite
from eodata.core.errors import ProviderError
from eodata.core.modality_plan import ModalityPlan
from eodata.core.outcome import FREE, Cost
from eodata.core.protocols import Provider
from eodata.pipeline.best_pixel import best_of, cloudy_fraction, kept_on_top, quality_score
from eodata.pipeline.cloud_score import SCORE_RADIUS_M, cloud_score
from eodata.pipeline.cloud_shadow import FILTER_REACH, shadow_reach, shadow_score

QUALITY_RADIUS_M = 100.0
"""Half width of the mean filter of the quality: 5 px of 20 m."""
SURVEY_PIXELS = 4 * 1024 * 1024
"""Pixels of an area that are looked at at once."""
LOWEST_SUN = 5.0
"""Elevation [degrees] below which shadows reach too far, 114 km from a cloud of 10 km."""


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
        self._known: dict[Hashable, Survey | str] = {}

    def get(self, key: Hashable, make: Callable[[], Survey]) -> tuple[Survey, Cost]:
        """Return a survey, and what it cost just now: nothing when it was known.

        Raises:
            ProviderError: An item cannot be read; the next who asks tries again.
            ContradictedError: No acquisition is believed; this is remembered, too.
        """
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            known = self._known.get(key)
            if isinstance(known, Survey):
                return known, FREE
            if known is not None:
                raise ContradictedError(known, FREE)
            try:
                found = make()
            except ContradictedError as error:
                self._known[key] = str(error)  # the error itself would keep the task's arrays
                raise
            self._known[key] = found
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
        ContradictedError: Nothing was measured but pixels that are not what the archive says.
    """
    plan, reader = guided(modality, spec.survey_gsd), Reader(provider)
    cloudy = []
    for items in passes:
        scores = _scores(reader, items, plan, ground)
        cloudy.append(float("nan") if scores is None else cloudy_fraction(scores, spec.cloud_above))
    if reader.refused and np.isnan(cloudy).all():
        raise reader.contradicted()
    return Survey(tuple(cloudy), reader.cost)


def _scores(
    reader: Reader, items: Pass, plan: ModalityPlan, ground: GeoBox
) -> NDArray[np.float32] | None:
    """Return the cloud scores of an area, one after the other; None when pixels are not believed.

    They are made in strips, so that a large area fits into the memory.
    """
    rows = max(1, SURVEY_PIXELS // ground.shape[1])
    found = []
    for start in range(0, ground.shape[0], rows):
        strip = ground[start : min(start + rows, ground.shape[0]), :]
        layer = reader.read(items, plan, strip)
        if layer is None:
            return None
        cloud = cloud_score(_reflectance(layer, plan), _px(SCORE_RADIUS_M, plan.gsd))
        found.append(cloud.ravel())
    return np.concatenate(found)


def best_image(
    provider: Provider,
    passes: Sequence[Pass],
    modality: ModalityPlan,
    spec: SchmittComposite,
    window: GeoBox,
    cloudy: Sequence[float],
) -> Image:
    """Return per pixel the best acquisition.

    First come the acquisitions that are nearly free of clouds over the area, the least cloudy on
    top. The others are scored only if that leaves pixels empty.

    Args:
        provider: Reads.
        passes: The acquisitions, the preferred first.
        modality: What to read.
        spec: Settings of the scores.
        window: Onto which grid.
        cloudy: Cloudy fraction of each acquisition over the area. Those of which nothing was
            measured, or believed, are left out: nan.

    Raises:
        ProviderError: An item cannot be read, or does not state where the sun stood.
        ContradictedError: No item's pixels are what its archive says.
    """
    reader = Reader(provider)
    canvas = Canvas(reader, passes, modality, window)
    for number in kept_on_top(cloudy, spec.keep_below):
        canvas.lay(number)
    others = [number for number, share in enumerate(cloudy) if share >= spec.keep_below]
    if canvas.is_full or not others:
        return canvas.image()
    coarse = lattice_over(window, spec.gsd)
    quality = {n: _quality(reader, passes[n], modality, spec, coarse) for n in others}
    best = under(best_of(np.stack([*quality.values()])), window, coarse)
    for place in np.unique(best[best >= 0]):
        canvas.lay(others[place], best == place)
    # At the edge of a swath the coarse grid may promise pixels that the fine one does not have.
    for number in sorted(others, key=lambda number: cloudy[number]):
        canvas.lay(number, under(~np.isnan(quality[number]), window, coarse))
    return canvas.image()


def _quality(
    reader: Reader,
    items: Pass,
    modality: ModalityPlan,
    spec: SchmittComposite,
    coarse: GeoBox,
) -> NDArray[np.float32]:
    """Return the quality on a coarse grid; all NaN for pixels not believed."""
    azimuth, zenith = _sun(items, str(coarse.crs))
    score, mean = _px(SCORE_RADIUS_M, spec.gsd), _px(QUALITY_RADIUS_M, spec.gsd)
    filters = score + ceil(FILTER_REACH / spec.gsd) + mean
    shadows = shadow_reach(zenith, spec.shadows.highest)
    wide, inner = widened(coarse, filters, azimuth, shadows)
    plan = guided(modality, spec.gsd)
    layer = reader.read(items, plan, wide)
    if layer is None:
        return np.full(tuple(coarse.shape), np.nan, np.float32)
    bands, rule = _reflectance(layer, plan), spec.shadows
    cloud = cloud_score(bands, score)
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
    return quality_score(cloud, shadow, mean)[inner]


def _reflectance(layer: Layer, plan: ModalityPlan) -> dict[str, NDArray[np.float32]]:
    """Return `(H, W)` reflectance by band, NaN where it was not measured."""
    return {
        band.name: np.where(layer.valid, band.physical(dn), np.float32(np.nan))
        for band, dn in zip(plan.bands, layer.values, strict=True)
    }


def _sun(items: Pass, crs: str) -> tuple[float, float]:
    """Return azimuth, from grid north, and zenith of the sun [degrees] over the first item.

    Raises:
        ProviderError: The archive does not state them, or the sun is too low.
    """
    told = items[0].properties
    try:
        azimuth, elevation = float(told["view:sun_azimuth"]), float(told["view:sun_elevation"])
    except (KeyError, TypeError, ValueError):
        azimuth = elevation = float("nan")
    if not (isfinite(azimuth) and isfinite(elevation)):
        raise ProviderError(
            f"item {items[0].id}",
            "the archive does not state view:sun_azimuth and view:sun_elevation",
            "a composite by schmitt-2019 looks for shadows away from the sun.",
            "Use another composite, or a provider that states both.",
        )
    if not LOWEST_SUN <= elevation <= 90.0:
        raise ProviderError(
            f"item {items[0].id}",
            f"the sun stood at an elevation of {elevation:g} degrees",
            f"below {LOWEST_SUN:g} degrees the shadows of clouds reach too far to be looked for.",
            "Leave such items out: where: {view:sun_elevation: {min: 10}}.",
        )
    return grid_azimuth(azimuth, items[0].footprint, crs), 90.0 - elevation


def _px(metres: float, gsd: float) -> int:
    return max(1, round(metres / gsd))
