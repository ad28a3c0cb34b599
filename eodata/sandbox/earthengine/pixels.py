"""`getPixels`, `computePixels` and `value:compute`: from the body of a request to its answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from eodata.sandbox.earthengine.encoding import EncodedBand, check_format, encode
from eodata.sandbox.earthengine.errors import invalid, not_found
from eodata.sandbox.earthengine.grids import read_grid
from eodata.sandbox.earthengine.images import Catalogue, CatalogueImage, PixelGrid
from eodata.sandbox.earthengine.limits import (
    check_bands,
    check_bytes,
    check_payload,
    check_shape,
)
from eodata.sandbox.earthengine.sampling import sample
from eodata.sandbox.earthengine.together import make_ready

Body = Mapping[str, Any]
PIXEL_KEYS = frozenset({"bandIds", "grid", "fileFormat", "workloadTag"})
COMPUTE_KEYS = PIXEL_KEYS | {"expression"}


def get_pixels(catalogue: Catalogue, asset_id: str, body: Body) -> bytes:
    """Return pixels of one image of the catalogue, masked ones as 0.

    Args:
        catalogue: All images.
        asset_id: Of the image.
        body: `bandIds` (all when left out), `grid` (that of the first band), `fileFormat`.

    Raises:
        EngineError: 404 for an image that is not there, 400 for what cannot be answered.
    """
    _check_keys(body, PIXEL_KEYS)
    try:
        image = catalogue.image(asset_id)
    except LookupError as error:
        raise not_found(asset_id) from error
    kind, names = _format(body), _band_names(image, body)
    leaves = [image.bands[name] for name in names]
    check_bands(len(leaves))
    grid = read_grid(body.get("grid"), leaves[0].grid)
    check_shape(grid)
    check_bytes(grid, [leaf.dtype for leaf in leaves])
    make_ready(leaves, catalogue.archive, grid)
    made = (sample(leaf, catalogue.archive, grid, "nearest")[0] for leaf in leaves)
    return encode(kind, [EncodedBand(*b) for b in zip(names, made, strict=True)], grid)


def compute_pixels(catalogue: Catalogue, body: Body) -> bytes:
    """Return pixels of an expression, masked ones as 0.

    Raises:
        EngineError: 400; the expression is refused, or the body.
    """
    from eodata.sandbox.earthengine.graph import ExpressionError, render

    _check_keys(body, COMPUTE_KEYS)
    kind, names = _format(body), body.get("bandIds")
    grid = read_grid(body.get("grid"), None)
    check_shape(grid)
    check_bands(len(names or ()))
    # At least a byte each: what is certainly too large is not computed first.
    check_bytes(grid, ["uint8"] * max(len(names or ()), 1))
    try:
        made = render(_expression(body), catalogue, grid, names)
    except ExpressionError as error:
        raise invalid(error.why) from error
    check_bands(len(made))
    check_bytes(grid, [band.values.dtype.name for band in made])
    return encode(kind, [EncodedBand(band.name, band.values) for band in made], grid)


def compute_value(catalogue: Catalogue, body: Body, grid: PixelGrid | None = None) -> bytes:
    """Return the value of an expression, JSON.

    Raises:
        EngineError: 400; the expression is refused.
    """
    from eodata.sandbox.earthengine.graph import ExpressionError, evaluate

    try:
        return json.dumps({"result": evaluate(_expression(body), catalogue, grid)}).encode()
    except ExpressionError as error:
        raise invalid(error.why) from error


def read_body(raw: bytes) -> dict[str, Any]:
    """Return the body of a request.

    Raises:
        EngineError: 400; it is too large, or no JSON object.
    """
    check_payload(len(raw))
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise invalid(f"Invalid JSON payload received. {error}") from error
    if not isinstance(body, dict):
        raise invalid("Invalid JSON payload received. An object is required.")
    return body


def _expression(body: Body) -> Any:
    if "expression" not in body:
        raise invalid("An expression is required.")
    return body["expression"]


def _format(body: Body) -> str:
    kind = str(body.get("fileFormat") or "AUTO_JPEG_PNG")
    check_format(kind)
    return kind


def _check_keys(body: Body, known: frozenset[str]) -> None:
    unknown = sorted(set(body) - known)
    if unknown:
        raise invalid(f"{', '.join(unknown)} is unsupported by the sandbox.")


def _band_names(image: CatalogueImage, body: Body) -> Sequence[str]:
    names = body.get("bandIds") or list(image.bands)
    for name in names:
        if name not in image.bands:
            known = ", ".join(image.bands)
            why = f"did not match any bands. Available bands: [{known}]"
            raise invalid(f"Image.select: Band pattern '{name}' {why}")
    if len(set(names)) < len(names):
        raise invalid("bandIds names a band twice.")
    return list(names)
