"""The application: the REST methods that the Python client calls, over a simulated archive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from eodata.sandbox.earthengine import pixels, vendored
from eodata.sandbox.earthengine.assets import collection_json, image_json
from eodata.sandbox.earthengine.catalogue import SandboxCatalogue
from eodata.sandbox.earthengine.errors import TOO_MANY, EngineError, invalid, not_found
from eodata.sandbox.earthengine.faults import Disturbances, Refusing, place_of, replayed
from eodata.sandbox.earthengine.limits import QUOTA
from eodata.sandbox.earthengine.listing import page
from eodata.sandbox.serve.asgi import App, Receive, Scope, Send, answer, header, read_body

PUBLIC_PROJECT = "earthengine-public"
ROOT = "/v1/projects/{project}"
OVERRIDE = "x-http-method-override"
BINARY = "application/octet-stream"


def create_app(
    catalogue: SandboxCatalogue,
    *,
    quota: int = QUOTA,
    disturbances: Disturbances | None = None,
) -> App:
    """Return the API of one catalogue.

    Args:
        catalogue: All images.
        quota: Requests for pixels and values that are worked on at once; 429 beyond.
        disturbances: What shall go wrong, but for connections.
    """
    engine = _Engine(catalogue)
    asset = ROOT + "/assets/{asset:path}"
    routes = [
        Route("/$discovery/rest", engine.discovery),
        Route(ROOT + "/algorithms", engine.algorithms),
        Route(ROOT + "/image:computePixels", engine.compute_pixels, methods=["POST"]),
        Route(ROOT + "/value:compute", engine.compute_value, methods=["POST"]),
        Route(ROOT + ":listAssets", engine.nothing),
        Route(ROOT + "/assets:listAssets", engine.nothing),
        Route(asset + ":listAssets", engine.list_assets),
        Route(asset + ":listImages", engine.list_images),
        Route(asset + ":getPixels", engine.get_pixels, methods=["POST"]),
        Route(asset, engine.get_asset),
    ]
    refused: Mapping[Any, Any] = {EngineError: _refuse, HTTPException: _unknown}
    app = Starlette(routes=routes, exception_handlers=refused)
    limited = Quota(cast("App", app), quota)
    return Overridden(Refusing(limited, disturbances or Disturbances()))


class Quota:
    """ASGI middleware that refuses computations beyond a number at once."""

    def __init__(self, app: App, most: int) -> None:
        self._app, self._most, self._busy = app, most, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        counts = scope["type"] == "http" and place_of(scope) in ("pixels", "compute")
        if counts and self._busy >= self._most:
            error = EngineError(429, TOO_MANY)
            await answer(send, error.status, error.body)
            return
        self._busy += counts
        try:
            await self._app(scope, receive, send)
        finally:
            self._busy -= counts


class Overridden:
    """ASGI middleware for long questions: the client posts them and means GET."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on as it is meant."""
        if scope["type"] == "http" and header(scope, OVERRIDE) == "GET":
            query = await read_body(receive)
            scope = {**scope, "method": "GET", "query_string": query}
            receive = replayed(b"", receive)
        await self._app(scope, receive, send)


class _Engine:
    """The methods, one by one."""

    def __init__(self, catalogue: SandboxCatalogue) -> None:
        self._catalogue = catalogue

    async def discovery(self, request: Request) -> Response:
        return _json(vendored.discovery(str(request.base_url).rstrip("/")))

    async def algorithms(self, request: Request) -> Response:  # noqa: ARG002 (framework)
        return Response(vendored.algorithms(), media_type="application/json")

    async def nothing(self, request: Request) -> Response:  # noqa: ARG002 (framework)
        """List the assets of a project: it has none of its own."""
        return _json({})

    async def get_asset(self, request: Request) -> Response:
        return _json(await run_in_threadpool(self._described, _public_id(request)))

    async def list_assets(self, request: Request) -> Response:
        asset, query = _public_id(request), dict(request.query_params)
        return _json(await run_in_threadpool(self._listed, asset, query, "assets"))

    async def list_images(self, request: Request) -> Response:
        asset, query = _public_id(request), dict(request.query_params)
        return _json(await run_in_threadpool(self._listed, asset, _as_filter(query), "images"))

    async def get_pixels(self, request: Request) -> Response:
        asset, body = _public_id(request), pixels.read_body(await request.body())
        made = await run_in_threadpool(pixels.get_pixels, self._catalogue, asset, body)
        return Response(made, media_type=BINARY)

    async def compute_pixels(self, request: Request) -> Response:
        body = pixels.read_body(await request.body())
        made = await run_in_threadpool(pixels.compute_pixels, self._catalogue, body)
        return Response(made, media_type=BINARY)

    async def compute_value(self, request: Request) -> Response:
        body = pixels.read_body(await request.body())
        made = await run_in_threadpool(pixels.compute_value, self._catalogue, body)
        return Response(made, media_type="application/json")

    def _described(self, asset: str) -> dict[str, Any]:
        if asset in self._catalogue.shelves:
            return collection_json(self._catalogue.shelves[asset])
        try:
            return image_json(self._catalogue.image(asset))
        except LookupError as error:
            raise not_found(asset) from error

    def _listed(self, asset: str, query: Mapping[str, str], key: str) -> dict[str, Any]:
        if not self._catalogue.has_collection(asset):
            return {key: self._below(asset)}
        size, token = _size(query), query.get("pageToken", "")
        found = page(self._catalogue, asset, query.get("filter", ""), size, token)
        full = query.get("view") != "BASIC"
        told: dict[str, Any] = {key: [image_json(image, full=full) for image in found.images]}
        return told | ({"nextPageToken": found.token} if found.token else {})

    def _below(self, folder: str) -> list[dict[str, Any]]:
        """Return the collections in a folder."""
        shelves = self._catalogue.shelves
        found = [s for name, s in shelves.items() if name.startswith(folder.rstrip("/") + "/")]
        if not found:
            raise not_found(folder)
        return [collection_json(shelf) for shelf in found]


def _public_id(request: Request) -> str:
    """Return the id of an asset; there are none but public ones."""
    project, asset = request.path_params["project"], str(request.path_params["asset"])
    if project != PUBLIC_PROJECT:
        why = "does not exist or doesn't allow this operation."
        raise EngineError(404, f"Asset 'projects/{project}/assets/{asset}' {why}")
    return asset


def _size(query: Mapping[str, str]) -> int | None:
    try:
        return int(query["pageSize"]) if "pageSize" in query else None
    except ValueError as error:
        raise invalid(f'The page size "{query["pageSize"]}" is no number.') from error


def _as_filter(query: Mapping[str, str]) -> dict[str, str]:
    """Return the query of `listImages` as one of `listAssets`."""
    parts = [query["filter"]] if query.get("filter") else []
    for name, sign in (("startTime", ">="), ("endTime", "<")):
        parts += [f'{name} {sign} "{query[name]}"'] if query.get(name) else []
    if query.get("region"):
        region = query["region"].replace('"', "'")
        parts.append(f'intersects("{region}")')
    return {**query, "filter": " AND ".join(parts)}


def _json(told: Mapping[str, Any]) -> Response:
    return Response(json.dumps(told), media_type="application/json")


def _refuse(request: Request, error: EngineError) -> Response:  # noqa: ARG001 (framework)
    return Response(error.body, error.status, media_type="application/json")


def _unknown(request: Request, error: HTTPException) -> Response:
    """Refuse a method that the sandbox has not."""
    why = f"{request.method} {request.url.path} is unsupported by the sandbox."
    return _refuse(request, EngineError(error.status_code, why))
