"""The application: a STAC API over a simulated archive, in the form of one of the real ones."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from eodata.sandbox.items import Collection
from eodata.sandbox.serve.asgi import App, Receive, Scope, Send
from eodata.sandbox.serve.needs import check_installed
from eodata.sandbox.serve.signing import Signer
from eodata.sandbox.serve.stac_item import NOT_REAL

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse

    from eodata.sandbox.serve.flavours.shape import Offer
    from eodata.sandbox.serve.paging import PageFault

SAS = "/api/sas/v1"
"""Where Planetary Computer hands out tokens."""


class Archive(Protocol):
    """What the API needs of an archive. Threads may share it."""

    @property
    def collections(self) -> Mapping[str, Collection]:
        """Return the collections by id."""
        ...


def create_app(
    archive: Archive,
    flavour: str = "sandbox",
    *,
    prefix: str | None = None,
    assets: str = "/assets",
    page_fault: PageFault | None = None,
    signer: Signer | None = None,
) -> FastAPI:
    """Return the API of one archive; it holds no pixels and serves no files.

    Args:
        archive: What there is to find.
        flavour: Which archive is imitated: `sandbox`, `earth-search`, `planetary-computer`, `cdse`.
        prefix: Path of the API, that of the imitated archive when None.
        assets: Path on the same server, or absolute URL, below which files are.
        page_fault: From the number of a page, counted from 1, and whether it is too large, to
            `duplicate` (the next page is this one once more), `skip` (as many items as fit on a
            page are left out), `limit` (it is refused) or None.
        signer: Hands out tokens, for Planetary Computer; one of its own when None.

    Raises:
        RecipeError: There is no such flavour.
        EodataError: The web framework is not installed.
    """
    # It warns of settings that are given further down.
    logging.getLogger("stac_fastapi.types.config").setLevel(logging.ERROR)
    check_installed()
    from eodata.sandbox.serve import flavours
    from eodata.sandbox.serve.client import Catalogue
    from eodata.sandbox.serve.paging import Pages

    chosen = flavours.flavour(flavour)
    offers = flavours.offers(chosen, archive.collections)
    catalogue = Catalogue(chosen, offers, assets, Pages(page_fault, largest=chosen.largest))
    app = _framework(catalogue, chosen.prefix if prefix is None else prefix)
    if chosen.name == "planetary-computer":
        _hand_out_tokens(app, signer or Signer(), offers)
    return app


def _framework(catalogue: Any, prefix: str) -> FastAPI:
    from fastapi import APIRouter
    from fastapi.exceptions import RequestValidationError
    from stac_fastapi.api.app import StacApi
    from stac_fastapi.api.middleware import ProxyHeaderMiddleware
    from stac_fastapi.types.config import ApiSettings
    from starlette.exceptions import HTTPException
    from starlette.middleware import Middleware
    from starlette.middleware.cors import CORSMiddleware

    from eodata.sandbox.serve.client import SandboxClient, SandboxQueryables
    from eodata.sandbox.serve.extensions import extensions, request_models
    from eodata.sandbox.serve.refusals import RefusedError

    chosen = catalogue.flavour
    used = extensions(SandboxQueryables(catalogue.offers))
    app = StacApi(
        settings=ApiSettings(
            _env_file=None,
            stac_fastapi_title=chosen.title,
            stac_fastapi_description=f"{NOT_REAL}.",
            stac_fastapi_version="1.0.0",
            stac_fastapi_landing_id=chosen.name,
        ),
        client=SandboxClient(catalogue),
        extensions=used,
        router=APIRouter(prefix=prefix),
        stac_version=chosen.stac_version,
        # No compression: pages are read on the machine on which they are made.
        middlewares=[
            Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "POST"]),
            Middleware(ProxyHeaderMiddleware),
            Middleware(_OwnRoot),
        ],
        **request_models(used),
    ).app
    for kind in (RefusedError, HTTPException, RequestValidationError, OverflowError):
        app.add_exception_handler(kind, _refuse)
    return app


class _OwnRoot:
    """Lets addresses begin where this application is mounted, not where the outermost one is."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        own = {"app_root_path": scope.get("root_path", ""), "router": scope["app"].router}
        await self._app({**scope, **own}, receive, send)


def _refuse(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001 (framework)
    """Answer with `code` and `description`, whoever refused."""
    from fastapi.responses import JSONResponse

    from eodata.sandbox.serve.refusals import refusal_of

    refused = refusal_of(error)
    return JSONResponse(refused.body, status_code=refused.status)


def _hand_out_tokens(app: FastAPI, signer: Signer, offers: Mapping[str, Offer]) -> None:
    """Add the endpoints that hand out tokens and sign URLs."""
    from eodata.sandbox.serve.refusals import RefusedError, not_found

    def token(collection: str) -> dict[str, str]:
        if collection not in offers:
            raise not_found(f'collection "{collection}"')
        made = signer.token(offers[collection].source.id)
        return {"msft:expiry": made.until, "token": made.query}

    def sign(href: str) -> dict[str, str]:
        try:
            url, made = signer.sign(href)
        except LookupError as error:
            raise RefusedError(400, str(error)) from None
        return {"msft:expiry": made.until, "href": url}

    app.add_api_route(SAS + "/token/{collection}", token, methods=["GET"], tags=["Tokens"])
    app.add_api_route(SAS + "/sign", sign, methods=["GET"], tags=["Tokens"])
