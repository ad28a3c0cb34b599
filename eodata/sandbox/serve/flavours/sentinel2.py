"""Sentinel-2 as all archives know it: names of products, names of bands, tiles."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from shapely.geometry.base import BaseGeometry

from eodata.core.span import Span
from eodata.sandbox.items import Collection, SandboxItem
from eodata.sandbox.serve.flavours.shape import JSON

OVERLAP_DEG = 0.1
"""Tiles overlap by some 10 km."""
FIRST_WITH_OFFSET = "04.00"
"""Processing baseline from which on the numbers carry an offset of -1000."""
_PRODUCT = re.compile(
    r"(?P<platform>S2[A-Z])_MSI(?P<level>L1C|L2A)_(?P<sensed>\d{8}T\d{6})_N(?P<baseline>\d{4})"
    r"_R(?P<orbit>\d{3})_T(?P<tile>\d{2}[C-X][A-Z]{2})_(?P<made>\d{8}T\d{6})"
)
_SECONDS = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Band:
    """One band of MSI.

    Attributes:
        key: B01 to B12, B8A.
        name: As Earth Search calls it.
        common_name: Common name of the EO extension, versions 1.
        title: In words.
        wavelength: Of the centre [µm].
        width: Full width at half maximum [µm].
    """

    key: str
    name: str
    common_name: str
    title: str
    wavelength: float
    width: float

    @property
    def number(self) -> str:
        """Number as people write it: 1, 8A."""
        return self.key[1:].lstrip("0")


BANDS = {
    band.key: band
    for band in (
        Band("B01", "coastal", "coastal", "Coastal aerosol", 0.443, 0.027),
        Band("B02", "blue", "blue", "Blue", 0.49, 0.098),
        Band("B03", "green", "green", "Green", 0.56, 0.045),
        Band("B04", "red", "red", "Red", 0.665, 0.038),
        Band("B05", "rededge1", "rededge", "Red edge 1", 0.704, 0.019),
        Band("B06", "rededge2", "rededge", "Red edge 2", 0.74, 0.018),
        Band("B07", "rededge3", "rededge", "Red edge 3", 0.783, 0.028),
        Band("B08", "nir", "nir", "NIR 1", 0.842, 0.145),
        Band("B8A", "nir08", "nir08", "NIR 2", 0.865, 0.033),
        Band("B09", "nir09", "nir09", "NIR 3", 0.945, 0.026),
        Band("B10", "cirrus", "cirrus", "Cirrus", 1.3735, 0.075),
        Band("B11", "swir16", "swir16", "SWIR 1", 1.61, 0.143),
        Band("B12", "swir22", "swir22", "SWIR 2", 2.19, 0.242),
    )
}
"""As the items of Earth Search and Planetary Computer state them."""


@dataclass(frozen=True, slots=True)
class Product:
    """What the name of a product says.

    Attributes:
        platform: S2A, S2B, …
        level: L1C, L2A.
        sensed: Start of the datatake.
        baseline: 02.06, 05.10, …
        orbit: Relative orbit.
        tile: 31UDS.
        made: When it was processed.
        name: All of it, without `.SAFE`.
    """

    platform: str
    level: str
    sensed: datetime
    baseline: str
    orbit: int
    tile: str
    made: datetime
    name: str

    @property
    def zone(self) -> int:
        """UTM zone of the tile."""
        return int(self.tile[:2])


@lru_cache(maxsize=4096)
def product(item_id: str) -> Product:
    """Read the name of a product.

    Raises:
        LookupError: It is none.
    """
    said = _PRODUCT.fullmatch(item_id)
    if said is None:
        raise LookupError(f'"{item_id}" is no name of a Sentinel-2 product')
    return Product(
        said["platform"],
        said["level"],
        _second(said["sensed"]),
        f"{said['baseline'][:2]}.{said['baseline'][2:]}",
        int(said["orbit"]),
        said["tile"],
        _second(said["made"]),
        item_id,
    )


def _second(text: str) -> datetime:
    return datetime.strptime(text, _SECONDS).replace(tzinfo=UTC)


def seconds(instant: datetime) -> str:
    """Write an instant as names of products do."""
    return instant.strftime(_SECONDS)


def absolute_orbit(item: SandboxItem) -> int:
    """Return the absolute orbit, 0 where the archive does not know it."""
    return int(item.properties.get("sat:absolute_orbit", 0))


def identifiers(item: SandboxItem) -> JSON:
    """Return the names that a product has beside its own, as `s2:` properties."""
    p = product(item.id)
    mission, orbit = p.platform, f"A{absolute_orbit(item):06d}"
    made, sensed, version = seconds(p.made), seconds(p.sensed), f"N{p.baseline}"
    head = f"{mission}_OPER_MSI_{p.level}"
    return {
        "s2:product_uri": f"{p.name}.SAFE",
        "s2:product_type": f"S2MSI{p.level[1:]}",
        "s2:processing_baseline": p.baseline,
        "s2:datatake_id": f"G{mission}_{sensed}_{orbit[1:]}_{version}",
        "s2:datatake_type": "INS-NOBS",
        "s2:datastrip_id": f"{head}_DS_SBOX_{made}_S{sensed}_{version}",
        "s2:granule_id": f"{head}_TL_SBOX_{made}_{orbit}_T{p.tile}_{version}",
    }


def states_offset(item: SandboxItem) -> bool:
    """Return True when the metadata say that an offset is still to be added."""
    return any(layer.offset for layer in item.layers.values())


def offset_taken_out(item: SandboxItem) -> bool:
    """Return True when the metadata say that the offset of the baseline is no longer there."""
    return product(item.id).baseline >= FIRST_WITH_OFFSET and not states_offset(item)


def grounds_of(name: str) -> Iterator[BaseGeometry]:
    """Yield ground on which a tile's products are: what is the tile's alone, then all of it.

    Args:
        name: `33TWL`; leading zeros may be missing.

    Raises:
        LookupError: There is no such tile.
    """
    from eodata.sandbox.tiles import tile

    footprint = tile(name.zfill(5)).footprint
    own = footprint.buffer(-OVERLAP_DEG)
    if not own.is_empty:
        yield own
    yield footprint


def finder(
    name: Callable[[SandboxItem], str], place: Callable[[str], tuple[str, datetime]]
) -> Callable[[Collection, str], SandboxItem]:
    """Return the way back from an archive's own ids.

    Args:
        name: From an item to its id in the archive.
        place: From such an id to its tile and a time in the day of sensing; raises LookupError
            for what cannot be an id.
    """

    def find(collection: Collection, wanted: str) -> SandboxItem:
        tile, time = place(wanted)
        near = Span(time - timedelta(hours=1), time + timedelta(days=1))
        for ground in grounds_of(tile):
            for item in collection.find(ground, near):
                if name(item) == wanted:
                    return item
        raise LookupError(f'{collection.id} has no item "{wanted}"')

    return find
