"""Requests that are refused on purpose, in Earth Engine's own words.

Written like the faults of the other servers, on one line and together with those that concern the
connection, which `eodata.sandbox.serve.faults` keeps:

    429=0.1,memory@3,pixels:503=0.05,latency=0.2,reset@5,seed=7

A prefix names the requests that count: list, get, pixels, compute. The client's start-up is never
refused. What has a rate is drawn from seed, path and body, and how often that was asked before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from eodata.core.errors import RecipeError, nearest
from eodata.sandbox.earthengine.errors import TOO_MANY, EngineError
from eodata.sandbox.serve.asgi import App, Message, Receive, Scope, Send, answer, read_body
from eodata.sandbox.serve.faults import Ask, Faults
from eodata.sandbox.serve.log import exchange_of

NO_CREDENTIALS = (
    "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie "
    "or other valid authentication credential."
)
READ_QUOTA = (
    "Quota exceeded for quota metric 'Number of read requests' and limit 'Number of read requests "
    "per minute per user' of service 'earthengine.googleapis.com'."
)
REFUSALS: Mapping[str, tuple[int, str]] = {
    "401": (401, NO_CREDENTIALS),
    "403": (403, "The caller does not have permission"),
    "429": (429, TOO_MANY),
    "429-bare": (429, TOO_MANY),
    "aggregations": (429, "Too many concurrent aggregations."),
    "quota": (429, READ_QUOTA),
    "memory": (400, "User memory limit exceeded."),
    "timeout": (400, "Computation timed out."),
    "500": (500, "An internal error has occurred"),
    "502": (502, "The upstream server did not answer"),
    "503": (503, "The service is currently unavailable."),
}
"""By name: status and message. Messages are the real ones where those are known."""
OF_CONNECTIONS = frozenset({"latency", "bandwidth", "reset", "hang", "truncate", "corrupt"})
PLACES = ("list", "get", "pixels", "compute")
_PART = re.compile(r"(?:(?P<place>\w+):)?(?P<name>[\w-]+)(?P<rest>[=@].*)?")
_STAND_IN = "500"
"""A name that `Faults` knows, so that it reads rates and schedules."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One way to refuse, and the requests that it meets.

    Attributes:
        name: One of `REFUSALS`.
        place: One of `PLACES`, or `any`.
        due: Holds one rule: when.
    """

    name: str
    place: str
    due: Faults

    def meets(self, place: str, numbers: Mapping[str, int], what: str, nth: int) -> bool:
        """Return True when a request is refused.

        Args:
            place: What it asks for.
            numbers: How many requests came so far by place, this one included.
            what: All that it says, shortened.
            nth: How often it said so before, this time included.
        """
        if self.place not in ("any", place):
            return False
        # The name is part of the draw: two refusals of one rate meet different requests.
        ask = Ask(f"{self.name} {what}", "", nth, {"any": numbers[self.place]})
        return bool(self.due.due(ask))


@dataclass(frozen=True, slots=True)
class Disturbances:
    """All that shall go wrong.

    Attributes:
        refusals: In the order in which they are written.
        connection: What happens to connections, for the server.
    """

    refusals: tuple[Refusal, ...] = ()
    connection: Faults = field(default_factory=Faults)

    @classmethod
    def load(cls, text: str) -> Disturbances:
        """Read one line.

        Raises:
            RecipeError: It says something that is no fault.
        """
        parts = [part for part in (piece.strip() for piece in text.split(",")) if part]
        said = [(part, _PART.fullmatch(part)) for part in parts]
        ours = [found for _, found in said if found and found["name"] in REFUSALS]
        others = [part for part, found in said if found not in ours]
        connection = Faults.load(",".join(others))
        for rule in connection.rules:
            if rule.fault not in OF_CONNECTIONS:
                fix = nearest(rule.fault, {*REFUSALS, *OF_CONNECTIONS})
                raise RecipeError("faults", f'Earth Engine has no fault "{rule.fault}"', "", fix)
        return cls(tuple(_refusal(found, connection.seed) for found in ours), connection)


class Refusing:
    """ASGI middleware that refuses what shall be refused."""

    def __init__(self, app: App, disturbances: Disturbances) -> None:
        self._app, self._wanted = app, disturbances
        self._numbers: Counter[str] = Counter()
        self._asked: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        place = place_of(scope) if scope["type"] == "http" else "start"
        if place == "start" or not self._wanted.refusals:
            await self._app(scope, receive, send)
            return
        body = await read_body(receive)
        name = self._refused(scope, place, body)
        if name is None:
            await self._app(scope, replayed(body, receive), send)
            return
        exchange_of(scope).faults.append(name)
        error = EngineError(*REFUSALS[name])
        wait = str(self._wanted.connection.retry_after)
        headers = {"retry-after": wait} if name == "429" else {}
        await answer(send, error.status, error.body, headers)

    def _refused(self, scope: Scope, place: str, body: bytes) -> str | None:
        """Count a request, and return how it is refused, if it is."""
        said = scope["path"].encode() + b"?" + scope["query_string"] + b"\n" + body
        what = blake2b(said, digest_size=12).hexdigest()
        self._asked[what] += 1
        self._numbers.update(("any", place))
        nth = self._asked[what]
        due = (r for r in self._wanted.refusals if r.meets(place, self._numbers, what, nth))
        return next((refusal.name for refusal in due), None)


def place_of(scope: Scope) -> str:
    """Return what a request is for: one of `PLACES`, or `start`."""
    _, _, verb = scope["path"].rpartition(":")
    known = {"listAssets": "list", "listImages": "list", "getPixels": "pixels"}
    known |= {"computePixels": "compute", "compute": "compute"}
    return known.get(verb, "get" if "/assets/" in scope["path"] else "start")


def _refusal(said: re.Match[str], seed: int) -> Refusal:
    place = said["place"] or "any"
    if place not in ("any", *PLACES):
        fix = nearest(place, PLACES)
        raise RecipeError("faults", f'"{said[0]}": there are no requests "{place}"', "", fix)
    return Refusal(said["name"], place, Faults.load(f"{_STAND_IN}{said['rest'] or ''},seed={seed}"))


def replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that hands out a body which was read already."""
    handed: list[bytes] = [body]

    async def once() -> Message:
        if handed:
            return {"type": "http.request", "body": handed.pop(), "more_body": False}
        return await receive()

    return once
