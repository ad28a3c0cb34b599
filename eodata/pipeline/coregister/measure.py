"""The shift of one image against another of the same ground. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eodata.pipeline.coregister.alike import Fine, fine_of, match_alike
from eodata.pipeline.coregister.consensus import consensus
from eodata.pipeline.coregister.evidence import Evidence, Numbers, View
from eodata.pipeline.coregister.field import Finding
from eodata.pipeline.coregister.frequencies import is_too_small
from eodata.pipeline.coregister.tiles import Place, Tile, cut
from eodata.pipeline.coregister.unlike import Edges, edges_of, match_unlike

Kept = dict[tuple[bool, Place], Fine | Edges]
"""What was worked out of the tiles of a reference, for the next comparison with it."""


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
        return Finding(None, "too small")
    tiles = cut(image, reference, limit)
    if not tiles:
        return Finding(None, "no ground in common")
    known: Kept = {} if kept is None else kept
    surfaces = (_alike if alike else _unlike)(image, reference, tiles, reach, known)
    return consensus(
        [
            Evidence(surface, *tile.middle, tile.weight)
            for surface, tile in zip(surfaces, tiles, strict=True)
            if surface is not None
        ]
    )


def _alike(
    image: View, reference: View, tiles: Sequence[Tile], reach: int, kept: Kept
) -> Iterator[Numbers | None]:
    for tile in tiles:
        known = kept.get((True, tile.place))
        other = known if isinstance(known, Fine) else fine_of(tile.of(reference))
        kept[True, tile.place] = other
        yield match_alike(fine_of(tile.of(image)), other, reach)


def _unlike(
    image: View, reference: View, tiles: Sequence[Tile], reach: int, kept: Kept
) -> Iterator[Numbers | None]:
    for tile in tiles:
        known = kept.get((False, tile.place))
        other = known if isinstance(known, Edges) else edges_of(tile.of(reference))
        kept[False, tile.place] = other
        yield match_unlike(edges_of(tile.of(image)), other, reach)
