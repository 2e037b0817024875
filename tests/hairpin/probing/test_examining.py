"""The NAT, as the report tells of it."""

from __future__ import annotations

import dataclasses
from ipaddress import ip_address

import pytest

from hairpin.probing.examining import examine
from hairpin.probing.findings import Status
from hairpin.probing.reaching import Reached, reach
from stun.resolution import Target
from transport import Path, TransportAddress, TransportProtocol
from transport.aio import ClientTls

from .servers import relay, relay_config

ALTERNATE = TransportAddress.parse("127.0.0.2", 0)


def over_tcp(mapped: str) -> Reached:
    server = TransportAddress.parse("192.0.2.1", 3478)
    local = TransportAddress.parse("10.0.0.2", 5000)
    path = Path(TransportProtocol.TCP, local, server)
    target = Target(TransportProtocol.TCP, server, "192.0.2.1")
    return Reached(target, path, TransportAddress.parse(mapped, 5000), None)


@pytest.mark.parametrize(
    ("mapped", "said"),
    [("10.0.0.2", "there is none"), ("203.0.113.9", "there is one")],
    ids=["none", "one"],
)
async def test_over_tcp_a_nat_is_only_seen(mapped: str, said: str) -> None:
    finding = await examine(over_tcp(mapped), longest_lifetime=None)

    assert finding.status is Status.NOTE
    assert finding.text.startswith(said)


@pytest.mark.long  # it waits for a second
async def test_the_lifetime_of_bindings_is_found_where_it_is_asked_for() -> None:
    config = dataclasses.replace(relay_config(), nat_discovery=True, alternate_address=ALTERNATE)
    async with relay(config) as server:
        target = Target(TransportProtocol.UDP, server.addresses[0], "127.0.0.1")
        reached = await reach(target, ClientTls())
        assert isinstance(reached, Reached)
        finding = await examine(reached, longest_lifetime=1.0)

    assert finding.status is Status.OK
    assert finding.data["binding_lifetime"] == {"at_least": 1.0, "below": None}
    assert finding.data["hairpinning"] == {"inconclusive": "no_nat", "code": None}


async def test_without_a_socket_nothing_is_examined() -> None:
    server = TransportAddress.parse("127.0.0.1", 9)
    path = Path(TransportProtocol.UDP, TransportAddress(ip_address("192.0.2.77"), 1), server)
    reached = Reached(Target(TransportProtocol.UDP, server, "127.0.0.1"), path, server, None)

    finding = await examine(reached, longest_lifetime=None)

    assert (finding.status, finding.text) == (Status.NOTE, "it cannot be examined")
    assert finding.said
