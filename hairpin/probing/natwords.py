"""What a NAT means for those behind it (after RFC 4787, and what ICE makes of it)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from stun.behavior import (
    BehaviorReport,
    BindingLifetime,
    Fragments,
    Inconclusive,
    NatFiltering,
    NatHairpinning,
    NatMapping,
    Obstacle,
)

_FILTERS: Final[Mapping[NatFiltering, str]] = MappingProxyType(
    {
        NatFiltering.ENDPOINT_INDEPENDENT: "anyone may send to us",
        NatFiltering.ADDRESS_DEPENDENT: "only hosts that we have sent to may send to us",
        NatFiltering.ADDRESS_AND_PORT_DEPENDENT: ("only ports that we have sent to may send to us"),
    }
)

_SYMMETRIC: Final = (NatMapping.ADDRESS_DEPENDENT, NatMapping.ADDRESS_AND_PORT_DEPENDENT)

_OBSTACLES: Final[Mapping[Obstacle, str]] = MappingProxyType(
    {
        Obstacle.NO_RESPONSE: "the server does not answer any more",
        Obstacle.NO_OTHER_ADDRESS: (
            "this server has no second address, which the test needs (RFC 5780): ask one that "
            "has, such as hairpin relay --enable nat-discovery --alternate-address IP:PORT"
        ),
        Obstacle.ALTERNATE_SILENT: "the server's second address does not answer",
        Obstacle.REFUSED: "the server refuses the test",
        Obstacle.UNEXPECTED_ANSWER: "the server does not answer as RFC 5780 says",
        Obstacle.NO_NAT: "there is no NAT",
        Obstacle.FILTERED: "the NAT is too strict to tell",
        Obstacle.SEVERAL_ADDRESSES: "the NAT gives our sockets different addresses",
    }
)


def headline(report: BehaviorReport) -> str:
    """What stands between us and the server, in one line."""
    mapping, filtering = report.mapping, report.filtering
    if isinstance(mapping, NatMapping) and isinstance(filtering, NatFiltering):
        if mapping is NatMapping.NONE:
            is_open = filtering is NatFiltering.ENDPOINT_INDEPENDENT
            return "no NAT, no filter" if is_open else f"no NAT, but a firewall: {_of(filtering)}"
        kind = "a symmetric NAT" if mapping in _SYMMETRIC else "a NAT that keeps our port"
        return f"{kind}: {mapping.value} mapping, {filtering.value} filtering"
    if mapping is NatMapping.NONE:
        return f"no NAT; its filter cannot be told: {why(filtering)}"
    if isinstance(mapping, NatMapping):
        return f"{mapping.value} mapping; its filtering cannot be told: {why(filtering)}"
    if report.reached is not None and report.reached.mapped != report.reached.local:
        return f"a NAT, of which type cannot be told: {why(mapping)}"
    return f"nothing can be told: {why(mapping)}"


def meaning(report: BehaviorReport) -> tuple[str, ...]:
    """What it means for a peer-to-peer connection, in plain words."""
    mapping, filtering = report.mapping, report.filtering
    lines: list[str] = []
    if isinstance(mapping, NatMapping):
        lines.append(_peer_to_peer(mapping, filtering))
    elif report.reached is not None and report.reached.mapped != report.reached.local:
        lines.append("Peer to peer may work; keep a TURN server for where it does not.")
    if report.reached is not None and report.reached.is_rewritten:
        lines.append(
            "Something on the way rewrites addresses inside of packets (an ALG): switch it off "
            "in the router, or use TLS."
        )
    lines += [*_hairpinning(report.hairpinning), *_fragments(report.fragments)]
    if report.lifetime is not None:
        lines.append(_lifetime(report.lifetime))
    return tuple(lines)


def why(result: object) -> str:
    """The obstacle of a test that says nothing."""
    if not isinstance(result, Inconclusive):
        return "it was not asked for"
    code = "" if result.code is None else f" ({result.code})"
    return f"{_OBSTACLES[result.obstacle]}{code}"


def _of(filtering: NatFiltering) -> str:
    return _FILTERS[filtering]


def _peer_to_peer(mapping: NatMapping, filtering: NatFiltering | Inconclusive | None) -> str:
    is_strict = filtering is NatFiltering.ADDRESS_AND_PORT_DEPENDENT
    if mapping is NatMapping.NONE and filtering is NatFiltering.ENDPOINT_INDEPENDENT:
        return "Peer to peer works with every peer that has UDP."
    if mapping in _SYMMETRIC and is_strict:
        return (
            "Each destination sees another address of ours. Peer to peer works with peers that "
            "are open, or whose NAT is not strict; with those behind a strict or symmetric NAT "
            "only a TURN relay does."
        )
    if mapping in _SYMMETRIC:
        return (
            "Each destination sees another address of ours. Peer to peer works with most peers; "
            "with those behind a strict NAT only a TURN relay does."
        )
    if is_strict:
        return (
            "Peer to peer works (ICE makes both sides send first), but with peers behind a "
            "symmetric NAT only a TURN relay does."
        )
    return "Peer to peer works with nearly every peer that has UDP."


def _hairpinning(result: NatHairpinning | Inconclusive | None) -> tuple[str, ...]:
    match result:
        case NatHairpinning.NONE:
            return (
                "It turns nothing around: two hosts behind it reach each other by their private "
                "addresses, or a relay.",
            )
        case NatHairpinning.EXTERNAL_SOURCE | NatHairpinning.INTERNAL_SOURCE:
            return ("Two hosts behind it reach each other by their public addresses too.",)
        case _:
            return ()


def _fragments(result: Fragments | Inconclusive | None) -> tuple[str, ...]:
    if result in (Fragments.LOST_INBOUND, Fragments.LOST_OUTBOUND):
        return ("Packets that are longer than the MTU are lost: keep below 1200 bytes.",)
    return ()


def _lifetime(result: BindingLifetime | Inconclusive) -> str:
    if isinstance(result, Inconclusive):
        return f"How long a binding lives cannot be told: {why(result)}."
    if result.below is None:
        return f"A binding without traffic lives for {result.at_least:.0f} s at least."
    return (
        f"A binding without traffic lives for {result.at_least:.0f} s: send something every "
        f"{max(1.0, result.at_least / 2):.0f} s."
    )
