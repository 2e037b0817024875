"""Two RTP sessions on a simulated network, without ICE, DTLS and offer/answer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from media.fanout import KeyframeSource, PacketizedUnit, Rendition
from media.payload import packetizer_for
from media.rtp import AbsoluteSendTime, SdesMid, TransportSequenceNumber
from media.session.codecs import h264, opus, vp8
from media.session.config import SessionConfig
from media.session.events import KeyframeRequested
from media.session.rtp_session import RtpSession
from media.srtp import SrtpProfile, SrtpReceiver, SrtpSender
from media.units import AccessUnit, CodecName
from netsim import Host, LinkProfile, Network, Process
from sdp import (
    Direction,
    MediaKind,
    NegotiatedCodec,
    NegotiatedMedia,
    SourceSsrcs,
    Transceiver,
)
from transport import Event, Path, Transmit, TransportAddress, TransportProtocol

PROFILE = SrtpProfile.AEAD_AES_128_GCM

AUDIO_MID, VIDEO_MID = "0", "1"
EXTENSIONS = {1: SdesMid.URI, 2: AbsoluteSendTime.URI, 3: TransportSequenceNumber.URI}


class RtpMachine:
    """An RTP session as a machine on one fixed path."""

    def __init__(self, session: RtpSession, path: Path) -> None:
        self.session = session
        self._path = path

    def receive(self, data: bytes, path: Path, now: float) -> None:
        self.session.receive(data, now)

    def handle_timeout(self, now: float) -> None:
        self.session.handle_timeout(now)

    def next_timeout(self) -> float | None:
        return self.session.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        run = self.session.poll_run()
        return None if run is None else Transmit(self._path, run)

    def poll_event(self) -> Event | None:
        return self.session.poll_event()


@dataclasses.dataclass(frozen=True)
class Options:
    """What the pair agrees on."""

    rtx: bool = True
    video_feedback: tuple[str, ...] = ("nack", "nack pli", "ccm fir")
    extensions: bool = True
    announced: bool = True
    codec: CodecName = CodecName.VP8
    reduced_size: bool = True
    profile: SrtpProfile = PROFILE


class RtpPair:
    """Alice sends audio and video, Bob receives both."""

    def __init__(
        self, *, seed: int = 1, link: LinkProfile | None = None, options: Options | None = None
    ) -> None:
        self.options = options or Options()
        self.network = Network(seed=seed, link=link or LinkProfile(delay=0.01))
        hosts = [
            self.network.host("alice", "192.0.2.1"),
            self.network.host("bob", "192.0.2.2"),
        ]
        ends = [host.bind(host.addresses[0], 5000) for host in hosts]
        self.alice = self._run(0, hosts, ends)
        self.bob = self._run(1, hosts, ends)
        self._sinks: dict[str, tuple[Rendition, _Sink]] = {}

    @property
    def now(self) -> float:
        return self.network.now

    def rendition(self, codec: CodecName) -> Rendition:
        """A rendition that Alice sends, and sends again when Bob asks for a keyframe."""
        made = Rendition(codec, packetizer_for(codec, 1100), keyframes=KeyframeSource.CACHE)
        mid = AUDIO_MID if codec is CodecName.OPUS else VIDEO_MID
        sink = _Sink(self.alice, mid)
        self._sinks[mid] = made, sink
        made.attach(sink, self.now)
        return made

    def play(
        self, rendition: Rendition, units: Sequence[AccessUnit], *, interval: float = 1 / 30
    ) -> None:
        """Push units at their time, from now on."""
        for index, unit in enumerate(units):
            self.network.call_later(index * interval, self._push(rendition, unit))

    def _push(self, rendition: Rendition, unit: AccessUnit) -> Callable[[], None]:
        return lambda: rendition.push(unit, self.now)

    def _on_event(self, process: Process[RtpMachine], event: Event) -> None:
        if isinstance(event, KeyframeRequested) and event.mid in self._sinks:
            rendition, sink = self._sinks[event.mid]
            rendition.request_keyframe(sink, self.now)

    def _run(
        self, which: int, hosts: Sequence[Host], ends: Sequence[TransportAddress]
    ) -> Process[RtpMachine]:
        random_bytes = self.network.random_bytes(hosts[which].name)
        session = RtpSession(random_bytes, SessionConfig(), cname=hosts[which].name)
        media, transceivers = described(self.options, sends=which == 0)
        session.configure(media, transceivers)
        profile = self.options.profile
        keys, remote = _keys(profile, which), _keys(profile, 1 - which)
        path = Path(TransportProtocol.UDP, ends[which], ends[1 - which])
        process = hosts[which].run(
            RtpMachine(session, path), addresses=[ends[which]], on_event=self._on_event
        )
        process.call(
            lambda machine, now: machine.session.secured(
                SrtpSender(profile, *keys), SrtpReceiver(profile, *remote), now
            )
        )
        return process


class _Sink:
    def __init__(self, process: Process[RtpMachine], mid: str) -> None:
        self._process = process
        self._mid = mid

    def discard_waiting(self) -> None:
        self._process.machine.session.discard_waiting(self._mid)

    def send_unit(self, unit: PacketizedUnit, timestamp: int, now: float) -> None:
        self._process.call(
            lambda machine, now: machine.session.send_unit(self._mid, unit, timestamp, now)
        )


def _keys(profile: SrtpProfile, which: int) -> tuple[bytes, bytes]:
    return bytes([which] * profile.key_length), bytes([which] * profile.salt_length)


def described(options: Options, *, sends: bool) -> tuple[list[NegotiatedMedia], list[Transceiver]]:
    direction = Direction.SENDONLY if sends else Direction.RECVONLY
    media, transceivers = [], []
    for index, kind in enumerate((MediaKind.AUDIO, MediaKind.VIDEO)):
        ssrc = 0x1000 + index
        rtx_ssrc = ssrc + 0x100 if options.rtx and kind is MediaKind.VIDEO else None
        sources = (SourceSsrcs(ssrc, rtx_ssrc),) if options.announced else ()
        media.append(
            NegotiatedMedia(
                index=index,
                mid=str(index),
                kind=kind,
                direction=direction,
                codecs=(_codec(options, kind),),
                extensions=EXTENSIONS if options.extensions else {},
                local_ssrcs=sources if sends else (),
                remote_ssrcs=() if sends else sources,
                msids=(),
                rejected=False,
                rtcp_reduced_size=options.reduced_size,
                extmap_allow_mixed=False,
            )
        )
        transceivers.append(
            Transceiver(
                kind,
                direction,
                ssrc,
                ssrc + 0x100,
                track_id=str(index),
                mid=str(index),
                index=index,
            )
        )
    return media, transceivers


def _codec(options: Options, kind: MediaKind) -> NegotiatedCodec:
    if kind is MediaKind.AUDIO:
        row, number, rtx = opus(), 111, None
    else:
        row = vp8() if options.codec is CodecName.VP8 else h264()
        number, rtx = 96, 97 if options.rtx else None
        row = dataclasses.replace(row, feedback=options.video_feedback)
    entry = dataclasses.replace(row, payload_type=number, rtx_payload_type=rtx)
    return NegotiatedCodec(local=row, send=entry, receive=entry)
