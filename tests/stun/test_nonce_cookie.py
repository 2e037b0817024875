from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import SecurityFeature, nonce_cookie, security_features

BOTH = SecurityFeature.PASSWORD_ALGORITHMS | SecurityFeature.USERNAME_ANONYMITY


@pytest.mark.requirement("stun-turn:STUNC-LTC-06")
@pytest.mark.requirement("stun-turn:STUNC-LTC-09")
@pytest.mark.parametrize(
    ("features", "cookie"),
    [
        pytest.param(SecurityFeature(0), "obMatJos2AAAA", id="none"),
        pytest.param(SecurityFeature.PASSWORD_ALGORITHMS, "obMatJos2gAAA", id="bit-0"),
        pytest.param(SecurityFeature.USERNAME_ANONYMITY, "obMatJos2QAAA", id="bit-1"),
        pytest.param(BOTH, "obMatJos2wAAA", id="both"),
    ],
)
def test_the_first_feature_is_the_most_significant_bit(
    features: SecurityFeature, cookie: str
) -> None:
    assert nonce_cookie(features) == cookie
    assert security_features(cookie + "the rest") == features


@pytest.mark.parametrize(
    "nonce",
    [
        pytest.param("", id="empty"),
        pytest.param("f//499k954d6OL34oL9FSTvy64sA", id="rfc-5389"),
        pytest.param("obMatJos2", id="prefix-alone"),
        pytest.param("obMatJos2gAA", id="too-short"),
        pytest.param("obMatJos2gA==", id="one-byte"),
        pytest.param("obMatJos2gA-A", id="not-base64"),
        pytest.param("obMatJos2g\u00c4AA", id="not-ascii"),
        pytest.param("ObMatJos2gAAA", id="other-case"),
    ],
)
def test_a_nonce_without_a_legible_cookie_announces_nothing(nonce: str) -> None:
    assert security_features(nonce) == SecurityFeature(0)


def test_the_nonce_of_rfc_8489s_example_announces_an_unassigned_bit() -> None:
    features = security_features("obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA")

    assert features.value == 2
    assert not features & BOTH


@given(st.text(max_size=20).map(lambda tail: "obMatJos2" + tail))
def test_any_nonce_can_be_asked(nonce: str) -> None:
    assert 0 <= security_features(nonce).value < 1 << 24
