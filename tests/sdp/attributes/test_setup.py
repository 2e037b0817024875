"""RFC 4145 and RFC 8842: who is the DTLS client."""

from __future__ import annotations

import pytest

from sdp import SdpError, Setup
from sdp.attributes.setup import answered

A, P, E, H = Setup.ACTIVE, Setup.PASSIVE, Setup.ACTPASS, Setup.HOLDCONN

ANSWERS = [
    (A, A, P),
    (A, P, P),
    (A, E, P),
    (A, H, P),
    (P, A, A),
    (P, P, A),
    (P, E, A),
    (P, H, A),
    (E, A, A),
    (E, P, P),
    (E, E, A),
    (E, H, A),
    (H, A, None),
    (H, P, None),
    (H, E, None),
    (H, H, None),
]


@pytest.mark.requirement("sdp-media:SDP-A16")
@pytest.mark.parametrize(("offered", "preferred", "answer"), ANSWERS)
def test_the_answer_complements_the_offer_and_prefers_active(
    offered: Setup, preferred: Setup, answer: Setup | None
) -> None:
    assert answered(offered, preferred) is answer


def test_roles_are_read_and_written() -> None:
    assert [str(Setup.parse(role.value.upper())) for role in Setup] == [r.value for r in Setup]
    with pytest.raises(SdpError):
        Setup.parse("both")


def test_the_other_side_has_the_other_role() -> None:
    assert (A.reversed, P.reversed, E.reversed, H.reversed) == (P, A, E, H)
