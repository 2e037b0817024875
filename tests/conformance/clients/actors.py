"""Right clients that do what scripts ask for: hairpin's own, as machines."""

from __future__ import annotations

import abc
import collections
import dataclasses
import heapq
import ipaddress
import itertools
import random
import ssl
from collections.abc import Callable

from conformance.clients import Action, Settings
from stun import Method, ShortTermClient
from stun.client import ClientConfig as StunConfig
from stun.client import RequestFailed, RequestSucceeded, StunClient
from stun.exchanges import TransactionTiming
from stun.rtt import RtoCache
from transport import Event, Path, Transmit, TransportAddress, TransportProtocol
from turn.client import TurnClient

HERE = ipaddress.ip_address("198.51.100.1")
MAX_PORTS = 3
MAX_TRIES = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Told(Event):
    """What the exit status of a client would say."""

    succeeded: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """What a client may be told to do otherwise."""

    timing: TransactionTiming = dataclasses.field(default_factory=TransactionTiming)
    max_ports: int = MAX_PORTS
    goes_in_circles: bool = False
    forgets: bool = False
    tells_success: bool = False
    is_mute: bool = False
    rto: float = 0.5
    begins_again: float | None = None
    """Seconds after which it tries anew, when it has failed; three times."""
    leaves: bool = False
    """It ends a second after it has what it wanted, as a command does that shows it."""
    twins: bool = False
    """It makes two allocations alike at the same time, each from a port of its own."""
    both_families: bool = False
    """It allocates an IPv6 address, too, from another port at the same time."""


class Actor(abc.ABC):
    """A Machine of one or more machines, with times at which it does something."""

    def __init__(
        self,
        action: Action,
        server: TransportAddress,
        *,
        protocol: TransportProtocol,
        settings: Settings,
        manners: Manners,
    ) -> None:
        self.action = action
        self.server = server
        self.protocol = protocol
        self.settings = settings
        self.manners = manners
        self.random_bytes = random.Random(action.value).randbytes
        self.events: collections.deque[Event] = collections.deque()
        self.machines: list[StunClient | TurnClient] = []
        self._ports = itertools.count(40_000)
        self._order = itertools.count()
        self._plans: list[tuple[float, int, Callable[[float], None]]] = []
        self._tries = MAX_TRIES

    def path(self, server: TransportAddress | None = None) -> Path:
        local = TransportAddress(HERE, next(self._ports))
        return Path(self.protocol, local, server or self.server)

    def plan(self, at: float, do: Callable[[float], None]) -> None:
        heapq.heappush(self._plans, (at, next(self._order), do))

    @abc.abstractmethod
    def start(self, now: float) -> None:
        """Begin with what the script wants."""

    def heard(  # noqa: B027 - for those that have machines
        self, machine: StunClient | TurnClient, event: Event, now: float
    ) -> None:
        """What one of its machines reports."""

    def tell(self, *, succeeded: bool) -> None:
        if not self.manners.is_mute:
            self.events.append(Told(succeeded or self.manners.tells_success))

    # Machine

    def receive(self, data: bytes, path: Path, now: float) -> None:
        for machine in self.machines:
            if machine.path == path:
                machine.receive(data, path, now)
                return
        for machine in self.machines:
            machine.receive(data, path, now)

    def handle_timeout(self, now: float) -> None:
        while self._plans and self._plans[0][0] <= now:
            heapq.heappop(self._plans)[2](now)
        for machine in self.machines:
            machine.handle_timeout(now)

    def next_timeout(self) -> float | None:
        times = [each.next_timeout() for each in self.machines]
        times += [self._plans[0][0]] if self._plans else []
        return min((each for each in times if each is not None), default=None)

    def poll_transmit(self) -> Transmit | None:
        for machine in self.machines:
            if (transmit := machine.poll_transmit()) is not None:
                return transmit
        return None

    def next_event(self, now: float) -> tuple[StunClient | TurnClient | None, Event] | None:
        """What the driver is to do; what the client has come to is dealt with here."""
        for machine in self.machines:
            if (event := machine.poll_event()) is not None:
                self.heard(machine, event, now)
                return machine, event
        event = self.events.popleft() if self.events else None
        pause = self.manners.begins_again
        if isinstance(event, Told) and not event.succeeded and pause and self._tries:
            self._tries -= 1
            self.plan(now + pause, self.start)
            return None
        return None if event is None else (None, event)

    def unreachable(self, path: Path, now: float) -> None:
        for machine in self.machines:
            machine.unreachable(path, now)

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        for machine in self.machines:
            machine.disconnected(path, reason, now)


class StunActor(Actor):
    """A STUN client."""

    def start(self, now: float) -> None:
        credentials = None
        if self.action is Action.SHORT_TERM:
            user = self.settings.user
            credentials = ShortTermClient(user.username, user.password)
        self.left = {Action.BINDINGS: 2, Action.SHORT_TERM: 2, Action.BURST: 50}.get(self.action, 1)
        client = StunClient(
            self.path(),
            random_bytes=self.random_bytes,
            credentials=credentials,
            config=StunConfig(timing=self.manners.timing),
            rto=RtoCache(minimum=self.manners.rto),
        )
        self.machines.append(client)
        if self.action is Action.INDICATION:
            client.indicate(Method.BINDING)
            return
        for _ in range(50 if self.action is Action.BURST else 1):
            client.request(now)

    def heard(self, machine: StunClient | TurnClient, event: Event, now: float) -> None:
        if not isinstance(event, RequestSucceeded | RequestFailed):
            return
        assert isinstance(machine, StunClient)
        self.left -= 1
        if self.left and self.action is not Action.BURST:
            machine.request(now)
        elif not self.left:
            self.tell(succeeded=isinstance(event, RequestSucceeded))


class TlsActor(Actor):
    """The beginning of a TLS connection, as Python's own makes it."""

    def start(self, now: float) -> None:
        self.hello: bytes | None = client_hello()
        self.where = self.path()

    def poll_transmit(self) -> Transmit | None:
        hello, self.hello = self.hello, None
        return None if hello is None else Transmit(self.where, [hello])


def client_hello() -> bytes:
    """The first record of a handshake, with ALPN."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["stun.turn"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    wrapped = context.wrap_bio(incoming, outgoing, server_hostname="turn.example")
    try:
        wrapped.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("there is nobody to shake hands with")
