"""What the published trees of the SEN12MS family hold, and whether a store fits into one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from eodata.core.band import Band
from eodata.core.errors import RecipeError, nearest
from eodata.exchange.source import dtype_of
from eodata.store.reader import StoreReader

S2_BANDS = (
    *("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12"),
)
GSD = 10.0
PIXELS = 256
REFLECTANCE_SCALE = 1e-4


@dataclass(frozen=True, slots=True)
class Layer:
    """One modality of a published tree.

    Attributes:
        name: In the store and in file names.
        bands: In the published order.
        dtypes: What the numbers may be.
        radiometry: What they mean.
        scale: From number to physical value.
    """

    name: str
    bands: tuple[str, ...]
    dtypes: tuple[str, ...]
    radiometry: str
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Layout:
    """A published tree.

    Attributes:
        name: Of the dataset.
        layers: In the order in which they are written.
        steps: Looks per sample; 1 for trees whose names hold no time.
        by_sensor: One top folder per season and sensor, not one per season.
    """

    name: str
    layers: tuple[Layer, ...]
    steps: int = 1
    by_sensor: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the layers."""
        return tuple(layer.name for layer in self.layers)


_S1 = Layer("s1", ("vv", "vh"), ("float32", "float64"), "sigma0-db")
_S2 = Layer("s2", S2_BANDS, ("uint16",), "toa-reflectance", REFLECTANCE_SCALE)
_CLOUDY = Layer("s2_cloudy", S2_BANDS, ("uint16",), "toa-reflectance", REFLECTANCE_SCALE)
_LC = Layer("lc", ("LC_Type1", "LC_Prop1", "LC_Prop2", "LC_Prop3"), ("uint8", "uint16"), "class")

LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("sen12ms-cr-ts", (_S1, _S2), steps=30),
        Layout("sen12ms-cr", (_S1, _S2, _CLOUDY), by_sensor=True),
        Layout("sen12ms", (_S1, _S2, _LC)),
    )
}


def positions(reader: StoreReader, layer: Layer) -> tuple[int, ...]:
    """Return where the published bands stand on the band axis of the store."""
    known = [band.name for band in reader.bands(layer.name)]
    return tuple(known.index(name) for name in layer.bands)


def check_fit(reader: StoreReader, layout: Layout) -> tuple[str, ...]:
    """Return what differs from the published dataset and does no harm.

    Raises:
        RecipeError: Modalities, bands or numbers of the store have no place in the tree.
    """
    for layer in layout.layers:
        _check_layer(reader, layout, layer)
    return tuple(note for layer in layout.layers for note in _notes(reader, layout, layer))


def _check_layer(reader: StoreReader, layout: Layout, layer: Layer) -> None:
    where = f"--format {layout.name}"
    if layer.name not in reader.names:
        raise RecipeError(
            where,
            f"{reader.path} has no modality {layer.name}",
            f"the tree holds {', '.join(layout.names)}; the store has {', '.join(reader.names)}.",
            "Give a store of that recipe, or take --format geotiff, which holds any modality.",
        )
    known = {band.name: band for band in reader.bands(layer.name)}
    missing = [name for name in layer.bands if name not in known]
    if missing:
        raise RecipeError(
            where,
            f"{layer.name} has no band {', '.join(missing)}",
            f"the published files hold {', '.join(layer.bands)}.",
            f"{nearest(missing[0], known)} Build with all bands, or take --format geotiff.",
        )
    dtype = str(dtype_of(reader, layer.name))
    if dtype not in layer.dtypes:
        raise RecipeError(
            where,
            f"{layer.name} is {dtype}",
            f"published are {' or '.join(layer.dtypes)}.",
            "Take --format geotiff, which keeps any numbers.",
        )
    for name in layer.bands:
        _check_band(where, layer, known[name])
    if layout.steps == 1 and reader.shape(layer.name)[1] > 1:
        raise RecipeError(
            where,
            f"{layer.name} has {reader.shape(layer.name)[1]} steps",
            "published names hold no time, so there is room for one.",
            "Take --format sen12ms-cr-ts or geotiff.",
        )


def _check_band(where: str, layer: Layer, band: Band) -> None:
    if (band.scale, band.offset) != (layer.scale, 0.0):
        raise RecipeError(
            where,
            f"{layer.name} band {band.name} has scale {band.scale:g} and offset {band.offset:g}",
            f"readers of the published files take scale {layer.scale:g} and no offset for granted.",
            "Take --format geotiff, which states both.",
        )


def _notes(reader: StoreReader, layout: Layout, layer: Layer) -> Iterator[str]:
    _, steps, _, pixels, _ = reader.shape(layer.name)
    found = str(reader.attrs(layer.name).get("radiometry", ""))
    if found != layer.radiometry:
        yield f"{layer.name} holds {found or 'unknown numbers'}, published {layer.radiometry}"
    if reader.gsd(layer.name) != GSD:
        yield f"{layer.name} has pixels of {reader.gsd(layer.name):g} m, published {GSD:g} m"
    if pixels != PIXELS:
        yield f"{layer.name} has {pixels} x {pixels} pixels, published {PIXELS} x {PIXELS}"
    if steps != layout.steps:
        yield f"{layer.name} has {steps} steps, published {layout.steps}"
