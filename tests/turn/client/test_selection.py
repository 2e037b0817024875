"""Which server is asked for an allocation, on virtual time."""

from __future__ import annotations

import pytest

from stun.resolution import AttemptAbandoned, AttemptRequested, AttemptsExhausted, Target
from stun.resolution.attempts import ATTEMPT_DELAY, SERVER_DELAY
from transport import Event, TransportAddress, TransportProtocol
from turn.client import AllocationFailed, FailureReason, ServerMemory, ServerSelection
from turn.client.limits import CAPACITY_PAUSE, MISMATCH_PAUSE

UDP, TCP, TLS = TransportProtocol.UDP, TransportProtocol.TCP, TransportProtocol.TLS


def target(
    address: str, *, host: str = "relay.example", transport: TransportProtocol = UDP
) -> Target:
    return Target(transport, TransportAddress.parse(address, 3478), host, host)


FIRST, SECOND = target("192.0.2.1"), target("192.0.2.2", host="other.example")
OVER_TCP = target("192.0.2.1", transport=TCP)
V6 = target("2001:db8::1")
TIMED_OUT = AllocationFailed(None, FailureReason.TIMED_OUT)
QUOTA = AllocationFailed(486, FailureReason.REFUSED, retry_after=CAPACITY_PAUSE)
FULL = AllocationFailed(508, FailureReason.REFUSED, retry_after=CAPACITY_PAUSE)
MISMATCH = AllocationFailed(437, FailureReason.MISMATCH, retry_after=MISMATCH_PAUSE)
WRONG = AllocationFailed(401, FailureReason.UNAUTHENTICATED, "No", retry_after=None)


class Driver:
    def __init__(
        self, *targets: Target, memory: ServerMemory | None = None, now: float = 0.0
    ) -> None:
        self.selection = ServerSelection(targets, memory or ServerMemory())
        self.now = now
        self.requested: list[tuple[float, Target]] = []
        self.events: list[Event] = []
        self.selection.start(now)
        self.drain()

    @property
    def targets(self) -> list[Target]:
        return [target for _, target in self.requested]

    @property
    def is_exhausted(self) -> bool:
        return AttemptsExhausted() in self.events

    def drain(self) -> None:
        while (event := self.selection.poll_event()) is not None:
            if isinstance(event, AttemptRequested):
                self.requested.append((self.now, event.target))
            else:
                self.events.append(event)

    def advance(self, until: float) -> None:
        while (deadline := self.selection.next_timeout()) is not None and deadline <= until:
            self.now = deadline
            self.selection.handle_timeout(deadline)
            self.drain()
        self.now = until

    def fail(self, number: int, failure: AllocationFailed) -> None:
        self.selection.allocation_failed(number, failure, self.now)
        self.drain()


@pytest.mark.requirement("stun-turn:STUNC-DNS-13")
def test_targets_are_tried_in_their_order_until_one_allocates() -> None:
    driver = Driver(FIRST, SECOND, OVER_TCP)

    driver.fail(0, TIMED_OUT)
    driver.selection.succeeded(1, driver.now)
    driver.advance(100.0)

    assert driver.targets == [FIRST, SECOND]
    assert not driver.is_exhausted


@pytest.mark.requirement("stun-turn:STUNC-DNS-13")
@pytest.mark.parametrize(
    ("failure", "pause"),
    [
        pytest.param(QUOTA, 60.0, id="486"),
        pytest.param(FULL, 60.0, id="508"),
    ],
)
def test_a_server_that_refused_for_a_time_is_skipped_by_all_for_that_time(
    failure: AllocationFailed, pause: float
) -> None:
    memory = ServerMemory()
    first = Driver(FIRST, SECOND, memory=memory)
    first.advance(1.0)
    first.fail(0, failure)

    meanwhile = Driver(FIRST, OVER_TCP, SECOND, memory=memory, now=1.0 + pause - 0.1)
    afterwards = Driver(FIRST, SECOND, memory=memory, now=1.0 + pause)

    assert meanwhile.targets == [SECOND]
    assert afterwards.targets == [FIRST]


