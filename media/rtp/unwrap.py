"""Counters that wrap on the wire, made to grow for ever (RFC 3550 section 5.1)."""

from __future__ import annotations


class _Unwrapper:
    """Takes each value as the one nearest to the greatest seen so far."""

    __slots__ = ("_half", "_highest", "_mask")

    def __init__(self, bits: int) -> None:
        self._mask = (1 << bits) - 1
        self._half = 1 << (bits - 1)
        self._highest: int | None = None

    @property
    def highest(self) -> int | None:
        """The greatest value returned, or None before the first."""
        return self._highest

    def unwrap(self, value: int) -> int:
        """The value as it would be without wrapping.

        The first is returned as it is. A value from before the first wrap may come out
        negative, so that its order stays right.
        """
        highest = self._highest
        if highest is None:
            self._highest = value
            return value
        step = (value - highest) & self._mask
        if step < self._half:
            self._highest = highest + step
            return highest + step
        return highest + step - self._mask - 1


class SequenceUnwrapper(_Unwrapper):
    """Extends the 16 bits of sequence numbers, RTP's own or transport-wide ones."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(16)


class TimestampUnwrapper(_Unwrapper):
    """Extends the 32 bits of RTP timestamps, which wrap in 13 hours of video."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(32)
