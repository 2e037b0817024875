"""``stun.aio.connect`` on loopback, with servers that say what a test wants."""

from __future__ import annotations

import asyncio

import pytest

from stun import (
    AlternateServer,
    ErrorCode,
    IntegrityAlgorithm,
    Message,
    MessageClass,
    Method,
    Nonce,
    Realm,
    ServerUri,
    Software,
    Username,
    XorMappedAddress,
    encode_message,
    short_term_key,
)
from stun.aio import Mechanism, connect
from stun.client import (
    ClientClosed,
    ClientConfig,
    FailureReason,
    RequestRefused,
    ServerUnreachable,
)
from stun.resolution import (
    NoServerFound,
    SrvRecord,
    UnsupportedTransport,
    UnverifiableServer,
)
from tests.closed import closed_port
from transport import DecodeError, TransportAddress, TransportProtocol

from .servers import (
    LOOPBACK,
    DatagramServer,
    Names,
    StreamServer,
    everywhere,
    mapped,
    respond,
    silence,
)

TCP = TransportProtocol.TCP


async def test_a_server_tells_our_mapped_address() -> None:
    async with DatagramServer() as server, connect(f"stun:{server.address}") as client:
        binding = await client.binding(Software("test"))

        assert binding.mapped == client.path.local
        assert client.path.remote == server.address
        assert binding.response.get(XorMappedAddress) is not None
        assert server.requests[-1].get(Software) == Software("test")


async def test_a_uri_that_is_parsed_already_serves_too() -> None:
    async with DatagramServer() as server:
        async with connect(ServerUri.parse(f"stun:{server.address}")) as client:
            response = await client.request(Method.BINDING)
            client.indicate(Method.BINDING)

        assert response.has(XorMappedAddress)


@pytest.mark.requirement("stun-turn:STUNC-UDP-09")
async def test_a_closed_port_is_found_out_at_once() -> None:
    with closed_port() as nobody:
        async with asyncio.timeout(15.0):
            with pytest.raises(ServerUnreachable):
                async with connect(f"stun:{nobody}"):
                    pass


@pytest.mark.requirement("stun-turn:STUNC-DNS-06")
@pytest.mark.requirement("stun-turn:STUNC-DNS-05")
async def test_the_next_server_of_the_srv_records_is_tried() -> None:
    with closed_port() as nobody:
        async with DatagramServer() as server:
            names = Names(
                {
                    "SRV _stun._udp.stun.example": [
                        SrvRecord(2, 0, server.address.port, "good.example."),
                        SrvRecord(1, 0, nobody.port, "bad.example."),
                    ],
                    "A bad.example": [LOOPBACK],
                    "A good.example": [LOOPBACK],
                }
            )
            async with connect("stun:stun.example", resolver=names) as client:
                assert client.path.remote == server.address


async def test_a_redirection_is_followed() -> None:
    async with DatagramServer() as good:

        def elsewhere(request: Message, source: TransportAddress) -> list[bytes]:
            return [respond(request, ErrorCode(300), AlternateServer(good.address))]

        async with DatagramServer(elsewhere) as first, connect(f"stun:{first.address}") as client:
            assert client.path.remote == good.address


@pytest.mark.requirement("stun-turn:STUNC-ALT-03")
async def test_servers_that_point_at_each_other_are_asked_once_each() -> None:
    servers: list[DatagramServer] = []

    def elsewhere(request: Message, source: TransportAddress) -> list[bytes]:
        is_first = any(
            each.transaction_id == request.transaction_id for each in servers[0].requests
        )
        other = servers[1] if is_first else servers[0]
        return [respond(request, ErrorCode(300), AlternateServer(other.address))]

    async with DatagramServer(elsewhere) as first, DatagramServer(elsewhere) as second:
        servers += [first, second]
        with pytest.raises(RequestRefused) as refused:
            async with connect(f"stun:{first.address}"):
                pass

        assert refused.value.failure.reason is FailureReason.REDIRECTED
        assert (len(first.requests), len(second.requests)) == (1, 1)


async def test_a_refusal_is_an_error_with_its_code() -> None:
    def refuse(request: Message, source: TransportAddress) -> list[bytes]:
        return [respond(request, ErrorCode(403, "No"))]

    async with DatagramServer(refuse) as server:
        with pytest.raises(RequestRefused, match="403 No") as refused:
            async with connect(f"stun:{server.address}"):
                pass

    assert refused.value.failure.code == 403


async def test_wrong_credentials_are_an_error() -> None:
    def refuse(request: Message, source: TransportAddress) -> list[bytes]:
        return [respond(request, ErrorCode(401), Realm("r"), Nonce("n"))]

    async with DatagramServer(refuse) as server:
        with pytest.raises(RequestRefused) as refused:
            async with connect(f"stun:{server.address}", "ann", "wrong"):
                pass

    assert refused.value.failure.reason is FailureReason.UNAUTHENTICATED


