"""The shift of one image against another of the same ground. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from eodata.pipeline.coregister.alike import fine_of, match_alike
from eodata.pipeline.coregister.consensus import consensus
from eodata.pipeline.coregister.evidence import Evidence, Numbers, View
from eodata.pipeline.coregister.field import Finding
from eodata.pipeline.coregister.frequencies import LEAST, is_too_small
from eodata.pipeline.coregister.tiles import Place, Tile, cut
from eodata.pipeline.coregister.unlike import edges_of, match_unlike

Kept = dict[tuple[bool, Place], Any]
"""What was worked out of the tiles of a reference, for the next comparison with it."""
_KINDS: dict[bool, tuple[Callable[[View], Any], Callable[[Any, Any, int], Numbers | None]]] = {
    True: (fine_of, match_alike),
    False: (edges_of, match_unlike),
}
"""By whether both sides are alike: what is worked out of a tile, and how two of them match."""


def measure_shift(
    image: View,
    reference: View,
    *,
    alike: bool,
    reach: int = 6,
    limit: int = 64,
    kept: Kept | None = None,
) -> Finding:
    """Return the shift of an image against its reference, and how sure that is.

    Args:
        image: Whose shift is asked for.
        reference: The same ground on the same grid.
        alike: Whether both come from the same kind of sensor, band by band; two of them, red and
            near infrared, are worth their time, a third is not.
        reach: Largest shift along each axis that can be found [px].
        limit: How many tiles of the window are compared at most.
        kept: What earlier comparisons with this reference have worked out of it; filled further.
    """
    if is_too_small(image.valid.shape, reach):
        return Finding(None, f"less than {LEAST} px to compare")
    tiles = cut(image, reference, limit)
    if not tiles:
        return Finding(None, "no ground in common")
    evidence = _evidence(image, reference, tiles, alike, reach, {} if kept is None else kept)
    return consensus(list(evidence))


def _evidence(
    image: View, reference: View, tiles: Sequence[Tile], alike: bool, reach: int, kept: Kept
) -> Iterator[Evidence]:
    work_out, match = _KINDS[alike]
    for tile in tiles:
        key = alike, tile.place
        if key not in kept:
            kept[key] = work_out(tile.of(reference))
        surface = match(work_out(tile.of(image)), kept[key], reach)
        if surface is not None:
            yield Evidence(surface, *tile.middle, tile.weight)
