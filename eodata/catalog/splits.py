"""Does what one dataset trains on stand among what another holds out? By key, and by ground.

Datasets of one family share places: a place may be for training in one and for testing in the
other, so a model that saw both was not tested on unseen ground. Training leaks into validation and
test, and validation leaks into test; a store without splits is training as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely import STRtree

from eodata.catalog.split_sources import KEY, Members, key_text
from eodata.core.errors import RecipeError
from eodata.core.split import NO_SPLIT

SLIVER = 1e-4
"""Part of the smaller footprint up to which two footprints only touch.

A footprint has four chords along each edge L of a UTM square, so neighbours of one size share up to
L tan(latitude) / 192 R of their ground by that, R the radius of the Earth: 1e-5 for 2560 m at 80°.
"""
STRICTNESS = {NO_SPLIT: 0, "train": 0, "val": 1, "test": 2}
"""What stands lower must not see the ground of what stands higher."""
PAIRS_AT_ONCE = 100_000
GROUP = ["area_a", "split_a", "area_b", "split_b"]


@dataclass(frozen=True, slots=True)
class Side:
    """One dataset's part in a finding.

    Attributes:
        areas: Ids, sorted.
        split: Where they stand.
        samples: How many samples it is about; None for a list, which does not tell.
        ids: Of these samples, sorted.
    """

    areas: tuple[str, ...]
    split: str
    samples: int | None
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One place in both datasets.

    Attributes:
        kind: `key`: both name it alike. `ground`: their footprints share ground.
        place: The key, or both areas.
        a: In the first dataset.
        b: In the second; within one dataset, its stricter split.
        share: Largest part of the smaller footprint that is shared, in (0, 1]; None by key.
        same_time: Whether any two samples that share ground overlap in time; None if not known.
            For information: ground that was seen at another time leaks all the same.
    """

    kind: Literal["key", "ground"]
    place: str
    a: Side
    b: Side
    share: float | None = None
    same_time: bool | None = None

    @property
    def severity(self) -> Literal["leak", "shared"]:
        """`leak` where one side is held out from the other, else `shared`."""
        return "leak" if self.drop else "shared"

    @property
    def drop(self) -> Literal["", "a", "b"]:
        """Return the side to leave out so that the other stays unseen; `""` when none leaks."""
        a, b = STRICTNESS[self.a.split], STRICTNESS[self.b.split]
        return "" if a == b else "a" if a < b else "b"


@dataclass(frozen=True, slots=True)
class Audit:
    """What was compared, and what was found: leaks first, keys before ground, then by place.

    Attributes:
        by_key: Whether keys were compared.
        by_ground: Whether footprints were compared.
        findings: In the same order for the same input.
    """

    by_key: bool
    by_ground: bool
    findings: tuple[Finding, ...]

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """Findings that spoil a test."""
        return tuple(f for f in self.findings if f.severity == "leak")

    @property
    def shared(self) -> tuple[Finding, ...]:
        """Findings that do no harm: both train there, or both hold it out alike."""
        return tuple(f for f in self.findings if f.severity == "shared")


def audit(a: Members, b: Members | None = None) -> Audit:
    """Compare the splits of two datasets, or of one with itself.

    Args:
        a: One dataset.
        b: The other; None compares the different splits of `a`.

    Raises:
        RecipeError: There is nothing to compare by: no keys on both sides, nor footprints.
    """
    other = a if b is None else b
    by_key = bool(a.keyed.any() and other.keyed.any())
    by_ground = bool(a.grounded.any() and other.grounded.any())
    if not (by_key or by_ground):
        raise RecipeError(
            "split audit",
            f"{a.name} and {other.name} have nothing to be compared by"
            if b
            else f"{a.name} has nothing to be compared by",
            "that takes season and scene of areas, or footprints of samples, on both sides.",
            "Fill in season and scene where they are known, or name a built store.",
        )
    found = [*_by_key(a, b)] if by_key else []
    found += _by_ground(a, b) if by_ground else []
    return Audit(by_key, by_ground, tuple(sorted(found, key=_order)))


