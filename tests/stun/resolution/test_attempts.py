"""When which target is tried, on virtual time."""

from __future__ import annotations

import pytest

from stun.resolution import (
    AttemptAbandoned,
    AttemptRequested,
    Attempts,
    AttemptsExhausted,
    Target,
)
from stun.resolution.attempts import (
    ATTEMPT_DELAY,
    MAX_REDIRECTIONS,
    REDIRECTION_MEMORY,
    SERVER_DELAY,
)
from transport import TransportAddress, TransportProtocol

UDP, TCP, TLS = TransportProtocol.UDP, TransportProtocol.TCP, TransportProtocol.TLS


def target(
    host: str, address: str, *, transport: TransportProtocol = UDP, name: str | None = None
) -> Target:
    return Target(transport, TransportAddress.parse(address, 3478), host, name or host)


V6 = target("a.example", "2001:db8::1")
V4 = target("a.example", "192.0.2.1")
OTHER = target("b.example", "192.0.2.2")
OVER_TCP = target("a.example", "192.0.2.1", transport=TCP)


class Driver:
    """Keeps what was asked for, with its time."""

    def __init__(self, *targets: Target) -> None:
        self.attempts = Attempts(targets)
        self.now = 0.0
        self.requested: list[tuple[float, Target]] = []
        self.abandoned: list[int] = []
        self.is_exhausted = False
        self.attempts.start(0.0)
        self.drain()

    def drain(self) -> None:
        while (event := self.attempts.poll_event()) is not None:
            match event:
                case AttemptRequested(number=number, target=target):
                    assert number == len(self.requested)
                    self.requested.append((self.now, target))
                case AttemptAbandoned(number=number):
                    self.abandoned.append(number)
                case AttemptsExhausted():
                    assert not self.is_exhausted
                    self.is_exhausted = True

    def advance(self, until: float) -> None:
        while (deadline := self.attempts.next_timeout()) is not None and deadline <= until:
            self.now = deadline
            self.attempts.handle_timeout(deadline)
            after = self.attempts.next_timeout()
            assert after is None or after > deadline
            self.drain()
        self.now = until

    def fail(self, number: int) -> None:
        self.attempts.failed(number, self.now)
        self.drain()

    def redirect(self, number: int, to: str, domain: str | None = None) -> None:
        alternate = TransportAddress.parse(to, 3478)
        self.attempts.redirected(number, alternate, domain, self.now)
        self.drain()


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-12")
@pytest.mark.requirement("stun-turn:STUNC-DNS-07")
def test_the_addresses_of_one_server_are_tried_250_ms_apart_and_another_server_after_5_s() -> None:
    driver = Driver(V6, V4, OTHER)

    driver.advance(60.0)

    assert driver.requested == [
        (0.0, V6),
        (ATTEMPT_DELAY, V4),
        (ATTEMPT_DELAY + SERVER_DELAY, OTHER),
    ]
    assert not driver.is_exhausted


@pytest.mark.requirement("stun-turn:STUNC-DNS-06")
@pytest.mark.requirement("stun-turn:STUNC-DNS-13")
def test_an_attempt_that_fails_is_followed_by_the_next_at_once() -> None:
    driver = Driver(V6, OTHER, OVER_TCP)

    driver.advance(1.0)
    driver.fail(0)
    driver.advance(2.0)
    driver.fail(1)

    assert driver.requested == [(0.0, V6), (1.0, OTHER), (2.0, OVER_TCP)]
    driver.fail(2)
    assert driver.is_exhausted


