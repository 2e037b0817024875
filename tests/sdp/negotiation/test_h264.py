"""RFC 6184 section 8: profiles, levels, packetization modes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sdp import MissingProfile
from sdp.negotiation.h264 import ProfileLevelId, agree_on_level, mismatch
from tests.sdp.negotiation.parties import h264

RFC, BROWSER = MissingProfile.RFC6184, MissingProfile.LIBWEBRTC

PROFILES = [
    ("42e01f", "Constrained Baseline", "3.1"),
    ("42c01f", "Constrained Baseline", "3.1"),
    ("42401f", "Constrained Baseline", "3.1"),
    ("4de01f", "Constrained Baseline", "3.1"),
    ("58f01f", "Constrained Baseline", "3.1"),
    ("42001f", "Baseline", "3.1"),
    ("42a01f", "Baseline", "3.1"),
    ("58a01f", "Baseline", "3.1"),
    ("58001f", "Extended", "3.1"),
    ("4d001f", "Main", "3.1"),
    ("4d401f", "Main", "3.1"),
    ("64001f", "High", "3.1"),
    ("640c1f", "Constrained High", "3.1"),
    ("f4001f", "High 4:4:4 Predictive", "3.1"),
    ("6e0028", "High 10", "4"),
    ("2c1028", "CAVLC 4:4:4 Intra", "4"),
    ("42f00b", "Constrained Baseline", "1b"),
    ("42100b", "Baseline", "1b"),
    ("640009", "High", "1b"),
    ("42e00b", "Constrained Baseline", "1.1"),
    ("424000", "Constrained Baseline", "0"),
    ("640f1f", "profile 640f", "3.1"),
    ("000000", "profile 0000", "0"),
]


@pytest.mark.requirement("sdp-media:SDP-O13")
@pytest.mark.requirement("sdp-media:SDP-O14")
@pytest.mark.parametrize(("text", "profile", "level"), PROFILES)
def test_the_three_bytes_name_a_profile_and_a_level(text: str, profile: str, level: str) -> None:
    parsed = ProfileLevelId.parse(text)

    assert parsed is not None
    assert (parsed.profile, parsed.level, str(parsed)) == (profile, level, text)


@pytest.mark.parametrize("text", ["", "42e0", "42e01f00", "42e01g", " 42e01f"])
def test_what_is_not_six_hex_digits_is_none(text: str) -> None:
    assert ProfileLevelId.parse(text) is None


@pytest.mark.requirement("sdp-media:SDP-O14")
def test_level_1b_stands_between_1_and_1_1() -> None:
    ranks = [
        parsed.level_rank
        for text in ("42e00a", "42f00b", "42e00b", "42e00c")
        if (parsed := ProfileLevelId.parse(text)) is not None
    ]

    assert ranks == sorted(set(ranks))


levels = st.sampled_from(["0a", "0b", "0c", "0d", "14", "1f", "28", "34"])
known = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["42e0", "4200", "4d00", "6400", "640c"]), levels),
    st.sampled_from(["42f00b", "640009", "42100b", "4d100b"]),
)


@pytest.mark.requirement("sdp-media:SDP-O13")
@given(known, known)
def test_a_profile_keeps_its_name_at_any_level(one: str, other: str) -> None:
    a, b = ProfileLevelId.parse(one), ProfileLevelId.parse(other)
    assert a is not None
    assert b is not None

    moved = a.at_level_of(b)

    assert moved.profile == a.profile
    assert moved.level == b.level


MATCHES = [
    pytest.param(h264("42e01f"), h264("42e01f"), None, id="same"),
    pytest.param(h264("42e01f"), h264("42c034"), None, id="same-profile-other-bytes"),
    pytest.param(h264("42e01f"), h264("4de01f"), None, id="constrained-baseline-by-main"),
    pytest.param(h264("42e01f"), h264("42001f"), "Baseline", id="baseline"),
    pytest.param(h264("64001f"), h264("640c1f"), "Constrained High", id="constrained-high"),
    pytest.param(h264(mode="1"), h264(mode="0"), "packetization-mode 0", id="mode-0"),
    pytest.param(h264(mode="1"), h264(mode=None), "packetization-mode 0", id="mode-missing"),
    pytest.param(h264(mode="0"), h264(mode=None), None, id="mode-missing-means-0"),
    pytest.param(h264("42e01f"), h264("xyz"), "six hex digits", id="malformed"),
]


@pytest.mark.requirement("sdp-media:SDP-O13")
@pytest.mark.requirement("sdp-media:SDP-O15")
@pytest.mark.parametrize(("local", "remote", "reason"), MATCHES)
def test_profile_and_mode_must_be_equal_and_the_level_not(
    local: object, remote: object, reason: str | None
) -> None:
    found = mismatch(local, remote, RFC)  # type: ignore[arg-type]  # pytest.param is untyped

    assert (found is None) if reason is None else (found is not None and reason in found)


@pytest.mark.requirement("sdp-media:SDP-O15")
def test_a_missing_profile_means_baseline_level_1_or_what_browsers_take_it_for() -> None:
    missing = h264(None)

    assert mismatch(h264("42e01f"), missing, BROWSER) is None
    assert mismatch(h264("42000a"), missing, RFC) is None
    assert mismatch(h264("42e01f"), missing, RFC) is not None


LEVELS = [
    pytest.param("42e01f", "1", "42e034", "1", "42e034", "42e01f", id="asymmetric"),
    pytest.param("42e01f", "1", "42e034", None, "42e01f", "42e01f", id="only-we-allow"),
    pytest.param("42e034", None, "42e01f", "1", "42e01f", "42e01f", id="only-they-allow"),
    pytest.param("42e034", "0", "42e01f", "1", "42e01f", "42e01f", id="we-say-0"),
    pytest.param("42e00b", None, "42f00b", None, "42f00b", "42f00b", id="1b-is-below-1.1"),
    pytest.param("42e00a", None, "42f00b", None, "42e00a", "42e00a", id="1b-is-above-1"),
]


@pytest.mark.requirement("sdp-media:SDP-O14")
@pytest.mark.parametrize(("ours", "we", "theirs", "they", "send", "receive"), LEVELS)
def test_levels_differ_only_when_both_allow_it(
    ours: str, we: str | None, theirs: str, they: str | None, send: str, receive: str
) -> None:
    agreed = agree_on_level(h264(ours, asymmetry=we), h264(theirs, asymmetry=they), RFC)

    assert agreed is not None
    assert (str(agreed.send), str(agreed.receive)) == (send, receive)


def test_a_malformed_profile_leaves_no_level() -> None:
    assert agree_on_level(h264("x"), h264(), RFC) is None
