"""Messages that are wrong somewhere, in every way that bytes can be: the same in each run."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Final

MAX_BYTES: Final = 2048
"""Of a mutated datagram."""

LENGTHS: Final = (0, 1, 3, 4, 5, 19, 20, 0x7FFF, 0xFFFC, 0xFFFF)
"""What a length field says that lies."""


class Dice:
    """Numbers that look random, and are the same for the same seed."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._counter = itertools.count()
        self._pool = b""

    def bytes(self, count: int) -> bytes:
        while len(self._pool) < count:
            text = f"{self._seed} {next(self._counter)}"
            self._pool += hashlib.sha256(text.encode()).digest()
        taken, self._pool = self._pool[:count], self._pool[count:]
        return taken

    def below(self, limit: int) -> int:
        return int.from_bytes(self.bytes(4), "big") % limit

    def choose(self, among: Sequence[int]) -> int:
        return among[self.below(len(among))]


def mutations(seeds: Sequence[bytes], dice: Dice) -> Iterator[bytes]:
    """Without end: one to four changes of a message."""
    while True:
        data = seeds[dice.below(len(seeds))]
        for _ in range(1 + dice.below(4)):
            data = _WAYS[dice.below(len(_WAYS))](data, dice, seeds)[:MAX_BYTES]
        yield data


def _flip(data: bytes, dice: Dice, _: Sequence[bytes]) -> bytes:
    """One bit."""
    if not data:
        return data
    at = dice.below(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.below(8)]) + data[at + 1 :]


def _overwrite(data: bytes, dice: Dice, _: Sequence[bytes]) -> bytes:
    """Up to eight bytes."""
    at, size = dice.below(len(data) + 1), dice.below(9)
    return data[:at] + dice.bytes(size) + data[at + size :]


def _cut(data: bytes, dice: Dice, _: Sequence[bytes]) -> bytes:
    return data[: dice.below(len(data) + 1)]


def _extend(data: bytes, dice: Dice, _: Sequence[bytes]) -> bytes:
    return data + dice.bytes(dice.below(65))


def _lie(data: bytes, dice: Dice, _: Sequence[bytes]) -> bytes:
    """A length, of the message or of what may be an attribute."""
    if len(data) < 4:
        return data
    at = 2 + 4 * dice.below(len(data) // 4)
    return data[:at] + dice.choose(LENGTHS).to_bytes(2, "big") + data[at + 2 :]


def _rename(data: bytes, dice: Dice, _: Sequence[bytes]) -> bytes:
    """Another type for what may be an attribute."""
    if len(data) < 24:
        return data
    at = 20 + 4 * dice.below((len(data) - 20) // 4)
    return data[:at] + dice.below(0x40).to_bytes(2, "big") + data[at + 2 :]


def _repeat(data: bytes, dice: Dice, _: Sequence[bytes]) -> bytes:
    """A part of it many times over, and a length that fits."""
    if len(data) < 24:
        return data
    begin = 20 + 4 * dice.below((len(data) - 20) // 4)
    repeated = data[:begin] + data[begin:] * (2 + dice.below(8))
    repeated = repeated[: MAX_BYTES & ~3]
    return repeated[:2] + (len(repeated) - 20).to_bytes(2, "big") + repeated[4:]


def _splice(data: bytes, dice: Dice, seeds: Sequence[bytes]) -> bytes:
    """The beginning of one and the end of another."""
    other = seeds[dice.below(len(seeds))]
    return data[: dice.below(len(data) + 1)] + other[dice.below(len(other) + 1) :]


_WAYS: Final[Sequence[Callable[[bytes, Dice, Sequence[bytes]], bytes]]] = (
    _flip,
    _overwrite,
    _cut,
    _extend,
    _lie,
    _rename,
    _repeat,
    _splice,
)
