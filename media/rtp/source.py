"""The random starting values of a source (RFC 3550 sections 5.1 and 8.1)."""

from __future__ import annotations

from collections.abc import Container

from transport import RandomBytes


def random_ssrc(random_bytes: RandomBytes, taken: Container[int] = ()) -> int:
    """An SSRC that is not 0 and not in ``taken``.

    0 stands for "none" in feedback messages. ``taken`` holds our own and the peer's,
    and with AEAD all that were ever sent under the key (RFC 7714 section 8.4).
    """
    while True:
        ssrc = int.from_bytes(random_bytes(4), "big")
        if ssrc and ssrc not in taken:
            return ssrc


def initial_sequence_number(random_bytes: RandomBytes) -> int:
    """A sequence number below 2**15.

    The upper half is left out so that losing packets around the first rollover does
    not cost the receiver the rollover counter (RFC 3711 section 3.3.1).
    """
    return int.from_bytes(random_bytes(2), "big") & 0x7FFF


def initial_timestamp(random_bytes: RandomBytes) -> int:
    """A timestamp of 32 bits, the offset of a stream."""
    return int.from_bytes(random_bytes(4), "big")
