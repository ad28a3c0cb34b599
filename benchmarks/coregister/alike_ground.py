"""Pairs of images of one kind of sensor: simulated ones of known shift, and real dates."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import NotGeoreferencedWarning
from scipy import ndimage

from benchmarks.sandbox import OPEN_GROUND, places_of
from benchmarks.squares import (
    PIXEL_M,
    Place,
    Square,
    at_ratio,
    clear_squares,
    land_places,
    reflectance,
    squares,
)
from eodata.core.sandbox_spec import Defects, SandboxSettings
from eodata.pipeline.coregister.evidence import View
from eodata.sandbox.archive import SandboxArchive
from eodata.sandbox.items import SandboxItem

Shift = tuple[float, float]
Floats = NDArray[np.float64]
SETTINGS = SandboxSettings(seed=1)
BANDS = ("B04", "B08")
FINE = ("B02", "B03", "B04", "B08")
COARSE = ("B05", "B06", "B07", "B8A", "B11", "B12")
HIDDEN = (0, 1, 3, 8, 9, 10)
"""What SCL says of pixels that do not show the ground: nodata, defects, shadows and clouds."""
SEEN = (2, 4, 5, 6, 7)
"""The same for what does."""
DATES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two images of one ground, or of two.

    Attributes:
        image: The displaced one; SCL tells its valid pixels.
        reference: The other.
        shift: Truth (row, col) [px], None when they show different ground.
        cloud: Share of the ground that clouds or their shadows truly hide in either.
    """

    image: View
    reference: View
    shift: Shift | None
    cloud: float

    def part(self, size: int) -> Pair:
        """Return the upper left part."""
        sides = (
            View(side.values[:, :size, :size], side.valid[:size, :size])
            for side in (self.image, self.reference)
        )
        return Pair(*sides, self.shift, self.cloud)

    @property
    def untold(self) -> Pair:
        """The same pair when nobody tells where the clouds are."""
        sides = (
            View(side.values, np.ones_like(side.valid)) for side in (self.image, self.reference)
        )
        return Pair(*sides, self.shift, self.cloud)


def planted(**defects: float) -> SandboxArchive:
    """Return the simulated Earth with some defects."""
    return SandboxArchive(SETTINGS.model_copy(update={"defects": Defects(**defects)}))


def shift_of(item: SandboxItem) -> Shift:
    """Return what was planted in an item [10 m px]."""
    east, north = (metres / PIXEL_M for metres in item.origin.shift)
    return -north, east


def date_pairs(places: int, seed: int = 11) -> Iterator[list[Pair]]:
    """Yield pairs of dates of Sentinel-2 by place, 480 px of red and near infrared, any clouds."""
    plain, moved = planted(), planted(shift_rate=1, shift_px=5)
    for place in land_places(places, seed, days=60):
        by_grid: dict[object, list[Square]] = {}
        for square in squares(plain, "sentinel-2-l2a", place):
            same = by_grid.setdefault(square.grid, [])
            same.append(square)
            if len(same) == DATES:
                break
        same = max(by_grid.values(), key=len, default=[])
        dates = [_date(plain, moved, square) for square in same]
        yield [
            Pair(image, reference, shift, max(cloud, other))
            for (_, image, shift, cloud), (reference, _, _, other) in combinations(dates, 2)
        ]


def _date(
    plain: SandboxArchive, moved: SandboxArchive, square: Square
) -> tuple[View, View, Shift, float]:
    item = moved.collections[square.item.collection].get(square.item.id)
    twin = Square(item, square.row, square.col, square.size)
    truth = plain.truth(square.item, square.grid)
    cloud = float((truth["cloud"] | truth["shadow"]).mean())
    return _optical(plain, square), _optical(moved, twin), shift_of(item), cloud


def _optical(archive: SandboxArchive, square: Square) -> View:
    scl = archive.read_many(square.item, {"SCL": square.window("SCL")})["SCL"]
    valid = ~np.isin(at_ratio(scl.astype(np.float32), square.item.layers["SCL"].ratio, 1), HIDDEN)
    return View(reflectance(archive, square, BANDS), valid)


def unrelated(places: Sequence[list[Pair]]) -> Iterator[Pair]:
    """Yield pairs of one image here and one there."""
    some = [pairs[0] for pairs in places if pairs]
    for one, other in zip(some, some[1:] + some[:1], strict=True):
        yield Pair(one.image, other.reference, None, max(one.cloud, other.cloud))


def radar_pairs(places: int) -> Iterator[Pair]:
    """Yield pairs of dates of Sentinel-1, 480 px of VV and VH, of any orbits."""
    plain, moved = planted(), planted(shift_rate=1, shift_px=5)
    for place in places_of(OPEN_GROUND)[:places]:
        square = next(squares(plain, "sentinel-2-l1c", place), None)
        dates = list(_radar(plain, moved, square, place)) if square else []
        for (_, image, shift), (reference, _, _) in combinations(dates, 2):
            yield Pair(image, reference, shift, 0.0)


