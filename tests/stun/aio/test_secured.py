"""``stuns:`` on loopback: whose certificate is taken, and what is said before it is."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import pathlib
import ssl
import struct

import pytest

from stun import AlternateDomain, AlternateServer, AnyAttribute, ErrorCode, Message
from stun.aio import ALPN, connect
from stun.client import RequestError, ServerUnreachable
from transport import TransportAddress, TransportProtocol

from .certificates import YEAR, bundle, make_certificate, server_context
from .servers import StreamServer, everywhere, respond

TLS = TransportProtocol.TLS
NAMES = everywhere("stun.example", "sub.stun.example", "other.example")


@pytest.mark.requirement("stun-turn:STUNC-TCP-07")
@pytest.mark.requirement("stun-turn:STUNC-TCP-09")
@pytest.mark.parametrize(
    ("certified", "asked"),
    [("stun.example", "stun.example"), ("*.stun.example", "sub.stun.example")],
)
async def test_a_certificate_for_the_uris_name_is_taken(
    tmp_path: pathlib.Path, certified: str, asked: str
) -> None:
    certificate, key = make_certificate(tmp_path, certified)
    async with (
        StreamServer(tls=server_context(certificate, key)) as server,
        connect(
            f"stuns:{asked}:{server.address.port}", ca=str(certificate), resolver=NAMES
        ) as client,
    ):
        assert (await client.binding()).mapped == client.path.local
        assert client.path.transport is TLS
        assert server.protocols == [ALPN]


@pytest.mark.requirement("stun-turn:STUNC-TCP-07")
@pytest.mark.parametrize(
    ("name", "life", "is_trusted"),
    [
        pytest.param("other.example", YEAR, True, id="wrong-name"),
        pytest.param("st*.example", YEAR, True, id="wildcard-within-a-label"),
        pytest.param("*.example", YEAR, False, id="self-signed"),
        pytest.param("stun.example", -datetime.timedelta(days=1), True, id="expired"),
    ],
)
async def test_no_stun_is_sent_to_whom_the_certificate_does_not_prove(
    tmp_path: pathlib.Path, name: str, life: datetime.timedelta, is_trusted: bool
) -> None:
    certificate, key = make_certificate(tmp_path, name, expires_in=life)
    ca = str(certificate) if is_trusted else None
    async with StreamServer(tls=server_context(certificate, key)) as server:
        with pytest.raises(ServerUnreachable):
            async with connect(
                f"stuns:stun.example:{server.address.port}",
                ca=ca,
                transports=(TLS,),
                resolver=NAMES,
            ):
                pass

        assert server.requests == []


@pytest.mark.requirement("stun-turn:STUNC-ALT-02")
@pytest.mark.parametrize(
    ("certified", "domain", "is_taken"),
    [
        pytest.param("other.example", "other.example", True, id="the-alternate-domain"),
        pytest.param("stun.example", "other.example", False, id="not-the-alternate-domain"),
        pytest.param("stun.example", None, True, id="the-original-domain"),
        pytest.param("other.example", None, False, id="not-the-original-domain"),
    ],
)
async def test_an_alternate_server_has_to_prove_the_alternate_domain_or_else_the_original(
    tmp_path: pathlib.Path, certified: str, domain: str | None, is_taken: bool
) -> None:
    first_files = make_certificate(tmp_path, "stun.example")
    second_files = make_certificate(tmp_path, certified)
    ca = bundle(tmp_path, first_files[0], second_files[0])
    async with StreamServer(tls=server_context(*second_files)) as second:

        def elsewhere(request: Message, source: TransportAddress) -> list[bytes]:
            names: tuple[AnyAttribute, ...] = () if domain is None else (AlternateDomain(domain),)
            return [respond(request, ErrorCode(300), AlternateServer(second.address), *names)]

        async with StreamServer(elsewhere, tls=server_context(*first_files)) as first:
            connecting = connect(
                f"stuns:stun.example:{first.address.port}",
                ca=ca,
                transports=(TLS,),
                resolver=NAMES,
            )
            if is_taken:
                async with connecting as client:
                    assert client.path.remote == second.address
            else:
                with pytest.raises(RequestError):
                    async with connecting:
                        pass
                assert second.requests == []


@dataclasses.dataclass(frozen=True)
class ClientHello:
    """What a client offers (RFC 8446 section 4.1.2)."""

    versions: tuple[int, ...]
    ciphers: tuple[int, ...]
    compressions: bytes
    protocols: tuple[str, ...]
    server_name: str

    @classmethod
    def read(cls, record: bytes) -> ClientHello:
        body = record[5 + 4 :]
        place = 2 + 32
        place += 1 + body[place]
        (size,) = struct.unpack_from("!H", body, place)
        ciphers = struct.unpack_from(f"!{size // 2}H", body, place + 2)
        place += 2 + size
        compressions = body[place + 1 : place + 1 + body[place]]
        place += 1 + body[place] + 2
        extensions: dict[int, bytes] = {}
        while place < len(body):
            kind, size = struct.unpack_from("!HH", body, place)
            extensions[kind] = body[place + 4 : place + 4 + size]
            place += 4 + size
        versions = extensions[43]
        names = extensions[16][2:]
        protocols = []
        while names:
            protocols.append(names[1 : 1 + names[0]].decode())
            names = names[1 + names[0] :]
        return cls(
            struct.unpack(f"!{versions[0] // 2}H", versions[1:]),
            ciphers,
            compressions,
            tuple(protocols),
            extensions[0][5:].decode(),
        )


@pytest.mark.requirement("stun-turn:STUNC-TCP-08")
@pytest.mark.requirement("stun-turn:STUNC-TCP-09")
async def test_what_a_client_hello_offers() -> None:
    hello: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(5)
        hello.set_result(head + await reader.readexactly(int.from_bytes(head[3:], "big")))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(ServerUnreachable):
        async with connect(f"stuns:stun.example:{port}", transports=(TLS,), resolver=NAMES):
            pass
    server.close()

    offered = ClientHello.read(await hello)
    by_number = {
        number: cipher["description"]
        for cipher in ssl.create_default_context().get_ciphers()
        if (number := cipher["id"] & 0xFFFF) in offered.ciphers
    }
    assert set(offered.versions) == {0x0304, 0x0303}
    assert offered.compressions == b"\x00"
    assert offered.protocols == (ALPN,)
    assert offered.server_name == "stun.example"
    # RFC 8489 section 6.2.3: these two, with DHE and with ECDHE, have to be there.
    assert {0x009E, 0xC02F} <= set(offered.ciphers)
    assert all(
        "Kx=ECDH" in text or "Kx=DH" in text or "Kx=any" in text for text in by_number.values()
    )
    assert not any(word in text for word in ("RC4", "DES") for text in by_number.values())


async def test_what_is_wrong_with_the_connection_is_said(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ServerUnreachable, match="No such file"):
        async with connect(
            "stuns:stun.example:1",
            ca=str(tmp_path / "none.pem"),
            transports=(TLS,),
            resolver=NAMES,
        ):
            pass
