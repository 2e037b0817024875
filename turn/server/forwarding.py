"""What the server decides for a data plane: entries by which packets may be moved.

A plane takes entries and moves the packets that match one, without asking. Whatever
matches none goes to ``TurnServer.receive`` or ``receive_relayed``, which is always
right, only slower. An entry stands exactly as long as the channel binding and the
permission for the peer both live.
"""

from __future__ import annotations

import dataclasses
from typing import Protocol

from transport import Path, TransportAddress


class Meter:
    """Counts what one allocation has relayed; whoever moves a packet counts it here.

    ``sent`` is from the client to peers, ``received`` from peers to the client; bytes
    are those of the application data.
    """

    __slots__ = ("received_bytes", "received_packets", "sent_bytes", "sent_packets")

    def __init__(self) -> None:
        self.sent_packets = 0
        self.sent_bytes = 0
        self.received_packets = 0
        self.received_bytes = 0


@dataclasses.dataclass(frozen=True, slots=True)
class SwitchTarget:
    """The client and the channel that data for a relayed transport address goes to."""

    client: Path
    channel: int
    meter: Meter


@dataclasses.dataclass(frozen=True, slots=True)
class ForwardingEntry:
    """One channel of one client, in both directions.

    ChannelData on ``client`` with the number ``channel`` leaves from ``relayed`` to
    ``peer``; a datagram from ``peer`` to ``relayed`` goes to the client as ChannelData
    (padded to 4 bytes on a stream). ``relayed`` is the address of the relay's socket,
    ``client.local`` that of the listening one.

    With ``switched_to``, the peer is the relayed transport address of another client
    of this relay: no datagram is sent then, the data goes to that client's path with
    that channel number. It counts as sent on ``meter``, as received on the target's.
    """

    client: Path
    channel: int
    relayed: TransportAddress
    peer: TransportAddress
    meter: Meter
    switched_to: SwitchTarget | None = None


class ForwardingTable(Protocol):
    """Where a server publishes its decisions. No call may raise, or call back."""

    def upsert(self, entry: ForwardingEntry) -> None:
        """Let the entry hold, in place of any other for this client and channel."""
        ...

    def remove(self, client: Path, channel: int) -> None:
        """Forget the entry of this client and channel, in both directions."""
        ...


class NoForwarding:
    """The table of a server without a data plane: the machine relays everything."""

    __slots__ = ()

    def upsert(self, entry: ForwardingEntry) -> None:
        pass

    def remove(self, client: Path, channel: int) -> None:
        pass
