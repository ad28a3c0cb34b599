"""How fast the cloud mask of s2cloudless comes: through the library's own calls, and through ours.

Usage: python -m benchmarks.s2cloudless [--images 1 8 64] [--threads 1 2] [--repeat 3]

Images are real Level-1C pixels (`tests/data/s2cloudless`), mirrored to 256 x 256, each under
another veil, so that clear and cloudy ones occur. Both sides make probability and mask (threshold
0.4, mean over a disc of 4 px, dilation by 2 px). Times are the best of `--repeat`, by the wall
clock and by the processor's, which others on the machine disturb less; a long stack goes once
through the library. Reading the model and compiling are shown apart. Stops if a probability or a
mask differs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from s2cloudless import S2PixelCloudDetector

from eodata.pipeline.s2cloudless import BANDS, cloud_probability
from eodata.pipeline.threshold import threshold

Floats = NDArray[np.float32]
Seconds = NDArray[np.float64]
REAL = Path(__file__).parents[1] / "tests" / "data" / "s2cloudless" / "l1c.npz"
OFFSET = {"tanzania": 0, "chile": 1000}
OF_MODEL = [0, 1, 3, 4, 7, 8, 9, 10, 11, 12]
SIDE = 256
THICKEST = 0.05
SEN12MS_CR_TS = 467_340
"""Images in SEN12MS-CR-TS, the largest set that is masked this way."""


def images(n: int) -> Floats:
    """Return reflectance `(n, 10, 256, 256)`."""
    with np.load(REAL) as file:
        places = [file[name].astype(np.float32) - offset for name, offset in OFFSET.items()]
    wide = []
    for place in places:
        rest = [(0, 0), *((0, SIDE - edge) for edge in place.shape[1:])]
        dn = np.pad(np.clip(place[OF_MODEL], 0, 10_000), rest, "symmetric")
        wide.append(dn / np.float32(10_000))
    veils = np.linspace(0, THICKEST, SIDE, dtype=np.float32)
    thick = np.linspace(0, 1, n, dtype=np.float32)
    stack = np.stack([wide[i % len(wide)] + t * veils for i, t in enumerate(thick)])
    return np.clip(stack, 0, 1)


def best(call: Callable[[], Any], repeat: int) -> tuple[Seconds, Any]:
    """Return the shortest times, by the wall and by the processor, and what came back."""
    times = []
    for _ in range(repeat):
        start = np.array([time.perf_counter(), time.process_time()])
        answer = call()
        times.append(np.array([time.perf_counter(), time.process_time()]) - start)
    return np.min(times, axis=0), answer


def both(
    detector: S2PixelCloudDetector, reflectance: Floats, threads: int, repeat: int
) -> tuple[Seconds, Seconds]:
    """Return the times of the library and of ours; stop if they do not agree."""
    last = np.ascontiguousarray(reflectance.transpose(0, 2, 3, 1))

    def theirs() -> tuple[Floats, NDArray[np.uint8]]:
        probability = detector.get_cloud_probability_maps(last, num_threads=threads)
        return probability, detector.get_mask_from_prob(probability)

    def ours() -> tuple[Floats, NDArray[np.uint8]]:
        probability = cloud_probability(reflectance, threads=threads)
        valid = np.ones(probability.shape, np.bool_)
        return probability, threshold(
            probability, valid, above=0.4, average_over=4, dilation_size=2
        )

    before, (expected, mask) = best(theirs, repeat if len(reflectance) < 8 else 1)
    after, (probability, ours_mask) = best(ours, repeat)
    np.testing.assert_allclose(probability, expected, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(ours_mask, mask)
    return before, after


def share_of_trees(detector: S2PixelCloudDetector, repeat: int) -> float:
    """Return the part of the library's time that LightGBM takes."""
    image = np.ascontiguousarray(images(1).transpose(0, 2, 3, 1))
    pixels = image.reshape(-1, len(BANDS))
    model = detector.classifier.classifier
    trees, _ = best(lambda: model.predict(pixels, num_threads=1), repeat)
    whole, _ = best(lambda: detector.get_cloud_masks(image, num_threads=1), repeat)
    return float(trees[1] / whole[1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--images", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeat", type=int, default=3)
    asked = parser.parse_args()
    detector = S2PixelCloudDetector(threshold=0.4, average_over=4, dilation_size=2)
    first, _ = best(lambda: cloud_probability(images(1)[:, :, :8, :8]), 1)
    columns = "library [ms]", "ours [ms]", "ratio", "library [CPU ms]", "ours [CPU ms]", "ratio"
    table = Table("images", "threads", *columns, "images/s", title="per image")
    for threads in asked.threads:
        for n in asked.images:
            before, after = (t / n for t in both(detector, images(n), threads, asked.repeat))
            cells = [
                f"{value:.1f}"
                for b, a in zip(before, after, strict=True)
                for value in (1000 * b, 1000 * a, b / a)
            ]
            rates = f"{1 / before[0]:.2f} -> {1 / after[0]:.1f}"
            table.add_row(str(n), str(threads), *cells, rates)
    console = Console(width=120)
    console.print(table)
    console.print(f"reading the model and compiling, once per process: {first[0]:.1f} s")
    share = min(share_of_trees(detector, 5), 1)
    console.print(f"LightGBM's share of the library's time: {share:.0%}")
    hours = [SEN12MS_CR_TS * t[1] / 3600 for t in (before, after)]
    console.print(
        f"{SEN12MS_CR_TS:,} images, as in the last row: {hours[0]:.0f} -> {hours[1]:.1f} core-h"
    )
    console.print("probabilities equal to 1e-7, masks equal")


if __name__ == "__main__":
    main()
