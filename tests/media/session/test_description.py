from __future__ import annotations

import pytest

from media.session import LocalDescription
from media.session.config import SessionConfig
from media.session.description import insert_into_section
from sdp import SdpType, Setup

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
