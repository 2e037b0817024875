from __future__ import annotations

import random

import pytest

from media.session import LocalDescription, PeerSession, h264
from media.session.config import SessionConfig
from media.session.description import insert_into_section
from media.units import MediaKind
from sdp import SdpType, Setup

from .peer_pair import injected

TEXT = "v=0\r\nm=audio 9 X 0\r\na=mid:0\r\nm=video 9 X 1\r\na=mid:1\r\n"


@pytest.mark.parametrize(
    ("index", "lines", "expected"),
    [
        pytest.param(0, ["a=x"], TEXT.replace("a=mid:0\r\n", "a=mid:0\r\na=x\r\n"), id="first"),
        pytest.param(1, ["a=x", "a=y"], TEXT + "a=x\r\na=y\r\n", id="last"),
        pytest.param(0, [], TEXT, id="nothing"),
        pytest.param(2, ["a=x"], TEXT, id="no-such-section"),
        pytest.param(1, ["a=mid:1"], TEXT, id="there-already"),
    ],
)
def test_lines_go_to_the_end_of_their_section(index: int, lines: list[str], expected: str) -> None:
    assert insert_into_section(TEXT, index, lines) == expected


@pytest.mark.parametrize("setup", [Setup.ACTPASS, Setup.HOLDCONN])
def test_an_answer_is_active_or_passive(setup: Setup) -> None:
    with pytest.raises(ValueError, match="active or passive"):
        SessionConfig(answer_setup=setup)


def test_a_playout_delay_is_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        SessionConfig(playout_delay=0)


def test_a_description_does_not_show_its_password() -> None:
    description = LocalDescription(SdpType.OFFER, "v=0\r\na=ice-pwd:secret\r\n")

    assert "secret" not in repr(description)


@pytest.mark.requirement("sdp-media:SDP-O15")
def test_h264_without_a_profile_is_what_browsers_mean() -> None:
    offerer, answerer = (
        PeerSession(
            random_bytes=random.Random(seed).randbytes,
            config=SessionConfig(injected_keys=injected(seed)),
        )
        for seed in (0, 1)
    )
    offerer.add_transceiver(MediaKind.VIDEO, codecs=(h264(),))
    offer = offerer.create_offer(0.0).replace(";profile-level-id=42e01f", "")
    assert "profile-level-id" not in offer
    answerer.add_transceiver(MediaKind.VIDEO, codecs=(h264(),))
    answerer.set_remote_description(SdpType.OFFER, offer, 0.0)
    answerer.set_local_description(SdpType.ANSWER, answerer.create_answer(), 0.0)

    assert [codec.send.name for codec in answerer.media[0].codecs] == ["H264"]
