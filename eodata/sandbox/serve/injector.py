"""What a fault does to a request: ASGI middleware between the log and the archive.

`GET /_sandbox/faults` shows the faults, `PUT` has others from then on (JSON, the words of the YAML
file).
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial

from eodata.core.errors import RecipeError
from eodata.sandbox.serve.asgi import (
    CONTROL,
    App,
    Message,
    Receive,
    Scope,
    Send,
    answer,
    client_host,
    disconnected,
    header,
    read_body,
    refuse,
)
from eodata.sandbox.serve.faults import MEASURED, Ask, FaultRule, Faults, place_of
from eodata.sandbox.serve.log import Exchange, exchange_of
from eodata.sandbox.serve.tamper import OF_BODIES, TamperedAnswer, hang_up, is_gone

FAULTS_PATH = CONTROL + "faults"
PARCEL = 16 * 1024
"""Bytes that pass a narrow line at once."""
REFUSALS = {
    "500": (500, "InternalServerError", "an unexpected error occurred"),
    "502": (502, "BadGateway", "the upstream server did not answer"),
    "503": (503, "ServiceUnavailable", "the service is temporarily unavailable"),
    "expired": (403, "AuthenticationFailed", "signature not valid in the specified time frame"),
    "missing": (404, "NotFound", "the specified file does not exist"),
}


class FaultInjector:
    """ASGI middleware that disturbs requests as the faults say.

    Attributes:
        faults: What is wanted; set them anew with `inject`.
    """

    def __init__(self, app: App, faults: Faults | None = None) -> None:
        self.app = app
        self._stopping = asyncio.Event()
        self.inject(faults or Faults())

    def inject(self, faults: Faults) -> None:
        """Have these faults from now on, as if no request had been made yet.

        Faults of pages are the application's own work; it is told when it has a method `meet`.
        """
        self.faults = faults
        if meet := getattr(self.app, "meet", None):
            meet(faults)
        self._asked: Counter[tuple[str, str]] = Counter()
        self._numbers: Counter[str] = Counter()
        self._under_way: Counter[tuple[str, str]] = Counter()
        self._line_free: dict[str, float] = {}
        self._refused_tokens: set[str] = set()

    def stop(self) -> None:
        """End all waiting. To be called in the server's event loop."""
        self._stopping.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, more or less."""
        if scope["type"] == "http" and scope["path"] == FAULTS_PATH:
            await self._control(scope, receive, send)
            return
        is_ours = scope["type"] != "http" or scope["path"].startswith(CONTROL)
        if is_ours or not self.faults.rules:
            await self.app(scope, receive, send)
            return
        ask = self._ask(scope)
        rules = self.faults.due(ask)
        slots = [(client_host(scope), rule) for rule in rules if rule.fault == "concurrency"]
        if any(self._under_way[host, rule.place] >= (rule.amount or 0) for host, rule in slots):
            await self._too_many("concurrency", exchange_of(scope), send)
            return
        held = _Held(self._under_way, [(host, rule.place) for host, rule in slots])
        try:
            await self._disturb(rules, ask, scope, receive, held.until_sent(send))
        finally:
            held.release()

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show the faults, or have others."""
        if scope["method"] == "PUT":
            try:
                faults = Faults.parse(json.loads(await read_body(receive)), "faults")
            except (ValueError, RecipeError) as error:
                await refuse(send, 400, "BadRequest", str(error))
                return
            self.inject(faults)
        elif scope["method"] != "GET":
            await refuse(send, 405, "MethodNotAllowed", "GET or PUT", {"allow": "GET, PUT"})
            return
        await answer(send, 200, self.faults.model_dump_json().encode())

    def _ask(self, scope: Scope) -> Ask:
        path, part = scope["path"], header(scope, "range")
        places = ("any", place_of(path))
        self._asked[path, part] += 1
        self._numbers.update(places)
        numbers = {place: self._numbers[place] for place in places}
        return Ask(path, part, self._asked[path, part], numbers)

    async def _disturb(
        self,
        rules: Iterable[FaultRule],
        ask: Ask,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        exchange, amounts = exchange_of(scope), _amounts(rules)
        if "latency" in amounts:
            exchange.faults.append("latency")
            jitter = self.faults.jitter * self.faults.draw("jitter", ask.path, ask.part, ask.nth)
            await self._wait(amounts["latency"] + jitter)
        if "bandwidth" in amounts:
            exchange.faults.append("bandwidth")
            send = partial(self._slowly, scope, send, amounts["bandwidth"])
        fault = self._choose(rules, scope)
        if fault == "reset":
            exchange.faults.append(fault)
            await hang_up(scope, receive, reset=True)
        elif fault == "hang":
            exchange.faults.append(fault)
            await self._hang(scope, receive)
        elif fault.startswith("429"):
            await self._too_many(fault, exchange, send)
        elif fault in REFUSALS:
            exchange.faults.append(fault)
            await refuse(send, *REFUSALS[fault])
        elif fault in OF_BODIES:
            share = self.faults.draw(fault, "where", ask.path, ask.part, ask.nth)
            await TamperedAnswer(fault, share, scope, receive, send).run(self.app)
        else:
            await self.app(scope, receive, send)

    def _choose(self, rules: Iterable[FaultRule], scope: Scope) -> str:
        """Return the fault that decides about the answer; `""` when none does."""
        token = scope["query_string"].decode("latin-1")
        if token in self._refused_tokens and place_of(scope["path"]) == "asset":
            return "expired"
        fault = next((rule.fault for rule in rules if rule.fault not in MEASURED), "")
        if fault in OF_BODIES and scope["method"] == "HEAD":
            return ""
        if fault == "expired" and token:
            self._refused_tokens.add(token)
        return fault

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass

    async def _hang(self, scope: Scope, receive: Receive) -> None:
        waits = [asyncio.ensure_future(w) for w in (disconnected(receive), self._stopping.wait())]
        await asyncio.wait(waits, timeout=self.faults.patience, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        await hang_up(scope, receive)

    async def _too_many(self, fault: str, exchange: Exchange, send: Send) -> None:
        exchange.faults.append(fault)
        seconds = self.faults.retry_after
        headers = {"retry-after": str(seconds)}
        if fault == "429-date":
            # Dates have whole seconds; rounding down would ask for less than was meant.
            now = datetime.now(UTC).timestamp()
            then = datetime.fromtimestamp(math.ceil(now), UTC) + timedelta(seconds=seconds)
            headers = {"retry-after": format_datetime(then, usegmt=True)}
        elif fault == "429-bare":
            headers = {}
        await refuse(send, 429, "TooManyRequests", "rate limit exceeded", headers)

    async def _slowly(self, scope: Scope, send: Send, pace: float, message: Message) -> None:
        """Send a body no faster than the line of this client, all its connections together."""
        body = message.get("body", b"")
        for at in range(0, len(body), PARCEL):
            parcel = body[at : at + PARCEL]
            await self._pass_line(client_host(scope), len(parcel) / pace)
            if is_gone(scope):
                return
            await send({"type": message["type"], "body": parcel, "more_body": True})
        if not body or not message.get("more_body", False):
            await send({**message, "body": b""} if body else message)

    async def _pass_line(self, client: str, seconds: float) -> None:
        now = asyncio.get_running_loop().time()
        free = self._line_free[client] = max(now, self._line_free.get(client, now)) + seconds
        await self._wait(free - now)


class _Held:
    """Places of a request among those under way, given back when its answer is complete."""

    def __init__(self, under_way: Counter[tuple[str, str]], keys: list[tuple[str, str]]) -> None:
        self._under_way = under_way
        self._keys = keys
        under_way.update(keys)

    def until_sent(self, send: Send) -> Send:
        """Return a `send` that gives the places back before the last bytes leave.

        Later, a client that has the answer could ask again and find its own place still taken.
        """

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self.release()
            await send(message)

        return sending

    def release(self) -> None:
        """Give the places back, once."""
        self._under_way.subtract(self._keys)
        self._keys = []


def _amounts(rules: Iterable[FaultRule]) -> dict[str, float]:
    """Return the amounts of measured faults by kind; of several, the last."""
    return {rule.fault: rule.amount for rule in rules if rule.amount is not None}
