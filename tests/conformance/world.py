"""A server that is right, or broken in one thing, on a simulated network, and rows run on it.

It is hairpin's own relay, changed on its way in and out: see ``mutants``. Time is virtual,
so that a row that waits for ten minutes takes none.
"""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import ipaddress
from collections.abc import Mapping, Sequence
from typing import cast

from conformance.aio import Report, run
from conformance.codes import Class
from conformance.reading import ReceivedMessage
from conformance.row import Row
from conformance.survey import Survey
from conformance.target import Credential, Target, TokenKey
from hairpin.testing.netsim_hosts import SimulatedRelay
from netsim import AddressInUse, LinkProfile, Network, Process
from netsim.aio import SimulatedLoop
from transport import (
    CloseRequested,
    DecodeError,
    Event,
    Path,
    ResetRequested,
    Transmit,
    TransportAddress,
    TransportProtocol,
)
from turn.credentials import CredentialVerifier, RelaySecret
from turn.server import RelayReleased, RelayRequested, ServerConfig, TurnServer

from .mutants.injecting import Injector
from .mutants.mutant import (
    REALM,
    SECRET,
    TOKEN_KEY,
    TOKEN_SERVER,
    USERS,
    Inject,
    Mutant,
    Reply,
    Setup,
)
from .simulated_wire import UNIX_TIME, SimulatedWire
from .streams import MemoryAssociation, MemoryStream
from .tcp_relays import SimulatedTcp

SERVER = TransportAddress.parse("192.0.2.1", 3478)
ELSEWHERE = TransportAddress.parse("192.0.2.1", 3479)
ALTERNATE = TransportAddress.parse("192.0.2.3", 3479)
HARNESS = ipaddress.ip_address("192.0.2.2")
SERVER6 = TransportAddress.parse("2001:db8::1", 3478)
HARNESS6 = ipaddress.ip_address("2001:db8::2")
LISTENING = (SERVER, ELSEWHERE, TransportAddress(ALTERNATE.ip, SERVER.port), ALTERNATE, SERVER6)
"""The four addresses of RFC 5780, for rows that want them, and one of IPv6."""

MAX_REMEMBERED = 1000
"""Requests whose answers are still to come."""

TARGET = Target(
    address=SERVER,
    credentials=tuple(Credential(name, password) for name, password in USERS.items()),
    secret=SECRET,
    token_key=TokenKey(TOKEN_KEY.kid, TOKEN_KEY.key, TOKEN_SERVER),
)


def run_rows(
    rows: list[Row],
    mutant: Mutant | None = None,
    *,
    setup: Setup | None = None,
    surveyed: Survey | None = None,
    loss: float = 0.0,
    seed: int = 0,
) -> Report:
    """Run rows against the server, right or broken, and come back when they are done.

    ``loss`` is that of datagrams, each way.
    """
    link = LinkProfile(delay=0.001, mtu=1 << 17, loss=loss)  # hosts send fragments
    network = Network(seed=seed, link=link)
    broken, way = mutant or Mutant(), setup or Setup()
    ours = (str(HARNESS), str(HARNESS6))
    theirs = (SERVER.host, ALTERNATE.host, SERVER6.host)
    host = network.host("server", *theirs, *(ours if way.same_host else ()))
    machine = MutantMachine(_relay(network, {**way.options, **broken.options}), broken, way.reply)
    if way.prepare is not None:
        way.prepare(machine.server.server)
    for address in LISTENING:
        host.bind(address.host, address.port)
    process = host.run(machine, addresses=LISTENING, on_event=_do)
    harness = host if way.same_host else network.host("harness", *ours)
    target = dataclasses.replace(TARGET, address=SERVER6) if way.ipv6 else TARGET
    if way.tcp:
        target = dataclasses.replace(target, transport=TransportProtocol.TCP)
    if way.dtls:
        target = dataclasses.replace(target, transport=TransportProtocol.DTLS)

    async def program() -> Report:
        local = HARNESS6 if way.ipv6 else HARNESS
        wire = SimulatedWire(process, local=local, mutant=broken)
        return await run(target, rows=rows, slow=True, wire=wire, surveyed=surveyed)

    async def main() -> Report:
        loop = cast(SimulatedLoop, asyncio.get_running_loop())
        return await loop.start_on(harness, program())

    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(network)) as runner:
        return runner.run(main())


def _relay(network: Network, options: Mapping[str, object]) -> SimulatedRelay:
    config = ServerConfig(
        realm=REALM,
        credentials=CredentialVerifier(USERS, secrets=[RelaySecret(SECRET.encode())]),
        listening=LISTENING,
        relay_addresses=(SERVER.ip, SERVER6.ip),
        allow_peers=(ipaddress.ip_network(HARNESS), ipaddress.ip_network(HARNESS6)),
    )
    changed = dataclasses.replace(config, **options)  # type: ignore[arg-type]  # a table's
    return SimulatedRelay(changed, network.random_bytes("relay"), wall_clock_offset=UNIX_TIME)


