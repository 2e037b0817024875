"""The one error that every decoder of every layer raises."""

from __future__ import annotations


class DecodeError(ValueError):
    """The bytes are not what the RFC says they must be.

    The only error that a decoder of any layer raises, whatever the bytes.
    ``element`` names what was being read, ``problem`` what is wrong with it.
    """

    def __init__(self, element: str, problem: str) -> None:
        super().__init__(f"{element}: {problem}")
        self.element = element
        self.problem = problem
