"""What the sdp package raises."""

from __future__ import annotations

from typing import Self


class SdpError(Exception):
    """The root of every error of this package: what is wrong, and where.

    ``line`` and ``column`` count from 1. Both are 0 when the problem has no place
    in a text. For an error of a typed value on its own, ``line`` is 1 and
    ``column`` counts inside the value.
    """

    def __init__(self, line: int, column: int, problem: str) -> None:
        place = f"line {line}, column {column}: " if line else ""
        super().__init__(f"{place}{problem}")
        self.line = line
        self.column = column
        self.problem = problem

    def moved(self, line: int, columns: int) -> SdpError:
        """The same error, for a value that stands ``columns`` into that line."""
        return SdpError(line, self.column + columns, self.problem)

    @classmethod
    def in_value(cls, column: int, problem: str) -> Self:
        """An error inside a single value; ``column`` counts from 0."""
        return cls(1, column + 1, problem)


class InvalidStateError(SdpError):
    """The call does not fit the signaling state (RFC 8829 section 3.2)."""

    def __init__(self, operation: str, state: str) -> None:
        super().__init__(0, 0, f"{operation} is not possible in the state {state}")
        self.operation = operation
        self.state = state


class DescriptionRefused(SdpError):
    """A well-formed description that cannot be negotiated (RFC 8829 section 5.8.3).

    ``index`` is the m= section at fault, or None when it is the session.
    """

    def __init__(self, index: int | None, problem: str) -> None:
        place = "session" if index is None else f"m= section {index}"
        super().__init__(0, 0, f"{place}: {problem}")
        self.index = index


class ModifiedDescriptionError(SdpError):
    """The local description is not the one created last (RFC 8829 section 5.4)."""

    def __init__(self) -> None:
        super().__init__(0, 0, "a local description must be set as it was created")
