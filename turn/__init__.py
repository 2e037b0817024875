"""TURN (RFC 8656): relaying through a server, without I/O.

``turn.server.TurnServer`` is the server's machine and ``turn.client.TurnClient`` the
client's; their drivers are in ``turn.aio``. Here is what both sides share: the
ChannelData message, the framing of streams, and credentials: ``make_credentials``
gives a client a username and a password that expire, ``CredentialVerifier`` knows
them again.
"""

from .channel_data import MAX_CHANNEL, MIN_CHANNEL, ChannelData, is_channel_data
from .credentials import (
    Credential,
    Credentials,
    CredentialVerifier,
    Expired,
    RelaySecret,
    SecretAlgorithm,
    make_credentials,
)
from .framing import TurnFramer

__all__ = [
    "MAX_CHANNEL",
    "MIN_CHANNEL",
    "ChannelData",
    "Credential",
    "CredentialVerifier",
    "Credentials",
    "Expired",
    "RelaySecret",
    "SecretAlgorithm",
    "TurnFramer",
    "is_channel_data",
    "make_credentials",
]
