"""A right TURN client that does what scripts ask for: hairpin's own, as machines."""

from __future__ import annotations

import functools
import itertools

from conformance.clients import Action
from stun import AccessGrant, AddressFamily, IpProtocol
from stun.client import StunClient
from stun.rtt import RtoCache
from transport import Event, TransportAddress
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

from .actors import Actor


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
