"""What every typed attribute has."""

from __future__ import annotations

from typing import ClassVar, Protocol, Self


class Attribute(Protocol):
    """A typed view of the value of one a= line.

    ``parse`` raises SdpError for any text that is not such a value, with line 1 and
    the column in the value. ``str`` gives a value that parses to an equal one.
    """

    NAME: ClassVar[str]

    @classmethod
    def parse(cls, value: str) -> Self: ...
