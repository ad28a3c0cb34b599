"""Which faults a server shall have, and which request each of them meets.

Written as one line, or as a YAML file of the same words:

    429=0.1,asset:503=0.05,reset@5-8,500@every10,latency=0.2,jitter=0.1,seed=7

    seed: 7
    jitter: 0.1
    rules:
      - {fault: 429, rate: 0.1}
      - {fault: reset, requests: 5-8}
      - {fault: latency, amount: 0.2}

Whether a fault with a rate meets a request is drawn from the seed, the path, the range of bytes
and how often this very thing was asked before: a second run meets the same faults, a second
attempt meets its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BeforeValidator, Field, model_validator

from eodata.core.errors import RecipeError, nearest
from eodata.core.strict import Strict

Place = Literal["any", "search", "asset", "sign"]
Kind = Literal[
    "latency",  # amount: seconds before the answer
    "bandwidth",  # amount: bytes per second and client
    "concurrency",  # amount: requests under way per client; 429 beyond
    "429",  # with Retry-After in seconds
    "429-date",  # with Retry-After as a date
    "429-bare",  # without Retry-After
    "500",
    "502",
    "503",
    "reset",  # the connection is reset before the answer
    "hang",  # no answer until the client loses patience, or `patience` is over
    "truncate",  # the connection ends before the body does
    "corrupt",  # one byte of the body is wrong
    "expired",  # 403; a signed URL stays refused until it is signed again
    "missing",  # 404; by rate: the same files always
    "duplicate",  # an item stands twice on a page of search results
    "skip",  # an item is left out of a page of search results
    "limit",  # 400 for a page larger than the archive gives; without it such pages come cut
]
KINDS: tuple[str, ...] = get_args(Kind)
MEASURED = frozenset({"latency", "bandwidth", "concurrency"})
"""Faults that have an amount; they go together with any other."""
PAGE_FAULTS = frozenset({"duplicate", "skip", "limit"})
OF_ASSETS = frozenset({"expired", "missing"})
_PART = re.compile(
    r"(?:(?P<where>\w+):)?(?P<name>[\w-]+)(?:=(?P<value>[^@=]+))?"
    r"(?:@(?:every(?P<every>\d+)|(?P<requests>[\d-]+)))?"
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, as far as the faults care.

    Attributes:
        path: Without query.
        part: The Range header, `""` without one.
        nth: How often this path and part were asked, this time included.
        numbers: Number of the request among those to each place; the key `any` counts all.
    """

    path: str
    part: str
    nth: int
    numbers: Mapping[str, int]


class FaultRule(Strict):
    """One fault and the requests that it meets: all that fit where, schedule and rate."""

    fault: Annotated[Kind, BeforeValidator(str)]
    where: Place = Field(default="any", description="Requests that it can meet at all.")
    rate: float = Field(default=1.0, ge=0, le=1, description="Share of these requests.")
    amount: float | None = Field(default=None, gt=0, description="Seconds, bytes/s or requests.")
    requests: Annotated[str | None, BeforeValidator(lambda v: v if v is None else str(v))] = Field(
        default=None, pattern=r"^\d+(-\d*)?$", description="Numbers of requests: 5, 5-8 or 5-."
    )
    every: int | None = Field(default=None, ge=1, description="Each n-th request.")

    @model_validator(mode="after")
    def _amount_fits(self) -> Self:
        if (self.fault in MEASURED) != (self.amount is not None):
            found = "it needs an amount" if self.fault in MEASURED else "it has no amount"
            fix = f"Write {self.fault}=0.1, or `amount:` for {', '.join(sorted(MEASURED))} alone."
            raise RecipeError("amount", f"{self.fault}: {found}", "", fix)
        return self

    @property
    def place(self) -> Place:
        """Return the place whose requests it can meet and whose numbers its schedule means."""
        return "asset" if self.fault in OF_ASSETS else self.where

    @property
    def is_sticky(self) -> bool:
        """Return True when it meets the same path again and again."""
        return self.fault == "missing" and not self.is_scheduled

    @property
    def is_scheduled(self) -> bool:
        """Return True when the numbers of requests matter."""
        return self.requests is not None or self.every is not None

    def covers(self, number: int) -> bool:
        """Return True when the schedule holds for the request of this number (from 1 on)."""
        if self.every is not None and number % self.every:
            return False
        if self.requests is None:
            return True
        first, dash, last = self.requests.partition("-")
        final = int(last) if last else number if dash else int(first)
        return int(first) <= number <= final


