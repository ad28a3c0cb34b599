"""The shift of one image against another of the same ground. Pure."""

from __future__ import annotations

from eodata.pipeline.coregister.alike import surface_alike
from eodata.pipeline.coregister.consensus import consensus
from eodata.pipeline.coregister.evidence import Evidence, View
from eodata.pipeline.coregister.field import Finding
from eodata.pipeline.coregister.tiles import SMALLEST, cut
from eodata.pipeline.coregister.unlike import surface_unlike


def measure_shift(
    image: View, reference: View, *, alike: bool, reach: int = 6, limit: int = 64
) -> Finding:
    """Return the shift of an image against its reference, and how sure that is.

    Args:
        image: Whose shift is asked for.
        reference: The same ground on the same grid.
        alike: Whether both come from the same kind of sensor, band by band; two of them, red and
            near infrared, are worth their time, a third is not.
        reach: Largest shift along each axis that can be found [px].
        limit: How many tiles of the window are compared at most.
    """
    if min(image.valid.shape) < max(SMALLEST, 3 * reach):
        return Finding(None, "too small")
    tiles = cut(image, reference, limit)
    if not tiles:
        return Finding(None, "no ground in common")
    compare = surface_alike if alike else surface_unlike
    surfaces = [(compare(tile.of(image), tile.of(reference), reach), tile) for tile in tiles]
    return consensus(
        [
            Evidence(surface, *tile.middle, tile.weight)
            for surface, tile in surfaces
            if surface is not None
        ]
    )
