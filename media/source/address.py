"""What a user may name as a source, and how that is shown to others."""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import Self

TEST_CARD = "test-card"
"""The name of the source that is drawn; a file of this name is ``./test-card``."""

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


class SourceKind(enum.Enum):
    """Where the media comes from."""

    TEST_CARD = "test card"
    CAMERA = "camera"
    NETWORK = "address"
    FILE = "file"


@dataclasses.dataclass(frozen=True, slots=True)
class SourceAddress:
    """A source as the user wrote it.

    ``name`` is what others may see of it: addresses of cameras bear passwords.
    """

    text: str
    kind: SourceKind
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Any text names some source; whether it can be opened shows then."""
        if text == TEST_CARD:
            return cls(text, SourceKind.TEST_CARD, SourceKind.TEST_CARD.value)
        if text.startswith("/dev/"):
            return cls(text, SourceKind.CAMERA, text)
        scheme = _SCHEME.match(text)
        if scheme is None or scheme[1].lower() == "file":
            return cls(text, SourceKind.FILE, text or '""')
        return cls(text, SourceKind.NETWORK, _without_secrets(text, scheme.end()))

    @property
    def is_remote(self) -> bool:
        """Whether it may go away and come back by itself."""
        return self.kind in (SourceKind.CAMERA, SourceKind.NETWORK)


def _without_secrets(text: str, authority: int) -> str:
    """An address without user and query, either of which may hold a password."""
    host, slash, path = re.split(r"[?#]", text[authority:], maxsplit=1)[0].partition("/")
    return text[:authority] + host.rpartition("@")[2] + slash + path
