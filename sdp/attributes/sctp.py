"""Data channels: a=sctp-port and a=max-message-size (RFC 8841 sections 5 and 6)."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.errors import SdpError
from sdp.grammar import DIGITS, match

DEFAULT_MAX_MESSAGE_SIZE = 64 * 1024
"""Bytes, where the attribute is absent (section 6.1)."""

_PORT = re.compile(r"[0-9]{1,5}")
_SIZE = re.compile(DIGITS)
_MAX_PORT = 0xFFFF


@dataclasses.dataclass(frozen=True, slots=True)
class SctpPort:
    """The SCTP port, which no IP header shows."""

    NAME: ClassVar[str] = "sctp-port"

    port: int

    @classmethod
    def parse(cls, value: str) -> Self:
        port = int(match(_PORT, value, "SCTP port").group())
        if port > _MAX_PORT:
            raise SdpError.in_value(0, f"{port} is no port")
        return cls(port)

    def __str__(self) -> str:
        return str(self.port)


@dataclasses.dataclass(frozen=True, slots=True)
class MaxMessageSize:
    """Bytes that the writer takes in one message; 0 means any number."""

    NAME: ClassVar[str] = "max-message-size"

    size: int

    @classmethod
    def parse(cls, value: str) -> Self:
        return cls(int(match(_SIZE, value, "size in bytes").group()))

    def __str__(self) -> str:
        return str(self.size)
