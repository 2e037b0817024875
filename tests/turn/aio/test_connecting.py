"""``connect`` on loopback: which server gives the relay, over what, and whose certificate."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import pathlib
from collections.abc import AsyncIterator

import pytest

from stun import (
    Lifetime,
    Message,
    MessageClass,
    Method,
    ServerUri,
    XorMappedAddress,
    XorRelayedAddress,
    encode_message,
)
from stun.resolution import NaptrRecord, SrvRecord, UnsupportedTransport, UnverifiableServer
from tests.closed import closed_port
from tests.stun.aio.certificates import bundle, make_certificate
from tests.stun.aio.servers import LOOPBACK, Names, everywhere
from transport import TransportAddress, TransportProtocol
from transport.aio import KernelSockets
from turn.aio import Endpoint, RelayServer, ServerCertificate, connect
from turn.aio.connecting import TRANSPORTS
from turn.client import AllocationError, FailureReason, ServerMemory

from .over import ANYWHERE, DTLS, TCP, TLS, UDP, config
from .test_client import PASSWORD, USER, ScriptedServer, refuse

NAMES = everywhere("relay.example", "other.example")
EITHER = pytest.mark.parametrize("transport", [TLS, DTLS], ids=lambda each: each.value)


@contextlib.asynccontextmanager
async def secured(
    folder: pathlib.Path, name: str, transport: TransportProtocol
) -> AsyncIterator[tuple[RelayServer, int, pathlib.Path]]:
    """A relay with a certificate of this name; its port, and the certificate."""
    chain, key = make_certificate(folder, name)
    async with RelayServer.open(
        config(),
        endpoints=[Endpoint(transport, ANYWHERE)],
        certificate=ServerCertificate(str(chain), str(key)),
    ) as server:
        yield server, server.endpoints[0].address.port, chain


def secured_uri(host: str, port: int, transport: TransportProtocol) -> str:
    return f"turns:{host}:{port}?transport={'tcp' if transport is TLS else 'udp'}"


@pytest.mark.requirement("stun-turn:STUNC-UDP-09")
async def test_a_closed_port_is_found_out_at_once() -> None:
    with closed_port() as nobody, pytest.raises(AllocationError) as refused:
        async with (
            asyncio.timeout(15.0),
            connect(f"turn:{nobody}?transport=udp", USER, PASSWORD),
        ):
            pass

    assert refused.value.failure.reason is FailureReason.UNREACHABLE


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-10")
async def test_where_udp_leads_nowhere_tcp_may() -> None:
    async with RelayServer.open(config(), endpoints=[Endpoint(TCP, ANYWHERE)]) as server:
        (endpoint,) = server.endpoints
        async with connect(f"turn:{endpoint.address}", "ann", "secret") as relay:
            assert relay.client.path.transport is TCP
            await relay.permit(LOOPBACK)


@pytest.mark.requirement("stun-turn:STUNC-DNS-13")
async def test_records_of_dns_are_followed_to_the_server_that_allocates() -> None:
    async with RelayServer.open(config(ANYWHERE)) as server, contextlib.AsyncExitStack() as stack:
        port = server.endpoints[0].address.port
        nobody = stack.enter_context(closed_port())
        names = Names(
            {
                "NAPTR relay.example": [
                    NaptrRecord(1, 1, "s", "RELAY:turn.udp", "", "_turn._udp.relay.example.")
                ],
                "SRV _turn._udp.relay.example": [
                    SrvRecord(1, 0, nobody.port, "bad.example."),
                    SrvRecord(2, 0, port, "good.example."),
                ],
                "A bad.example": [LOOPBACK],
                "A good.example": [LOOPBACK],
            }
        )
        async with connect("turn:relay.example", "ann", "secret", resolver=names) as relay:
            assert relay.client.path.remote.port == port


@pytest.mark.requirement("stun-turn:STUNC-DNS-13")
async def test_a_server_that_is_full_is_not_asked_again_by_who_knows_of_it() -> None:
    memory = ServerMemory()
    async with ScriptedServer(functools.partial(refuse, code=508)) as server:
        uri = f"turn:{server.address}?transport=udp"
        for _ in range(2):
            with pytest.raises(AllocationError) as full:
                async with connect(uri, USER, PASSWORD, memory=memory):
                    pass

            assert full.value.failure.code == 508

        assert sum(each.method == Method.ALLOCATE for each, _ in server.requests) == 2


class OpenServer:
    """Grants an allocation to everybody, but holds its first answer until it is told."""

    def __init__(self, address: TransportAddress) -> None:
        self._address = address
        self._held: list[tuple[bytes, TransportAddress]] = []
        self.holds = False
        self.allocated = asyncio.Event()
        self.deleted = asyncio.Event()

    async def __aenter__(self) -> OpenServer:
        self._socket = await KernelSockets().open(self._address)
        self.address = self._socket.local
        self._socket.start(self._readable)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._socket.close()

    def let_go(self) -> None:
        self.holds = False
        for data, source in self._held:
            self._socket.send([data], source, None)

    def _readable(self) -> None:
        for data, source in self._socket.receive():
            request = Message.decode(data)
            if request.method == Method.REFRESH and request.get(Lifetime) == Lifetime(0):
                self.deleted.set()
            attributes = (
                XorRelayedAddress(self.address),
                XorMappedAddress(source),
                Lifetime(600),
            )
            answer = encode_message(
                request.method, MessageClass.SUCCESS, request.transaction_id, attributes
            )
            self._held.append((answer, source))
            self.allocated.set()
            if not self.holds:
                self._socket.send([answer], source, None)


@pytest.mark.long
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-12")
async def test_what_the_slower_of_two_addresses_grants_is_deleted() -> None:
    """The second address is asked 250 ms after the first, by the kernel's clock."""
    async with OpenServer(ANYWHERE) as slow:
        beside = TransportAddress(LOOPBACK + 1, slow.address.port)
        async with OpenServer(beside) as fast:
            slow.holds = True
            names = Names({"A relay.example": [LOOPBACK, LOOPBACK + 1]})
            uri = f"turn:relay.example:{beside.port}?transport=udp"
            async with connect(uri, USER, PASSWORD, resolver=names) as relay:
                assert relay.relayed == fast.address
                slow.let_go()
                async with asyncio.timeout(15.0):
                    await slow.deleted.wait()

                assert not fast.deleted.is_set()
            assert fast.deleted.is_set()


