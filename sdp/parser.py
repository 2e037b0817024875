"""Text into sections, with what is wrong about it (RFC 8866 sections 5 and 9).

The text is split once; a line's grammar is checked here only where the structure
hangs on it or lines are few. Attribute values wait for their typed views.
"""

from __future__ import annotations

import dataclasses
import io
import itertools
import re
from collections.abc import Callable

from .errors import SdpError
from .grammar import TOKEN, match, shown
from .limits import MAX_ATTRIBUTES, MAX_DIAGNOSTICS, MAX_MEDIA, MAX_TEXT
from .lines.bandwidth import Bandwidth
from .lines.connection import Connection
from .lines.media import MediaLine
from .lines.origin import Origin
from .lines.timing import Repeat, TimeZones, Timing
from .section import LineEnding, MediaDescription, Section


@dataclasses.dataclass(frozen=True, slots=True)
class Diagnostic:
    """Something the grammar forbids that was read all the same."""

    line: int
    column: int
    problem: str


_SESSION_ORDER = {
    "": "v",
    "v": "o",
    "o": "s",
    "s": "iuepcbt",
    "i": "uepcbt",
    "u": "epcbt",
    "e": "epcbt",
    "p": "pcbt",
    "c": "bt",
    "b": "bt",
    "t": "trkam",
    "r": "rztkam",
    "z": "tkam",
    "k": "am",
    "a": "am",
}
"""Which types may follow which, before the first m=."""

_MEDIA_ORDER = {
    "m": "icbkam",
    "i": "cbkam",
    "c": "cbkam",
    "b": "bkam",
    "k": "am",
    "a": "am",
}

_BAD_CHARACTER = re.compile(r"\0|\r(?![\n]|\Z)")
_ODD_ATTRIBUTE = re.compile(rf"\na=(?!{TOKEN}(?::[^\r\n]|\r?$))", re.MULTILINE)
"""Begins with characters that stand as they are: those are searched for fastest."""
_TEXT = re.compile(r"[^\0\r\n]+")
_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_SAFE = r"[^\0\r\n()<>]+"
_ADDRESS = r"[^\0\r\n()<> ]+@[^\0\r\n()<> ]+"
_EMAIL = re.compile(rf"{_ADDRESS}(?: +\({_SAFE}\))?|{_SAFE} <{_ADDRESS}>")
_NUMBER = r"\+?[0-9][ \-0-9]+"
_PHONE = re.compile(rf"{_NUMBER} *\({_SAFE}\)|{_SAFE}<{_NUMBER}>|{_NUMBER}")
_KEY = re.compile(r"prompt|clear:[^\r\n]+|base64:[A-Za-z0-9+/=]*|uri:[!-~]*")


def _pattern(pattern: re.Pattern[str], what: str) -> Callable[[str], object]:
    return lambda value: match(pattern, value, what)


_CHECKS: dict[str, Callable[[str], object]] = {
    "o": Origin.parse,
    "s": _pattern(_TEXT, "session name"),
    "i": _pattern(_TEXT, "information"),
    "u": _pattern(_URI, "URI"),
    "e": _pattern(_EMAIL, "email address"),
    "p": _pattern(_PHONE, "phone number"),
    "c": Connection.parse,
    "b": Bandwidth.parse,
    "t": Timing.parse,
    "r": Repeat.parse,
    "z": TimeZones.parse,
    "k": _pattern(_KEY, "key"),
}


def read(text: str) -> tuple[Section, list[MediaDescription], tuple[Diagnostic, ...]]:
    """The session, the media descriptions, and what is wrong.

    Raises:
        SdpError: see SessionDescription.parse.
    """
    if len(text) > MAX_TEXT:
        raise SdpError(1, 1, f"more than {MAX_TEXT} characters")
    lines = list(io.StringIO(text, newline="\n"))
    if len(lines) > MAX_ATTRIBUTES and text.count("\na=") > MAX_ATTRIBUTES:
        raise SdpError(1, 1, f"more than {MAX_ATTRIBUTES} attributes")
    _check_characters(text)
    if not lines or lines[0].rstrip("\r\n") != "v=0":
        raise SdpError(1, 1, "a description begins with v=0")
    reader = _Reader(lines)
    reader.run()
    reader.check_attributes(text)
    diagnostics = sorted(reader.diagnostics, key=lambda d: (d.line, d.column))
    return reader.session, reader.media, tuple(diagnostics)


def _check_characters(text: str) -> None:
    """No NUL, and no CR but at the end of a line (RFC 8866 section 9, byte-string)."""
    endings = text.count("\r\n") + text.endswith("\r")
    if "\0" not in text and text.count("\r") == endings:
        return
    bad = _BAD_CHARACTER.search(text)
    if bad is not None:
        offset = bad.start()
        line = text.count("\n", 0, offset) + 1
        raise SdpError(line, offset - text.rfind("\n", 0, offset), "NUL, or CR without LF")


