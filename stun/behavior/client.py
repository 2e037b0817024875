"""The machine that runs the tests (RFC 5780 sections 4 and 5)."""

from __future__ import annotations

import collections
import dataclasses
import functools
from collections.abc import Collection
from typing import Final

from stun.attributes import MappedAddress, OtherAddress
from transport import DecodeError, Event, Path, RandomBytes, Transmit, TransportAddress

from .config import BehaviorConfig
from .exchange import Answered, Ask
from .filtering import discover_filtering
from .fragments import discover_fragments
from .hairpinning import discover_hairpinning
from .lifetime import discover_lifetime
from .mapping import discover_mapping
from .procedure import ClientAddresses, Procedure, obstacle
from .results import (
    BehaviorReport,
    BehaviorTest,
    DiscoveryFinished,
    Inconclusive,
    Reached,
    ServerReached,
    TestConcluded,
    TestResult,
)
from .running import ProcedureRunner

_PHASES: Final[tuple[tuple[BehaviorTest, ...], ...]] = (
    (BehaviorTest.MAPPING,),
    (BehaviorTest.FILTERING, BehaviorTest.HAIRPINNING, BehaviorTest.FRAGMENTS),
    (BehaviorTest.LIFETIME,),
)
"""What disturbs nothing else runs at once; the lifetime of bindings wants silence."""

_FIELDS: Final = {
    BehaviorTest.MAPPING: "mapping",
    BehaviorTest.FILTERING: "filtering",
    BehaviorTest.HAIRPINNING: "hairpinning",
    BehaviorTest.FRAGMENTS: "fragments",
    BehaviorTest.LIFETIME: "lifetime",
}

ALL_BUT_LIFETIME: Final = frozenset(BehaviorTest) - {BehaviorTest.LIFETIME}
"""What is done within seconds."""


class BehaviorClient:
    """A Machine that examines the path to a server with three sockets.

    ``start`` sends the first request. ServerReached, a TestConcluded for each of ``tests``
    and DiscoveryFinished come of it; where the server gives no answer, all tests are
    inconclusive. It serves once.
    """

    def __init__(
        self,
        server: TransportAddress,
        addresses: ClientAddresses,
        *,
        random_bytes: RandomBytes,
        tests: Collection[BehaviorTest] = ALL_BUT_LIFETIME,
        config: BehaviorConfig | None = None,
    ) -> None:
        self._server = server
        self._addresses = addresses
        self._config = config or BehaviorConfig()
        self._runner = ProcedureRunner(self._config, random_bytes)
        wanted = ([test for test in phase if test in tests] for phase in _PHASES)
        self._phases = collections.deque(phase for phase in wanted if phase)
        self._open: set[BehaviorTest] = set()
        self._report = BehaviorReport()
        self._events: collections.deque[Event] = collections.deque()

    def start(self, now: float) -> None:
        """Ask the server for our address (section 4.2), and then all else."""
        self._runner.run(self._reach(), self._reached, now)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        self._runner.receive(data, path, now)

    def handle_timeout(self, now: float) -> None:
        self._runner.handle_timeout(now)

    def next_timeout(self) -> float | None:
        return self._runner.timers.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return self._runner.transmits.popleft() if self._runner.transmits else None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    # The order of the tests

    def _reach(self) -> Procedure[Reached | Inconclusive]:
        (first,) = yield (Ask(self._addresses.main, self._server),)
        if not isinstance(first, Answered):
            return obstacle(first)
        return _read_reached(first, self._addresses.main)

    def _reached(self, result: Reached | Inconclusive, now: float) -> None:
        if isinstance(result, Inconclusive):
            for test in [test for phase in self._phases for test in phase]:
                self._conclude(test, result)
            self._phases.clear()
        else:
            self._report = dataclasses.replace(self._report, reached=result)
            self._events.append(ServerReached(result))
        self._next_phase(now)

    def _next_phase(self, now: float) -> None:
        if not self._phases:
            self._events.append(DiscoveryFinished(self._report))
            return
        phase = self._phases.popleft()
        self._open.update(phase)
        for test in phase:
            concluded = functools.partial(self._concluded, test)
            self._runner.run(self._procedure(test), concluded, now)

    def _procedure(self, test: BehaviorTest) -> Procedure[TestResult]:
        reached = self._report.reached
        assert reached is not None
        ours, server = self._addresses, self._server
        match test:
            case BehaviorTest.MAPPING:
                return discover_mapping(ours, server, reached)
            case BehaviorTest.FILTERING:
                return discover_filtering(ours, server, reached)
            case BehaviorTest.HAIRPINNING:
                return discover_hairpinning(ours, server, reached, self._report.mapping)
            case BehaviorTest.FRAGMENTS:
                return discover_fragments(ours, server)
            case BehaviorTest.LIFETIME:
                return discover_lifetime(ours, server, self._config)

    def _concluded(self, test: BehaviorTest, result: TestResult, now: float) -> None:
        self._conclude(test, result)
        self._open.discard(test)
        if not self._open:
            self._next_phase(now)

    def _conclude(self, test: BehaviorTest, result: TestResult) -> None:
        # Each test has results of its own type, which the table cannot say.
        found = {_FIELDS[test]: result}
        self._report = dataclasses.replace(self._report, **found)  # type: ignore[arg-type]  # the table
        self._events.append(TestConcluded(test, result))


def _read_reached(first: Answered, local: TransportAddress) -> Reached:
    """A mapped address that reads differently in its two forms was rewritten on the way."""
    try:
        plain = first.response.get(MappedAddress)
        other = first.response.get(OtherAddress)
    except DecodeError:
        plain = other = None
    return Reached(
        local,
        first.mapped,
        None if other is None else other.address,
        first.round_trip_time,
        is_rewritten=plain is not None and plain.address != first.mapped,
    )
