"""What a DTLS association reports."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from transport.machine import Event

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
