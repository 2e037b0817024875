"""What the client under test is told, and how long it is waited for."""

from __future__ import annotations

import dataclasses

from conformance.target import Credential
from transport import TransportAddress

_PEER = TransportAddress.parse("192.0.2.33", 7000)
_OTHER = TransportAddress.parse("192.0.2.34", 7001)
_USER = Credential("ann", "secret")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The same for all scripts of a run.

    ``peer`` and ``other`` are whom the client sends to; nobody need be there, as the
    scripted server plays them too. ``patience`` is how long the client has for its first
    message, ``pause`` for what it does next; both in seconds.
    """

    user: Credential = _USER
    realm: str = "hairpin.test"
    peer: TransportAddress = _PEER
    other: TransportAddress = _OTHER
    patience: float = 60.0
    pause: float = 10.0
