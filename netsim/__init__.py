"""A network that fits in a test: hosts, links, NATs and an adversary on virtual time.

It runs any ``transport.Machine`` and knows no protocol. Time is virtual and jumps
from event to event, so an hour takes as long as what happens in it; all randomness
comes from a seed, so every run can be had again, byte for byte.

A first simulation. A host with a machine of yours sends through a home router's NAT
to a host on the internet that runs another; ``call`` calls a verb of the machine
and does what it leads to::

    from netsim import LinkProfile, Network, SYMMETRIC

    network = Network(seed=7)
    router = network.nat("router", "198.51.100.1", behavior=SYMMETRIC)
    alice = network.host("alice", "10.0.0.2", segment=router.inside)
    bob = network.host("bob", "192.0.2.1", link=LinkProfile(delay=0.02, loss=0.1))

    server = bob.run(MyServer(), addresses=[bob.bind("192.0.2.1", 3478)])
    client = alice.run(MyClient())
    local = client.bind("10.0.0.2")
    client.call(lambda machine, now: machine.start(local, server.addresses[0], now))
    network.run_until(lambda: client.events, timeout=40.0)
    for record in network.trace:
        ...  # str(record), record.fate, record.at, record.data

Where to look next: ``Network`` makes everything and runs it; ``LinkProfile`` is what a
link does to datagrams; ``NatBehavior`` is RFC 4787; ``Process`` is a machine at
work, and what plays its driver; ``Fate`` lists how a datagram can end. Two hosts on
the internet are 25 ms apart unless a link says otherwise. ``netsim.aio`` runs
asyncio programs on the same network.
"""

from .behavior import (
    FULL_CONE,
    PORT_RESTRICTED_CONE,
    RESTRICTED_CONE,
    SYMMETRIC,
    Filtering,
    Hairpinning,
    Mapping,
    NatBehavior,
    Pooling,
    PortAssignment,
    Refresh,
)
from .errors import (
    AddressInUse,
    MachineStuck,
    NeverHappened,
    NotOwned,
    SimulationError,
    TooManyEvents,
)
from .firewall import Firewall
from .host import Host, Receiver
from .link import GilbertElliott, Link, LinkProfile
from .nat import Nat
from .nat_table import NatMapping
from .network import INTERNET_LINK, Network
from .process import Process
from .rng import SeededRandom
from .scheduler import Scheduled
from .segment import Interface, Segment
from .trace import DatagramRecord, Fate, Origin, format_trace

__all__ = [
    "Network",
    "Host",
    "Process",
    "Receiver",
    "Segment",
    "Interface",
    "Link",
    "LinkProfile",
    "GilbertElliott",
    "INTERNET_LINK",
    "Nat",
    "NatBehavior",
    "NatMapping",
    "Mapping",
    "Filtering",
    "PortAssignment",
    "Refresh",
    "Hairpinning",
    "Pooling",
    "FULL_CONE",
    "RESTRICTED_CONE",
    "PORT_RESTRICTED_CONE",
    "SYMMETRIC",
    "Firewall",
    "DatagramRecord",
    "Origin",
    "Fate",
    "format_trace",
    "Scheduled",
    "SeededRandom",
    "SimulationError",
    "AddressInUse",
    "NotOwned",
    "MachineStuck",
    "TooManyEvents",
    "NeverHappened",
]
