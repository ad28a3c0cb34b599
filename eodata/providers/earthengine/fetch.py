"""From what is wanted of an image to arrays: many requests at once, tiles put together."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox

from eodata.core.errors import ProviderError
from eodata.providers.earthengine.governor import Governor, Traffic
from eodata.providers.earthengine.graph import VALID, Call, bands_with_validity
from eodata.providers.earthengine.pixels import Tile, halves, place_of, tiles
from eodata.providers.earthengine.refusals import TooMuchError
from eodata.providers.earthengine.session import JSON, Client
from eodata.providers.loaded import Loaded, Window
from eodata.providers.remote.failures import broken_off
from eodata.providers.source import Valid, Values


@dataclass(slots=True)
class Layers:
    """Bands of one image on one grid, of which a window is being fetched.

    Attributes:
        name: What it is, for messages: the asset id of an image.
        picture: The image.
        grid: Of the image's pixels, or of a level of its pyramid.
        crs: As Earth Engine writes it.
        window: What is needed.
        dtypes: Type of each band's numbers.
    """

    name: str
    picture: Call
    grid: GeoBox
    crs: str
    window: Window
    dtypes: Mapping[str, np.dtype[np.generic]]
    _dn: dict[str, Values] = field(init=False)
    _known: dict[str, Valid] = field(init=False)

    def __post_init__(self) -> None:
        (top, bottom), (left, right) = self.window
        shape = bottom - top, right - left
        self._dn = {band: np.zeros(shape, dtype) for band, dtype in self.dtypes.items()}
        self._known = {band: np.zeros(shape, np.bool_) for band in self.dtypes}

    @property
    def tiles(self) -> list[Tile]:
        """The requests that it takes."""
        return tiles(self.window, list(self.dtypes), list(self.dtypes.values()))

    def question(self, tile: Tile) -> JSON:
        """Return what to ask for a tile."""
        return {
            "expression": bands_with_validity(self.picture, tile.bands),
            "grid": _grid_json(self.grid, self.crs, tile),
        }

    def put(self, tile: Tile, answer: NDArray[np.void]) -> None:
        """Put a tile where it belongs; no two tiles share a pixel of a band.

        Raises:
            ProviderError: The answer is not what was asked for.
        """
        (top, _), (left, _) = self.window
        (first, last), (west, east) = tile.window
        place = slice(first - top, last - top), slice(west - left, east - left)
        for band in tile.bands:
            self._dn[band][place] = _as_told(self.name, band, answer[band], self.dtypes[band])
            self._known[band][place] = answer[band + VALID] != 0

    def pixels(self, band: str) -> tuple[Values, Valid]:
        """Return a band on the window: numbers, and where they hold."""
        return self._dn[band], self._known[band]

    def source(self, band: str, dtype: np.dtype[np.generic], nodata: float | None) -> Loaded:
        """Return a band as a source of the warp, in a type of its own."""
        dn = self._dn[band].astype(dtype, copy=False)
        return Loaded(self.grid, dtype, self.window, dn, self._known[band], nodata)


class Fetcher:
    """Makes the requests of reads, many at once. Threads share it.

    Args:
        client: Whom to ask.
        governor: Through which.
        at_once: Threads.
    """

    def __init__(self, client: Client, governor: Governor, at_once: int) -> None:
        self._client, self._governor, self._at_once = client, governor, at_once
        self._lock = threading.Lock()
        self._pool: tuple[int, ThreadPoolExecutor] | None = None

    def fill(self, wanted: Sequence[Layers], traffic: Traffic) -> None:
        """Fetch the windows of several layers.

        Raises:
            ProviderError: One of them cannot be had; the others are given up.
        """
        jobs = [(layers, tile) for layers in wanted for tile in layers.tiles]
        if len(jobs) == 1:
            self._fetch(*jobs[0], traffic)
            return
        pool = self._threads()
        futures = [pool.submit(self._fetch, *job, traffic) for job in jobs]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            _raise_first(futures)
        finally:
            for future in futures:
                future.cancel()

    def _fetch(self, layers: Layers, tile: Tile, traffic: Traffic) -> None:
        """Fetch one tile, in halves when the server cannot compute it as a whole."""
        try:
            answer = self._governor.run(lambda: self._ask(layers, tile), traffic)
        except TooMuchError:
            parts = halves(tile)
            if parts is None:
                raise
            for part in parts:
                self._fetch(layers, part, traffic)
            return
        layers.put(tile, answer)

    def _ask(self, layers: Layers, tile: Tile) -> NDArray[np.void]:
        answer = self._client.compute_pixels(layers.name, layers.question(tile))
        names = {*tile.bands, *(band + VALID for band in tile.bands)}
        if answer.shape != tile.shape or not names <= set(answer.dtype.names or ()):
            raise broken_off(
                f"earthengine ({layers.name})",
                f"asked for {tile.shape} pixels of {', '.join(tile.bands)}, it gave {answer.shape} "
                f"of {', '.join(answer.dtype.names or ('no band',))}",
            )
        return answer

    def _threads(self) -> ThreadPoolExecutor:
        """Return the threads of this process: none survive a fork."""
        with self._lock:
            if self._pool is None or self._pool[0] != os.getpid():
                pool = ThreadPoolExecutor(self._at_once, thread_name_prefix="earthengine")
                self._pool = os.getpid(), pool
            return self._pool[1]


def _raise_first(futures: Sequence[Future[None]]) -> None:
    for future in futures:
        if future.done() and not future.cancelled():
            future.result()


def _as_told(image: str, band: str, found: Values, dtype: np.dtype[np.generic]) -> Values:
    """Return numbers in the type that the image's metadata state.

    Raises:
        ProviderError: It does not hold them.
    """
    if found.dtype == dtype:
        return found
    told = found.astype(dtype)
    if not np.array_equal(told, found, equal_nan=dtype.kind == "f"):
        raise ProviderError(
            f"earthengine ({image})",
            f"band {band} holds {found.dtype} numbers that are no {dtype}",
            f"its metadata promise {dtype}.",
            "Plan again; if it stays, report it.",
        )
    return told


def _grid_json(grid: GeoBox, crs: str, tile: Tile) -> JSON:
    height, width = tile.shape
    affine = place_of(grid, tile.window)
    return {
        "dimensions": {"width": width, "height": height},
        "affineTransform": {
            "scaleX": affine.a,
            "shearX": affine.b,
            "translateX": affine.c,
            "shearY": affine.d,
            "scaleY": affine.e,
            "translateY": affine.f,
        },
        "crsWkt" if "[" in crs else "crsCode": crs,
    }
