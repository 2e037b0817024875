"""What a DTLS association reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from transport.machine import Event, Path

from .profile import SrtpKeys, SrtpProfile


@dataclasses.dataclass(frozen=True, slots=True)
class DtlsConnected(Event):
    """The handshake is done, and an SRTP profile was agreed.

    ``peer_fingerprint(hash_name)`` is what the signaled ``a=fingerprint`` must equal
    (RFC 8122 section 5). Who the peer is stands open until that is compared.
    """

    profile: SrtpProfile
    keys: SrtpKeys
    peer_fingerprint: Callable[[str], str] = dataclasses.field(compare=False, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class DtlsEstablished(Event):
    """The handshake with a server is done, and its certificate good.

    ``protocol`` is what ALPN has agreed on, if anything.
    """

    protocol: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class DtlsDataReceived(Event):
    """One record of application data."""

    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class DtlsClosed(Event):
    """The association is over: one of the two sides sent close_notify."""


@dataclasses.dataclass(frozen=True, slots=True)
class DtlsFailed(Event):
    """The association is over, or never came to be; ``reason`` is for a person to read."""

    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class ClientConnected(Event):
    """A client has an association with a server now.

    ``protocol`` is what ALPN has agreed on, if anything.
    """

    path: Path
    protocol: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ClientDataReceived(Event):
    """One record of application data of one client."""

    path: Path
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class ClientDisconnected(Event):
    """The association of a client is over; ``reason`` is for a person to read."""

    path: Path
    reason: str
