"""Which configured servers candidates can be obtained from (RFC 8445 section 5.1.1.2)."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator, Sequence

from stun import ServerUri
from transport import DecodeError, TransportProtocol

from .config import IceServer

logger = logging.getLogger(__name__)

_CARRIERS = (TransportProtocol.UDP, TransportProtocol.TCP, TransportProtocol.TLS)


class UnusableServer(Exception):
    """Why a server is left out."""


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """One URL of an IceServer; ``transport`` is what we speak to it over."""

    uri: ServerUri
    transport: TransportProtocol
    username: str = ""
    credential: str = dataclasses.field(default="", repr=False)

    @property
    def relays(self) -> bool:
        """Whether it is asked for an allocation, and not only for our mapped address."""
        return self.uri.scheme.is_turn


def read_servers(servers: Sequence[IceServer], *, limit: int) -> tuple[list[Server], int]:
    """The servers of use, those over UDP first, and how many URLs are of none.

    A URL that cannot be used is no error: browsers are configured with the same lists,
    and some of it is meant for them. The log says why.
    """
    usable: dict[Server, None] = {}
    skipped = 0
    for url, server in _urls(servers):
        try:
            found = _read(url, server)
        except UnusableServer as error:
            logger.info("%s is not used: %s", url, error)
            skipped += 1
            continue
        if found not in usable and len(usable) >= limit:
            logger.warning("%s is not used: there are %d servers already", url, limit)
            skipped += 1
            continue
        usable[found] = None
    return sorted(usable, key=lambda server: server.transport.is_reliable), skipped


def _urls(servers: Sequence[IceServer]) -> Iterator[tuple[str, IceServer]]:
    for server in servers:
        for url in server.urls:
            yield url, server


def _read(url: str, server: IceServer) -> Server:
    try:
        uri = ServerUri.parse(url)
    except DecodeError as error:
        raise UnusableServer(str(error)) from error
    transport = uri.protocol
    if transport not in _CARRIERS:
        raise UnusableServer(f"{uri.transport or 'its transport'} is not supported")
    if not uri.scheme.is_turn:
        if transport is not TransportProtocol.UDP:
            raise UnusableServer("it tells nothing about addresses of UDP")
        return Server(uri, transport)
    if not server.username or server.credential is None:
        raise UnusableServer("a TURN server needs username and credential")
    return Server(uri, transport, server.username, server.credential)
