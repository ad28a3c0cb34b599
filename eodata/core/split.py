"""Splits that do not leak: by area, by list, by cell of ground, with a distance kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import cos, inf, radians

import numpy as np
from shapely import STRtree
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from eodata.core.errors import RecipeError, nearest
from eodata.core.patch import Area, Patch
from eodata.core.recipe import SPLITS, SplitSpec
from eodata.core.reproject import WGS84, reproject, split_at_date_line

# A tenth below the shortest degree, because a CRS may stretch its metres.
DEGREES_PER_METRE = 1.0 / 100_000.0
EARTH_M = 2e7
HULL_PARTS = 64
"""Into so many parts the edges of a box around patches are cut before they bend."""
NO_SPLIT = "all"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where one patch stands.

    Attributes:
        split: train, val, test, or `all` for recipes without a split.
        cell: Id of the unit of ground that goes to one split as a whole.
        rejected: Why the patch is left out; `""` when it is not.
    """

    split: str
    cell: str
    rejected: str = ""


def assign(
    patches: Sequence[Patch],
    areas: Mapping[str, Area],
    spec: SplitSpec | None,
    listed: Mapping[str, str],
    stride: float,
    seed: int,
) -> list[Placed]:
    """Place every patch in a split; same input, same answer.

    An area with a split of its own goes there as a whole, whatever the rule says of the others.

    Args:
        patches: In store order.
        areas: By id.
        spec: The recipe's rule; None puts everything into `all`.
        listed: Split per area id from the recipe's list; empty without one.
        stride: Distance of neighbouring patches [m].
        seed: Decides which cells go where.

    Raises:
        RecipeError: An area is in no list, or a split name is unknown.
    """
    if spec is None:
        return [Placed(NO_SPLIT, patch.area) for patch in patches]
    cells = [_cell_of(patch, spec, stride) for patch in patches]
    fixed = {
        area.id: _listed_split(area, listed)
        for area in areas.values()
        if area.split or spec.fractions is None
    }
    by_cell: dict[str, str] = {}
    if spec.fractions is not None:
        free = {cell for patch, cell in zip(patches, cells, strict=True) if patch.area not in fixed}
        by_cell = _share_out(free, {str(k): v for k, v in spec.fractions.items()}, seed)
    splits = [
        fixed[patch.area] if patch.area in fixed else by_cell[cell]
        for patch, cell in zip(patches, cells, strict=True)
    ]
    reasons = _too_close(patches, splits, spec.min_distance)
    return [Placed(s, c, r) for s, c, r in zip(splits, cells, reasons, strict=True)]


def smallest_distance(patches: Sequence[Patch], splits: Sequence[str]) -> float | None:
    """Return the distance between the nearest patches of different splits [m], None for one split.

    Exact within one CRS; across CRS the second patch is projected into the CRS of the first.
    """
    if len(set(splits)) < 2:
        return None
    within = _nearest_within_crs(patches, splits)
    radius = min(within, _near_pair_across_crs(patches, splits), EARTH_M)
    pairs = _cross_pairs(patches, splits, radius, across_crs=True) if _n_crs(patches) > 1 else ()
    found = min((d for _, _, d in pairs), default=inf)
    return min(found, within) if min(found, within) < inf else None


def _n_crs(patches: Sequence[Patch]) -> int:
    return len({p.crs for p in patches})


def _nearest_within_crs(patches: Sequence[Patch], splits: Sequence[str]) -> float:
    """Return the smallest distance of patches that share a CRS [m]; exact, without all pairs."""
    outlines = np.array([p.polygon for p in patches])
    crs, names = np.array([p.crs for p in patches]), np.array(splits)
    best = inf
    for one in sorted(set(crs)):
        for name in sorted(set(splits)):
            mine, others = outlines[(crs == one) & (names == name)], (crs == one) & (names != name)
            _, found = STRtree(outlines[others]).query_nearest(
                mine, return_distance=True, all_matches=False
            )
            best = min(best, float(found.min(initial=inf)))
    return best


def _near_pair_across_crs(patches: Sequence[Patch], splits: Sequence[str]) -> float:
    """Return the distance of one near pair of different CRS [m]; it bounds the exact search."""
    if _n_crs(patches) < 2:
        return inf
    footprints = np.array([p.footprint for p in patches])
    crs, names = np.array([p.crs for p in patches]), np.array(splits)
    best = inf
    for one in sorted(set(crs)):
        for name in sorted(set(splits)):
            mine = np.flatnonzero((crs == one) & (names == name))
            others = np.flatnonzero((crs != one) & (names != name))
            pairs, degrees = STRtree(footprints[others]).query_nearest(
                footprints[mine], return_distance=True, all_matches=False
            )
            if degrees.size:
                i, j = pairs[:, degrees.argmin()]
                best = min(best, _distance(patches[mine[i]], patches[others[j]]))
    return best


def _cell_of(patch: Patch, spec: SplitSpec, stride: float) -> str:
    if spec.by == "area" or spec.cell is None:
        return patch.area
    n = round(spec.cell / stride)
    return f"{patch.area}_c{patch.row // n}_{patch.col // n}"


def _listed_split(area: Area, listed: Mapping[str, str]) -> str:
    split = area.split or listed.get(area.id, "")
    if split not in SPLITS:
        raise RecipeError(
            f"split of area {area.id}",
            f'"{split}"' if split else "it stands in no list and has no split of its own",
            f"every area needs one of {', '.join(SPLITS)}.",
            nearest(split, SPLITS) if split else "Add a row to split.file, or fractions.",
        )
    return split


