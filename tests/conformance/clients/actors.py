"""Right clients that do what scripts ask for: hairpin's own, as machines."""

from __future__ import annotations

import abc
import collections
import dataclasses
import functools
import heapq
import ipaddress
import itertools
import random
import ssl
from collections.abc import Callable

from conformance.clients import Action, Settings
from stun import AccessGrant, AddressFamily, IpProtocol, Method, ShortTermClient
from stun.client import ClientConfig as StunConfig
from stun.client import RequestFailed, RequestSucceeded, StunClient
from stun.exchanges import TransactionTiming
from stun.rtt import RtoCache
from transport import (
    Event,
    Path,
    Transmit,
    TransportAddress,
    TransportProtocol,
)
from turn.client import (
    Allocated,
    AllocationFailed,
    AllocationLost,
    AllocationReleased,
    ClientConfig,
    DataReceived,
    FailureReason,
    PeerConnectFailed,
    PeerConnectionAttempted,
    ServerMemory,
    TokenRequested,
    TurnClient,
)

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


class TurnActor(Actor):
    """A TURN client that follows redirections and tries other ports, as hairpin's driver."""

    def start(self, now: float) -> None:
        self.memory = self.new_memory()
        self.beside: set[int] = set()
        self.ports = 0
        self.visited: set[TransportAddress] = set()
        self.rounds = 2 if self.action in (Action.DUAL_AGAIN, Action.ALLOCATE_AGAIN) else 1
        self.payloads = itertools.cycle(b"x" * count for count in range(1, 6))
        self.allocate(now)
        if self.manners.twins:
            self.allocate(now)

    def config(self) -> ClientConfig:
        action = self.action
        return ClientConfig(
            family=AddressFamily.IPV4 if action is Action.PERMIT else None,
            dual=action in (Action.DUAL, Action.DUAL_AGAIN),
            dont_fragment=action is Action.SEND_WHOLE,
            mobility=action is Action.MOVE,
            third_party_auth=action is Action.TOKEN,
            protocol=IpProtocol.TCP
            if action in (Action.CONNECT, Action.ACCEPT)
            else IpProtocol.UDP,
        )

    def allocate(self, now: float, server: TransportAddress | None = None) -> None:
        user = self.settings.user
        path = self.path(server)
        self.visited.add(path.remote)
        client = TurnClient(
            path,
            username=user.username,
            password=user.password,
            random_bytes=self.random_bytes,
            config=self.config(),
            memory=self.new_memory() if self.manners.forgets else self.memory,
        )
        self.machines.append(client)
        client.allocate(now)
        if self.manners.both_families and len(self.machines) == 1:
            self.allocate_ipv6(now)

    def allocate_ipv6(self, now: float) -> None:
        user = self.settings.user
        client = TurnClient(
            self.path(),
            username=user.username,
            password=user.password,
            random_bytes=self.random_bytes,
            config=ClientConfig(family=AddressFamily.IPV6),
            memory=self.new_memory(),
        )
        self.beside.add(id(client))
        self.machines.append(client)
        client.allocate(now)

    def new_memory(self) -> ServerMemory:
        memory = ServerMemory()
        memory.rto = RtoCache(minimum=self.manners.rto)
        return memory

    def heard(self, machine: StunClient | TurnClient, event: Event, now: float) -> None:
        assert isinstance(machine, TurnClient)
        if id(machine) in self.beside:
            return
        match event:
            case Allocated():
                self.allocated(machine, now)
                if self.manners.leaves:
                    self.plan(now + 1, lambda at: self.tell(succeeded=True))
            case AllocationFailed():
                self.failed(event, now)
            case AllocationLost():
                self.tell(succeeded=False)
            case AllocationReleased() if self.action is Action.RELEASE:
                self.tell(succeeded=True)
            case AllocationReleased() if self.rounds > 1:
                self.rounds -= 1
                self.allocate(now)
            case DataReceived(peer=peer, data=data):
                if self.action in (Action.ECHO, Action.ECHO_CHANNEL):
                    machine.send(peer, [data], now)
            case _:
                self.asked(machine, event, now)

    def asked(self, machine: TurnClient, event: Event, now: float) -> None:
        match event:
            case TokenRequested():
                machine.token_granted(self.grant(), now)
            case PeerConnectionAttempted(attempt=attempt):
                machine.accept_peer(attempt, now)
            case PeerConnectFailed(peer=peer):
                self.plan(now + 0.5, functools.partial(machine.connect_peer, peer))
            case _:
                pass

    def grant(self) -> AccessGrant:
        ours = self.settings.grant
        return AccessGrant(ours.kid, ours.token, ours.mac_key, lifetime=3600)

    def failed(self, event: AllocationFailed, now: float) -> None:
        alternate = event.alternate
        if alternate is not None and (
            alternate not in self.visited or self.manners.goes_in_circles
        ):
            self.allocate(now, alternate)
            return
        self.ports += 1
        if event.reason is FailureReason.MISMATCH and self.ports < self.manners.max_ports:
            self.allocate(now)
        elif self.action is Action.ALLOCATE_AGAIN and self.rounds > 1:
            self.rounds -= 1
            self.plan(now + 1, self.allocate)
        else:
            self.tell(succeeded=False)

    def allocated(self, client: TurnClient, now: float) -> None:
        peer, other = self.settings.peer, self.settings.other
        match self.action:
            case Action.RELEASE | Action.DUAL_AGAIN:
                self.plan(now + 1, client.release)
            case Action.CHANNEL | Action.ECHO_CHANNEL | Action.CHANNELS:
                self.allocated_for_channels(client, now)
            case Action.PERMIT | Action.ALLOCATE_AGAIN | Action.ECHO | Action.ACCEPT | Action.TOKEN:
                client.create_permission(peer.ip, now)
            case Action.PERMIT_TWO:
                client.create_permissions([peer.ip, other.ip], now)
            case Action.SEND | Action.SEND_WHOLE | Action.MOVE:
                client.create_permission(peer.ip, now)
                self.plan(now + 1, functools.partial(self.send_on, client))
                if self.action is Action.MOVE:
                    self.plan(now + 5, lambda at: client.move(self.path(), at))
            case Action.DUAL:
                if len(client.relayed_addresses) > 1:
                    self.plan(now + 1, lambda at: client.release_family(AddressFamily.IPV6, at))
            case Action.CONNECT:
                client.connect_peer(peer, now)
            case _:
                pass

    def allocated_for_channels(self, client: TurnClient, now: float) -> None:
        peer, other = self.settings.peer, self.settings.other
        match self.action:
            case Action.CHANNEL:
                client.bind_channel(peer, now)
                self.plan(now + 1, functools.partial(self.send_on, client))
            case Action.ECHO_CHANNEL:
                client.create_permission(peer.ip, now)
                self.plan(now + 0.5, functools.partial(client.bind_channel, peer))
            case _:
                for each in (peer, other, peer):
                    client.bind_channel(each, now)

    def send_on(self, client: TurnClient, now: float) -> None:
        """Something to the peer every second."""
        if self.action is Action.SEND_WHOLE:
            client.send_unfragmented(self.settings.peer, b"whole", now)
        else:
            client.send(self.settings.peer, [next(self.payloads)], now)
        self.plan(now + 1, functools.partial(self.send_on, client))


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


def actor_of(action: Action) -> type[Actor]:
    """The kind of client that does it."""
    stun = {
        Action.REQUEST,
        Action.BINDING,
        Action.BINDINGS,
        Action.BURST,
        Action.INDICATION,
        Action.SHORT_TERM,
    }
    return StunActor if action in stun else TurnActor