@pytest.mark.requirement("stun-turn:STUNC-TCP-07")
@EITHER
async def test_a_relay_has_to_prove_the_name_in_the_uri(
    tmp_path: pathlib.Path, transport: TransportProtocol
) -> None:
    async with secured(tmp_path, "relay.example", transport) as (server, port, chain):
        good = secured_uri("relay.example", port, transport)
        async with connect(good, "ann", "secret", ca=str(chain), resolver=NAMES) as relay:
            assert relay.client.path.transport is transport
            await relay.permit(LOOPBACK)

        bad = secured_uri("other.example", port, transport)
        with pytest.raises(AllocationError, match=r"match|verif|name"):
            async with connect(bad, "ann", "secret", ca=str(chain), resolver=NAMES):
                pass
        with pytest.raises(AllocationError, match=r"verif|certificate|authority"):
            async with connect(good, "ann", "secret", resolver=NAMES):
                pass

        assert server.stats().errors == {401: 1}


@pytest.mark.requirement("stun-turn:STUNC-DNS-14")
async def test_a_secured_relay_at_an_ip_address_needs_a_name(tmp_path: pathlib.Path) -> None:
    async with secured(tmp_path, "relay.example", TLS) as (_, port, chain):
        uri = secured_uri("127.0.0.1", port, TLS)
        with pytest.raises(UnverifiableServer):
            async with connect(uri, "ann", "secret", ca=str(chain)):
                pass

        async with connect(
            uri, "ann", "secret", ca=str(chain), server_name="relay.example"
        ) as relay:
            assert relay.relayed.ip == LOOPBACK


@pytest.mark.requirement("stun-turn:STUNC-ALT-02")
@pytest.mark.requirement("stun-turn:STUNS-ALT-03")
@EITHER
async def test_a_draining_relay_sends_clients_to_one_of_another_name(
    tmp_path: pathlib.Path, transport: TransportProtocol
) -> None:
    async with (
        secured(tmp_path, "relay.example", transport) as (old, port, first_chain),
        secured(tmp_path, "other.example", transport) as (new, _, second_chain),
    ):
        alternate = new.endpoints[0].address
        ca = bundle(tmp_path, first_chain, second_chain)
        uri = secured_uri("relay.example", port, transport)
        await old.drain(0.0, alternate=alternate, alternate_domain="other.example")
        async with connect(uri, "ann", "secret", ca=ca, resolver=NAMES) as relay:
            assert relay.client.path.remote == alternate

        await old.drain(0.0, alternate=alternate)
        with pytest.raises(AllocationError) as refused:
            async with connect(uri, "ann", "secret", ca=ca, resolver=NAMES):
                pass
        assert refused.value.failure.reason is FailureReason.UNREACHABLE


async def test_a_uri_that_is_parsed_already_serves_too() -> None:
    async with RelayServer.open(config(ANYWHERE)) as server:
        uri = ServerUri.parse(f"turn:{server.endpoints[0].address}")
        async with connect(uri, "ann", "secret") as relay:
            assert relay.client.path.transport is UDP is TRANSPORTS[0]


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("stun:127.0.0.1", ValueError),
        ("turn:127.0.0.1?transport=sctp", UnsupportedTransport),
        ("turns:127.0.0.1", UnverifiableServer),
    ],
)
async def test_what_is_no_turn_server_is_refused_before_anything_is_sent(
    uri: str, problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        async with connect(uri, USER, PASSWORD):
            pass
