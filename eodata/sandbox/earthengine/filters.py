"""The filter language of listings: the part of AIP-160 that the Python client writes, and a little.

    startTime >= "2018-06-01" AND (properties.MGRS_TILE = 32UPU OR intersects("POINT (11 48)"))

Fields are `startTime`, `endTime`, `id`, `name`, `type` and `properties.NAME`; operators `=`, `!=`,
`<`, `<=`, `>`, `>=` and `:` (holds; `:*` is there at all). `OR` binds closer than `AND`, as there.
A property that an image has not meets nothing.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from eodata.core.reproject import shares_ground
from eodata.core.span import parse_utc
from eodata.sandbox.earthengine.catalogue import PUBLIC
from eodata.sandbox.earthengine.errors import EngineError, invalid
from eodata.sandbox.earthengine.images import CatalogueImage

ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
TIMES = {"startTime": "start", "endTime": "end"}
PROPERTY = "properties."
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')|(?P<sign><=|>=|!=|[=<>:(),])'
    r"|(?P<word>(?:(?:(?<=\.system)|(?<=\.sandbox)):|[^\s\"'()<>=!:,])+))"
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field, an operator and a value as it was written; times are read."""

    field: str
    sign: str
    value: str | datetime

    def holds(self, image: CatalogueImage) -> bool:
        """Return True when an image meets it."""
        if isinstance(self.value, datetime):
            return ORDERS[self.sign](getattr(image, TIMES[self.field]), self.value)
        return _compare(_field(image, self.field), self.sign, self.value)


