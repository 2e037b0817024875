"""Outcomes in words."""

from __future__ import annotations

import pytest

from hairpin.probing.advice import Cause
from hairpin.probing.findings import Status
from hairpin.probing.reaching import Reached, Unreached
from hairpin.probing.relaying import Direction, RoundTrip
from hairpin.probing.telling import reach_finding, relay_finding
from stun.resolution import Target
from transport import Path, TransportAddress, TransportProtocol

SERVER = TransportAddress.parse("192.0.2.1", 3478)
US = TransportAddress.parse("192.0.2.9", 5000)
TARGET = Target(TransportProtocol.UDP, SERVER, "192.0.2.1")
ALL, SOME, NONE = Direction(4, (1.0, 2.0, 3.0, 4.0)), Direction(4, (1.0,)), Direction(4, ())


@pytest.mark.parametrize(
    ("trip", "status", "said"),
    [
        pytest.param(RoundTrip(ALL, ALL), Status.OK, "4 of 4 packets there in 2.5 ms", id="all"),
        pytest.param(RoundTrip(ALL, SOME), Status.NOTE, "1 of 4 back in 1.0 ms", id="some"),
        pytest.param(RoundTrip(NONE, NONE), Status.FAILED, "on the way there", id="none"),
        pytest.param(RoundTrip(ALL, NONE), Status.FAILED, "on the way back", id="none-back"),
    ],
)
def test_loss_is_told_for_each_direction(trip: RoundTrip, status: Status, said: str) -> None:
    finding = relay_finding(trip, "relay to relay")

    assert finding.status is status
    assert said in finding.text
    assert (finding.cause is Cause.PACKETS_LOST) is (status is Status.FAILED)
    assert ("lost: 0 % there, 75 % back" in finding.more) is (status is Status.NOTE)


@pytest.mark.parametrize(("took", "said"), [(0.0123, "in 12.3 ms"), (None, "after a repeat")])
def test_a_server_that_answers_says_who_we_are(took: float | None, said: str) -> None:
    reached = Reached(TARGET, Path(TransportProtocol.UDP, US, SERVER), US, took)

    finding = reach_finding(reached, is_needed=True)

    assert finding.text == f"192.0.2.1:3478 over UDP answers {said}; it sees us as {US}"


@pytest.mark.parametrize(
    ("is_needed", "status"), [(True, Status.FAILED), (False, Status.NOTE)], ids=["needed", "extra"]
)
def test_a_transport_that_was_not_asked_for_may_be_missing(is_needed: bool, status: Status) -> None:
    finding = reach_finding(Unreached(TARGET, Cause.PORT_CLOSED, "refused"), is_needed=is_needed)

    assert (finding.status, finding.cause) == (status, Cause.PORT_CLOSED)
