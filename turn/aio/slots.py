"""Where the data plane reads datagrams into: allocated once, shared by every socket.

Four bytes in front of a payload are spare, so that the ChannelData header (RFC 8656
section 12.4) is written in place. A socket that drains uses the slots from the first
on, and is done with all of them before the next socket has its turn.
"""

from __future__ import annotations

import struct

from transport.aio import MAX_DATAGRAMS_PER_WAKE_UP

CHANNEL_HEADER = struct.Struct("!HH")
"""Channel number and length of the application data."""

HEADER_BYTES = CHANNEL_HEADER.size

_MAX_DATAGRAM_BYTES = 65_535

_STRIDE = HEADER_BYTES + _MAX_DATAGRAM_BYTES + 4096 + 5 * 64
"""Not a power of two: first bytes at the same place of a page would share few cache lines.

Pages that no datagram ever reached cost no memory.
"""


def _slots() -> tuple[tuple[int, memoryview, memoryview], ...]:
    memory = memoryview(bytearray(MAX_DATAGRAMS_PER_WAKE_UP * _STRIDE))
    starts = range(0, len(memory), _STRIDE)
    end = HEADER_BYTES + _MAX_DATAGRAM_BYTES
    return tuple(
        (number, memory[at : at + end], memory[at + HEADER_BYTES : at + end])
        for number, at in enumerate(starts)
    )


SLOTS = _slots()
"""Each with its number: the whole slot, and the slot from behind the spare header on."""

_, SLOT, ROOM = SLOTS[0]
"""For who takes one datagram alone."""