@dataclass(frozen=True, slots=True)
class Intersects:
    """Ground that the footprint shares, prepared."""

    ground: BaseGeometry

    def holds(self, image: CatalogueImage) -> bool:
        """Return True when an image meets it."""
        return shares_ground(self.ground, image.footprint)


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold."""

    parts: tuple[Filter, ...]

    def holds(self, image: CatalogueImage) -> bool:
        """Return True when an image meets it."""
        return all(part.holds(image) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds."""

    parts: tuple[Filter, ...]

    def holds(self, image: CatalogueImage) -> bool:
        """Return True when an image meets it."""
        return any(part.holds(image) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Filter

    def holds(self, image: CatalogueImage) -> bool:
        """Return True when an image meets it."""
        return not self.part.holds(image)


Filter: TypeAlias = Comparison | Intersects | Every | Some | Not


class Reach(NamedTuple):
    """Where and when images must be looked for: none that meets a filter lies elsewhere.

    Attributes:
        ground: EPSG:4326, or None.
        start: Images begin then or later, or None.
        end: Images begin then or earlier, or None.
    """

    ground: BaseGeometry | None
    start: datetime | None
    end: datetime | None


def parse(text: str) -> Filter:
    """Read a filter; an empty one holds always.

    Raises:
        EngineError: 400; it cannot be read.
    """
    if not text.strip():
        return Every(())
    reader = _Reader(text)
    found = reader.conjunction()
    if reader.kind:
        raise reader.error("AND or the end")
    return found


def reach(found: Filter) -> Reach:
    """Return what a filter says of place and time, whatever else it says."""
    parts = list(_required(found))
    ground = next((part.ground for part in parts if isinstance(part, Intersects)), None)
    starts = [p.value for p in parts if _bounds(p, "startTime", (">", ">=", "="))]
    ends = [p.value for p in parts if _bounds(p, "startTime", ("<", "<=", "="))]
    # What ends before a time begins before it.
    ends += [p.value for p in parts if _bounds(p, "endTime", ("<", "<=", "="))]
    return Reach(ground, max(starts, default=None), min(ends, default=None))


def _required(found: Filter) -> Iterator[Any]:
    """Yield the parts that must hold."""
    if isinstance(found, Every):
        for part in found.parts:
            yield from _required(part)
    else:
        yield found


def _bounds(part: Any, field: str, signs: tuple[str, ...]) -> bool:
    return isinstance(part, Comparison) and part.field == field and part.sign in signs


def _field(image: CatalogueImage, name: str) -> Any:
    if name.startswith(PROPERTY):
        return image.properties.get(name.removeprefix(PROPERTY))
    return {"id": image.id, "name": PUBLIC + image.id, "type": "IMAGE"}[name]


def _compare(found: Any, sign: str, said: str) -> bool:
    """Return whether a value of an image meets an operator and a value as written."""
    if found is None:
        return False
    if sign == ":":
        values = found if isinstance(found, list) else [found]
        return said == "*" or any(_compare(value, "=", said) for value in values)
    if isinstance(found, (int, float)):
        try:
            return ORDERS[sign](found, float(said))
        except ValueError:
            return sign == "!="  # a number is no word
    return ORDERS[sign](str(found), said)


class _Reader:
    """Reads one filter, token by token."""

    def __init__(self, text: str) -> None:
        self._text, self._at = text.rstrip(), 0
        self.kind, self.token = "", ""
        self._next()

    def error(self, wanted: str) -> EngineError:
        """Return the refusal of what stands here."""
        found = self.token or "the end"
        return invalid(f"Invalid filter at character {self._at}: {wanted} expected, not {found}.")

    def conjunction(self) -> Filter:
        """Read parts joined by AND."""
        parts = [self._disjunction()]
        while self._takes("AND"):
            parts.append(self._disjunction())
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _disjunction(self) -> Filter:
        parts = [self._term()]
        while self._takes("OR"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _term(self) -> Filter:
        if self._takes("NOT"):
            return Not(self._term())
        if self._takes("("):
            inner = self.conjunction()
            self._demand(")")
            return inner
        return self._restriction()

    def _restriction(self) -> Filter:
        if self.kind != "word":
            raise self.error("a field")
        name = self._take()
        if self._takes("("):
            if name != "intersects":
                raise invalid(f"Invalid filter: there is no function {name}.")
            ground = _ground(self._value())
            self._demand(")")
            return Intersects(ground)
        if self.token not in (*ORDERS, ":"):
            raise self.error("an operator")
        return _comparison(name, self._take(), self._value())

    def _value(self) -> str:
        if self.kind not in ("text", "word"):
            raise self.error("a value")
        quoted, said = self.kind == "text", self._take()
        return re.sub(r"\\(.)", r"\1", said[1:-1]) if quoted else said

    def _take(self) -> str:
        token = self.token
        self._next()
        return token

    def _takes(self, token: str) -> bool:
        """Step over a token that may stand here."""
        if self.kind in ("", "text") or self.token != token:
            return False
        self._next()
        return True

    def _demand(self, token: str) -> None:
        if not self._takes(token):
            raise self.error(token)

    def _next(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            if self._at < len(self._text):
                raise invalid(f"Invalid filter at character {self._at}: {self._text[self._at :]}")
            self.kind = self.token = ""
            return
        self._at = found.end()
        self.kind, self.token = str(found.lastgroup), found[str(found.lastgroup)]


def _comparison(field: str, sign: str, said: str) -> Comparison:
    if field in TIMES:
        if sign == ":":
            raise invalid(f"Invalid filter: {field} cannot be compared by a colon.")
        try:
            return Comparison(field, sign, parse_utc(said))
        except ValueError as error:
            raise invalid(f'Invalid filter: "{said}" is no time.') from error
    if field not in ("id", "name", "type") and not field.startswith(PROPERTY):
        raise invalid(f"Invalid filter: there is no field {field}.")
    return Comparison(field, sign, said)


def _ground(said: str) -> BaseGeometry:
    """Return a geometry from GeoJSON, with single quotes, too, or from WKT."""
    try:
        if said.lstrip().startswith("{"):
            ground = shape(json.loads(said.replace("'", '"')))
        else:
            ground = shapely.from_wkt(said)
    except (ValueError, TypeError, KeyError, AttributeError, ShapelyError) as error:
        raise invalid(f"Invalid filter: intersects needs GeoJSON or WKT: {error}") from error
    ground = ground if ground.is_valid else shapely.make_valid(ground)
    shapely.prepare(ground)
    return ground