class MutantMachine:
    """A relay that a mutant stands in front of."""

    def __init__(self, relay: SimulatedRelay, mutant: Mutant, reply: Reply | None = None) -> None:
        self.listening = LISTENING
        self.streams: dict[Path, MemoryStream | MemoryAssociation] = {}
        self.tcp = SimulatedTcp(mutant.tcp)
        self._relay = relay
        self._mutant = mutant
        self._reply = mutant.reply or reply
        self._requests: collections.OrderedDict[bytes, ReceivedMessage] = collections.OrderedDict()
        self._replies: collections.deque[Transmit] = collections.deque()
        self._injector = Injector()

    @property
    def server(self) -> SimulatedRelay:
        return self._relay

    @property
    def relay(self) -> TurnServer:
        return self._relay.server

    def receive(self, data: bytes, path: Path, now: float) -> None:
        mutant = self._mutant
        if path.local not in LISTENING:
            heard = data if mutant.hear is None else mutant.hear(data)
            if heard is not None:
                self._inject_before_hear(heard, path.local, now)
                self._relay.receive(heard, path, self.clock(now))
            return
        if self._reply is not None and (reply := self._reply(data)) is not None:
            self._replies.append(Transmit(path, [reply]))
        if mutant.blurt is not None and (sent := mutant.blurt(data)) is not None:
            peer, payload = sent
            beside = Path(TransportProtocol.UDP, ELSEWHERE, peer)
            self._replies.append(Transmit(beside, [payload]))
        taken = data if mutant.take is None else mutant.take(data)
        if taken is not None:
            self._remember(data)
            self._inject(mutant.before_take, data, path, now)
            self._injector.remember(data, path)
            self._relay.receive(taken, path, self.clock(now))

    def clock(self, now: float) -> float:
        """What time the server takes it for."""
        return now * self._mutant.clock

    def connected(self, path: Path, now: float) -> None:
        self._relay.server.connected(path, self.clock(now))

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        self.streams.pop(path, None)
        self._relay.server.disconnected(path, reason, self.clock(now))

    def handle_timeout(self, now: float) -> None:
        self._relay.handle_timeout(self.clock(now))

    def next_timeout(self) -> float | None:
        deadline = self._relay.next_timeout()
        return None if deadline is None else deadline / self._mutant.clock

    def poll_transmit(self) -> Transmit | None:
        while self._replies:
            reply = self._replies.popleft()
            if reply.path.transport is TransportProtocol.UDP:
                return reply
            self._write(reply.path, list(reply.segments))
        while (transmit := self._relay.poll_transmit()) is not None:
            path = transmit.path
            change = self._to_client if path.local in LISTENING else self._to_peer
            segments = [each for each in map(change, transmit.segments) if each is not None]
            if path.transport is not TransportProtocol.UDP:
                for each in self._ways(path, segments):
                    self._write(each, segments)
            elif segments:
                if self._mutant.answers_twice and _response(segments[0]) is not None:
                    self._replies.append(Transmit(path, segments))
                if self._leaves_elsewhere(path, segments[0]):
                    path = dataclasses.replace(path, local=ELSEWHERE)
                elif (ways := self._ways(path, segments)) != (path,):
                    self._replies.extend(Transmit(each, segments) for each in ways)
                    return self.poll_transmit()
                return dataclasses.replace(transmit, path=path, segments=segments)
        return None

    def poll_event(self) -> Event | None:
        return self._relay.poll_event()

    def _leaves_elsewhere(self, path: Path, data: bytes) -> bool:
        if path.local not in LISTENING:
            return self._mutant.relays_from_elsewhere
        if path.local != SERVER:
            return False
        is_answer = _response(data) is not None
        mutant = self._mutant
        return mutant.answers_from_elsewhere if is_answer else mutant.tells_from_elsewhere

    def _ways(self, path: Path, segments: Sequence[bytes]) -> Sequence[Path]:
        """Where it goes: of data for a client, the mutant may think of others."""
        route = self._mutant.route
        if route is None or not segments or path.local not in LISTENING:
            return (path,)
        return (path,) if _response(segments[0]) else route(path, self._injector.clients)

    def _inject(self, inject: Inject | None, data: bytes, path: Path, now: float) -> None:
        request = None if inject is None else self._injector.request(inject, data, path)
        if request is not None:
            self._relay.receive(request, path, self.clock(now))

    def _inject_before_hear(self, data: bytes, relayed: TransportAddress, now: float) -> None:
        for each in self._relay.allocations(self.clock(now)):
            if relayed in (each.relayed, each.additional):
                self._inject(self._mutant.before_hear, data, each.client, now)

    def _write(self, path: Path, segments: list[bytes]) -> None:
        stream = self.streams.get(path)
        if stream is not None:
            for each in segments:
                stream.deliver(each)

    def _remember(self, data: bytes) -> None:
        try:
            message = ReceivedMessage.parse(data)
        except DecodeError:
            return
        self._requests[message.transaction_id] = message
        if len(self._requests) > MAX_REMEMBERED:
            self._requests.popitem(last=False)

    def _to_peer(self, data: bytes) -> bytes | None:
        return data if self._mutant.relay is None else self._mutant.relay(data)

    def _to_client(self, data: bytes) -> bytes | None:
        mutant = self._mutant
        if self._injector.is_answer(data):
            return None
        response = _response(data)
        request = None if response is None else self._requests.get(response.transaction_id)
        if response is None or request is None:
            return data if mutant.tell is None else mutant.tell(data)
        return data if mutant.answer is None else mutant.answer(request, response)


def _response(data: bytes) -> ReceivedMessage | None:
    try:
        message = ReceivedMessage.parse(data)
    except DecodeError:
        return None
    return message if message.message_class in (Class.SUCCESS, Class.ERROR) else None


def _do(process: Process[MutantMachine], event: Event) -> None:
    match event:
        case RelayRequested(token=token, address=address):
            try:
                process.bind(address.ip, address.port)
            except AddressInUse:
                process.call(
                    lambda relay, now: relay.server.server.relay_refused(token, relay.clock(now))
                )
                return
            process.call(
                lambda relay, now: relay.server.server.relay_opened(
                    token, address, relay.clock(now)
                )
            )
        case RelayReleased(relayed=relayed):
            if not process.machine.tcp.release(relayed):
                process.unbind(relayed)
        case CloseRequested(path=path) | ResetRequested(path=path):
            if (stream := process.machine.streams.pop(path, None)) is not None:
                stream.lose("closed by the server")
        case _:
            process.machine.tcp.handle(process, event)
