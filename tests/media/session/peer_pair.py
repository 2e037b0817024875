"""Two peer sessions on a simulated network, with signaling that takes its time."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from ice import HostAddressesRequested
from media.fanout import KeyframeSource, PacketizedUnit, Rendition, UnitSink
from media.session import (
    ConnectionState,
    InjectedKeys,
    KeyframeRequested,
    LocalCandidate,
    PeerSession,
    SessionConfig,
    UnitReceived,
)
from media.units import AccessUnit, CodecName
from netsim import LinkProfile, Network, Process
from sdp import SdpType
from transport import Event
from transport.dtls import SrtpKeys, SrtpProfile

SIGNALING_DELAY = 0.03


def injected(which: int) -> InjectedKeys:
    """Keys of one of two ends that know each other's."""
    ours = bytes([which] * 16), bytes([which] * 12)
    theirs = bytes([1 - which] * 16), bytes([1 - which] * 12)
    return InjectedKeys(SrtpProfile.AEAD_AES_128_GCM, SrtpKeys(*ours, *theirs))


class PeerPair:
    """Alice and Bob; what one signals reaches the other ``SIGNALING_DELAY`` later."""

    def __init__(
        self,
        *,
        seed: int = 1,
        link: LinkProfile | None = None,
        config: SessionConfig | None = None,
        bob_config: SessionConfig | None = None,
    ) -> None:
        self.network = Network(seed=seed, link=link or LinkProfile(delay=0.01))
        config = config or SessionConfig()
        self.alice = self._run("alice", "192.0.2.1", config, 0)
        self.bob = self._run("bob", "192.0.2.2", bob_config or config, 1)
        self._sinks: dict[str, tuple[Rendition, _Sink]] = {}

    @property
    def now(self) -> float:
        return self.network.now

    def negotiate(
        self, offerer: Process[PeerSession] | None = None, *, ice_restart: bool = False
    ) -> None:
        """Offer and answer, over the signaling delay, both ways."""
        offerer = offerer or self.alice
        answerer = self._other(offerer)
        offer = offerer.call(lambda peer, now: peer.create_offer(now, ice_restart=ice_restart))
        offerer.call(lambda peer, now: peer.set_local_description(SdpType.OFFER, offer, now))
        self.network.call_later(SIGNALING_DELAY, lambda: self._answer(offerer, answerer, offer))

    def connect(self) -> None:
        """Negotiate, and let time pass until both are connected."""
        self.negotiate()
        self.network.run_until(
            lambda: all(peer.machine.state.value == "connected" for peer in (self.alice, self.bob)),
            timeout=5.0,
        )

    def rendition(
        self,
        process: Process[PeerSession],
        mid: str,
        codec: CodecName,
        *,
        keyframes: KeyframeSource = KeyframeSource.CACHE,
    ) -> Rendition:
        """A rendition that one of them sends under ``mid``."""
        made = Rendition(codec, keyframes=keyframes)
        sink = _Sink(process, mid)
        self._sinks[process.name + mid] = made, sink
        made.attach(sink, self.now)
        return made

    def sink(self, process: Process[PeerSession], mid: str) -> UnitSink:
        """What ``rendition`` attached."""
        return self._sinks[process.name + mid][1]

    def play(
        self, rendition: Rendition, units: Sequence[AccessUnit], *, interval: float = 1 / 30
    ) -> None:
        """Push units at their time, from now on."""
        for index, unit in enumerate(units):
            self.network.call_later(index * interval, self._push(rendition, unit))

    def _push(self, rendition: Rendition, unit: AccessUnit) -> Callable[[], None]:
        return lambda: rendition.push(unit, self.now)

    def received(self, process: Process[PeerSession], mid: str) -> list[AccessUnit]:
        return [event.unit for event in process.events_of(UnitReceived) if event.mid == mid]

    def _other(self, process: Process[PeerSession]) -> Process[PeerSession]:
        return self.bob if process is self.alice else self.alice

    def _answer(
        self, offerer: Process[PeerSession], answerer: Process[PeerSession], offer: str
    ) -> None:
        if is_closed(answerer) or is_closed(offerer):
            return
        answerer.call(lambda peer, now: peer.set_remote_description(SdpType.OFFER, offer, now))
        answer = answerer.machine.create_answer()
        answerer.call(lambda peer, now: peer.set_local_description(SdpType.ANSWER, answer, now))
        self.network.call_later(SIGNALING_DELAY, lambda: self._take_answer(offerer, answer))

    def _take_answer(self, offerer: Process[PeerSession], answer: str) -> None:
        if not is_closed(offerer):
            offerer.call(lambda peer, now: peer.set_remote_description(SdpType.ANSWER, answer, now))

    def _run(
        self, name: str, address: str, config: SessionConfig, which: int
    ) -> Process[PeerSession]:
        host = self.network.host(name, address)
        session = PeerSession(
            random_bytes=self.network.random_bytes(name),
            config=dataclasses.replace(config, injected_keys=injected(which)),
        )
        return host.run(session, name=name, on_event=self._on_event)

    def _on_event(self, process: Process[PeerSession], event: Event) -> None:
        match event:
            case HostAddressesRequested():
                addresses = [process.bind(ip) for ip in process.host.addresses]
                process.call(lambda peer, now: peer.hosts_opened(addresses, now))
            case LocalCandidate():
                self.network.call_later(SIGNALING_DELAY, lambda: self._trickle(process, event))
            case KeyframeRequested() if process.name + event.mid in self._sinks:
                rendition, sink = self._sinks[process.name + event.mid]
                rendition.request_keyframe(sink, self.now)

    def _trickle(self, process: Process[PeerSession], event: LocalCandidate) -> None:
        other = self._other(process)
        if is_closed(other):
            return
        other.call(
            lambda peer, now: peer.add_ice_candidate(
                event.candidate, now, mid=event.mid, media_index=event.media_index
            )
        )


class _Sink:
    def __init__(self, process: Process[PeerSession], mid: str) -> None:
        self._process = process
        self._mid = mid

    def discard_waiting(self) -> None:
        self._process.machine.discard_waiting(self._mid)

    def send_unit(self, unit: PacketizedUnit, timestamp: int, now: float) -> None:
        if not is_closed(self._process):
            self._process.call(lambda peer, now: peer.send_unit(self._mid, unit, timestamp, now))


def is_closed(process: Process[PeerSession]) -> bool:
    return process.machine.state is ConnectionState.CLOSED
