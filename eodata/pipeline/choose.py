"""Choose which acquisition fills which step. Pure; ties go to the smaller id.

The question is answered once per area, modality and step, so that the patches of one area never
disagree about a date.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from shapely import make_valid
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

from eodata.core.composite import Composite
from eodata.core.item import Acquisition, Item
from eodata.core.recipe_modality import Choose, Pair
from eodata.core.span import Span, format_utc

EVERY_CLOUD = Choose()
MOST_OF = 0.9
"""Of the ground that the best partner shows; one that shows less is second choice."""
SLIVER = 1e-6
"""Share of the ground that no item needs to be read for: what rounded outlines leave."""


def choose_acquisition(
    candidates: Sequence[Acquisition], step: Span, ground: BaseGeometry, rule: Choose
) -> tuple[Acquisition | None, str]:
    """Return the acquisition for one step, or None and the reason for the gap.

    Args:
        candidates: Acquisitions of one collection, any time.
        step: The step.
        ground: The area, EPSG:4326.
        rule: The recipe's rule.
    """
    inside = [a for a in candidates if a.datetime in step and _coverage(a, ground) > 0]
    if not inside:
        return None, "no acquisition in this step"
    fitting = _within_limits(inside, rule)
    if not fitting:
        return None, _too_cloudy(inside, rule)
    return min(fitting, key=lambda a: (*_rank(a, step, ground, rule), a.id)), ""


def composite_acquisitions(
    candidates: Sequence[Acquisition],
    step: Span,
    ground: BaseGeometry,
    rule: Choose,
    composite: Composite,
) -> tuple[tuple[Acquisition, ...], str]:
    """Return the acquisitions of one composite, the one on top first, or none and the reason.

    Args:
        candidates: Acquisitions of one collection, any time.
        step: The step.
        ground: The area, EPSG:4326.
        rule: The recipe's rule; ranks them when only some are taken.
        composite: The recipe's rule for what lies on top.
    """
    inside = [a for a in candidates if a.datetime in step and _coverage(a, ground) > 0]
    if not inside:
        return (), "no acquisition in this step"
    fitting = _within_limits(inside, rule)
    if not fitting:
        return (), _too_cloudy(inside, rule)
    ranked = sorted(fitting, key=lambda a: (*_rank(a, step, ground, rule), a.id))
    taken = ranked[: composite.at_most]
    if composite.by == "latest-on-top":
        taken = sorted(taken, key=lambda a: (a.datetime, a.id), reverse=True)
    if composite.by == "least-cloudy-on-top":
        taken = sorted(taken, key=lambda a: (_cloud(a), a.datetime, a.id))
    return tuple(taken), ""


def _within_limits(candidates: Sequence[Acquisition], rule: Choose) -> list[Acquisition]:
    highest = 100.0 if rule.max_cloud is None else rule.max_cloud
    lowest = 0.0 if rule.min_cloud is None else rule.min_cloud
    known = [a for a in candidates if a.cloud is not None or rule.min_cloud is None]
    return [a for a in known if lowest <= _cloud(a) <= highest]


def _too_cloudy(candidates: Sequence[Acquisition], rule: Choose) -> str:
    """Say why none of the candidates is within the limits of cloud cover."""
    if rule.min_cloud is not None:
        limits = f"{rule.min_cloud:g} to {100.0 if rule.max_cloud is None else rule.max_cloud:g} %"
        return f"no acquisition of {len(candidates)} has {limits} cloud"
    limit = 100.0 if rule.max_cloud is None else rule.max_cloud
    lowest = min(candidates, key=lambda a: (_cloud(a), a.id))
    stated = "none states it" if lowest.cloud is None else f"lowest {lowest.cloud:g} %"
    return (
        f"no acquisition of {len(candidates)} has at most {limit:g} % cloud ({stated}, {lowest.id})"
    )


def pair_acquisition(
    candidates: Sequence[Acquisition],
    partner: datetime | None,
    ground: BaseGeometry,
    rule: Pair,
    limits: Choose = EVERY_CLOUD,
) -> tuple[Acquisition | None, str]:
    """Return the acquisition nearest in time to its partner, or None and the reason for the gap.

    One that shows much less of the ground than another within the limit stands back.

    Args:
        candidates: Acquisitions of one collection, any time.
        partner: Time of the partner's acquisition; None when its step is empty.
        ground: The area, EPSG:4326.
        rule: Partner, largest and smallest gap.
        limits: Of cloud cover; its `by` plays no part.
    """
    if partner is None:
        return None, f"its partner {rule.with_} is empty"
    if not candidates:
        return None, f"no acquisition at all to pair with {rule.with_}"
    gaps = {a.id: abs(a.datetime - partner) for a in candidates}
    apart = [a for a in candidates if gaps[a.id] >= rule.apart]
    if not apart:
        return None, f"no acquisition at least {_days(rule.apart)} from that of {rule.with_}"
    fitting = _within_limits(apart, limits)
    if not fitting:
        in_time = [a for a in apart if gaps[a.id] <= rule.within]
        return None, _too_cloudy(in_time or apart, limits)
    nearest = min(gaps[a.id] for a in fitting)
    if nearest > rule.within:
        return None, (
            f"the nearest acquisition is {_days(nearest)} from that of {rule.with_} at "
            f"{format_utc(partner)}, the limit is {_days(rule.within)}"
        )
    near = [(a, _coverage(a, ground)) for a in fitting if gaps[a.id] <= rule.within]
    most = max(share for _, share in near)
    if most == 0:
        return None, f"no acquisition within {_days(rule.within)} shows any of the area"
    # A sliver of the ground for the sake of an hour would leave most patches empty.
    useful = [a for a, share in near if share >= MOST_OF * most]
    return min(useful, key=lambda a: (gaps[a.id], a.datetime, a.id)), ""


def static_acquisition(
    items: Sequence[Item], ground: BaseGeometry, middle: datetime
) -> Acquisition | None:
    """Return the items of a layer without steps, or None when there is none.

    A layer that comes in editions (land cover by year) is taken from the edition nearest in time;
    items of others are kept only for ground that it leaves. Items of one edition are all kept:
    outlines may promise more than pixels hold.

    Args:
        items: Items of one collection, any time.
        ground: The area, EPSG:4326.
        middle: The middle of the wanted time.
    """
    taken: list[Item] = []
    left = ground
    ordered = sorted(items, key=lambda i: (abs(i.middle - middle), i.datetime, i.id))
    for _, edition in groupby(ordered, key=lambda i: i.datetime):
        outlines = [(item, make_valid(item.footprint)) for item in edition]
        wanted = [(i, o) for i, o in outlines if left.intersection(o).area > SLIVER * ground.area]
        taken += [item for item, _ in wanted]
        left = left.difference(unary_union([outline for _, outline in wanted]))
    return Acquisition(tuple(taken)) if taken else None


def _rank(acquisition: Acquisition, step: Span, ground: BaseGeometry, rule: Choose) -> list[float]:
    distance = abs(acquisition.datetime - step.middle).total_seconds()
    if rule.by == "least-cloudy":
        return [_hidden(acquisition, ground), distance]
    if rule.by == "coverage-then-time":
        return [-_coverage(acquisition, ground), distance]
    return [distance]


def _hidden(acquisition: Acquisition, ground: BaseGeometry) -> float:
    """Return how much of the ground is not seen [%], by stated cloud or for not being covered."""
    there = _coverage(acquisition, ground)
    return round(100.0 * (1.0 - there) + _cloud(acquisition) * there, 3)


def _cloud(acquisition: Acquisition) -> float:
    """Return the stated cloud cover [%]; unstated counts as overcast, so that nothing slips in."""
    return 100.0 if acquisition.cloud is None else acquisition.cloud


def _coverage(acquisition: Acquisition, ground: BaseGeometry) -> float:
    """Return the covered fraction of the ground, to 0.1 %, so that slivers decide nothing."""
    # Archives publish outlines that cross themselves, which no union accepts.
    outlines = [make_valid(item.footprint) for item in acquisition.items]
    covered = unary_union(outlines).intersection(ground)
    return round(float(covered.area / ground.area), 3)


def _days(gap: timedelta) -> str:
    return f"{gap.total_seconds() / 86_400:.1f} d"
