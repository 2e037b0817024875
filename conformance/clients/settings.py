"""What the client under test is told, and how long it is waited for."""

from __future__ import annotations

import dataclasses

from conformance.target import Credential
from transport import TransportAddress


@dataclasses.dataclass(frozen=True, slots=True)
class Grant:
    """An access token, its name and the key that signs with it (RFC 7635); it is for tests
    alone: anything is taken for a token that the client is told."""

    kid: str = "kid-of-a-test"
    token: bytes = bytes(range(64))
    mac_key: bytes = b"20 bytes of a mackey"


_GRANT = Grant()
_PEER = TransportAddress.parse("192.0.2.33", 7000)
_OTHER = TransportAddress.parse("192.0.2.34", 7001)
_USER = Credential("ann", "secret")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The same for all scripts of a run.

    ``peer`` and ``other`` are whom the client sends to; nobody need be there, as the
    scripted server plays them too. ``patience`` is how long the client has for its first
    message, ``pause`` for what it does next; both in seconds. Where the client is not
    ``is_watched`` nobody says that it has ended.
    """

    user: Credential = _USER
    realm: str = "hairpin.test"
    peer: TransportAddress = _PEER
    other: TransportAddress = _OTHER
    grant: Grant = _GRANT
    patience: float = 60.0
    pause: float = 10.0
    is_watched: bool = True