async def test_short_term_credentials_prove_both_sides() -> None:
    key = short_term_key("secret")

    def sign(request: Message, source: TransportAddress) -> list[bytes]:
        assert request.get(Username) == Username("ann")
        assert request.verify_integrity(key)
        return [
            encode_message(
                request.method,
                MessageClass.SUCCESS,
                request.transaction_id,
                (XorMappedAddress(source),),
                key=key,
                algorithm=IntegrityAlgorithm.SHA256,
            )
        ]

    async with DatagramServer(sign) as server:
        short_term = connect(
            f"stun:{server.address}", "ann", "secret", mechanism=Mechanism.SHORT_TERM
        )
        async with short_term as client:
            await client.binding()

    assert [each.integrity for each in server.requests] == [
        IntegrityAlgorithm.BOTH,
        IntegrityAlgorithm.SHA256,
    ]


async def test_after_the_block_nothing_can_be_asked() -> None:
    async with DatagramServer() as server:
        async with connect(f"stun:{server.address}") as client:
            pass

        with pytest.raises(ClientClosed):
            await client.binding()
        await client.aclose()


async def test_a_request_under_way_ends_with_the_client() -> None:
    answers = [mapped, silence]

    def once(request: Message, source: TransportAddress) -> list[bytes]:
        return answers.pop(0)(request, source) if answers else []

    async with DatagramServer(once) as server:
        async with connect(f"stun:{server.address}") as client:
            waiting = asyncio.ensure_future(client.binding())
            await asyncio.sleep(0)

        with pytest.raises(ClientClosed):
            await waiting


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("http://stun.example", DecodeError),
        ("stuns:127.0.0.1", DecodeError),
        ("turns:127.0.0.1", UnverifiableServer),
        ("turn:stun.example?transport=tcp", UnsupportedTransport),
        ("stun:stun.example", NoServerFound),
    ],
)
async def test_a_uri_that_leads_nowhere_is_an_error(uri: str, problem: type[Exception]) -> None:
    with pytest.raises(problem):
        async with connect(uri, resolver=everywhere()):
            pass


# TCP


@pytest.mark.requirement("stun-turn:STUNC-TCP-04")
async def test_answers_in_pieces_and_answers_in_one_piece_are_told_apart() -> None:
    def byte_by_byte(data: bytes) -> list[bytes]:
        return [bytes((byte,)) for byte in data]

    async with (
        StreamServer(cut=byte_by_byte) as server,
        connect(f"stun:{server.address}", transports=(TCP,)) as client,
    ):
        assert (await client.binding()).mapped == client.path.local

    held: list[bytes] = []

    def two_at_a_time(request: Message, source: TransportAddress) -> list[bytes]:
        held.extend(mapped(request, source))
        if len(server.requests) == 2:
            return []
        taken, held[:] = held[:], []
        return taken

    async with (
        StreamServer(two_at_a_time) as server,
        connect(f"stun:{server.address}", transports=(TCP,)) as client,
    ):
        first, second = await asyncio.gather(client.binding(), client.binding())

        assert first.mapped == second.mapped == client.path.local
        assert len(server.connections) == 1


@pytest.mark.requirement("stun-turn:STUNC-TCP-03")
@pytest.mark.requirement("stun-turn:STUNC-TCP-06")
async def test_a_reset_fails_what_is_under_way_and_the_next_request_connects_anew() -> None:
    def but_the_second(request: Message, source: TransportAddress) -> list[bytes]:
        if len(server.requests) == 2:
            server.reset()
            return []
        return mapped(request, source)

    async with (
        StreamServer(but_the_second) as server,
        connect(f"stun:{server.address}", transports=(TCP,)) as client,
    ):
        async with asyncio.timeout(15.0):
            with pytest.raises(ServerUnreachable):
                await client.binding()
            await client.binding()

        assert len(server.connections) == 2


async def test_a_stream_that_is_no_stun_is_an_error() -> None:
    def http(request: Message, source: TransportAddress) -> list[bytes]:
        return [b"HTTP/1.1 400 Bad Request\r\n\r\n"]

    async with StreamServer(http) as server:
        with pytest.raises(ServerUnreachable):
            async with connect(f"stun:{server.address}", transports=(TCP,)):
                pass


async def test_a_port_where_nobody_listens_is_an_error_over_tcp_too() -> None:
    with closed_port() as nobody, pytest.raises(ServerUnreachable):
        async with connect(f"stun:{nobody}", transports=(TCP,)):
            pass


async def test_the_configuration_reaches_the_client() -> None:
    async with (
        DatagramServer() as server,
        connect(f"stun:{server.address}", config=ClientConfig(software="mine")),
    ):
        assert server.requests[0].get(Software) == Software("mine")
