"""A machine at work on a host: its transport addresses, its timer, its events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from transport import Event, IPAddress, Machine, Path, Transmit, TransportAddress, TransportProtocol

from .errors import MachineStuck, NotOwned
from .scheduler import Scheduled
from .segment import World

if TYPE_CHECKING:
    from .host import Host

M = TypeVar("M", bound=Machine)
E = TypeVar("E", bound=Event)
T = TypeVar("T")

MAX_DRAIN = 10_000
"""What a machine may put out in one go: far beyond any protocol, far below for ever."""


class Process(Generic[M]):
    """Does for a machine what a driver does, on virtual time. Made by ``Host.run``.

    ``events`` has everything it reported, with the time. ``on_event``, if given,
    plays the driver's other duties: it sees each event and may use ``call``,
    ``bind`` and ``unbind``.
    """

    def __init__(
        self,
        host: Host,
        machine: M,
        *,
        world: World,
        name: str,
        on_event: Callable[[Process[M], Event], None] | None,
    ) -> None:
        self.host = host
        self.machine = machine
        self.name = name
        self.events: list[tuple[float, Event]] = []
        self._world = world
        self._on_event = on_event
        self._addresses: dict[TransportAddress, None] = {}
        self._past_addresses: set[TransportAddress] = set()
        self._timer: Scheduled | None = None
        self._is_draining = False
        self._is_stopped = False

    def __repr__(self) -> str:
        return f"<Process {self.name}>"

    @property
    def now(self) -> float:
        return self._world.scheduler.now

    @property
    def addresses(self) -> tuple[TransportAddress, ...]:
        """The transport addresses that it owns, in the order of binding."""
        return tuple(self._addresses)

    def events_of(self, kind: type[E]) -> list[E]:
        """The events of one kind so far, without their times."""
        return [event for _, event in self.events if isinstance(event, kind)]

    def call(self, verb: Callable[[M, float], T]) -> T:
        """Call a verb of the machine, ``verb(machine, now)``, and do what it leads to."""
        result = verb(self.machine, self.now)
        self._drain()
        return result

    def bind(self, ip: IPAddress | str, port: int = 0) -> TransportAddress:
        """Own a transport address of the host; port 0 stands for any free one.

        Raises:
            AddressInUse: it is taken.
            ValueError: the host does not have the IP address.
        """
        address = self.host.bind(ip, port)
        self.own(address)
        return address

    def own(self, address: TransportAddress) -> None:
        """Own a transport address that ``Host.bind`` has returned.

        Raises:
            AddressInUse: another process owns it.
            NotOwned: it is not bound.
        """
        self.host.assign(address, self)
        self._addresses[address] = None

    def unbind(self, address: TransportAddress) -> None:
        """Give a transport address back. What the machine still sends from it is dropped.

        Raises:
            NotOwned: it is not this process's.
        """
        if address not in self._addresses:
            raise NotOwned(f"{self.name} does not own {address}")
        del self._addresses[address]
        self._past_addresses.add(address)
        self.host.release(address)

    def stop(self) -> None:
        """End the process: no address, no timer, and the machine is called no more."""
        self._is_stopped = True
        self._set_timer(None)
        for address in self.addresses:
            self.unbind(address)

    def deliver(self, data: bytes, path: Path) -> None:
        """Hand a datagram to the machine, and do what it leads to."""
        self.machine.receive(data, path, self.now)
        self._drain()

    def _drain(self) -> None:
        # An event's answer comes back here from within; the outer round goes on with it.
        if self._is_draining or self._is_stopped:
            return
        self._is_draining = True
        try:
            for _ in range(MAX_DRAIN):
                if not (self._send_next() or self._report_next()):
                    break
            else:
                raise MachineStuck(self.name, f"put out {MAX_DRAIN} things at {self.now} s")
        finally:
            self._is_draining = False
        if not self._is_stopped:
            self._set_timer(self.machine.next_timeout())

    def _send_next(self) -> bool:
        transmit = self.machine.poll_transmit()
        if transmit is None:
            return False
        self._check_path(transmit)
        for segment in transmit.segments:
            path = transmit.path
            self.host.send(bytes(segment), path.local, path.remote, dscp=transmit.dscp)
        return True

    def _check_path(self, transmit: Transmit) -> None:
        path = transmit.path
        if path.transport is not TransportProtocol.UDP:
            raise ValueError(f"{self.name} sends over {path.transport.value}; netsim has UDP only")
        if path.local not in self._addresses and path.local not in self._past_addresses:
            raise NotOwned(f"{self.name} sends from {path.local}, which it does not own")

    def _report_next(self) -> bool:
        event = self.machine.poll_event()
        if event is None:
            return False
        self.events.append((self.now, event))
        self._world.events.append((self.now, self.name, event))
        if self._on_event is not None:
            self._on_event(self, event)
        return not self._is_stopped

    def _set_timer(self, deadline: float | None) -> None:
        if self._timer is not None:
            if self._timer.at == deadline:
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = self._world.scheduler.call_at(deadline, self._time_out, owner=self.name)

    def _time_out(self) -> None:
        self._timer = None
        self.machine.handle_timeout(self.now)
        deadline = self.machine.next_timeout()
        if deadline is not None and deadline <= self.now:
            raise MachineStuck(
                self.name,
                f"next_timeout() is {deadline} after handle_timeout({self.now}): time stands still",
            )
        self._drain()
