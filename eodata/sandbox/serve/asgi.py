"""The little of ASGI that our layers share: its types, plain answers, and who asks for what."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTROL = "/_sandbox/"
"""Paths of the sandbox itself: no archive has them, so they are neither logged nor disturbed."""
TRANSPORT = "eodata.transport"
"""Key of `scope` under which our server leaves the connection's asyncio transport."""


def header(scope: Scope, name: str) -> str:
    """Return a request header by its lower-case name, `""` when it was not sent."""
    wanted = name.encode("latin-1")
    return next((v.decode("latin-1") for k, v in scope["headers"] if k == wanted), "")


def client_host(scope: Scope) -> str:
    """Return the address of who asks."""
    return str((scope.get("client") or ("unknown", 0))[0])


async def answer(
    send: Send,
    status: int,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    kind: str = "application/json",
) -> None:
    """Send a whole answer; `content-length` is the body's unless `headers` has another."""
    length = {} if status == 304 else {"content-length": str(len(body))}
    all_headers = {"content-type": kind, **length, **(headers or {})}
    raw = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in all_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})


async def refuse(
    send: Send, status: int, code: str, why: str, headers: Mapping[str, str] | None = None
) -> None:
    """Send an error as STAC APIs write it."""
    body = json.dumps({"code": code, "description": why}).encode()
    await answer(send, status, body, headers)


async def disconnected(receive: Receive) -> None:
    """Return when the client has hung up; whatever it still sends is read and forgotten."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(receive: Receive) -> bytes:
    """Return the whole body of a request."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)
