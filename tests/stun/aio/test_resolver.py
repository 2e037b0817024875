"""Records of a name server on loopback, and what there is without DNS."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import sys
from collections.abc import AsyncIterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from stun import AddressFamily, ServerUri
from stun.aio import SystemResolver, resolve
from stun.aio.resolver import tell_that_there_is_no_dns
from stun.resolution import (
    NaptrRecord,
    NoServerFound,
    Record,
    RecordType,
    SrvRecord,
    UnsupportedTransport,
)
from transport import TransportProtocol
from transport.aio import KernelSocket, KernelSockets

from .servers import ANYWHERE, LOOPBACK, Names

UDP, TCP = TransportProtocol.UDP, TransportProtocol.TCP
ZONE = {
    "_stun._udp.stun.example. SRV": "10 20 3479 A.Stun.Example.",
    "relay.example. NAPTR": '100 50 "s" "RELAY:turn.udp" "" _turn._udp.relay.example.',
}


class NameServer:
    """Answers from the zone, else that there is no such name; silent to some."""

    def __init__(self, sock: KernelSocket) -> None:
        self.address = sock.local
        self.asked: list[str] = []
        self._socket = sock
        sock.start(self._readable)

    def _readable(self) -> None:
        for data, source in self._socket.receive():
            query = dns.message.from_wire(data)
            (question,) = query.question
            key = f"{question.name} {question.rdtype.name}"
            self.asked.append(key)
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            if text := ZONE.get(key):
                answer.answer.append(
                    dns.rrset.from_text(question.name, 60, "IN", question.rdtype, text)
                )
            else:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            self._socket.send([answer.to_wire()], source, None)


@pytest.fixture
async def name_server() -> AsyncIterator[NameServer]:
    sock = await KernelSockets().open(ANYWHERE)
    yield NameServer(sock)
    sock.close()


@pytest.mark.parametrize(
    ("name", "record_type", "records"),
    [
        ("_stun._udp.stun.example", RecordType.SRV, [SrvRecord(10, 20, 3479, "A.Stun.Example.")]),
        (
            "relay.example",
            RecordType.NAPTR,
            [NaptrRecord(100, 50, "s", "RELAY:turn.udp", "", "_turn._udp.relay.example.")],
        ),
        ("nobody.example", RecordType.SRV, []),
        ("x" * 64 + ".example", RecordType.SRV, []),
    ],
)
async def test_services_and_pointers_come_from_dns(
    name_server: NameServer, name: str, record_type: RecordType, records: list[Record]
) -> None:
    resolver = SystemResolver(name_servers=[name_server.address])

    assert list(await resolver.look_up(name, record_type)) == records


async def test_addresses_come_from_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(host: str, port: object, family: int, **_: object) -> list[object]:
        if host != "stun.example":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        text = "2001:db8::1" if family == socket.AF_INET6 else "192.0.2.1"
        return [(family, 0, 0, "", (text, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    resolver = SystemResolver()

    assert await resolver.look_up("stun.example", RecordType.A) == [
        ipaddress.ip_address("192.0.2.1")
    ]
    assert await resolver.look_up("stun.example", RecordType.AAAA) == [
        ipaddress.ip_address("2001:db8::1")
    ]
    assert await resolver.look_up("other.example", RecordType.A) == ()
    assert await resolver.look_up("x" * 64 + ".example", RecordType.A) == ()


async def test_without_dnspython_there_are_addresses_alone_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "dns", None)
    monkeypatch.setitem(sys.modules, "dns.asyncresolver", None)
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_, **__: [(socket.AF_INET, 0, 0, "", ("192.0.2.1", 0))]
    )
    tell_that_there_is_no_dns.cache_clear()

    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            targets = await resolve(ServerUri.parse("turn:relay.example"), supported=(UDP, TCP))

    assert [(each.transport, str(each.address)) for each in targets] == [
        (UDP, "192.0.2.1:3478"),
        (TCP, "192.0.2.1:3478"),
    ]
    (said,) = caplog.messages
    assert "hairpin[dns]" in said


async def test_without_a_need_for_it_dnspython_is_not_missed(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "dns", None)
    tell_that_there_is_no_dns.cache_clear()

    await resolve(ServerUri.parse("stun:127.0.0.1"), supported=(UDP,))
    await resolve(ServerUri.parse("stun:localhost"), supported=(UDP,))

    assert caplog.messages == []


@pytest.mark.parametrize(
    ("family", "hosts"),
    [
        (None, ["2001:db8::1", "127.0.0.1"]),
        (AddressFamily.IPV4, ["127.0.0.1"]),
        (AddressFamily.IPV6, ["2001:db8::1"]),
    ],
)
async def test_one_family_can_be_left_out(family: AddressFamily | None, hosts: list[str]) -> None:
    names = Names(
        {"A a.example": [LOOPBACK], "AAAA a.example": [ipaddress.ip_address("2001:db8::1")]}
    )

    targets = await resolve(
        ServerUri.parse("stun:a.example:1"), supported=(UDP,), family=family, resolver=names
    )

    assert [each.address.host for each in targets] == hosts


async def test_a_name_without_an_address_is_an_error() -> None:
    with pytest.raises(NoServerFound, match=r"stun:a\.example"):
        await resolve(ServerUri.parse("stun:a.example"), supported=(UDP,), resolver=Names({}))


async def test_nothing_is_looked_up_for_what_cannot_be_spoken() -> None:
    names = Names({})

    with pytest.raises(UnsupportedTransport):
        await resolve(ServerUri.parse("turns:a.example"), supported=(UDP,), resolver=names)

    assert names.asked == []


async def test_a_resolution_that_is_cancelled_leaves_no_lookup_behind() -> None:
    class Silent:
        cancelled = 0

        async def look_up(self, name: str, record_type: RecordType) -> list[Record]:
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled += 1
            return []

    silent = Silent()
    task = asyncio.ensure_future(
        resolve(ServerUri.parse("stun:a.example:1"), supported=(UDP,), resolver=silent)
    )
    for _ in range(3):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert silent.cancelled == 2
