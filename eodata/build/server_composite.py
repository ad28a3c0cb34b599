"""An image of several acquisitions that the archive makes itself, where the recipe asks for it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from odc.geo.geobox import GeoBox

from eodata.build.acquire import Layer
from eodata.build.composing import Image, Pass
from eodata.core.composite import HighestComposite, MedianComposite, TopComposite
from eodata.core.modality_plan import ModalityPlan
from eodata.core.protocols import Composer, Provider

ServerComposite = MedianComposite | TopComposite | HighestComposite
"""What an archive can make."""


def server_image(
    provider: Provider,
    passes: Sequence[Pass],
    modality: ModalityPlan,
    window: GeoBox,
    spec: ServerComposite,
) -> Image | None:
    """Return the composite as the archive makes it; the pixels are those of our own.

    Args:
        provider: Asks the archive.
        passes: The acquisitions, the first on top.
        modality: What to read.
        window: Onto which grid.
        spec: What the recipe says of the composite.

    Returns:
        None where the archive would make other pixels: then every acquisition is read.

    Raises:
        ProviderError: The archive does not deliver.
    """
    if not isinstance(provider, Composer):
        return None
    by = f"{spec.by}:{spec.band}" if isinstance(spec, HighestComposite) else spec.by
    made = provider.compose(passes, modality.reads, window, by, modality.validity)
    if made is None:
        return None
    values = np.stack(made.values).astype(modality.dtype, copy=False)
    # Numbers that would have to be clipped are not composed by an archive.
    clipped = np.zeros(made.valid.shape, np.uint8)
    return Image(Layer(values, made.valid, clipped, made.cost), made.origin)
