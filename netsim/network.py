"""The whole of a simulation: its segments, its clock, its trace."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable

from transport import Event, IPAddress, RandomBytes, TransportAddress

from .behavior import Filtering, NatBehavior
from .errors import NeverHappened
from .firewall import Firewall
from .host import Host, parse_ip
from .link import LinkProfile
from .nat import Nat
from .rng import SeededRandom
from .scheduler import Scheduled, Scheduler
from .segment import Segment, World
from .trace import DatagramRecord, Fate, Ledger

INTERNET_LINK = LinkProfile(delay=0.0125)
"""The access link of who is attached to the internet without a profile of its own:
two of them are 25 ms apart, 50 ms there and back."""

DEFAULT_MAX_EVENTS = 1_000_000
"""What one run may take: some ten seconds of real time."""


class Network:
    """A network that fits in a test.

    Everything random in it comes from ``seed``: the same program with the same seed
    gives the same trace, byte for byte. ``internet`` is the public segment; others
    are the insides of NATs and firewalls, or made by ``segment``. ``link`` is the
    access link to the internet of whoever brings none along.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        link: LinkProfile = INTERNET_LINK,
        max_events: int = DEFAULT_MAX_EVENTS,
    ) -> None:
        self.seed = seed
        self._scheduler = Scheduler(max_events)
        self._ledger = Ledger()
        self._world = World(self._scheduler, self._ledger, SeededRandom(seed), [], set())
        self._names: set[str] = set()
        self.internet = self.segment("internet", link=link)

    def __repr__(self) -> str:
        return f"<Network seed={self.seed} now={self.now}>"

    def segment(self, name: str, *, link: LinkProfile | None = None) -> Segment:
        """A segment of its own, without a way out. By default its links take no time."""
        self._claim(name)
        return Segment(name, self._world, default_link=LinkProfile() if link is None else link)

    def host(
        self,
        name: str,
        *addresses: IPAddress | str,
        segment: Segment | None = None,
        link: LinkProfile | None = None,
    ) -> Host:
        """A host with one interface on a segment, by default the internet.

        Without addresses it has no interface; give it some with ``Host.attach``.
        """
        self._claim(name)
        host = Host(name, self._world)
        if addresses:
            host.attach(self.internet if segment is None else segment, *addresses, link=link)
        return host

    def nat(
        self,
        name: str,
        *external: IPAddress | str,
        behavior: NatBehavior | None = None,
        outer: Segment | None = None,
        link: LinkProfile | None = None,
    ) -> Nat:
        """A NAT with these external addresses; attach hosts to its ``inside``."""
        self._claim(name)
        return Nat(
            name,
            tuple(parse_ip(ip) for ip in external),
            NatBehavior() if behavior is None else behavior,
            outer=self.internet if outer is None else outer,
            link=link,
        )

    def firewall(
        self,
        name: str,
        *,
        filtering: Filtering = Filtering.ADDRESS_AND_PORT_DEPENDENT,
        lifetime: float = 120.0,
        outer: Segment | None = None,
        link: LinkProfile | None = None,
    ) -> Firewall:
        """A firewall without translation; attach hosts to its ``inside``."""
        self._claim(name)
        outer = self.internet if outer is None else outer
        return Firewall(name, filtering=filtering, lifetime=lifetime, outer=outer, link=link)

    def random_bytes(self, label: str) -> RandomBytes:
        """Seeded randomness for a machine; each label has a stream of its own."""
        return self._world.random.fork(f"machine {label}").bytes

    @property
    def now(self) -> float:
        """Seconds since the network began."""
        return self._scheduler.now

    def call_at(self, at: float, action: Callable[[], object]) -> Scheduled:
        """Let something happen at a time: a link fails, a message arrives out of band."""
        return self._scheduler.call_at(at, action, owner="script")

    def call_later(self, delay: float, action: Callable[[], object]) -> Scheduled:
        """Let something happen after that many seconds."""
        return self.call_at(self.now + delay, action)

    def advance(self, until: float | None, stop: Callable[[], object]) -> bool:
        """Let time pass up to ``until``, or until ``stop()`` is true, and say if it was.

        Without ``until``, all that is left happens. The other ways to run are made of
        this one.

        Raises:
            MachineStuck: a machine makes time stand still.
            TooManyEvents: the limit of the network was reached.
        """
        return self._scheduler.run(until, stop)

    def run(self, *, until: float) -> None:
        """Let time pass up to ``until``, which counts from the network's beginning.

        Raises:
            MachineStuck, TooManyEvents: as ``advance``.
        """
        self.advance(until, lambda: False)

    def run_until(self, predicate: Callable[[], object], *, timeout: float) -> float:
        """Let time pass until ``predicate()`` is true, and return the time.

        Raises:
            NeverHappened: it was not true within ``timeout`` seconds.
            MachineStuck, TooManyEvents: as ``advance``.
        """
        if not self.advance(self.now + timeout, predicate) and not predicate():
            raise NeverHappened(f"not within {timeout} s (seed {self.seed}, now {self.now})")
        return self.now

    def run_idle(self, *, timeout: float = 3600.0) -> float:
        """Let time pass until no datagram is under way and no timer is set.

        Returns the time of the last thing that happened.

        Raises:
            NeverHappened: something is still to come after ``timeout`` seconds.
            MachineStuck, TooManyEvents: as ``advance``.
        """
        return self.run_until(lambda: self._scheduler.next_at() is None, timeout=timeout)

    def block(self, senders: Iterable[Host], receivers: Iterable[Host]) -> None:
        """Let nothing that ``senders`` send reach ``receivers``, whatever the way."""
        to = [host.name for host in receivers]
        self._world.partitions.update((host.name, name) for host in senders for name in to)

    def partition(self, group: Iterable[Host], other: Iterable[Host]) -> None:
        """Cut two groups of hosts off from each other, in both directions."""
        group, other = list(group), list(other)
        self.block(group, other)
        self.block(other, group)

    def heal(self) -> None:
        """End all partitions."""
        self._world.partitions.clear()

    def inject(
        self,
        data: bytes,
        source: TransportAddress,
        destination: TransportAddress,
        *,
        segment: Segment | None = None,
    ) -> None:
        """Put a datagram on a segment, by default the internet, with any source at all."""
        datagram = self._ledger.send(data, source, destination, sender="injected", now=self.now)
        (self.internet if segment is None else segment).forward(datagram)

    @property
    def events(self) -> tuple[tuple[float, str, Event], ...]:
        """(time, process name, event) of every machine, in order."""
        return tuple(self._world.events)

    @property
    def trace(self) -> tuple[DatagramRecord, ...]:
        """The end of every datagram so far, in order of time."""
        return tuple(self._ledger.trace)

    def tap(self) -> list[DatagramRecord]:
        """A list that every datagram is added to when it ends, from now on."""
        return self._ledger.new_tap()

    @property
    def fates(self) -> collections.Counter[Fate]:
        """How many copies of datagrams ended how."""
        return collections.Counter(self._ledger.fates)

    @property
    def copies_sent(self) -> int:
        """How many datagrams were sent, each duplicate counted as one more."""
        return self._ledger.copies

    @property
    def in_flight(self) -> int:
        """How many copies are under way."""
        return self._ledger.in_flight

    def _claim(self, name: str) -> None:
        if name in self._names or name == "injected":
            raise ValueError(f"something is called {name!r} already")
        self._names.add(name)
