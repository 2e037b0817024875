"""Where clients reach a server, over which transport (RFC 8656 section 5)."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from transport import TransportAddress, TransportProtocol
from transport.aio import (
    KernelSockets,
    from_sockaddr,
    server_context,
    stream_socket,
    to_sockaddr,
)

if TYPE_CHECKING:
    from transport.dtls import DtlsIdentity


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """An address, and the transport that clients speak there."""

    transport: TransportProtocol
    address: TransportAddress

    @property
    def is_secure(self) -> bool:
        """Whether it takes a certificate."""
        return self.transport in (TransportProtocol.TLS, TransportProtocol.DTLS)

    def __str__(self) -> str:
        return f"{self.transport.value}://{self.address}"


class EndpointUnavailable(OSError):
    """An endpoint cannot be listened on: ``endpoint``."""

    def __init__(self, endpoint: Endpoint, error: OSError) -> None:
        super().__init__(error.errno, f"{endpoint}: {error.strerror or error}")
        self.endpoint = endpoint


@dataclasses.dataclass(frozen=True, slots=True)
class Listener:
    """A bound socket; UDP and DTLS may share one (RFC 7983 section 7 tells them apart)."""

    socket: socket.socket
    transports: frozenset[TransportProtocol]

    @property
    def address(self) -> TransportAddress:
        return from_sockaddr(self.socket.getsockname())

    @property
    def is_stream(self) -> bool:
        return any(each.is_reliable for each in self.transports)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """What a client may use."""
        order = (each for each in TransportProtocol if each in self.transports)
        return tuple(Endpoint(each, self.address) for each in order)


@dataclasses.dataclass(frozen=True, slots=True)
class ServerCertificate:
    """The names of two PEM files: a certificate with its chain, and its private key."""

    chain: str
    key: str

    def tls(self) -> ssl.SSLContext:
        """
        Raises:
            OSError: a file cannot be read, or holds something else.
        """
        return server_context(self.chain, self.key)

    def dtls(self) -> DtlsIdentity:
        """
        Raises:
            ImportError: pyOpenSSL (the extra ``dtls``) is not installed.
            OSError: a file cannot be read.
            ValueError: one holds something else, or they do not fit.
        """
        from transport.dtls import DtlsIdentity

        chain, key = pathlib.Path(self.chain), pathlib.Path(self.key)
        return DtlsIdentity.from_pem(chain.read_bytes(), key.read_bytes())


def bind_endpoints(endpoints: Sequence[Endpoint]) -> list[Listener]:
    """A socket for each, in their order; one for UDP and DTLS of one address and port.

    Raises:
        EndpointUnavailable: one cannot be bound; then none is.
    """
    listeners: list[Listener] = []
    with contextlib.ExitStack() as unless_kept:
        for together in _shared(endpoints):
            try:
                bound = unless_kept.enter_context(_bind(together[0]))
            except OSError as error:
                raise EndpointUnavailable(together[0], error) from error
            listeners.append(Listener(bound, frozenset(each.transport for each in together)))
        unless_kept.pop_all()
    return listeners


def _shared(endpoints: Sequence[Endpoint]) -> Iterable[list[Endpoint]]:
    groups: dict[tuple[TransportAddress, str], list[Endpoint]] = {}
    for position, each in enumerate(dict.fromkeys(endpoints)):
        kind = each.transport.value if each.transport.is_reliable else "datagrams"
        if not each.address.port:
            kind += str(position)  # the system chooses one for each
        groups.setdefault((each.address, kind), []).append(each)
    return groups.values()


def _bind(endpoint: Endpoint) -> socket.socket:
    if not endpoint.transport.is_reliable:
        return KernelSockets().bind(endpoint.address)
    address = endpoint.address
    sock = stream_socket(address)
    try:
        sock.bind(to_sockaddr(address))
    except BaseException:
        sock.close()
        raise
    return sock
