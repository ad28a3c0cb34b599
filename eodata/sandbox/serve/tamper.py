"""Answers that are cut short or wrong, and connections that end in the middle of things."""

from __future__ import annotations

import socket
import struct

from eodata.sandbox.serve.asgi import TRANSPORT, App, Message, Receive, Scope, Send, disconnected
from eodata.sandbox.serve.log import exchange_of

OF_BODIES = frozenset({"truncate", "corrupt"})
"""Faults of the body of an answer."""
SHORTEST_CUT, LONGEST_CUT = 0.05, 0.95
"""Share of the body that arrives when it is truncated."""
_ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing such a socket sends RST."""


class TamperedAnswer:
    """One answer whose body is cut short or has a wrong byte.

    Bodies of unknown length are left alone.
    """

    def __init__(
        self, fault: str, share: float, scope: Scope, receive: Receive, send: Send
    ) -> None:
        self._fault = fault
        self._share = share
        self._scope = scope
        self._receive = receive
        self._send = send
        self._target = -1  # Position of the first byte that is missing or wrong; -1: none.
        self._at = 0

    async def run(self, app: App) -> None:
        """Have the request answered, and spoil the answer."""
        await app(self._scope, self._receive, self._tamper)
        if self._is_cut:
            await hang_up(self._scope, self._receive)

    @property
    def _is_cut(self) -> bool:
        return self._fault == "truncate" and 0 <= self._target <= self._at

    async def _tamper(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._aim(message)
        elif message["type"] == "http.response.body" and self._target >= 0:
            message = self._spoil(message)
        await self._send(message)

    def _aim(self, message: Message) -> None:
        lengths = [int(value) for key, value in message["headers"] if key == b"content-length"]
        length, exchange = (lengths or [0])[0], exchange_of(self._scope)
        first = exchange.guarded_from
        if self._fault == "truncate" and length:
            share = SHORTEST_CUT + (LONGEST_CUT - SHORTEST_CUT) * self._share
            self._target = int(length * share)
        elif self._fault == "corrupt" and first < length:
            self._target = first + int((length - first) * self._share)
        if self._target >= 0:
            exchange.faults.append(self._fault)

    def _spoil(self, message: Message) -> Message:
        body, local = message.get("body", b""), self._target - self._at
        if self._fault == "truncate":
            self._at += len(body[: max(local, 0)])
            return {**message, "body": body[: max(local, 0)], "more_body": True}
        self._at += len(body)
        if 0 <= local < len(body):
            # NUL is wrong in JSON wherever it stands.
            wrong = b"\xff" if body[local] == 0 else b"\0"
            return {**message, "body": body[:local] + wrong + body[local + 1 :]}
        return message


async def hang_up(scope: Scope, receive: Receive, *, reset: bool = False) -> None:
    """End the connection in the middle of things.

    Args:
        scope: Of the request; our server leaves the transport in it.
        receive: Of the request; it tells when the connection is gone.
        reset: Send RST and drop what was not sent yet, instead of an orderly FIN after it.

    Raises:
        ConnectionResetError: There is no connection, as the application is called in process.
    """
    transport = scope.get("extensions", {}).get(TRANSPORT)
    if transport is None:
        raise ConnectionResetError("the sandbox resets this connection")
    if reset:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
        transport.abort()
    else:
        transport.close()
    await disconnected(receive)


def is_gone(scope: Scope) -> bool:
    """Return True when the connection of a request has ended."""
    transport = scope.get("extensions", {}).get(TRANSPORT)
    return transport is not None and bool(transport.is_closing())
