"""The steps of a probe, one after the other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Final

from stun.aio import resolve
from stun.resolution import ResolutionError, Target
from transport import IPAddress, TransportProtocol
from turn.client import AllocationFailed, AllocationGone, PeerRefused

from .advice import Cause
from .allocating import ALL_FEATURES, Held, allocate, cause_of, in_words
from .examining import examine
from .findings import Finding, JsonValue, Report, Status, Step, failed
from .options import ProbeOptions
from .reaching import Reached, reach
from .relaying import End, SocketEnd, join_relays, join_socket, measure
from .telling import (
    allocation_finding,
    candidates_finding,
    reach_finding,
    relay_finding,
    target_data,
)

SUPPORTED: Final = (
    TransportProtocol.UDP,
    TransportProtocol.TCP,
    TransportProtocol.TLS,
    TransportProtocol.DTLS,
)


class Probe:
    """Asks one server everything.

    ``on_begin`` is told in a few words what is being done, ``on_finding`` each finding as it
    comes. No step raises for what the server, or the network, does.
    """

    def __init__(
        self,
        options: ProbeOptions,
        *,
        on_begin: Callable[[str], None],
        on_finding: Callable[[Finding], None],
    ) -> None:
        self._options = options
        self._on_begin = on_begin
        self._on_finding = on_finding
        self._report = Report(str(options.uri))
        self._reached: Reached | None = None
        self._held: list[Held] = []

    async def run(self) -> Report:
        async with contextlib.AsyncExitStack() as stack:
            targets = await self._resolve()
            if targets:
                await self._reach(targets)
            if self._reached is not None:
                await self._examine(self._reached)
                await self._use(stack, self._reached)
        return self._report

    def _add(self, *findings: Finding) -> None:
        for finding in findings:
            self._report.findings.append(finding)
            self._on_finding(finding)

    # Resolution and transports

    async def _resolve(self) -> Sequence[Target]:
        uri = self._options.uri
        self._on_begin(f"looking up {uri.host}")
        try:
            targets = await resolve(uri, supported=SUPPORTED)
        except ResolutionError as error:
            cause = Cause.NAME_NOT_FOUND
            self._add(failed(Step.RESOLUTION, cause, f"{uri.host} has no address", said=str(error)))
            return ()
        addresses = list(dict.fromkeys(str(each.address) for each in targets))
        is_name = uri.address is None
        text = f"{uri.host}: {', '.join(addresses)}" if is_name else f"{uri.host} is an address"
        data: dict[str, JsonValue] = {"targets": [target_data(each) for each in targets]}
        self._add(Finding(Step.RESOLUTION, Status.OK, text, data=data))
        return targets

    async def _reach(self, targets: Sequence[Target]) -> None:
        """Try each transport at one address after the other, until one answers."""
        wanted = self._wanted(targets)
        for transport in dict.fromkeys(each.transport for each in targets):
            outcomes = []
            for target in [each for each in targets if each.transport is transport]:
                self._on_begin(f"asking {target}")
                outcomes.append(await reach(target, self._options.tls))
                if isinstance(outcomes[-1], Reached):
                    break
            for outcome in outcomes:
                is_last = outcome is outcomes[-1]
                is_needed = transport is wanted and is_last
                self._add(reach_finding(outcome, is_needed=is_needed))
            last = outcomes[-1]
            if isinstance(last, Reached) and (self._reached is None or transport is wanted):
                self._reached = last

    def _wanted(self, targets: Sequence[Target]) -> TransportProtocol:
        """The transport that has to work: that of the URI, if there is a way for it."""
        transports = [each.transport for each in targets]
        protocol = self._options.uri.protocol
        return protocol if protocol in transports else transports[0]

    # The NAT

    async def _examine(self, reached: Reached) -> None:
        self._on_begin("examining the NAT, which takes a few seconds")
        self._add(await examine(reached, longest_lifetime=self._options.longest_lifetime))

    # TURN

    async def _use(self, stack: contextlib.AsyncExitStack, reached: Reached) -> None:
        options = self._options
        if options.uri.scheme.is_turn and options.credentials is not None:
            await self._allocate(stack, reached.target)
        held = self._held[0] if self._held else None
        self._add(candidates_finding(reached, held, is_turn=options.uri.scheme.is_turn))
        if not options.uri.scheme.is_turn:
            return
        if not self._held:
            self._add(Finding(Step.RELAY, Status.SKIPPED, "there is no allocation"))
            return
        await self._relay(stack, reached)
        for ip in options.peers:
            self._on_begin(f"asking whether {ip} may be a peer")
            self._add(await self._ask_peer(ip))

    async def _allocate(self, stack: contextlib.AsyncExitStack, target: Target) -> None:
        options = self._options
        assert options.credentials is not None
        self._on_begin("asking for an allocation")
        try:
            first = await allocate(stack, target, options.credentials, tls=options.tls)
        except OSError as error:
            self._add(failed(Step.ALLOCATION, Cause.NO_WAY, "no socket", said=str(error)))
            return
        if isinstance(first, AllocationFailed):
            cause = cause_of(first, options.proof)
            self._add(failed(Step.ALLOCATION, cause, in_words(first), said=first.reason.value))
            return
        self._held.append(first)
        second = await self._second(stack, target)
        if second is not None:
            self._held.append(second)
        self._add(allocation_finding(first, second))

    async def _second(self, stack: contextlib.AsyncExitStack, target: Target) -> Held | None:
        """Another allocation, for the other end, that shows what else the server can do."""
        options = self._options
        assert options.credentials is not None
        for config in (ALL_FEATURES, None):
            with contextlib.suppress(OSError):
                other = await allocate(
                    stack, target, options.credentials, tls=options.tls, config=config
                )
                if isinstance(other, Held):
                    return other
        return None

    async def _relay(self, stack: contextlib.AsyncExitStack, reached: Reached) -> None:
        self._on_begin("sending packets through the relay and back")
        try:
            await self._measure(stack, reached)
        except PeerRefused as error:
            ip = self._held[0].relay.mapped.ip
            text = f"the relay denies its own address, and ours ({ip}), as a peer"
            self._add(failed(Step.RELAY, Cause.PEER_DENIED, text, said=str(error)))
        except AllocationGone as error:
            text = "the allocation was lost"
            self._add(failed(Step.RELAY, Cause.CONNECTION_LOST, text, said=str(error)))

    async def _measure(self, stack: contextlib.AsyncExitStack, reached: Reached) -> None:
        """Between two allocations, or where that is denied, to a socket of our own."""
        first, *others = (held.relay for held in self._held)
        packets = self._options.packets
        for other in others:
            with contextlib.suppress(PeerRefused):
                ends: tuple[End, End] = await join_relays(first, other)
                self._add(relay_finding(await measure(*ends, packets), "relay to relay"))
                return
        sock = await SocketEnd.open(reached.path.local.ip, first.relayed)
        stack.callback(sock.close)
        end = await join_socket(first, sock)
        if end is None:
            text = f"nothing that we send to {first.relayed} comes through the relay"
            self._add(failed(Step.RELAY, Cause.PACKETS_LOST, text))
            return
        how = "to a socket of ours: the relay denies its own address as a peer"
        self._add(relay_finding(await measure(sock, end, packets), how))

    async def _ask_peer(self, ip: IPAddress) -> Finding:
        data: dict[str, JsonValue] = {"peer": str(ip)}
        relay = self._held[0].relay
        try:
            await relay.permit(ip)
        except PeerRefused as error:
            text = f"the relay denies {ip} as a peer: {error}"
            return Finding(
                Step.PEER, Status.FAILED, text, cause=Cause.PEER_DENIED, said=str(error), data=data
            )
        except (AllocationGone, ValueError) as error:
            text = f"{ip} cannot be asked for: {error}"
            return Finding(Step.PEER, Status.FAILED, text, cause=Cause.FAMILY_MISSING, data=data)
        return Finding(Step.PEER, Status.OK, f"the relay lets {ip} be a peer", data=data)
