"""Cloud probability of Sentinel-2 Level-1C: the model of s2cloudless, read many pixels at a time.

The library spends 99 % of its time in LightGBM, which leads each pixel alone through 170 trees of
770 leaves and waits for memory at every node; `eodata.pipeline.forest` leads neighbours together.
The model is read from the installed library when it is first needed. Pure: arrays in, arrays out.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from eodata.core.derivation import S2_CLOUDLESS_BANDS
from eodata.core.errors import RecipeError
from eodata.pipeline.forest import SIDE, Forest, read_forest, walker

BANDS = S2_CLOUDLESS_BANDS
"""What the model reads, in its order."""
PACKAGE = "s2cloudless"

_LOADING = Lock()


def cloud_probability(reflectance: NDArray[np.float32], *, threads: int = 1) -> NDArray[np.float32]:
    """Return how probable cloud is, as `S2PixelCloudDetector.get_cloud_probability_maps` does.

    Values are equal to those of the library, bit for bit on the machines where it was tried; only
    another exponential function could make a difference, of one unit in the last place.

    Args:
        reflectance: `(N, 10, H, W)` top of atmosphere, of `BANDS`, without offset; clipped to
            [0, 1], as published. Not-a-number counts as 0. C order and float32 save a copy.
        threads: How many run at once. 1 is best where several tasks run side by side in threads
            already: the work holds no lock of the interpreter. Else the number of cores.

    Returns:
        `(N, H, W)` in [0, 1].

    Raises:
        RecipeError: The extra `cloudmask` is not installed, its model is of another kind, or the
            input is not of ten bands.
    """
    if reflectance.ndim != 4 or reflectance.shape[1] != len(BANDS):
        raise RecipeError(
            PACKAGE,
            f"reflectance has the shape {reflectance.shape}",
            "the model reads (N, 10, H, W).",
            f"Give the bands {', '.join(BANDS)}, in this order.",
        )
    check_installed()
    with _LOADING:
        walk, forest = walker(), _forest()
    pixels = np.ascontiguousarray(reflectance, np.float32)
    n, _, height, width = pixels.shape
    out = np.empty((n, height, width), np.float32)
    rows = n * -(-height // SIDE)
    # Cloudy squares take longer than clear ones: small parts keep all threads busy.
    cuts = np.linspace(0, rows, 1 + (4 * threads if threads > 1 else 1)).astype(int).tolist()
    parts = [(pixels, *part, *forest, out) for part in pairwise(cuts)]
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(walk, *zip(*parts, strict=True)))
    else:
        walk(*parts[0])
    return out


def check_installed() -> None:
    """Refuse to go on without the packages of the extra `cloudmask`; imports none of them.

    Raises:
        RecipeError: One is missing.
    """
    missing = [package for package in (PACKAGE, "numba") if find_spec(package) is None]
    if missing:
        raise RecipeError(
            PACKAGE,
            f"{', '.join(missing)} is not installed",
            "the cloud mask is made with it.",
            "Install the extra: pip install 'eodata[cloudmask]'.",
        )


@cache
def _forest() -> Forest:
    """Read the model of the installed library."""
    detector = import_module(PACKAGE).S2PixelCloudDetector()
    return read_forest(detector.classifier.classifier.model_to_string())
