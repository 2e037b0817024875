"""The senders and receivers of a bundle, by media description and by SSRC."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TypeVar

from media.rtcp import ReportBlock, SourceDescription
from media.rtp import RtpPacket, SdesMid
from media.units import MediaKind
from sdp import NegotiatedMedia, Transceiver
from transport import Event, RandomBytes

from .association import MAX_SSRCS, Section, StreamAssociation
from .errors import UnknownMedia
from .events import TrackAdded, TrackEnded
from .header_extensions import TransportSequence
from .rtcp_reports import SDES_MID
from .rtp_receiver import RtpReceiver
from .rtp_sender import RtpSender

MAX_ROUTES = 2 * MAX_SSRCS
"""Streams that are told without their tables; the peer chooses SSRC and payload type."""

T = TypeVar("T")


class MediaTable:
    """What was negotiated, and who sends and receives it.

    Tracks that come and go are reported into ``events``, which a session shares.
    """

    def __init__(
        self, random_bytes: RandomBytes, events: deque[Event], *, playout_delay: float
    ) -> None:
        self.media: dict[str, NegotiatedMedia] = {}
        self.senders: dict[str, RtpSender] = {}
        self.receivers: dict[str, RtpReceiver] = {}
        self._random_bytes = random_bytes
        self._events = events
        self._playout_delay = playout_delay
        self._association = StreamAssociation()
        self._silent: set[str] = set()  # mids of tracks that a BYE has ended
        self._routes: dict[int, RtpReceiver] = {}  # by SSRC and payload type, without MID
        self._mid_extension: int | None = None
        self._mids: dict[bytes, str] = {}
        self._transport_sequence = TransportSequence()

    @property
    def active_senders(self) -> list[RtpSender]:
        """Those that have sent: the others have nothing to report."""
        return [sender for sender in self.senders.values() if sender.has_sent]

    def configure(
        self, media: Iterable[NegotiatedMedia], transceivers: Iterable[Transceiver]
    ) -> None:
        """Take what offer and answer agreed on, for all media descriptions."""
        ours = {transceiver.mid: transceiver for transceiver in transceivers}
        self.media = {section.mid: section for section in media if section.kind is not None}
        for mid, section in self.media.items():
            transceiver = ours.get(mid)
            if transceiver is not None:
                self._configure_sender(section, transceiver)
            self._configure_receiver(section)
            for number, uri in section.extensions.items():
                if uri == SdesMid.URI:
                    self._mid_extension = number
        self._mids = {mid.encode(): mid for mid in self.media}
        self._association.configure(self._sections())
        self._routes.clear()

    def sender(self, mid: str) -> RtpSender:
        """
        Raises:
            UnknownMedia: nothing can be sent under this mid.
        """
        return _find(self.senders, mid, "sends nothing")

    def receiver(self, mid: str) -> RtpReceiver:
        """
        Raises:
            UnknownMedia: nothing is received under this mid.
        """
        return _find(self.receivers, mid, "receives nothing")

    def sender_of(self, ssrc: int) -> RtpSender | None:
        """Whose stream a report or a request is about."""
        for sender in self.senders.values():
            if sender.ssrc == ssrc:
                return sender
        return None

    def receiver_of(self, packet: RtpPacket) -> RtpReceiver | None:
        """Who receives a packet, by RFC 9143 section 9.2."""
        mid = self._mid_of(packet)
        key = packet.ssrc << 7 | packet.payload_type
        if mid is None and key in self._routes:
            return self._routes[key]
        if mid is not None or len(self._routes) >= MAX_ROUTES:
            self._routes.clear()  # a MID may move its SSRC
        routed = self._association.route(
            packet.ssrc, packet.payload_type, sequence_number=packet.sequence_number, mid=mid
        )
        receiver = None if routed is None else self.receivers.get(routed)
        if receiver is not None:
            self._routes[key] = receiver
            if receiver.mid in self._silent:
                self._track_added(self.media[receiver.mid], receiver.kind)
        return receiver

    def learn_mids(self, description: SourceDescription) -> None:
        """Take the MID items of an SDES packet (RFC 9143 section 15.2)."""
        for chunk in description.chunks:
            for item in chunk.items:
                if item.type == SDES_MID:
                    mid = self._mids.get(item.value, "")
                    self._association.learn_from_sdes(chunk.ssrc, mid)
                    self._routes.clear()

    def forget(self, ssrc: int) -> None:
        """The peer's source has left (BYE); with the last one its track ends.

        It is added again when media comes: browsers say BYE when an encoding is paused.
        """
        mid = self._association.find(ssrc)
        receiver = None if mid is None else self.receivers.get(mid)
        if receiver is not None and receiver.forget(ssrc) and receiver.mid not in self._silent:
            self._silent.add(receiver.mid)
            self._events.append(TrackEnded(receiver.mid))
        self._association.forget(ssrc)
        self._routes.clear()

    def report_blocks(self, now: float) -> list[ReportBlock]:
        """One for each source of the peer."""
        return [
            block for receiver in self.receivers.values() for block in receiver.report_blocks(now)
        ]

    def _configure_sender(self, section: NegotiatedMedia, transceiver: Transceiver) -> None:
        sender = self.senders.get(section.mid)
        if sender is None:
            if not section.direction.sends or section.rejected:
                return
            sender = self.senders[section.mid] = RtpSender(
                section.mid,
                MediaKind(transceiver.kind.value),
                ssrc=transceiver.ssrc,
                rtx_ssrc=transceiver.rtx_ssrc,
                random_bytes=self._random_bytes,
            )
        sender.configure(section, self._transport_sequence)

    def _configure_receiver(self, section: NegotiatedMedia) -> None:
        assert section.kind is not None  # others are sorted out by configure()
        receives = section.direction.receives and not section.rejected
        receiver = self.receivers.get(section.mid)
        if not receives:
            if self.receivers.pop(section.mid, None) is not None:
                if section.mid not in self._silent:
                    self._events.append(TrackEnded(section.mid))
                self._silent.discard(section.mid)
            return
        kind = MediaKind(section.kind.value)
        if receiver is None:
            receiver = RtpReceiver(
                section.mid, kind, self._events, playout_delay=self._playout_delay
            )
            self.receivers[section.mid] = receiver
            self._track_added(section, kind)
        receiver.configure(section)

    def _track_added(self, section: NegotiatedMedia, kind: MediaKind) -> None:
        self._silent.discard(section.mid)
        streams = tuple(msid.stream for msid in section.msids if msid.stream != "-")
        self._events.append(TrackAdded(section.mid, kind, streams))

    def _sections(self) -> Iterable[Section]:
        for mid, receiver in self.receivers.items():
            ssrcs = {source.ssrc for source in self.media[mid].remote_ssrcs}
            ssrcs |= {
                source.rtx_ssrc
                for source in self.media[mid].remote_ssrcs
                if source.rtx_ssrc is not None
            }
            yield Section(mid, receiver.payload_types, frozenset(ssrcs))

    def _mid_of(self, packet: RtpPacket) -> str | None:
        """What the MID extension says; "" for what is no mid of ours."""
        if self._mid_extension is None or not packet.extensions:
            return None
        data = packet.extension(self._mid_extension)
        return None if data is None else self._mids.get(data, "")


def _find(table: dict[str, T], mid: str, problem: str) -> T:
    found = table.get(mid)
    if found is None:
        raise UnknownMedia(mid, problem)
    return found
