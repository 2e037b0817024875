"""Between clients on streams and their peers: what the plane does there.

The driver reads and writes the streams. Of what a client sends it shows the plane whole
messages, as many as have come at once; what goes to a client the plane writes itself.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence

from transport import Path
from transport.aio import StreamWriter

from .flows import ToPeer
from .slots import CHANNEL_HEADER

_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")
"""By the size modulo 4."""


class StreamClients:
    """The channels of all clients on streams; a ``StreamSwitch`` for their driver.

    ``writer_of`` is that driver's ``stream_writer``.
    """

    def __init__(self, writer_of: Callable[[Path], StreamWriter | None]) -> None:
        self._writer_of = writer_of
        self._flows: collections.defaultdict[Path, dict[int, ToPeer]]
        self._flows = collections.defaultdict(dict)

    def outlet_to(self, client: Path) -> StreamOutlet | None:
        """The way to a client; None if it is gone."""
        writer = self._writer_of(client)
        return None if writer is None else StreamOutlet(writer)

    def add(self, client: Path, channel: int, flow: ToPeer) -> None:
        self._flows[client][channel] = flow

    def remove(self, client: Path, channel: int) -> None:
        flows = self._flows[client]
        flows.pop(channel, None)
        if not flows:
            del self._flows[client]

    def take(self, path: Path, messages: Sequence[bytes]) -> Sequence[bytes]:
        """Send the ChannelData that comes before anything else; the rest is left.

        A framer has seen to it that the data is as long as its header says.
        """
        flows = self._flows.get(path)
        if flows is None:
            return messages
        find, unpack = flows.get, CHANNEL_HEADER.unpack_from
        touched: list[ToPeer] = []
        taken = 0
        for message in messages:
            channel, size = unpack(message)
            flow = find(channel)
            if flow is None:
                break
            part = flow.part_of(message, size)
            if size == flow.size:
                flow.run.append(part)
            else:
                touched.append(flow)
                flow.begin(part, size)
            taken += 1
        for flow in touched:
            flow.flush()
        return messages[taken:]


class StreamOutlet:
    """The way to one client, for ChannelData that lies in the slots.

    What a stream cannot take now is written later, so that it has to be copied.
    """

    __slots__ = ("_writer",)

    def __init__(self, writer: StreamWriter) -> None:
        self._writer = writer

    def send_one(self, message: memoryview) -> None:
        self._writer.write((bytes(message) + _PADDING[len(message) & 3],))

    def send(self, run: Sequence[memoryview], size: int) -> None:
        """Send a run: all of ``size`` bytes, the last perhaps shorter."""
        if size & 3 or len(run[-1]) & 3:
            self._writer.write([bytes(each) + _PADDING[len(each) & 3] for each in run])
        else:
            self._writer.write([bytes(each) for each in run])