def _share_out(cells: set[str], fractions: Mapping[str, float], seed: int) -> dict[str, str]:
    """Give each cell a split: shuffled by a hash of seed and id, then cut by largest remainder."""
    names = [name for name in SPLITS if fractions.get(name, 0.0) > 0]
    exact = {name: fractions[name] * len(cells) for name in names}
    counts = {name: int(exact[name] + 1e-9) for name in names}
    by_remainder = sorted(names, key=lambda n: (counts[n] - exact[n], SPLITS.index(n)))
    for name in by_remainder[: len(cells) - sum(counts.values())]:
        counts[name] += 1
    for name in names:
        # Rounding must not lose a split that was asked for.
        if not counts[name] and len(cells) >= len(names):
            counts[max(names, key=lambda n: counts[n])] -= 1
            counts[name] = 1
    shuffled = sorted(cells, key=lambda cell: sha256(f"{seed}:{cell}".encode()).digest())
    labels = [name for name in names for _ in range(counts[name])]
    return dict(zip(shuffled, labels, strict=True))


def _too_close(patches: Sequence[Patch], splits: Sequence[str], limit: float) -> list[str]:
    """Return for each patch why it must go: the train side of a pair first, then val."""
    reasons = [""] * len(patches)
    for i, j, distance in _cross_pairs(patches, splits, limit):
        overlap = distance == 0.0 and _overlap(patches[i], patches[j])
        if not overlap and distance >= limit:
            continue
        loser, other = (i, j) if SPLITS.index(splits[i]) < SPLITS.index(splits[j]) else (j, i)
        if reasons[loser] or reasons[other]:
            continue
        what = "overlaps" if overlap else f"is {distance:.0f} m from"
        reasons[loser] = f"split-distance: {what} {patches[other].id} of {splits[other]}"
    return reasons


def _cross_pairs(
    patches: Sequence[Patch], splits: Sequence[str], radius: float, *, across_crs: bool = False
) -> Iterable[tuple[int, int, float]]:
    """Yield `(i, j, distance [m])` of patches in different splits that may be within `radius`.

    With `across_crs` only patches of different CRS make a pair.
    """
    near = _in_near_groups(patches, splits, radius)
    footprints = [patches[i].footprint for i in near]
    tree = STRtree(footprints)
    for i, footprint in zip(near, footprints, strict=True):
        for j in sorted(near[int(k)] for k in tree.query(_grow(footprint, radius))):
            if across_crs and patches[i].crs == patches[j].crs:
                continue
            if j > i and splits[i] != splits[j]:
                yield i, j, _distance(patches[i], patches[j])


def _in_near_groups(patches: Sequence[Patch], splits: Sequence[str], radius: float) -> list[int]:
    """Return the patches of groups that another split comes near, in order.

    A group is what one area has of one split. Most areas lie far from all others and are of one
    split, and their patches need not be looked at one by one.
    """
    groups: dict[tuple[str, str, str], list[int]] = {}
    for i, (patch, split) in enumerate(zip(patches, splits, strict=True)):
        groups.setdefault((patch.area, patch.crs, split), []).append(i)
    grown = [_grow(_hull([patches[i] for i in group]), radius) for group in groups.values()]
    names = list(groups)
    pairs = zip(*STRtree(grown).query(grown), strict=True)
    near = {int(a) for a, b in pairs if names[a][2] != names[b][2]}
    return sorted(i for number in near for i in groups[names[number]])


def _hull(patches: Sequence[Patch]) -> BaseGeometry:
    """Return the box around patches of one CRS, EPSG:4326; rather too large."""
    left, bottom = min(p.left for p in patches), min(p.top - p.size for p in patches)
    right, top = max(p.left + p.size for p in patches), max(p.top for p in patches)
    size = patches[0].size
    # Its edges bend less than a patch between the points that are carried over.
    outline = box(left - size, bottom - size, right + size, top + size)
    step = max(right - left, top - bottom) / HULL_PARTS
    return split_at_date_line(reproject(outline, patches[0].crs, WGS84, step))


def _grow(footprint: BaseGeometry, radius: float) -> BaseGeometry:
    """Return a box in EPSG:4326 that holds all ground within `radius` [m]; rather too large."""
    west, south, east, north = footprint.bounds
    d_lat = radius * DEGREES_PER_METRE + 1e-9
    south, north = max(-90.0, south - d_lat), min(90.0, north + d_lat)
    highest = max(abs(south), abs(north))
    d_lon = d_lat / cos(radians(highest)) if highest < 89.0 else 360.0
    west, east = west - d_lon, east + d_lon
    if west < -180.0 or east > 180.0:
        west, east = -180.0, 180.0  # it reaches over the date line or a pole
    return box(west, south, east, north)


def _in_crs_of(other: Patch, first: Patch) -> BaseGeometry:
    return reproject(other.polygon, other.crs, first.crs, other.size / 4)


def _distance(a: Patch, b: Patch) -> float:
    return float(a.polygon.distance(_in_crs_of(b, a)))


def _overlap(a: Patch, b: Patch) -> bool:
    return bool(a.polygon.intersection(_in_crs_of(b, a)).area > 1e-6 * a.size**2)