class Faults(Strict):
    """All faults of one server."""

    seed: int = Field(default=1, ge=0, description="Other seed, other requests.")
    jitter: float = Field(default=0.0, ge=0, description="Latency varies by up to this much [s].")
    retry_after: int = Field(default=1, ge=0, description="What 429 asks to wait [s].")
    patience: float = Field(default=30.0, gt=0, description="Longest `hang` [s].")
    rules: tuple[FaultRule, ...] = ()

    @classmethod
    def load(cls, text: str) -> Self:
        """Read faults from one line, or from the YAML file of that name.

        Raises:
            RecipeError: The text says something that is no fault.
        """
        if not text.endswith((".yaml", ".yml")):
            return cls.parse(_read_line(text), "faults")
        try:
            data = yaml.safe_load(Path(text).read_text(encoding="utf-8"))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise RecipeError(text, "it cannot be read", f"{error}.", "Correct it.") from error
        return cls.parse(data, text)

    def due(self, ask: Ask) -> tuple[FaultRule, ...]:
        """Return the rules that meet a request, in the order in which they are written."""
        return tuple(rule for rule in self.rules if self._meets(rule, ask))

    def page_fault(self, request_number: int, too_large: bool = False) -> str | None:
        """Return what shall be wrong with the page of a search: one of `PAGE_FAULTS`, or None.

        Args:
            request_number: Of the search among the searches of this server, from 1 on.
            too_large: More items are wanted than the archive gives at once.
        """
        for rule in self.rules:
            is_drawn = self.draw(rule.fault, "page", request_number) < rule.rate
            fits = rule.fault in PAGE_FAULTS and (rule.fault != "limit" or too_large)
            if fits and rule.covers(request_number) and is_drawn:
                return rule.fault
        return None

    def draw(self, *what: object) -> float:
        """Return a number in [0, 1) that depends on the seed and on what it is for."""
        text = "|".join(str(part) for part in (self.seed, *what))
        return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big") / 2.0**48

    def _meets(self, rule: FaultRule, ask: Ask) -> bool:
        if rule.fault in PAGE_FAULTS or rule.place not in ask.numbers:
            return False
        what = (ask.path,) if rule.is_sticky else (ask.path, ask.part, ask.nth)
        is_drawn = rule.rate >= 1 or self.draw(rule.fault, rule.where, *what) < rule.rate
        return is_drawn and rule.covers(ask.numbers[rule.place])


def place_of(path: str) -> str:
    """Return what a path is for: search, asset, sign, or other."""
    parts = path.strip("/").split("/")
    if "assets" in parts:
        return "asset"
    if parts[-1] in ("search", "items"):
        return "search"
    return "sign" if {"sign", "token"} & set(parts) else "other"


def _read_line(text: str) -> dict[str, Any]:
    """Turn one line into what a YAML file would hold."""
    data: dict[str, Any] = {"rules": []}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        found = _PART.fullmatch(part)
        if found is None:
            why = "a fault is written as name=rate, name@5-8 or name@every10."
            raise RecipeError("faults", f'"{part}"', why, "For example: 429=0.1,reset@5-8")
        _take(found.groupdict(), data)
    return data


def _take(part: dict[str, str | None], data: dict[str, Any]) -> None:
    name, value = part.pop("name") or "", part.pop("value")
    settings = {key.replace("_", "-") for key in Faults.model_fields if key != "rules"}
    if name.replace("_", "-") in settings:
        data[name.replace("-", "_")] = value
        return
    if name not in KINDS:
        fix = nearest(name, {*KINDS, *settings})
        raise RecipeError("faults", f'there is no fault "{name}"', "", fix)
    rule: dict[str, Any] = {key: text for key, text in part.items() if text is not None}
    if value is not None:
        rule["amount" if name in MEASURED else "rate"] = value
    data["rules"].append({"fault": name, **rule})
