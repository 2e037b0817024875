"""What the plane keeps of an entry: one flow in each direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from turn.server import Meter, SwitchTarget

from .slots import CHANNEL_HEADER, HEADER_BYTES

NO_RUN = -1
"""The size of a run that has not begun: no datagram has it."""


class Outlet(Protocol):
    """The way to one remote, for what lies in the slots until the next is read."""

    def send_one(self, datagram: memoryview) -> None:
        """Send a datagram; if it cannot be sent, it is dropped and counted."""
        ...

    def send(self, run: Sequence[memoryview], size: int) -> None:
        """Send a run: all of ``size`` bytes, the last perhaps shorter but not empty."""
        ...


class ToPeer:
    """From a client's channel to its peer.

    Collects a run while the client's socket drains: datagrams as long as the first. The
    run ends with one that is shorter, which still belongs to it, or longer. Of each slot
    it takes what lies behind ``offset``.
    """

    __slots__ = ("_meter", "_outlet", "offset", "run", "size")

    def __init__(self, meter: Meter, outlet: Outlet) -> None:
        self._meter = meter
        self._outlet = outlet
        self.offset = HEADER_BYTES
        self.run: list[memoryview] = []
        self.size = NO_RUN

    def part_of(self, message: bytes, size: int) -> memoryview:
        """What to send of ChannelData that does not lie in a slot."""
        return memoryview(message)[HEADER_BYTES : HEADER_BYTES + size]

    def send_one(self, part: memoryview, size: int) -> None:
        """Send a datagram that came alone."""
        meter = self._meter
        meter.sent_packets += 1
        meter.sent_bytes += size
        self._outlet.send_one(part)

    def begin(self, part: memoryview, size: int) -> None:
        """Take a datagram whose data is not as long as the run's."""
        if 0 < size < self.size:
            self.run.append(part)
            self.flush()
        else:
            self.flush()
            self.run.append(part)
            self.size = size

    def flush(self) -> None:
        """Send the run, if there is one."""
        run, size = self.run, self.size
        if run:
            self.run, self.size = [], NO_RUN
            meter = self._meter
            meter.sent_packets += len(run)
            meter.sent_bytes += size * (len(run) - 1) + len(run[-1])
            self._outlet.send(run, size)


class ToNeighbour(ToPeer):
    """From a client's channel to another client of this relay, whose peer it is.

    The slot's own header is written over with the channel of the other side.
    """

    __slots__ = ("_target",)

    def __init__(self, meter: Meter, outlet: Outlet, target: SwitchTarget) -> None:
        super().__init__(meter, outlet)
        self._target = target
        self.offset = 0

    def part_of(self, message: bytes, size: int) -> memoryview:
        return memoryview(bytearray(message))[: HEADER_BYTES + size]

    def send_one(self, part: memoryview, size: int) -> None:
        self.begin(part, size)
        self.flush()

    def flush(self) -> None:
        run, size, channel = self.run, self.size, self._target.channel
        if not run:
            return
        self.run, self.size = [], NO_RUN
        for framed in run:
            CHANNEL_HEADER.pack_into(framed, 0, channel, len(framed) - HEADER_BYTES)
        self._count(len(run), size * (len(run) - 1) + len(run[-1]) - HEADER_BYTES)
        self._outlet.send(run, size + HEADER_BYTES)

    def _count(self, packets: int, size: int) -> None:
        self._meter.sent_packets += packets
        self._meter.sent_bytes += size
        self._target.meter.received_packets += packets
        self._target.meter.received_bytes += size


class ToClient:
    """From a peer to a client's channel."""

    __slots__ = ("_meter", "_outlet", "channel")

    def __init__(self, channel: int, meter: Meter, outlet: Outlet) -> None:
        self.channel = channel
        self._meter = meter
        self._outlet = outlet

    def send_one(self, message: memoryview, size: int) -> None:
        """Send a message that came alone, with ``size`` bytes of data."""
        meter = self._meter
        meter.received_packets += 1
        meter.received_bytes += size
        self._outlet.send_one(message)

    def send(self, run: list[memoryview], size: int) -> None:
        """Send a run of messages, each with ``size`` bytes of data."""
        meter = self._meter
        meter.received_packets += len(run)
        meter.received_bytes += size * len(run)
        self._outlet.send(run, size + HEADER_BYTES)