def test_another_server_waits_while_an_address_of_this_one_may_still_answer() -> None:
    driver = Driver(V6, V4, OTHER)

    driver.fail(0)
    driver.advance(1.0)
    assert driver.requested == [(0.0, V6), (0.0, V4)]

    driver.fail(1)
    assert driver.requested[2:] == [(1.0, OTHER)]


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-12")
def test_the_first_that_reaches_its_server_goes_on_alone() -> None:
    driver = Driver(V6, V4, OTHER)
    driver.advance(0.3)

    driver.attempts.reached(1, 0.3)
    driver.attempts.reached(0, 0.3)
    driver.drain()
    driver.advance(60.0)

    assert driver.abandoned == [0]
    assert len(driver.requested) == 2


def test_those_that_were_abandoned_come_back_if_the_one_that_was_faster_fails() -> None:
    driver = Driver(V6, V4, OTHER)
    driver.advance(0.3)
    driver.attempts.reached(1, 0.3)
    driver.drain()
    driver.advance(1.0)

    driver.fail(1)

    assert driver.requested[2:] == [(1.0, V6)]
    driver.fail(0)  # of which nobody wants to hear any more
    driver.advance(1.0 + SERVER_DELAY)
    assert driver.requested[3:] == [(1.0 + SERVER_DELAY, OTHER)]


def test_a_success_is_the_end_of_all_others() -> None:
    driver = Driver(V6, V4, OTHER)
    driver.advance(0.3)

    driver.attempts.succeeded(0, 0.3)
    driver.drain()

    assert driver.abandoned == [1]
    assert driver.attempts.next_timeout() is None
    driver.fail(1)
    assert not driver.is_exhausted


def test_a_server_that_refuses_is_not_asked_at_its_other_addresses() -> None:
    driver = Driver(V6, V4, OVER_TCP, OTHER)
    driver.advance(0.3)

    driver.attempts.refused(0, 0.3)
    driver.drain()

    assert driver.abandoned == [1]
    assert driver.requested[2:] == [(0.3, OTHER)]


def test_a_target_is_tried_again_on_request() -> None:
    driver = Driver(V4, OTHER)

    driver.attempts.again(0, 0.0)
    driver.drain()

    assert driver.requested == [(0.0, V4), (0.0, V4)]


@pytest.mark.requirement("stun-turn:STUNC-ALT-02")
@pytest.mark.parametrize(
    ("domain", "name"), [("other.example", "other.example"), (None, "a.example")]
)
def test_an_alternate_server_is_tried_before_all_others_under_the_name_that_was_given(
    domain: str | None, name: str
) -> None:
    first = target("a.example", "192.0.2.1", transport=TLS)
    driver = Driver(first, OTHER)

    driver.redirect(0, "203.0.113.7", domain)

    ((_, alternate),) = driver.requested[1:]
    assert alternate.transport is TLS
    assert alternate.address.host == "203.0.113.7"
    assert alternate.server_name == name
    driver.fail(1)
    assert driver.requested[2:] == [(0.0, OTHER)]


@pytest.mark.requirement("stun-turn:STUNC-ALT-03")
def test_no_redirection_leads_to_a_server_that_was_asked_within_5_minutes() -> None:
    driver = Driver(V4)
    driver.redirect(0, "203.0.113.7")
    driver.now = REDIRECTION_MEMORY - 1.0

    driver.redirect(1, "192.0.2.1")

    assert len(driver.requested) == 2
    assert driver.is_exhausted


@pytest.mark.requirement("stun-turn:STUNC-ALT-03")
def test_after_5_minutes_it_may_be_asked_again() -> None:
    driver = Driver(V4)
    driver.redirect(0, "203.0.113.7")
    driver.now = REDIRECTION_MEMORY

    driver.redirect(1, "192.0.2.1")

    assert len(driver.requested) == 3


def test_redirections_are_bounded() -> None:
    driver = Driver(V4)

    for hop in range(MAX_REDIRECTIONS + 1):
        driver.redirect(hop, f"203.0.113.{hop + 1}")

    assert len(driver.requested) == 1 + MAX_REDIRECTIONS
    assert driver.is_exhausted


def test_nothing_to_try_is_told_at_once() -> None:
    assert Driver().is_exhausted
