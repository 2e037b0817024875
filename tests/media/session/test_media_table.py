"""Streams that stop, begin anew, and take each other's place."""

from __future__ import annotations

import random
from collections import deque

from media.rtp import RtpPacket
from media.session import TrackAdded, TrackEnded
from media.session.media_table import MediaTable
from media.session.rtp_receiver import MAX_STREAMS, STREAM_TIMEOUT
from transport import Event

from .rtp_pair import VIDEO_MID, Options, described

PAYLOAD_TYPE, RTX_PAYLOAD_TYPE = 96, 97
SSRC = 0x1001


class Receiving:
    """A table that receives video, and what it reported."""

    def __init__(self, *, announced: bool = True) -> None:
        self.options = Options(announced=announced, extensions=False)
        self.events: deque[Event] = deque()
        self.table = MediaTable(random.Random(1).randbytes, self.events, playout_delay=0.5)
        self.configure(receives=True)
        self.events.clear()

    def configure(self, *, receives: bool) -> None:
        media, transceivers = described(self.options, sends=not receives)
        self.table.configure(media[1:], transceivers[1:])

    def receive(self, ssrc: int, now: float, *, payload_type: int = PAYLOAD_TYPE) -> bool:
        packet = RtpPacket(
            payload_type=payload_type, sequence_number=1, timestamp=0, ssrc=ssrc, payload=b"1"
        )
        receiver = self.table.receiver_of(packet)
        return receiver is not None and receiver.receive(packet, now)

    def tracks(self) -> list[Event]:
        return [event for event in self.events if isinstance(event, (TrackAdded, TrackEnded))]


def test_a_track_that_said_bye_is_added_again_when_media_comes() -> None:
    receiving = Receiving()
    receiving.receive(SSRC, 1.0)
    receiving.table.forget(SSRC)
    receiving.receive(SSRC, 2.0)
    receiving.receive(SSRC, 2.1)

    assert [type(event) for event in receiving.tracks()] == [TrackEnded, TrackAdded]


def test_a_track_that_said_bye_ends_only_once() -> None:
    receiving = Receiving()
    receiving.receive(SSRC, 1.0)
    receiving.table.forget(SSRC)
    receiving.table.forget(SSRC)
    receiving.configure(receives=False)

    assert receiving.tracks() == [TrackEnded(VIDEO_MID)]


def test_a_source_that_fell_silent_gives_way_to_one_that_begins_anew() -> None:
    receiving = Receiving(announced=False)
    for number in range(MAX_STREAMS):
        assert receiving.receive(1 + number, float(number))

    assert not receiving.receive(100, STREAM_TIMEOUT - 0.1)
    assert receiving.receive(100, STREAM_TIMEOUT)
    assert not receiving.receive(101, STREAM_TIMEOUT)
    receiver = receiving.table.receiver(VIDEO_MID)
    assert [stream.ssrc for stream in receiver.streams] == [*range(2, MAX_STREAMS + 1), 100]


def test_repair_streams_are_bounded_and_the_newest_counts() -> None:
    receiving = Receiving(announced=False)
    for number in range(MAX_STREAMS + 3):
        receiving.receive(1 + number, 0.0, payload_type=RTX_PAYLOAD_TYPE)

    reported = [block.ssrc for block in receiving.table.report_blocks(1.0)]
    assert reported == list(range(4, MAX_STREAMS + 4))
