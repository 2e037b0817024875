"""One section of a description: its lines as they came, and typed views of them."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from .attributes.base import Attribute
from .attributes.direction import Direction
from .errors import SdpError
from .lines.bandwidth import Bandwidth
from .lines.connection import Connection
from .lines.media import MediaLine

A = TypeVar("A", bound=Attribute)
T = TypeVar("T")

_DIRECTIONS = {direction.value: direction for direction in Direction}


class LineEnding(enum.StrEnum):
    """What ends a line; RFC 8866 section 5 asks for CRLF and takes LF."""

    CRLF = "\r\n"
    LF = "\n"


class Section:
    """The lines of the session, or of one media description.

    A line that is not edited keeps its bytes. Typed views are made when asked for,
    and raise SdpError with the line and column in the text that was parsed.
    """

    __slots__ = ("_ending", "_first_line", "_index", "_lines")

    def __init__(
        self,
        lines: Sequence[str] = (),
        *,
        first_line: int = 1,
        ending: LineEnding = LineEnding.CRLF,
    ) -> None:
        self._lines = list(lines)
        self._first_line = first_line
        self._ending = ending
        self._index: dict[str, list[int]] | None = None

    def __str__(self) -> str:
        return "".join(self._lines)

    @property
    def lines(self) -> Iterator[tuple[str, str]]:
        """Each line's type and value; the type is empty for what is no line at all."""
        for line in self._lines:
            text = line.rstrip("\r\n")
            yield (text[0], text[2:]) if text[1:2] == "=" else ("", text)

    # Attributes as text

    def has(self, name: str) -> bool:
        """Whether an attribute of that name is there, with a value or without."""
        return name in self._attributes()

    def value(self, name: str) -> str | None:
        """The first attribute's value; empty for one without a value."""
        places = self._attributes().get(name)
        return self._value_at(places[0], name) if places else None

    def values(self, name: str) -> list[str]:
        """The values of all attributes of that name, in order."""
        return [self._value_at(place, name) for place in self._attributes().get(name, ())]

    @property
    def attributes(self) -> list[tuple[str, str | None]]:
        """Name and value of every attribute; the value is None where there is no colon."""
        found = []
        for kind, text in self.lines:
            if kind == "a":
                name, colon, value = text.partition(":")
                found.append((name, value if colon else None))
        return found

    # Typed views

    def get(self, kind: type[A]) -> A | None:
        """The first attribute of that kind, or None.

        Raises:
            SdpError: its value is malformed.
        """
        places = self._attributes().get(kind.NAME)
        return self._typed(kind, places[0]) if places else None

    def get_all(self, kind: type[A]) -> list[A]:
        """All attributes of that kind, in order.

        Raises:
            SdpError: the value of one is malformed.
        """
        return [self._typed(kind, place) for place in self._attributes().get(kind.NAME, ())]

    @property
    def direction(self) -> Direction | None:
        """The last direction attribute of this section itself, or None."""
        present = self._attributes().keys() & _DIRECTIONS.keys()
        if not present:
            return None
        return _DIRECTIONS[max(present, key=lambda name: self._attributes()[name][-1])]

    @property
    def connections(self) -> list[Connection]:
        return self.views("c", Connection.parse)

    @property
    def bandwidths(self) -> list[Bandwidth]:
        return self.views("b", Bandwidth.parse)

    def views(self, kind: str, parse: Callable[[str], T]) -> list[T]:
        """Typed views of all lines of a type that are no attributes."""
        found = []
        for place, line in enumerate(self._lines):
            if line[0] == kind and line[1:2] == "=":
                try:
                    found.append(parse(line[2:].rstrip("\r\n")))
                except SdpError as error:
                    raise error.moved(self._first_line + place, 2) from error
        return found

    # Editing

    def add(self, attribute: Attribute) -> None:
        """Append an attribute."""
        self.add_text(attribute.NAME, str(attribute))

    def add_text(self, name: str, value: str | None = None) -> None:
        """Append an attribute from text; without a value it is a flag."""
        self._append(_attribute_text(name, value))

    def add_line(self, kind: str, value: str) -> None:
        """Append a line that is no attribute; order is the caller's to keep."""
        _check_value(value)
        self._append(f"{kind}={value}")

    def replace_line(self, kind: str, value: str) -> None:
        """Put another value into the first line of a type.

        Raises:
            ValueError: there is no such line, or the value holds NUL, CR or LF.
        """
        _check_value(value)
        for place, line in enumerate(self._lines):
            if line.startswith(f"{kind}="):
                self._lines[place] = f"{kind}={value}" + self._ending_of(place)
                return
        raise ValueError(f"there is no {kind}= line")

    def remove(self, name: str) -> None:
        """Take every attribute of that name away."""
        gone = set(self._attributes().get(name, ()))
        if gone:
            self._lines = [line for i, line in enumerate(self._lines) if i not in gone]
            self._index = None

    def replace(self, attribute: Attribute) -> None:
        """Put one attribute in the place of all of its name, or append it."""
        self.replace_text(attribute.NAME, str(attribute))

    def replace_text(self, name: str, value: str | None = None) -> None:
        """The same from text."""
        text = _attribute_text(name, value)
        places = self._attributes().get(name)
        if not places:
            self._append(text)
            return
        self._lines[places[0]] = text + self._ending_of(places[0])
        gone = set(places[1:])
        self._lines = [line for i, line in enumerate(self._lines) if i not in gone]
        self._index = None

    def replace_direction(self, direction: Direction) -> None:
        """Say one direction, and no other."""
        for name in _DIRECTIONS:
            self.remove(name)
        self.add_text(direction.value)

    def terminate(self) -> None:
        """End the last line, so that more can follow."""
        if self._lines and not self._lines[-1].endswith("\n"):
            self._lines[-1] = self._lines[-1].removesuffix("\r") + self._ending

    # Inside

    def _append(self, text: str) -> None:
        self.terminate()
        self._lines.append(text + self._ending)
        self._index = None

    def _ending_of(self, place: int) -> str:
        line = self._lines[place]
        return line[len(line.rstrip("\r\n")) :]

    def _attributes(self) -> dict[str, list[int]]:
        if self._index is None:
            index: dict[str, list[int]] = {}
            for place, line in enumerate(self._lines):
                if line.startswith("a="):
                    name, colon, _ = line.partition(":")
                    name = name[2:] if colon else name[2:].rstrip("\r\n")
                    index.setdefault(name, []).append(place)
            self._index = index
        return self._index

    def _value_at(self, place: int, name: str) -> str:
        return self._lines[place][3 + len(name) :].rstrip("\r\n")

    def _typed(self, kind: type[A], place: int) -> A:
        try:
            return kind.parse(self._value_at(place, kind.NAME))
        except SdpError as error:
            raise error.moved(self._first_line + place, 3 + len(kind.NAME)) from error


class MediaDescription(Section):
    """A section that begins with m=."""

    __slots__ = ("_media",)

    def __init__(
        self,
        lines: Sequence[str],
        *,
        first_line: int = 1,
        ending: LineEnding = LineEnding.CRLF,
        media: MediaLine | None = None,
    ) -> None:
        super().__init__(lines, first_line=first_line, ending=ending)
        self._media = media

    @property
    def media(self) -> MediaLine:
        """The m= line.

        Raises:
            SdpError: it is malformed.
        """
        if self._media is None:
            self._media = self.views("m", MediaLine.parse)[0]
        return self._media

    @media.setter
    def media(self, media: MediaLine) -> None:
        self._lines[0] = f"m={media}" + self._ending_of(0)
        self._media = media


def _attribute_text(name: str, value: str | None) -> str:
    text = name if value is None else f"{name}:{value}"
    _check_value(text)
    return f"a={text}"


def _check_value(value: str) -> None:
    if not value or "\0" in value or "\r" in value or "\n" in value:
        raise ValueError("a value holds a character at least, and no NUL, CR or LF")
