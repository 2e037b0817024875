"""Candidates and their text form (RFC 8445 section 5, RFC 8839 section 5.1)."""

from __future__ import annotations

import dataclasses
import enum
import ipaddress
import re
from typing import Self

from transport import DecodeError, TransportAddress

from .credentials import ICE_CHARS

MAX_PRIORITY = 0xFFFF_FFFF
"""RFC 8839 allows 2**31 - 1; larger ones exist and fit the PRIORITY attribute, so they are read."""

_ELEMENT = "candidate"
_FOUNDATION = re.compile(rf"[{re.escape(ICE_CHARS)}]{{1,32}}")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")
_VISIBLE = re.compile(r"[\x21-\x7e]*")
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}")


class CandidateType(enum.Enum):
    """How a candidate was found; the value is its word in the text form."""

    HOST = "host"
    SERVER_REFLEXIVE = "srflx"
    PEER_REFLEXIVE = "prflx"
    RELAYED = "relay"


@dataclasses.dataclass(frozen=True, slots=True)
class HostName:
    """A candidate's address that is a name (an FQDN, or ``<uuid>.local`` of mDNS).

    Raises:
        ValueError: it has characters that no host name has, or a bad port.
    """

    name: str
    port: int

    def __post_init__(self) -> None:
        if not _HOST_NAME.fullmatch(self.name):
            raise ValueError(f"not a host name: {self.name!r}")
        if not 0 <= self.port <= 0xFFFF:
            raise ValueError(f"a port is from 0 to 65535, not {self.port}")


@dataclasses.dataclass(frozen=True, slots=True)
class Candidate:
    """A transport address that a peer may be reached at.

    ``transport`` is "udp", "tcp" or a word that we do not know, in the case it was
    written in; so is ``type`` when it is a str. ``related`` is diagnostic: the base
    of a reflexive candidate, the mapped address of a relayed one. ``extensions``
    keeps every name and value after that, known or not, in order.

    Raises:
        ValueError: a field could not be written as text.
    """

    foundation: str
    component: int
    transport: str
    priority: int
    address: TransportAddress | HostName
    type: CandidateType | str
    related: TransportAddress | HostName | None = None
    extensions: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not _FOUNDATION.fullmatch(self.foundation):
            raise ValueError("a foundation is 1 to 32 ice-chars")
        if not 1 <= self.component <= 256:
            raise ValueError(f"a component is from 1 to 256, not {self.component}")
        if not 1 <= self.priority <= MAX_PRIORITY:
            raise ValueError(f"a priority is from 1 to {MAX_PRIORITY}, not {self.priority}")
        if not _TOKEN.fullmatch(self.transport):
            raise ValueError("a transport is a token")
        if isinstance(self.type, str) and not _TOKEN.fullmatch(self.type):
            raise ValueError("a candidate type is a token")
        for name, value in self.extensions:
            if not _TOKEN.fullmatch(name) or not _VISIBLE.fullmatch(value):
                raise ValueError("an extension is a token and visible characters")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``candidate:...``, with or without ``a=`` before it and a line end after.

        Raises:
            DecodeError: the text does not follow the grammar.
        """
        body = text.rstrip("\r\n").removeprefix("a=")
        prefix, _, fields = body.partition(":")
        if prefix.lower() != "candidate":
            raise DecodeError(_ELEMENT, "does not begin with 'candidate:'")
        return cls._from_words(fields.strip(" ").split(" "))

    @classmethod
    def _from_words(cls, words: list[str]) -> Self:
        if len(words) < 8 or words[6].lower() != "typ":
            raise DecodeError(_ELEMENT, "the eight mandatory words are not there")
        pairs = _in_pairs(words[8:])
        related, extensions = _take_related(pairs)
        kind = words[7].lower()
        try:
            return cls(
                words[0],
                _number(words[1], digits=3),
                words[2],
                _number(words[3], digits=10),
                _address(words[4], words[5]),
                CandidateType(kind) if kind in _TYPES else words[7],
                related,
                extensions,
            )
        except DecodeError:
            raise
        except ValueError as error:
            raise DecodeError(_ELEMENT, str(error)) from error

    def to_text(self) -> str:
        """``candidate:...``, the value of the SDP attribute and of W3C RTCIceCandidate."""
        kind = self.type.value if isinstance(self.type, CandidateType) else self.type
        words = [
            f"candidate:{self.foundation} {self.component} {self.transport} {self.priority}",
            f"{_host(self.address)} {self.address.port} typ {kind}",
        ]
        if self.related is not None:
            words.append(f"raddr {_host(self.related)} rport {self.related.port}")
        words += [f"{name} {value}" for name, value in self.extensions]
        return " ".join(words)

    @property
    def is_udp(self) -> bool:
        return self.transport.lower() == "udp"

    @property
    def transport_address(self) -> TransportAddress | None:
        """The address if it is an IP address, None if it is a host name."""
        return self.address if isinstance(self.address, TransportAddress) else None

    def extension(self, name: str) -> str | None:
        """The value of the first extension of that name."""
        return next((value for key, value in self.extensions if key == name), None)


_TYPES = frozenset(kind.value for kind in CandidateType)


def _host(address: TransportAddress | HostName) -> str:
    return address.host if isinstance(address, TransportAddress) else address.name


def _number(word: str, *, digits: int) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= digits):
        raise DecodeError(_ELEMENT, f"{word[:20]!r} is not a number of up to {digits} digits")
    return int(word)


def _address(host: str, port: str) -> TransportAddress | HostName:
    number = _number(port, digits=5)
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return HostName(host, number)
    return TransportAddress(ip, number)


def _in_pairs(words: list[str]) -> list[tuple[str, str]]:
    if len(words) % 2:
        raise DecodeError(_ELEMENT, f"the extension {words[-1][:20]!r} has no value")
    return list(zip(words[::2], words[1::2], strict=True))


def _take_related(
    pairs: list[tuple[str, str]],
) -> tuple[TransportAddress | HostName | None, tuple[tuple[str, str], ...]]:
    """Split off ``raddr`` and ``rport``, which stand first, in that order."""
    if len(pairs) < 2 or pairs[0][0].lower() != "raddr" or pairs[1][0].lower() != "rport":
        return None, tuple(pairs)
    try:
        return _address(pairs[0][1], pairs[1][1]), tuple(pairs[2:])
    except DecodeError:
        raise
    except ValueError as error:
        raise DecodeError(_ELEMENT, f"related address: {error}") from error
