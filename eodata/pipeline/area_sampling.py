"""Random places over land and towns, the same on every machine. Pure.

So were the areas of SEN1-2 and SEN12MS drawn: per season one seed, 100 points over land and 50 over
urban areas; points too close to another are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from eodata.core.errors import RecipeError

Kind = Literal["land", "urban"]
Floats = NDArray[np.float64]
LonLat = tuple[float, float]
"""Longitude and latitude [degrees]."""

KINDS: tuple[Kind, ...] = ("land", "urban")
EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG) [m]."""
LATITUDES = (-60.0, 84.0)
"""All land but Antarctica, as far north as UTM goes [degrees]."""
DECIMALS = 6
"""Of a degree, 0.1 m: sines differ between machines, but not by that much."""
BATCH = 4096
"""Candidates tried at once."""
MOST_BATCHES = 4096
"""Polygons that fill less than about a millionth of their boxes are given up."""


@dataclass(frozen=True, slots=True)
class Centre:
    """A random place.

    Attributes:
        lon: Longitude [degrees].
        lat: Latitude [degrees].
        kind: What it was drawn over.
        number: Its turn in the draw, from 1; dropped points keep theirs, so that another distance
            renames nothing.
    """

    lon: float
    lat: float
    kind: Kind
    number: int


def sample_centres(
    land: BaseGeometry,
    urban: BaseGeometry,
    *,
    n_land: int,
    n_urban: int,
    seed: int,
    apart: float,
    keep_within: tuple[float, float] = LATITUDES,
    earlier: Iterable[Centre] = (),
) -> list[Centre]:
    """Draw points over land, then over towns, and drop those too near to one before them.

    Dropped points are not drawn anew. Land and towns have streams of their own: how many points one
    gets changes nothing for the other, and fewer points are the first of more.

    Args:
        land: Polygons in EPSG:4326.
        urban: Polygons in EPSG:4326.
        n_land: Points to draw over land.
        n_urban: Points to draw over towns.
        seed: Decides the points.
        apart: Least great-circle distance to every kept point and to those of earlier draws [m].
        keep_within: Lowest and highest latitude of points [degrees].
        earlier: Points of draws before this one.

    Raises:
        RecipeError: Points are asked for where there are no polygons.
    """
    drawn: list[tuple[Kind, LonLat]] = []
    for stream, (kind, polygons, n) in enumerate(
        zip(KINDS, (land, urban), (n_land, n_urban), strict=True)
    ):
        rng = np.random.Generator(np.random.PCG64([seed, stream]))
        drawn += [(kind, point) for point in draw_points(polygons, n, rng, keep_within)]
    centres = [
        Centre(lon, lat, kind, number) for number, (kind, (lon, lat)) in enumerate(drawn, start=1)
    ]
    return drop_near(centres, apart, earlier)


def draw_points(
    land: BaseGeometry,
    n: int,
    rng: np.random.Generator,
    keep_within: tuple[float, float] = (-90.0, 90.0),
) -> list[LonLat]:
    """Return n points, uniform per square kilometre of a sphere over polygons.

    Candidates are even over longitude and the sine of latitude (Lambert's equal-area cylinder) in
    the box of a polygon that is chosen by the area of its box; those inside the polygon are kept.
    They are rounded to 1e-6 degrees.

    Args:
        land: Disjoint polygons in EPSG:4326, cut at the date line.
        n: How many.
        rng: Read three numbers at a time, in batches: share it with nothing that counts on it.
        keep_within: Lowest and highest latitude of points [degrees].

    Raises:
        RecipeError: Points are asked for and the polygons have no area between the latitudes.
    """
    if n == 0:
        return []
    points = list(islice(_points_inside(land, rng, keep_within), n))
    if len(points) < n:
        low, high = keep_within
        raise RecipeError(
            "area.sample",
            f"{n} points are asked for and {len(points)} found",
            f"the polygons have no area, or next to none, between {low:g} and {high:g} degrees of "
            "latitude.",
            "Use polygons in EPSG:4326 that reach there, or ask for 0 points.",
        )
    return points


def drop_near(
    centres: Iterable[Centre], apart: float, earlier: Iterable[Centre] = ()
) -> list[Centre]:
    """Return the centres that are at least `apart` [m] from all kept ones before them.

    Distances are great circles on a sphere of the Earth's mean radius. What was dropped counts no
    more.
    """
    centres, before = list(centres), list(earlier)
    vectors = _unit_vectors([*before, *centres])
    kept = list(range(len(before)))
    for turn in range(len(before), len(vectors)):
        # By chords, which are exact for near points; the cosine of the angle is not.
        chords = np.linalg.norm(vectors[kept] - vectors[turn], axis=1)
        metres = 2.0 * EARTH_RADIUS_M * np.arcsin(np.minimum(chords / 2.0, 1.0))
        if (metres >= apart).all():
            kept.append(turn)
    return [centres[turn - len(before)] for turn in kept[len(before) :]]


def _points_inside(
    land: BaseGeometry, rng: np.random.Generator, keep_within: tuple[float, float]
) -> Iterator[LonLat]:
    """Yield points until so many batches found none that there is no hope."""
    parts = shapely.get_parts(land)
    parts = parts[~shapely.is_empty(parts)]
    shapely.prepare(parts)
    west, low, east, high = _boxes(parts, keep_within)
    heap = np.cumsum((east - west) * (high - low))
    if heap.size == 0 or heap[-1] <= 0:
        return
    idle = 0
    while idle < MOST_BATCHES:
        draw = rng.random((BATCH, 3)).T
        which = np.minimum(np.searchsorted(heap, draw[0] * heap[-1], "right"), heap.size - 1)
        lon = west[which] + draw[1] * (east - west)[which]
        lat = np.degrees(np.arcsin(low[which] + draw[2] * (high - low)[which]))
        lon, lat = lon.round(DECIMALS), lat.round(DECIMALS)
        inside = shapely.contains_xy(parts[which], lon, lat)
        idle = 0 if inside.any() else idle + 1
        yield from zip(lon[inside].tolist(), lat[inside].tolist(), strict=True)


def _boxes(parts: NDArray[np.object_], keep_within: tuple[float, float]) -> Floats:
    """Return west, lowest, east and highest of each polygon, `(4, P)`.

    Longitudes in degrees; heights are sines of latitude, and no box leaves the latitudes.
    """
    boxes = shapely.bounds(parts).T
    boxes[1::2] = np.sin(np.radians(boxes[1::2].clip(*keep_within)))
    return np.asarray(boxes)


def _unit_vectors(centres: Iterable[Centre]) -> Floats:
    """Return the places on the unit sphere, `(N, 3)`."""
    lon, lat = np.radians(np.reshape([(c.lon, c.lat) for c in centres], (-1, 2))).T
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)
