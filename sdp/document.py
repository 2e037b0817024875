"""A session description that keeps every byte of its text (RFC 8866)."""

from __future__ import annotations

from typing import Self

from .attributes.direction import Direction
from .errors import SdpError
from .lines.connection import Connection
from .lines.media import MediaLine
from .lines.origin import Origin
from .lines.timing import Repeat, TimeZones, Timing
from .parser import Diagnostic, read
from .section import A, LineEnding, MediaDescription, Section


class SessionDescription:
    """The session's lines and one section per m= line.

    ``str`` gives the text back as it came, but for what was edited. ``parse`` is
    lenient: what breaks the grammar without hiding the structure is kept and told in
    ``diagnostics``. ``parse_strict`` takes only what RFC 8866 allows.
    """

    __slots__ = ("diagnostics", "media", "session")

    def __init__(
        self,
        session: Section,
        media: list[MediaDescription],
        diagnostics: tuple[Diagnostic, ...] = (),
    ) -> None:
        self.session = session
        self.media = media
        self.diagnostics = diagnostics

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a description, tolerating what can be tolerated.

        Raises:
            SdpError: it is no SDP of version 0, a value holds NUL or CR, or it
                exceeds sdp.limits.
        """
        return cls(*read(text))

    @classmethod
    def parse_strict(cls, text: str) -> Self:
        """Read a description that follows the grammar of RFC 8866 section 9.

        Raises:
            SdpError: it does not, as above or at the first diagnostic.
        """
        document = cls.parse(text)
        for problem in document.diagnostics:
            raise SdpError(problem.line, problem.column, problem.problem)
        return document

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read bytes of any encoding; ``bytes()`` gives them back."""
        return cls.parse(data.decode("utf-8", "surrogateescape"))

    @classmethod
    def build(cls, origin: Origin, *, name: str = "-") -> Self:
        """A new description without media: v= o= s= t=."""
        session = Section()
        session.add_line("v", "0")
        session.add_line("o", str(origin))
        session.add_line("s", name)
        session.add_line("t", "0 0")
        return cls(session, [])

    def add_media(self, media: MediaLine, connection: Connection) -> MediaDescription:
        """Append a section that begins with m= and c=."""
        if self.media:
            self.media[-1].terminate()
        self.session.terminate()
        section = MediaDescription([f"m={media}\r\n"], ending=LineEnding.CRLF, media=media)
        section.add_line("c", str(connection))
        self.media.append(section)
        return section

    def __str__(self) -> str:
        return str(self.session) + "".join(map(str, self.media))

    def __bytes__(self) -> bytes:
        return str(self).encode("utf-8", "surrogateescape")

    @property
    def origin(self) -> Origin:
        """The o= line.

        Raises:
            SdpError: it is missing or malformed.
        """
        for view in self.session.views("o", Origin.parse):
            return view
        raise SdpError(1, 1, "there is no o= line")

    @origin.setter
    def origin(self, origin: Origin) -> None:
        self.session.replace_line("o", str(origin))

    @property
    def name(self) -> str | None:
        """The s= line; a space or "-" means that there is no name."""
        return next((value for kind, value in self.session.lines if kind == "s"), None)

    @property
    def timings(self) -> list[Timing]:
        return self.session.views("t", Timing.parse)

    @property
    def repeats(self) -> list[Repeat]:
        return self.session.views("r", Repeat.parse)

    @property
    def time_zones(self) -> list[TimeZones]:
        return self.session.views("z", TimeZones.parse)

    def inherited(self, section: Section, kind: type[A]) -> A | None:
        """The attribute of a section, or the session's where it has none."""
        own = section.get(kind)
        return own if own is not None else self.session.get(kind)

    def inherited_all(self, section: Section, kind: type[A]) -> list[A]:
        """The same for attributes that come several times: the media level wins."""
        return section.get_all(kind) or self.session.get_all(kind)

    def direction(self, section: Section) -> Direction:
        """A section's direction, the session's, or sendrecv (RFC 8866 section 6.7)."""
        return section.direction or self.session.direction or Direction.SENDRECV

    def connection(self, section: Section) -> Connection | None:
        """Where a section's media goes: its own first c= line, or the session's."""
        for connection in (*section.connections, *self.session.connections):
            return connection
        return None
