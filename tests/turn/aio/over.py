"""Relays that listen over more than UDP, on loopback."""

from __future__ import annotations

import contextlib
import ipaddress
import pathlib
from collections.abc import AsyncIterator, Callable

from tests.transport.dtls.issued import KEY, certificate, key_pem, pem
from transport import Event, TransportAddress, TransportProtocol
from turn.aio import Endpoint, RelayServer, ServerCertificate
from turn.credentials import CredentialVerifier
from turn.server import ServerConfig

UDP, TCP, TLS, DTLS = TransportProtocol
LOOPBACK = ipaddress.ip_address("127.0.0.1")
ANYWHERE = TransportAddress(LOOPBACK, 0)
LOCALHOST = certificate(
    KEY, common_name="localhost", dns=["localhost"], ips=["127.0.0.1"], is_authority=True
)


def config(*udp: TransportAddress) -> ServerConfig:
    return ServerConfig(
        realm="relay.example",
        credentials=CredentialVerifier(users={"ann": "secret"}),
        listening=udp,
        relay_addresses=(LOOPBACK,),
        allow_peers=(ipaddress.ip_network("127.0.0.0/8"),),
    )


def write_certificate(folder: pathlib.Path) -> ServerCertificate:
    files = folder / "chain.pem", folder / "key.pem"
    files[0].write_bytes(pem(LOCALHOST))
    files[1].write_bytes(key_pem(KEY))
    return ServerCertificate(*map(str, files))


@contextlib.asynccontextmanager
async def relay_over(
    folder: pathlib.Path,
    *transports: TransportProtocol,
    on_event: Callable[[Event], None] | None = None,
) -> AsyncIterator[RelayServer]:
    """A relay with an endpoint for each."""
    async with RelayServer.open(
        config(),
        endpoints=[Endpoint(each, ANYWHERE) for each in transports],
        certificate=write_certificate(folder),
        on_event=on_event,
    ) as server:
        yield server


def uri(server: RelayServer, transport: TransportProtocol) -> str:
    """What a client is told of one endpoint."""
    at = next(each.address for each in server.endpoints if each.transport is transport)
    kind = "tcp" if transport.is_reliable else "udp"
    if transport in (TLS, DTLS):
        return f"turns:localhost:{at.port}?transport={kind}"
    return f"turn:{at}?transport={kind}"
