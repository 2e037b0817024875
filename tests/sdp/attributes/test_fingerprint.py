"""RFC 8122: fingerprints of certificates."""

from __future__ import annotations

import pytest

from sdp import Fingerprint, strongest

DIGEST = ":".join(["4A"] * 32)
SHA1 = Fingerprint("sha-1", ":".join(["01"] * 20))
SHA256 = Fingerprint("sha-256", DIGEST)
OTHER_256 = Fingerprint("sha-256", ":".join(["02"] * 32))
SHA512 = Fingerprint("sha-512", ":".join(["03"] * 64))


@pytest.mark.requirement("sdp-media:SDP-A15")
def test_case_does_not_matter_and_upper_case_is_written() -> None:
    fingerprint = Fingerprint.parse(f"SHA-256 {DIGEST.lower()}")

    assert fingerprint == SHA256
    assert str(fingerprint) == f"sha-256 {DIGEST}"


@pytest.mark.requirement("sdp-media:SDP-A15")
def test_it_matches_a_digest_in_any_case_and_no_other() -> None:
    assert SHA256.matches(DIGEST.lower())
    assert not SHA256.matches(OTHER_256.value)
    assert not SHA256.matches("")


@pytest.mark.requirement("sdp-media:SDP-A15")
@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        pytest.param([SHA1, SHA256], (SHA256,), id="not-sha-1"),
        pytest.param([SHA256, SHA512], (SHA512,), id="the-strongest"),
        pytest.param([SHA256, OTHER_256], (SHA256, OTHER_256), id="two-certificates"),
        pytest.param([SHA1], (), id="none-that-may-be-used"),
        pytest.param([], (), id="none"),
    ],
)
def test_the_strongest_usable_hash_function_decides(
    given: list[Fingerprint], chosen: tuple[Fingerprint, ...]
) -> None:
    assert strongest(given) == chosen


@pytest.mark.parametrize(("name", "value"), [("sha-1", DIGEST), ("no token", "AB"), ("x", "ABC")])
def test_what_is_no_fingerprint_cannot_be_built(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="fingerprint"):
        Fingerprint(name, value)
