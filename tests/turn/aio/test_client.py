"""``connect`` on loopback: with our own server, and with one that says what a test wants."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import socket
from collections.abc import AsyncIterator, Callable

import pytest

from stun import (
    AlternateServer,
    AnyAttribute,
    ChannelNumber,
    ErrorCode,
    KeyAlgorithm,
    Lifetime,
    Message,
    MessageClass,
    Method,
    Nonce,
    Realm,
    XorMappedAddress,
    XorRelayedAddress,
    encode_message,
    long_term_key,
)
from transport import DecodeError, TransportAddress
from transport.aio import KernelSockets
from turn import ChannelData, CredentialVerifier
from turn.aio import RelayServer, connect
from turn.client import (
    AllocationError,
    AllocationGone,
    ClientConfig,
    ClientState,
    FailureReason,
    PeerRefused,
)
from turn.server import ServerConfig

LOOPBACK = ipaddress.ip_address("127.0.0.1")
ANYWHERE = TransportAddress(LOOPBACK, 0)
USER, PASSWORD, REALM = "ann", "open sesame", "relay.example"
KEY = long_term_key(USER, REALM, password=PASSWORD, algorithm=KeyAlgorithm.MD5)


def config(*, allow: str = "127.0.0.0/8") -> ServerConfig:
    return ServerConfig(
        realm=REALM,
        credentials=CredentialVerifier(users={USER: PASSWORD}),
        listening=(ANYWHERE,),
        relay_addresses=(LOOPBACK,),
        allow_peers=(ipaddress.ip_network(allow),),
    )


def uri(address: TransportAddress) -> str:
    return f"turn:{address}"


class ScriptedServer:
    """Answers each request with the datagrams that ``answer`` makes of it."""

    def __init__(self, answer: Callable[[Message], list[bytes]]) -> None:
        self.requests: list[tuple[Message, TransportAddress]] = []
        self._answer = answer

    async def __aenter__(self) -> ScriptedServer:
        self._socket = await KernelSockets().open(ANYWHERE)
        self.address = self._socket.local
        self._socket.start(self._readable)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._socket.close()

    def _readable(self) -> None:
        for data, source in self._socket.receive():
            message = Message.decode(data)
            self.requests.append((message, source))
            for datagram in self._answer(message):
                self._socket.send([datagram], source, None)

    @property
    def allocates_from(self) -> set[TransportAddress]:
        """The transport addresses that Allocate requests came from."""
        return {source for message, source in self.requests if message.method == Method.ALLOCATE}


def refuse(request: Message, code: int, *attributes: AnyAttribute) -> list[bytes]:
    return [error(request, code, *attributes)]


def error(request: Message, code: int, *attributes: AnyAttribute) -> bytes:
    """A 401 to what has no credentials, else this error."""
    if not request.has_integrity:
        return respond(request, ErrorCode(401), Realm(REALM), Nonce("nonce"))
    return respond(request, ErrorCode(code), *attributes)


def grant(request: Message) -> bytes:
    """A 401 to what has no credentials, else an allocation."""
    if not request.has_integrity:
        return error(request, 401)
    relayed = TransportAddress(LOOPBACK, 50000)
    return respond(request, XorRelayedAddress(relayed), XorMappedAddress(relayed), Lifetime(600))


def respond(request: Message, *attributes: AnyAttribute) -> bytes:
    """Signed if the request was."""
    is_error = any(isinstance(attribute, ErrorCode) for attribute in attributes)
    return encode_message(
        request.method,
        MessageClass.ERROR if is_error else MessageClass.SUCCESS,
        request.transaction_id,
        attributes,
        key=KEY if request.has_integrity else None,
    )


@contextlib.asynccontextmanager
async def echo() -> AsyncIterator[TransportAddress]:
    """A peer that sends everything back."""
    sock = await KernelSockets().open(ANYWHERE)

    def readable() -> None:
        for data, source in sock.receive():
            sock.send([data], source, None)

    sock.start(readable)
    yield sock.local
    sock.close()


async def test_data_goes_through_a_relay_and_back() -> None:
    async with RelayServer.open(config()) as server, echo() as peer:
        async with connect(uri(server.addresses[0]), USER, PASSWORD) as relay:
            assert not relay.send(peer, b"too early")
            await relay.permit(LOOPBACK)
            assert relay.send(peer, b"in an indication")
            assert await relay.receive() == (peer, b"in an indication")
            await relay.bind_channel(peer)
            assert relay.send(peer, b"on a channel", b"of one run!!")
            assert await relay.receive() == (peer, b"on a channel")
            assert await relay.receive() == (peer, b"of one run!!")
            assert relay.mapped.ip == relay.relayed.ip == LOOPBACK

        assert server.stats().allocations == 0


async def test_what_is_forbidden_is_an_error() -> None:
    async with RelayServer.open(config(allow="127.0.0.8/32")) as server:
        async with connect(uri(server.addresses[0]), USER, PASSWORD) as relay:
            with pytest.raises(PeerRefused) as permission:
                await relay.permit(LOOPBACK + 7, LOOPBACK + 6)
            with pytest.raises(PeerRefused) as channel:
                await relay.bind_channel(TransportAddress(LOOPBACK + 6, 9))
            await relay.permit(LOOPBACK + 7)

        assert permission.value.code == channel.value.code == 403


async def test_nothing_can_be_done_after_the_end() -> None:
    async with RelayServer.open(config()) as server:
        async with connect(uri(server.addresses[0]), USER, PASSWORD) as relay:
            waiting = asyncio.ensure_future(relay.receive())
            await asyncio.sleep(0)

        with pytest.raises(AllocationGone):
            await waiting
        with pytest.raises(AllocationGone):
            await relay.permit(LOOPBACK)
        assert not relay.send(ANYWHERE, b"late")
        await relay.aclose()


async def test_the_loss_of_the_allocation_ends_every_wait() -> None:
    def forget(request: Message) -> list[bytes]:
        return [grant(request)] if request.method == Method.ALLOCATE else refuse(request, 437)

    async with (
        ScriptedServer(forget) as server,
        connect(uri(server.address), USER, PASSWORD) as relay,
    ):
        waiting = asyncio.ensure_future(relay.receive())
        with pytest.raises(AllocationGone) as gone:
            await relay.permit(LOOPBACK)

        assert gone.value.reason is FailureReason.MISMATCH
        with pytest.raises(AllocationGone):
            await waiting


async def test_a_refusal_names_its_code() -> None:
    async with ScriptedServer(functools.partial(refuse, code=486)) as server:
        with pytest.raises(AllocationError, match="486") as refused:
            async with connect(uri(server.address), USER, PASSWORD):
                pass

        assert refused.value.failure.retry_after == 60.0


@pytest.mark.requirement("stun-turn:STUNC-ALT-01")
async def test_a_redirection_is_followed() -> None:
    async with RelayServer.open(config()) as server:
        alternate = AlternateServer(server.addresses[0])
        async with (
            ScriptedServer(lambda request: refuse(request, 300, alternate)) as first,
            connect(uri(first.address), USER, PASSWORD) as relay,
        ):
            assert relay.client.path.remote == server.addresses[0]


@pytest.mark.requirement("stun-turn:STUNC-ALT-03")
async def test_two_servers_that_point_at_each_other_are_each_asked_once() -> None:
    servers: list[ScriptedServer] = []

    def send_on(request: Message, to: int) -> list[bytes]:
        return refuse(request, 300, AlternateServer(servers[to].address))

    async with (
        ScriptedServer(functools.partial(send_on, to=1)) as first,
        ScriptedServer(functools.partial(send_on, to=0)) as second,
    ):
        servers += [first, second]
        with pytest.raises(AllocationError) as redirected:
            async with connect(uri(first.address), USER, PASSWORD):
                pass

        assert redirected.value.failure.reason is FailureReason.REDIRECTED
        assert len(first.allocates_from) == len(second.allocates_from) == 1


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-07")
async def test_a_server_that_says_437_is_asked_from_three_ports() -> None:
    async with ScriptedServer(functools.partial(refuse, code=437)) as server:
        with pytest.raises(AllocationError) as mismatch:
            async with connect(uri(server.address), USER, PASSWORD):
                pass

        assert mismatch.value.failure.reason is FailureReason.MISMATCH
        assert len(server.allocates_from) == 3


async def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    asked = asyncio.Event()

    def be_silent(request: Message) -> list[bytes]:
        asked.set()
        return []

    async with ScriptedServer(be_silent) as server:
        connecting = asyncio.ensure_future(
            connect(uri(server.address), USER, PASSWORD).__aenter__()
        )
        await asked.wait()

        connecting.cancel()

        await asyncio.wait([connecting])
        assert connecting.cancelled()
        assert len(server.requests) == 1


async def test_a_stream_that_is_refused_is_a_failure() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(AllocationError) as refused:
            async with connect(f"turn:127.0.0.1:{port}?transport=tcp", USER, PASSWORD):
                pass

    assert refused.value.failure.reason is FailureReason.UNREACHABLE


async def test_datagrams_that_nobody_takes_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("turn.aio.client.MAX_QUEUED_DATAGRAMS", 2)

    def answer(request: Message) -> list[bytes]:
        number = request.get(ChannelNumber)
        if number is None:
            return [grant(request)]
        data = [ChannelData(number.number, payload).encode() for payload in (b"1", b"2", b"3")]
        return [*data, respond(request)]

    async with (
        ScriptedServer(answer) as server,
        connect(uri(server.address), USER, PASSWORD) as relay,
    ):
        await relay.bind_channel(ANYWHERE)

        assert relay.datagrams_dropped == 1
        assert await relay.receive() == (ANYWHERE, b"1")
        assert await relay.receive() == (ANYWHERE, b"2")


async def test_the_configuration_reaches_the_client() -> None:
    async with RelayServer.open(config()) as server:
        wanted = ClientConfig(lifetime=900)
        async with connect(uri(server.addresses[0]), USER, PASSWORD, config=wanted) as relay:
            assert relay.client.state is ClientState.ALLOCATED
            (allocation,) = server.allocations()
            assert 890 < allocation.time_to_expiry <= 900


@pytest.mark.parametrize(
    ("server", "problem"),
    [("http://example.org", DecodeError), ("turns:127.0.0.1?transport=udp", ValueError)],
)
async def test_a_server_that_cannot_be_spoken_to_is_refused(
    server: str, problem: type[Exception]
) -> None:
    with pytest.raises(problem):
        async with connect(server, USER, PASSWORD):
            pass