def _by_key(a: Members, b: Members | None) -> Iterator[Finding]:
    mine = _sides(a)
    theirs = mine if b is None else _sides(b)
    for key in mine.keys() & theirs.keys():
        pairs: Iterable[tuple[Side, Side]] = (
            combinations(mine[key], 2) if b is None else product(mine[key], theirs[key])
        )
        for one, two in pairs:
            # Cells of one area may stand in different splits, and a season and a number may mean
            # other places in other families: where both sides show their ground, it decides.
            if a.grounded.all() and (one.areas == two.areas if b is None else b.grounded.all()):
                continue
            yield Finding("key", key, one, two)


def _sides(members: Members) -> dict[str, list[Side]]:
    """Return by key what stands there, one side per split, the laxer splits first."""
    sides: dict[str, list[Side]] = {}
    known = members.table[members.keyed]
    for (season, scene, split), rows in known.groupby([*KEY, "split"], sort=True):
        areas = tuple(sorted(set(rows["area"])))
        ids = tuple(sorted(rows["id"])) if members.kind == "store" else ()
        samples = len(ids) if members.kind == "store" else None
        sides.setdefault(key_text(season, scene), []).append(Side(areas, split, samples, ids))
    return {key: sorted(at, key=lambda side: STRICTNESS[side.split]) for key, at in sides.items()}


def _by_ground(a: Members, b: Members | None) -> list[Finding]:
    other = a if b is None else b
    mine, theirs = _meetings(a.ground, other.ground)
    if b is None:
        # Each pair is met from both ends; the one that begins at the laxer split is kept.
        strict = a.table["split"].map(STRICTNESS).to_numpy()
        laxer = strict[mine] < strict[theirs]
        mine, theirs = mine[laxer], theirs[laxer]
    share = _shares(a.ground, other.ground, mine, theirs)
    real = share > SLIVER
    met = _met(a.table.iloc[mine[real]], other.table.iloc[theirs[real]], share[real])
    return [_ground_finding(names, rows) for names, rows in met.groupby(GROUP, sort=True)]


def _meetings(a: NDArray[Any], b: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return positions in `a` and in `b` of footprints that touch."""
    found = STRtree(b).query(a, predicate="intersects")
    return found[0], found[1]


def _shares(
    a: NDArray[Any], b: NDArray[Any], mine: NDArray[np.intp], theirs: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return for each pair the part of the smaller footprint that both cover, in [0, 1]."""
    share = np.zeros(len(mine))
    for first in range(0, len(mine), PAIRS_AT_ONCE):
        part = slice(first, first + PAIRS_AT_ONCE)
        one, two = a[mine[part]], b[theirs[part]]
        smaller = np.minimum(shapely.area(one), shapely.area(two))
        both = shapely.area(shapely.intersection(one, two))
        np.divide(both, smaller, out=share[part], where=smaller > 0)
    # What fully covers the other may come out a last digit above 1.
    return np.minimum(share, 1.0)


def _met(one: pd.DataFrame, two: pd.DataFrame, share: NDArray[np.float64]) -> pd.DataFrame:
    """Return one row per pair of samples that share ground."""
    one, two = one.reset_index(drop=True), two.reset_index(drop=True)
    known = one[["start", "end"]].notna().all(axis=1) & two[["start", "end"]].notna().all(axis=1)
    together = known & (one["start"] < two["end"]) & (two["start"] < one["end"])
    columns = ["id", "area", "split"]
    pairs = one[columns].add_suffix("_a").join(two[columns].add_suffix("_b"))
    return pairs.assign(share=share, known=known, together=together)


def _ground_finding(names: tuple[str, str, str, str], rows: pd.DataFrame) -> Finding:
    area_a, split_a, area_b, split_b = names
    same = bool(rows["together"].any()) if rows["known"].all() else None
    return Finding(
        "ground",
        f"{area_a} / {area_b}",
        _ground_side(area_a, split_a, rows["id_a"]),
        _ground_side(area_b, split_b, rows["id_b"]),
        float(rows["share"].max()),
        same,
    )


def _ground_side(area: str, split: str, ids: pd.Series) -> Side:
    told = tuple(sorted(set(ids)))
    return Side((area,), split, len(told), told)


def _order(found: Finding) -> tuple[object, ...]:
    splits = STRICTNESS[found.a.split], STRICTNESS[found.b.split]
    leading = found.severity != "leak", found.kind != "key"
    return (*leading, _natural(found.place), splits, found.a.split, found.b.split)


def _natural(text: str) -> list[tuple[int, str]]:
    """Order numbers by value: summer_9 comes before summer_100."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", text)]
