from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.session.association import MAX_SSRCS, Section, StreamAssociation

AUDIO = Section("a", frozenset({111}), frozenset({10}))
VIDEO = Section("v", frozenset({96, 97}), frozenset({20, 21}))
SCREEN = Section("s", frozenset({97, 98}))


def association(*sections: Section) -> StreamAssociation:
    made = StreamAssociation()
    made.configure(sections or (AUDIO, VIDEO, SCREEN))
    return made


@pytest.mark.requirement("sdp-media:SDP-A09")
@pytest.mark.parametrize(
    ("ssrc", "payload_type", "mid", "expected"),
    [
        pytest.param(10, 111, None, "a", id="announced-ssrc"),
        pytest.param(10, 96, None, None, id="announced-ssrc-with-a-payload-type-of-another"),
        pytest.param(99, 96, None, "v", id="payload-type-of-one-section"),
        pytest.param(99, 97, None, None, id="payload-type-of-two-sections"),
        pytest.param(99, 97, "s", "s", id="mid-decides"),
        pytest.param(99, 97, "x", None, id="unknown-mid"),
        pytest.param(10, 111, "x", None, id="unknown-mid-of-a-known-ssrc"),
        pytest.param(20, 98, "s", "s", id="mid-moves-a-known-ssrc"),
        pytest.param(99, 111, "v", None, id="mid-with-a-payload-type-of-another"),
        pytest.param(99, 5, None, None, id="unknown-payload-type"),
    ],
)
def test_a_packet_goes_where_rfc_9143_says(
    ssrc: int, payload_type: int, mid: str | None, expected: str | None
) -> None:
    assert association().route(ssrc, payload_type, sequence_number=1, mid=mid) == expected


def test_a_stream_stays_where_its_first_payload_type_put_it() -> None:
    streams = association(AUDIO, Section("v", frozenset({96})), Section("s", frozenset({98})))

    assert streams.route(5, 96, sequence_number=1) == "v"
    assert streams.route(5, 98, sequence_number=2) is None


def test_an_older_packet_does_not_move_a_stream_back() -> None:
    streams = association()
    streams.route(7, 97, sequence_number=100, mid="s")

    assert streams.route(7, 97, sequence_number=99, mid="v") == "s"
    assert streams.route(7, 97, sequence_number=101, mid="v") == "v"


def test_sequence_numbers_of_mid_updates_wrap() -> None:
    streams = association()
    streams.route(7, 97, sequence_number=0xFFFF, mid="s")

    assert streams.route(7, 97, sequence_number=0, mid="v") == "v"


def test_an_sdes_item_places_a_stream_before_its_first_packet() -> None:
    streams = association()
    streams.learn_from_sdes(7, "s")
    streams.learn_from_sdes(8, "x")

    assert streams.route(7, 97, sequence_number=1) == "s"
    assert streams.route(8, 97, sequence_number=1) is None


def test_a_stream_that_said_bye_is_forgotten() -> None:
    streams = association()
    streams.learn_from_sdes(7, "s")
    streams.forget(7)

    assert streams.find(7) is None


def test_what_packets_have_taught_survives_a_negotiation_unless_its_section_is_gone() -> None:
    streams = association()
    streams.learn_from_sdes(7, "s")
    streams.learn_from_sdes(8, "v")
    streams.configure((AUDIO, VIDEO))

    assert (streams.find(7), streams.find(8)) == (None, "v")


def test_a_peer_cannot_fill_the_table() -> None:
    streams = association(Section("v", frozenset({96})))
    placed = [streams.route(ssrc, 96, sequence_number=1) for ssrc in range(MAX_SSRCS + 10)]

    assert placed.count("v") == MAX_SSRCS


@dataclasses.dataclass
class Model:
    """RFC 9143 section 9.2 read aloud, without regard to speed."""

    sections: list[Section]
    mids: dict[int, str] = dataclasses.field(default_factory=dict)
    updates: dict[int, int] = dataclasses.field(default_factory=dict)

    def route(self, ssrc: int, payload_type: int, number: int, mid: str | None) -> str | None:
        by_mid = {section.mid: section for section in self.sections}
        for section in self.sections:
            for announced in section.ssrcs:
                self.mids.setdefault(announced, section.mid)
        if mid is not None:
            if mid not in by_mid:
                return None
            if ssrc not in self.updates or number > self.updates[ssrc]:
                self.mids[ssrc] = mid
                self.updates[ssrc] = number
        if ssrc in self.mids:
            found = by_mid[self.mids[ssrc]]
            return found.mid if payload_type in found.payload_types else None
        users = [section.mid for section in self.sections if payload_type in section.payload_types]
        if len(users) != 1:
            return None
        self.mids[ssrc] = users[0]
        return users[0]


sections = st.lists(
    st.builds(
        Section,
        st.sampled_from("abcd"),
        st.frozensets(st.integers(96, 100), max_size=3),
    ),
    unique_by=lambda section: section.mid,
    max_size=4,
)
packets = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.integers(96, 101),
        st.integers(0, 1000),
        st.none() | st.sampled_from("abcde"),
    ),
    max_size=30,
)


@pytest.mark.requirement("sdp-media:SDP-A09")
@given(sections, packets)
def test_routing_agrees_with_the_rfc_read_aloud(
    described: list[Section], received: list[tuple[int, int, int, str | None]]
) -> None:
    streams, model = StreamAssociation(), Model(described)
    streams.configure(described)

    for ssrc, payload_type, number, mid in received:
        expected = model.route(ssrc, payload_type, number, mid)
        found = streams.route(ssrc, payload_type, sequence_number=number, mid=mid)
        assert found == expected