@pytest.mark.requirement("stun-turn:STUNC-DNS-13")
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-07")
def test_a_server_that_says_437_three_times_is_left_alone_for_2_minutes() -> None:
    memory = ServerMemory()
    driver = Driver(FIRST, memory=memory)

    for number in range(3):
        driver.fail(number, MISMATCH)

    assert driver.targets == [FIRST] * 3
    assert driver.is_exhausted
    assert driver.selection.failure == MISMATCH
    assert Driver(FIRST, memory=memory, now=119.0).targets == []
    assert Driver(FIRST, memory=memory, now=120.0).targets == [FIRST]


def test_when_all_are_skipped_it_is_told_what_they_had_answered() -> None:
    memory = ServerMemory()
    Driver(FIRST, memory=memory).fail(0, QUOTA)

    driver = Driver(FIRST, memory=memory, now=10.0)

    assert driver.is_exhausted
    assert driver.selection.failure == QUOTA


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-10")
def test_a_timeout_over_udp_leads_to_tcp() -> None:
    driver = Driver(FIRST, OVER_TCP)

    driver.advance(1.0)
    driver.fail(0, TIMED_OUT)

    assert driver.requested == [(0.0, FIRST), (1.0, OVER_TCP)]


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-10")
def test_tcp_is_tried_beside_udp_that_says_nothing_for_5_s() -> None:
    driver = Driver(FIRST, OVER_TCP)

    driver.advance(60.0)
    assert driver.requested == [(0.0, FIRST), (SERVER_DELAY, OVER_TCP)]

    driver.selection.reached(1, 60.0)
    driver.drain()
    assert driver.events == [AttemptAbandoned(0)]


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-12")
def test_of_two_families_the_one_whose_401_comes_first_goes_on() -> None:
    driver = Driver(V6, FIRST)
    driver.advance(ATTEMPT_DELAY)

    driver.selection.reached(1, driver.now)
    driver.selection.reached(0, driver.now)
    driver.drain()

    assert driver.targets == [V6, FIRST]
    assert driver.events == [AttemptAbandoned(0)]


def test_wrong_credentials_are_not_tried_on_the_servers_other_addresses_and_are_told() -> None:
    driver = Driver(FIRST, OVER_TCP, SECOND)

    driver.fail(0, WRONG)
    driver.selection.unusable(1, "no way", driver.now)
    driver.drain()

    assert driver.targets == [FIRST, SECOND]
    assert driver.is_exhausted
    assert driver.selection.failure == WRONG


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-11")
@pytest.mark.requirement("stun-turn:STUNC-ALT-02")
@pytest.mark.parametrize(
    ("domain", "name"), [("third.example", "third.example"), (None, "relay.example")]
)
def test_an_alternate_server_comes_before_all_others(domain: str | None, name: str) -> None:
    over_tls = target("192.0.2.1", transport=TLS)
    alternate = TransportAddress.parse("203.0.113.1", 5349)
    driver = Driver(over_tls, SECOND)

    driver.fail(
        0,
        AllocationFailed(
            300, FailureReason.REDIRECTED, alternate=alternate, alternate_domain=domain
        ),
    )

    (_, following) = driver.targets
    assert (following.transport, following.address) == (TLS, alternate)
    assert following.server_name == name
    driver.fail(1, TIMED_OUT)
    driver.fail(2, TIMED_OUT)
    assert driver.targets[2:] == [SECOND]
    assert driver.selection.failure == TIMED_OUT


def test_a_way_that_does_not_even_begin_is_told_if_nothing_else_is() -> None:
    driver = Driver(FIRST)

    driver.selection.unusable(0, "Network is unreachable", 0.0)
    driver.drain()

    assert driver.is_exhausted
    assert driver.selection.failure == AllocationFailed(
        None, FailureReason.UNREACHABLE, "Network is unreachable"
    )
