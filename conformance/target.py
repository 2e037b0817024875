"""The server under test, and what may be used of it."""

from __future__ import annotations

import base64
import dataclasses
import hmac
from collections.abc import Mapping
from typing import Final

from transport import IPAddress, TransportAddress, TransportProtocol

from .row import Feature
from .wording import OF_SERVERS, Wording

DEFAULT_PATIENCE: Final = 3.0
"""Seconds that a server has for an answer; in them a datagram is sent six times."""

DEFAULT_SILENCE: Final = 0.8
"""Seconds without an answer that count as silence."""


@dataclasses.dataclass(frozen=True, slots=True)
class Credential:
    """A long-term credential that the server knows."""

    username: str
    password: str = dataclasses.field(repr=False)

    @classmethod
    def time_limited(cls, secret: str, name: str, expiry_unix: int) -> Credential:
        """One that a shared secret makes: the password is an HMAC-SHA1 of the username."""
        username = f"{expiry_unix}:{name}"
        digest = hmac.digest(secret.encode(), username.encode(), "sha1")
        return cls(username, base64.b64encode(digest).decode())


@dataclasses.dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that seals access tokens for the server (RFC 7635 section 4.1): 16 or 32 bytes.

    ``server_name`` is what the server is to call itself; None takes what it says.
    """

    kid: str
    key: bytes = dataclasses.field(repr=False)
    server_name: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the server is, and with which credentials it lets the harness in.

    ``is_turn`` says whether rows about TURN make sense at all. ``peer_ip`` is an address
    of this host that the server may relay to; None takes the one that the server is
    reached from. ``server_name`` is for the certificate. ``hints`` say what switches a
    feature on (see ``profiles``). With ``token_key`` the harness makes access tokens as an
    authorization server does. Times are seconds.
    """

    address: TransportAddress
    transport: TransportProtocol = TransportProtocol.UDP
    is_turn: bool = True
    server_name: str | None = None
    credentials: tuple[Credential, ...] = ()
    secret: str | None = dataclasses.field(default=None, repr=False)
    token_key: TokenKey | None = None
    peer_ip: IPAddress | None = None
    patience: float = DEFAULT_PATIENCE
    silence: float = DEFAULT_SILENCE
    hints: Mapping[Feature, str] = dataclasses.field(default_factory=dict)

    @property
    def wording(self) -> Wording:
        """How reports speak of a run against it."""
        return OF_SERVERS

    @property
    def stream(self) -> TransportProtocol:
        """What rows about streams speak, to the same address and port."""
        if self.transport.is_reliable:
            return self.transport
        is_secure = self.transport is TransportProtocol.DTLS
        return TransportProtocol.TLS if is_secure else TransportProtocol.TCP

    def __str__(self) -> str:
        scheme = "turn" if self.is_turn else "stun"
        if self.transport in (TransportProtocol.TLS, TransportProtocol.DTLS):
            scheme += "s"
        kind = "tcp" if self.transport.is_reliable else "udp"
        is_usual = not self.is_turn and self.transport is not TransportProtocol.DTLS
        return f"{scheme}:{self.address}" + ("" if is_usual else f"?transport={kind}")
