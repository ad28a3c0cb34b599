"""How many requests may be under way: found out from what is refused. Pure: no clock, no threads.

A round trip begins with the first request after the last one, and ends when one of its own requests
is answered in earnest. Requests that are refused at once keep their place until then, so that one
refusal does not make room for the next.

- **Cut**, at most once per round trip, and only when more was refused than the noise explains. The
  new limit is what the server carried meanwhile: in flight, less those refused.
- **Noise**: some servers refuse a few requests whatever their number. Its rate is learnt from round
  trips that called for no cut.
- **Probe**: after many quiet round trips at the limit one more is let through, for some of them.
  When it is refused, or more than before is refused in all, the limit goes back, and the next probe
  waits twice as long.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

ASSUMED_NOISE = 0.05
"""Share of requests refused for no reason of ours, before anything was measured."""
ASSUMED_WEIGHT = 100
"""Requests that the assumption counts as much as."""
SIGMAS = 3.5
"""Chance makes so large an excess once in some thousand round trips."""
SLACK = 1.5
"""Refusals beyond, so that a round trip of few requests proves nothing."""
MEMORY = 0.9
"""What the evidence of a round trip is worth one round trip later."""
FIRST_PROBE, LONGEST_PROBE = 10, 320
"""Quiet round trips before a probe."""
AFTER_CUT = 5
PROVEN = 5
"""So many requests that were carried above the old limit make a new one."""
DISPROVEN = 2
LEAST_TRIPS, MOST_TRIPS = 3, 8
"""Round trips of a probe."""


class End(Enum):
    """How a request ended."""

    SERVED = "served"
    """With an answer, be it a considered no."""
    REFUSED = "refused"
    """There were too many."""
    FAILED = "failed"
    """Otherwise, and it may be asked again: it tells nothing of the limit."""


@dataclass(slots=True, eq=False)
class Place:
    """A request under way.

    Attributes:
        trip: Round trip that it began in.
        level: How many the server worked on when it began, itself included: those that it refused
            or failed afterwards never counted there.
    """

    trip: int
    level: int


class Limit:
    """The number of requests that may be under way. Not safe for threads.

    Args:
        most: Never more than these.

    Attributes:
        limit: Now.
    """

    def __init__(self, most: int) -> None:
        self.most = self.limit = most
        self._places: list[Place] = []
        self._held = 0
        self._trip = 0
        self._begun = self._refused = 0
        self._seen, self._excess_seen = 0.0, 0.0
        self._asked, self._denied = 0, 0
        self._full = False
        self._quiet, self._patience, self._backed_off = 0, FIRST_PROBE, FIRST_PROBE
        self._base: int | None = None
        self._carried_above = self._refused_above = self._probe_trips = 0

    @property
    def in_flight(self) -> int:
        """Requests under way now."""
        return len(self._places)

    @property
    def noise(self) -> float:
        """Share of requests refused for no reason of ours."""
        assumed = ASSUMED_NOISE * ASSUMED_WEIGHT
        return (self._denied + assumed) / (self._asked + ASSUMED_WEIGHT)

    @property
    def is_open(self) -> bool:
        """True when another request may begin."""
        return self.in_flight + self._held < self.limit

    def begin(self) -> Place:
        """Let a request begin."""
        place = Place(self._trip, self.in_flight + 1)
        self._places.append(place)
        self._begun += 1
        self._full |= self.in_flight + self._held >= self.limit
        return place

    def end(self, place: Place, how: End) -> None:
        """Take note of how a request ended."""
        if how is End.REFUSED:
            self._refused += 1
            self._held += 1
        self._note_probe(place, how)
        if how is End.SERVED and place.trip == self._trip:
            self._end_trip()
        number = self._places.index(place)
        del self._places[number]
        if how is not End.SERVED:
            for later in self._places[number:]:
                later.level -= 1
        if self._held and not self.in_flight:
            # Nobody is left whose answer would end the round trip.
            self._end_trip()

    def _end_trip(self) -> None:
        self._seen = self._seen * MEMORY + self._begun
        self._excess_seen = self._excess_seen * MEMORY + self._refused
        too_many = self._is_excess(self._begun, self._refused) or self._is_excess(
            self._seen, self._excess_seen
        )
        if too_many:
            self._cut()
        elif self._base is not None:
            self._judge_probe()
        else:
            self._asked += self._begun
            self._denied += self._refused
            self._rest()
        self._trip += 1
        self._held = self._begun = self._refused = 0
        self._full = self.in_flight >= self.limit

    def _is_excess(
        self, asked: float, refused: float, sigmas: float = SIGMAS, slack: float = SLACK
    ) -> bool:
        noise = self.noise
        chance = sigmas * math.sqrt(asked * noise * (1 - noise))
        return refused > noise * asked + chance + slack

    def _cut(self) -> None:
        """Take what is carried right now; the request that has just been served is part of it."""
        self.limit = max(1, min(self.limit, self.in_flight))
        self._forget(AFTER_CUT)

    def _rest(self) -> None:
        """Count a quiet round trip at the limit; after many, try one request more."""
        if self.limit >= self.most or not self._full:
            return
        self._quiet += 1
        if self._quiet >= self._patience:
            self._base, self.limit = self.limit, self.limit + 1
            self._carried_above = self._refused_above = 0
            self._probe_trips = 0
            self._seen = self._excess_seen = 0.0

    def _note_probe(self, place: Place, how: End) -> None:
        """Count what happened above the old limit; a plain no is believed at once."""
        if self._base is None or place.level <= self._base:
            return
        self._carried_above += how is End.SERVED
        self._refused_above += how is End.REFUSED
        if self._refused_above >= DISPROVEN and self._refused_above > self._carried_above:
            self._step_back()

    def _judge_probe(self) -> None:
        """Keep one request more when it was carried, and no more was refused than before."""
        self._probe_trips += 1
        if self._probe_trips < LEAST_TRIPS:
            return
        if self._is_excess(self._seen, self._excess_seen, sigmas=1.0, slack=1.0):
            self._step_back()
        elif self._carried_above >= PROVEN and self._carried_above > 3 * self._refused_above:
            self._forget(1)
        elif self._probe_trips >= MOST_TRIPS:
            self._step_back()

    def _step_back(self) -> None:
        """Return to the limit before the probe, and wait longer for the next."""
        self.limit = self._base or self.limit
        self._backed_off = min(2 * self._backed_off, LONGEST_PROBE)
        self._forget(self._backed_off)

    def _forget(self, patience: int) -> None:
        """Begin anew at the present limit."""
        self._base, self._quiet, self._patience = None, 0, patience
        self._seen = self._excess_seen = 0.0
