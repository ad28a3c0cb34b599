"""Splits that do not leak: by area, by list, by cell of ground, with a distance kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import cos, radians

from odc.geo import CRS
from odc.geo.geom import Geometry
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from eodata.core.errors import RecipeError, nearest
from eodata.core.patch import Area, Patch
from eodata.core.recipe import SPLITS, SplitSpec

DEGREES_PER_METRE = 1.0 / 110_000.0
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
    if spec.fractions is not None:
        by_cell = _share_out(set(cells), {str(k): v for k, v in spec.fractions.items()}, seed)
    else:
        by_cell = {a.id: _listed_split(a, listed) for a in areas.values()}
    splits = [by_cell[cell] for cell in cells]
    reasons = _too_close(patches, splits, spec.min_distance)
    return [Placed(s, c, r) for s, c, r in zip(splits, cells, reasons, strict=True)]


def smallest_distance(patches: Sequence[Patch], splits: Sequence[str]) -> float | None:
    """Return the distance between the nearest patches of different splits [m], None for one split.

    Exact within one CRS; across CRS the second patch is projected into the CRS of the first.
    """
    radius = max((p.size for p in patches), default=0.0)
    while radius < 2e7 and len(set(splits)) > 1:
        found = [d for _, _, d in _cross_pairs(patches, splits, radius)]
        if found:
            return min(found)
        radius *= 8
    return None


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
    patches: Sequence[Patch], splits: Sequence[str], radius: float
) -> Iterable[tuple[int, int, float]]:
    """Yield `(i, j, distance [m])` of patches in different splits that may be within `radius`."""
    footprints = [p.footprint for p in patches]
    tree = STRtree(footprints)
    for i, footprint in enumerate(footprints):
        for j in sorted(int(k) for k in tree.query(_grow(footprint, radius))):
            if j > i and splits[i] != splits[j]:
                yield i, j, _distance(patches[i], patches[j])


def _grow(footprint: BaseGeometry, radius: float) -> BaseGeometry:
    latitude = min(89.0, max(abs(y) for y in footprint.bounds[1::2]))
    return footprint.envelope.buffer(radius * DEGREES_PER_METRE / cos(radians(latitude)) + 1e-9)


def _in_crs_of(other: Patch, first: Patch) -> BaseGeometry:
    if other.crs == first.crs:
        return other.polygon
    outline = Geometry(other.polygon, CRS(other.crs))
    return outline.to_crs(CRS(first.crs), resolution=other.size / 4).geom


def _distance(a: Patch, b: Patch) -> float:
    return float(a.polygon.distance(_in_crs_of(b, a)))


def _overlap(a: Patch, b: Patch) -> bool:
    return bool(a.polygon.intersection(_in_crs_of(b, a)).area > 1e-6 * a.size**2)
