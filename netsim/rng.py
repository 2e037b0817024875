"""Randomness that depends on a seed alone, the same on every machine and Python.

splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
2014): good enough to lose datagrams by, and no secret of any kind.
"""

from __future__ import annotations

import hashlib

_MASK = (1 << 64) - 1


class SeededRandom:
    """A stream of numbers; ``bytes`` serves a machine as its ``RandomBytes``."""

    __slots__ = ("_seed", "_state")

    def __init__(self, seed: int) -> None:
        self._seed = seed & _MASK
        self._state = self._seed

    def fork(self, label: str) -> SeededRandom:
        """An independent stream for ``label``.

        It depends on the seed and the label, not on what was drawn so far: a link
        that is added to a network changes no draw of the others.
        """
        key = self._seed.to_bytes(8, "big")
        digest = hashlib.blake2b(label.encode(), key=key, digest_size=8).digest()
        return SeededRandom(int.from_bytes(digest, "big"))

    def next64(self) -> int:
        """64 random bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        return mixed ^ (mixed >> 31)

    def uniform(self) -> float:
        """From 0 (included) to 1 (not included)."""
        return (self.next64() >> 11) / (1 << 53)

    def happens(self, probability: float) -> bool:
        """True this often. Draws nothing when the probability is 0."""
        return probability > 0 and self.uniform() < probability

    def below(self, limit: int) -> int:
        """A whole number from 0 to ``limit`` - 1."""
        return self.next64() * limit >> 64

    def bytes(self, count: int) -> bytes:
        words = (self.next64().to_bytes(8, "big") for _ in range((count + 7) // 8))
        return b"".join(words)[:count]
