"""What derived modalities hold: their bands. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from eodata.core.band import Band
from eodata.core.derivation import CloudScore, Derived, S2Cloudless, Stretch
from eodata.core.scheme import Scheme


def derived_bands(
    name: str, spec: Derived, source: Sequence[Band], gsd: float, scheme: Scheme | None
) -> tuple[Band, ...]:
    """Return the bands of a derived modality, each called as the modality but for stretches."""
    if isinstance(spec, Stretch):
        return tuple(
            Band(b.name, "continuous", "uint8", gsd, unit="grey", common_name=b.common_name)
            for b in source
        )
    if isinstance(spec, S2Cloudless | CloudScore):
        return (Band(name, "continuous", "float32", gsd),)
    if scheme is not None:
        classes = tuple((c.value, c.name, c.colour) for c in scheme.classes)
    else:
        classes = ((0, f"no {name}", "000000"), (1, name, "ffffff"))
    return (Band(name, "categorical", "uint8", gsd, unit="", classes=classes),)
