from __future__ import annotations

import pytest

from media.rtcp import RtcpMembers
from media.rtcp.members import MAX_MEMBERS


@pytest.mark.requirement("sdp-media:RTCP03")
def test_ours_and_those_heard_of_are_members_and_those_of_media_senders() -> None:
    members = RtcpMembers()
    members.add_ours(1)
    members.rtcp_received(2, 0.0)
    members.rtp_received(3, 0.0)

    assert (len(members), members.senders, members.we_sent) == (3, 1, False)
    members.rtp_sent(1, 0.0)
    assert (len(members), members.senders, members.we_sent) == (3, 2, True)


@pytest.mark.requirement("sdp-media:RTCP03")
def test_a_sender_falls_silent_after_2_intervals_and_a_member_after_5() -> None:
    members = RtcpMembers()
    members.rtp_sent(1, 0.0)
    members.rtp_received(2, 0.0)

    members.expire(2.0, 1.0)
    assert (len(members), members.senders) == (2, 2)
    members.expire(2.1, 1.0)
    assert (len(members), members.senders, members.we_sent) == (2, 0, False)
    members.expire(5.0, 1.0)
    assert len(members) == 2
    members.expire(5.1, 1.0)
    assert len(members) == 1  # ours stays


def test_who_leaves_is_forgotten_known_or_not() -> None:
    members = RtcpMembers()
    members.rtp_received(2, 0.0)

    members.remove(2)
    members.remove(3)

    assert (len(members), members.senders) == (0, 0)


def test_a_peer_cannot_say_goodbye_for_a_source_of_ours() -> None:
    members = RtcpMembers()
    members.rtp_sent(1, 0.0)
    members.rtcp_received(1, 0.0)

    members.remove(1)

    assert (len(members), members.senders, members.we_sent) == (1, 1, True)


def test_members_are_bounded() -> None:
    members = RtcpMembers()
    for ssrc in range(MAX_MEMBERS + 10):
        members.rtp_received(ssrc, 0.0)
    members.rtp_received(0, 1.0)

    assert (len(members), members.senders) == (MAX_MEMBERS, MAX_MEMBERS)