def _radar(
    plain: SandboxArchive, moved: SandboxArchive, square: Square, place: Place
) -> Iterator[tuple[View, View, Shift]]:
    """Yield up to four dates on the pixels of an optical square: as they are, displaced, by how."""
    found = plain.collections["sentinel-1-grd"].find(place.ground, place.span)
    for count, item in enumerate(found):
        affine, (height, width) = item.base.affine, item.base.shape
        row = round((square.grid.affine.f - affine.f) / affine.e)
        col = round((square.grid.affine.c - affine.c) / affine.a)
        inside = 0 <= row <= height - square.size and 0 <= col <= width - square.size
        if item.base.crs == square.grid.crs and inside and count < 3 * DATES:
            twin = moved.collections["sentinel-1-grd"].get(item.id)
            window = (row, row + square.size), (col, col + square.size)
            asked = {"vv": window, "vh": window}
            sides = (
                archive.read_many(one, asked) for archive, one in ((plain, item), (moved, twin))
            )
            views = [_all_of(np.stack([side["vv"], side["vh"]])) for side in sides]
            if all(np.isfinite(view.values).all() for view in views):
                yield *views, shift_of(twin)


def _all_of(values: NDArray[np.generic]) -> View:
    return View(values.astype(np.float32), np.ones(values.shape[1:], np.bool_))


def band_pairs(size: int = 256) -> Iterator[tuple[str, str, Pair]]:
    """Yield bands of one clear item against B04 and B08, with bands planted 3 px apart at most.

    Bands of 20 m are compared on their own pixels, with means of four of the finer one's.
    """
    plain, apart = planted(), planted(band_shift_px=3)
    for place in places_of(OPEN_GROUND):
        square = next(clear_squares(plain, place, "sentinel-2-l2a"), None)
        if square is None:
            continue
        item = apart.collections[square.item.collection].get(square.item.id)
        twin = Square(item, square.row, square.col, square.size)
        for reference in ("B04", "B08"):
            for band in (*FINE, *COARSE):
                ratio = 2 if band in COARSE else 1
                if band != reference:
                    sides = (reflectance(apart, twin, (key,), ratio) for key in (band, reference))
                    views = (_all_of(side[:, : size // ratio, : size // ratio]) for side in sides)
                    own, other = (item.origin.band_shifts[key] for key in (band, reference))
                    east, north = (
                        (a - b) / PIXEL_M / ratio for a, b in zip(own, other, strict=True)
                    )
                    yield reference, band, Pair(*views, (-north, east), 0.0)


def warped(view: View, field: Floats) -> View:
    """Return a view displaced by a field `(2, H, W)` of shifts [px], by cubic splines."""
    rows, cols = np.indices(view.valid.shape) - field
    bands = [ndimage.map_coordinates(band, [rows, cols], mode="nearest") for band in view.values]
    share = ndimage.map_coordinates(view.valid.astype(np.float32), [rows, cols], order=1)
    return View(np.stack(bands).astype(np.float32), share > 0.999)


def smooth_field(size: int, terms: int, strength: float, rng: np.random.Generator) -> Floats:
    """Return a random field `(2, size, size)` of up to `strength` px around a random mean."""
    rows, cols = np.indices((size, size)) / (size / 2) - 1
    shapes = np.stack([rows, cols, rows**2 - 1 / 3, rows * cols, cols**2 - 1 / 3])[: terms - 1]
    factors = rng.uniform(-1, 1, (2, len(shapes)))
    bent = np.tensordot(factors, shapes, 1)
    bent *= strength / max(float(np.abs(bent).max()), 1e-9)
    return bent + rng.uniform(-2, 2, (2, 1, 1))


def real_dates(folder: Path, share: float = 0.9) -> list[View]:
    """Return the clear dates of Sentinel-2 of WorldCereal patches, red and near infrared."""
    dates = []
    for path in sorted(folder.rglob("S2_L2A_10m_*.nc")):
        fine = [_netcdf(path, band) for band in BANDS]
        coarse = next(path.parent.glob("S2_L2A_20m_*.nc"))
        clear = np.isin(_netcdf(coarse, "SCL"), SEEN).repeat(2, 1).repeat(2, 2)
        for values, valid in zip(np.stack(fine, axis=1), clear, strict=True):
            if valid.mean() >= share:
                dates.append(View(values.astype(np.float32), valid))
    return dates


def _netcdf(path: Path, name: str) -> NDArray[np.generic]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(f"netcdf:{path}:{name}") as variable:
            values: NDArray[np.generic] = variable.read()
    return values
