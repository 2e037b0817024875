"""What a NAT means, in plain words."""

from __future__ import annotations

import itertools

import pytest

from hairpin.probing.natwords import headline, meaning
from stun.behavior import (
    BehaviorReport,
    BindingLifetime,
    Fragments,
    Inconclusive,
    NatFiltering,
    NatHairpinning,
    NatMapping,
    Obstacle,
    Reached,
)
from transport import TransportAddress

INSIDE = TransportAddress.parse("10.0.0.2", 5000)
OUTSIDE = TransportAddress.parse("203.0.113.9", 5000)
BEHIND = Reached(INSIDE, OUTSIDE, None, 0.01)

EI, AD, APD = (
    NatMapping.ENDPOINT_INDEPENDENT,
    NatMapping.ADDRESS_DEPENDENT,
    (NatMapping.ADDRESS_AND_PORT_DEPENDENT),
)
OPEN, BY_IP, BY_PORT = (
    NatFiltering.ENDPOINT_INDEPENDENT,
    NatFiltering.ADDRESS_DEPENDENT,
    NatFiltering.ADDRESS_AND_PORT_DEPENDENT,
)


@pytest.mark.parametrize(
    ("mapping", "filtering", "said", "relay_only"),
    [
        pytest.param(NatMapping.NONE, OPEN, "no NAT, no filter", None, id="open"),
        pytest.param(NatMapping.NONE, BY_IP, "no NAT, but a firewall", None, id="firewall"),
        pytest.param(EI, OPEN, "a NAT that keeps our port", None, id="full-cone"),
        pytest.param(EI, BY_IP, "a NAT that keeps our port", None, id="restricted"),
        pytest.param(EI, BY_PORT, "a NAT that keeps our port", "symmetric NAT", id="port"),
        pytest.param(APD, BY_PORT, "a symmetric NAT", "strict or symmetric", id="symmetric"),
        pytest.param(AD, OPEN, "a symmetric NAT", "a strict NAT", id="address-dependent"),
    ],
)
def test_who_needs_a_relay_is_said(
    mapping: NatMapping, filtering: NatFiltering, said: str, relay_only: str | None
) -> None:
    report = BehaviorReport(BEHIND, mapping, filtering)

    first = meaning(report)[0]

    assert headline(report).startswith(said)
    assert "Peer to peer works" in first
    assert ("relay" in first) is (relay_only is not None)
    assert relay_only is None or relay_only in first


@pytest.mark.parametrize(
    ("report", "said"),
    [
        pytest.param(
            BehaviorReport(
                BEHIND,
                Inconclusive(Obstacle.NO_OTHER_ADDRESS),
                Inconclusive(Obstacle.NO_OTHER_ADDRESS),
            ),
            "a NAT, of which type cannot be told: this server has no second address",
            id="plain-server",
        ),
        pytest.param(
            BehaviorReport(BEHIND, EI, Inconclusive(Obstacle.REFUSED, 420)),
            "its filtering cannot be told: the server refuses the test (420)",
            id="refused",
        ),
        pytest.param(
            BehaviorReport(BEHIND, NatMapping.NONE, Inconclusive(Obstacle.ALTERNATE_SILENT)),
            "no NAT; its filter cannot be told",
            id="no-nat",
        ),
        pytest.param(
            BehaviorReport(None, Inconclusive(Obstacle.NO_RESPONSE)),
            "nothing can be told: the server does not answer any more",
            id="silence",
        ),
        pytest.param(BehaviorReport(BEHIND), "it was not asked for", id="not-asked"),
    ],
)
def test_what_cannot_be_told_has_its_obstacle(report: BehaviorReport, said: str) -> None:
    assert said in headline(report)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        pytest.param(
            BehaviorReport(BEHIND, EI, BY_PORT, NatHairpinning.NONE), "nothing around", id="none"
        ),
        pytest.param(
            BehaviorReport(BEHIND, EI, BY_PORT, NatHairpinning.EXTERNAL_SOURCE),
            "by their public addresses too",
            id="hairpinning",
        ),
        pytest.param(
            BehaviorReport(BEHIND, EI, BY_PORT, None, Fragments.LOST_INBOUND),
            "keep below 1200",
            id="fragments",
        ),
        pytest.param(
            BehaviorReport(BEHIND, EI, BY_PORT, lifetime=BindingLifetime(30.0, 31.0)),
            "lives for 30 s: send something every 15 s",
            id="lifetime",
        ),
        pytest.param(
            BehaviorReport(BEHIND, EI, BY_PORT, lifetime=BindingLifetime(60.0, None)),
            "for 60 s at least",
            id="long-lifetime",
        ),
        pytest.param(
            BehaviorReport(BEHIND, EI, BY_PORT, lifetime=Inconclusive(Obstacle.SEVERAL_ADDRESSES)),
            "cannot be told: the NAT gives our sockets different addresses",
            id="no-lifetime",
        ),
        pytest.param(
            BehaviorReport(Reached(INSIDE, OUTSIDE, None, None, is_rewritten=True), EI, BY_PORT),
            "(an ALG)",
            id="alg",
        ),
    ],
)
def test_what_else_was_found_is_said(report: BehaviorReport, said: str) -> None:
    assert said in " ".join(meaning(report))


def test_a_nat_of_an_unknown_type_asks_for_a_relay_to_be_safe() -> None:
    report = BehaviorReport(BEHIND, Inconclusive(Obstacle.NO_OTHER_ADDRESS))

    assert "keep a TURN server" in meaning(report)[0]


def test_every_obstacle_and_every_pair_has_words() -> None:
    for obstacle in Obstacle:
        assert headline(BehaviorReport(BEHIND, Inconclusive(obstacle)))
    for mapping, filtering in itertools.product(NatMapping, NatFiltering):
        report = BehaviorReport(BEHIND, mapping, filtering)
        assert headline(report)
        assert meaning(report)