class _Reader:
    """One walk over the lines."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._ending = LineEnding.CRLF if lines[0].endswith("\r\n") else LineEnding.LF
        self._order = _SESSION_ORDER
        self._previous = ""
        self._starts: list[int] = []
        self._media_lines: list[MediaLine | None] = []
        self.diagnostics: list[Diagnostic] = []
        self.session = Section()
        self.media: list[MediaDescription] = []

    def run(self) -> None:
        in_attributes = False
        for place, line in enumerate(self._lines):
            # Nine lines of ten are attributes that follow an attribute.
            if in_attributes and line.startswith("a="):
                continue
            self._take(place, line)
            in_attributes = self._previous == "a"
        self._finish()

    def _take(self, place: int, line: str) -> None:
        text = line.rstrip("\r\n")
        kind = text[0] if text[1:2] == "=" else ""
        if kind == "m":
            self._begin_media(place, text)
        self._check_order(place, kind, text)
        if (check := _CHECKS.get(kind)) is not None:
            try:
                check(text[2:])
            except SdpError as error:
                self._tell(place, error.column + 2, error.problem)

    def _begin_media(self, place: int, text: str) -> None:
        if len(self._starts) == MAX_MEDIA:
            raise SdpError(place + 1, 1, f"more than {MAX_MEDIA} m= lines")
        if not self._starts:
            self._check_session_is_complete(place)
        try:
            self._media_lines.append(MediaLine.parse(text[2:]))
        except SdpError as error:
            self._media_lines.append(None)
            self._tell(place, error.column + 2, error.problem)
        self._starts.append(place)
        self._order = _MEDIA_ORDER
        self._previous = "m"

    def _check_order(self, place: int, kind: str, text: str) -> None:
        if kind == "m":
            return
        if not kind:
            self._tell(place, 1, f"{shown(text)} is no line of the form x=value")
        elif kind in self._order[self._previous]:
            self._previous = kind
        elif kind in _SESSION_ORDER:
            self._tell(place, 1, f"{kind}= may not follow {self._previous}=")
            if self._order is _SESSION_ORDER:
                self._previous = max(self._previous, kind, key=list(_SESSION_ORDER).index)
        else:
            self._tell(place, 1, f"{kind}= is no type of line")

    def check_attributes(self, text: str) -> None:
        """Tell what is wrong with attributes: one search finds the few odd ones."""
        place, before = 0, 0
        for found in _ODD_ATTRIBUTE.finditer(text):
            place += text.count("\n", before, found.start() + 1)
            before = found.start() + 1
            self._check_attribute(place)

    def _check_attribute(self, place: int) -> None:
        text = self._lines[place].rstrip("\r\n")
        name, colon, value = text[2:].partition(":")
        if colon and not value and re.fullmatch(TOKEN, name):
            self._tell(place, len(text), f"attribute {shown(name)} has a colon and no value")
        else:
            self._tell(place, 3, f"{shown(name)} is no attribute name")

    def _check_session_is_complete(self, place: int) -> None:
        """v= o= s= t= are there; told at the line where the session ends."""
        present = {line[0] for line in self._lines[:place] if line[1:2] == "="}
        missing = [kind for kind in "ost" if kind not in present]
        if missing:
            names = " ".join(f"{kind}=" for kind in missing)
            self._tell(max(place - 1, 0), 1, f"the session has no {names}")

    def _finish(self) -> None:
        end = len(self._lines)
        if not self._starts:
            self._check_session_is_complete(end)
        starts = [*self._starts, end]
        self.session = Section(self._lines[: starts[0]], ending=self._ending)
        for media, (start, stop) in zip(self._media_lines, itertools.pairwise(starts), strict=True):
            self.media.append(
                MediaDescription(
                    self._lines[start:stop],
                    first_line=start + 1,
                    ending=self._ending,
                    media=media,
                )
            )
        self._check_connections(starts)

    def _check_connections(self, starts: list[int]) -> None:
        """c= stands in the session or in every section (RFC 8866 section 5.7)."""
        if _has_connection(self._lines[: starts[0]]):
            return
        for start, stop in itertools.pairwise(starts):
            if not _has_connection(self._lines[start:stop]):
                self._tell(start, 1, "neither this section nor the session has a c= line")

    def _tell(self, place: int, column: int, problem: str) -> None:
        if len(self.diagnostics) < MAX_DIAGNOSTICS:
            self.diagnostics.append(Diagnostic(place + 1, column, problem))


def _has_connection(lines: list[str]) -> bool:
    return any(line.startswith("c=") for line in lines)
