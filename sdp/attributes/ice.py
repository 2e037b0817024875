"""ICE attributes (RFC 8839 section 5, RFC 8840 section 8).

``a=candidate`` stays raw text here: its grammar is ICE's.
"""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Self

from sdp.grammar import match

CANDIDATE = "candidate"
END_OF_CANDIDATES = "end-of-candidates"
ICE_LITE = "ice-lite"
ICE_MISMATCH = "ice-mismatch"

TRICKLE = "trickle"
"""Candidates may follow the description (RFC 8840 section 4.1.1)."""
ICE2 = "ice2"
"""The peer follows RFC 8445 rather than RFC 5245 (RFC 8445 section 10)."""

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_OPTIONS = re.compile(r"[A-Za-z0-9+/\-]+(?: [A-Za-z0-9+/\-]+)*")
_PACING = re.compile(r"[0-9]{1,10}")
_REMOTE = re.compile(r"[0-9]{1,5} [!-~]+ [0-9]{1,5}(?: [0-9]{1,5} [!-~]+ [0-9]{1,5})*")


@dataclasses.dataclass(frozen=True, slots=True)
class IceUfrag:
    """The username fragment: 4 to 256 ice-chars (RFC 8839 section 5.4)."""

    NAME: ClassVar[str] = "ice-ufrag"

    value: str

    @classmethod
    def parse(cls, value: str) -> Self:
        return cls(match(_UFRAG, value, "ICE username fragment").group())

    def __str__(self) -> str:
        return self.value


@dataclasses.dataclass(frozen=True, slots=True)
class IcePwd:
    """The password: 22 to 256 ice-chars (RFC 8839 section 5.4)."""

    NAME: ClassVar[str] = "ice-pwd"

    value: str = dataclasses.field(repr=False)

    @classmethod
    def parse(cls, value: str) -> Self:
        if _PWD.fullmatch(value) is None:
            # A secret is not for messages: say what is wrong without showing it.
            match(_PWD, "", "ICE password of 22 to 256 characters; not shown")
        return cls(value)

    def __str__(self) -> str:
        return self.value


@dataclasses.dataclass(frozen=True, slots=True)
class IceOptions:
    """Tokens of ICE extensions in use (RFC 8839 section 5.6).

    The grammar allows ice-chars; "-" is taken too, for Google's ``google-ice``.
    """

    NAME: ClassVar[str] = "ice-options"

    tokens: tuple[str, ...]

    @classmethod
    def parse(cls, value: str) -> Self:
        return cls(tuple(match(_OPTIONS, value, "list of ICE options").group().split(" ")))

    def __str__(self) -> str:
        return " ".join(self.tokens)


@dataclasses.dataclass(frozen=True, slots=True)
class IcePacing:
    """The Ta that the agent wants, in milliseconds (RFC 8839 section 5.5)."""

    NAME: ClassVar[str] = "ice-pacing"

    milliseconds: int

    @classmethod
    def parse(cls, value: str) -> Self:
        return cls(int(match(_PACING, value, "pacing in milliseconds").group()))

    def __str__(self) -> str:
        return str(self.milliseconds)


@dataclasses.dataclass(frozen=True, slots=True)
class RemoteCandidates:
    """Component, address and port of each selected pair's remote side (section 5.2)."""

    NAME: ClassVar[str] = "remote-candidates"

    candidates: tuple[tuple[int, str, int], ...]

    @classmethod
    def parse(cls, value: str) -> Self:
        words = match(_REMOTE, value, "list of remote candidates").group().split(" ")
        triples = zip(words[::3], words[1::3], words[2::3], strict=True)
        return cls(tuple((int(c), address, int(port)) for c, address, port in triples))

    def __str__(self) -> str:
        return " ".join(f"{c} {address} {port}" for c, address, port in self.candidates)
