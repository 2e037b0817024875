"""Access tokens: RFC 7635 section 6.2 and appendix A."""

from __future__ import annotations

import base64
import contextlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from stun import IntegrityAlgorithm
from transport import DecodeError
from turn.tokens import (
    DELTA,
    MAX_MAC_KEY_BYTES,
    MAX_TOKEN_BYTES,
    MIN_MAC_KEY_BYTES,
    NONCE_BYTES,
    TokenAlgorithm,
    TokenContents,
    TokenKey,
    TokenVerifier,
    grant_access,
    make_access_token,
    open_access_token,
)

SERVER_NAME = "blackdow.carleon.gov"
LONG_TERM_KEY = b"HGkj32KJGiuy098sdfaqbNjOiaz71923"
NONCE = b"h4j3k2l2n4b5"
CONTENTS = TokenContents(b"ZksjpweoixXmvn67534m", 92470300704768 >> 16, 3600)
KEY = TokenKey("kid", LONG_TERM_KEY)

SAMPLES = [
    pytest.param(
        LONG_TERM_KEY,
        "000c68346a336b326c326e346235617ef134a3d5e44e9a19cc7dc104b0c03d03"
        "b2a551d8fdf5cd3b6dca6f10cfb77e5b2ddec84d293a5c50499359f0c2e26f76",
        id="A256GCM",
    ),
    pytest.param(
        LONG_TERM_KEY[:16],
        "000c68346a336b326c326e3462357fb9e99f0827be3df1e1bd651493d3031d36"
        "df57079784aee5eacb65fad4f27fab1a3f97974b69f851b24bf5af09eda357e0",
        id="A128GCM",
    ),
]

contents = st.builds(
    TokenContents,
    st.binary(min_size=MIN_MAC_KEY_BYTES, max_size=MAX_MAC_KEY_BYTES),
    st.integers(0, 2**33),
    st.integers(1, 0xFFFFFFFF),
)


@pytest.mark.parametrize(("key", "sample"), SAMPLES)
@pytest.mark.requirement("stun-turn:TURN-OAUTH-02")
def test_the_sample_tokens_of_the_rfc(key: bytes, sample: str) -> None:
    token_key = TokenKey("kid", key)

    made = make_access_token(token_key, SERVER_NAME, CONTENTS, nonce=NONCE)

    assert made.hex() == sample
    assert open_access_token(token_key, SERVER_NAME, bytes.fromhex(sample)) == CONTENTS


@given(contents, st.sampled_from([16, 32]), st.text(min_size=1, max_size=20))
def test_what_is_put_into_a_token_comes_out(made: TokenContents, size: int, name: str) -> None:
    key = TokenKey("kid", bytes(range(size)))

    token = make_access_token(key, name, made, nonce=NONCE)

    assert len(token) <= MAX_TOKEN_BYTES
    assert open_access_token(key, name, token) == made


@given(st.floats(0, 2**33))
def test_a_timestamp_is_kept_to_a_64000th_of_a_second(timestamp: float) -> None:
    token = make_access_token(KEY, "a", TokenContents(bytes(20), timestamp, 1), nonce=NONCE)

    assert abs(open_access_token(KEY, "a", token).timestamp - timestamp) <= 1 / 64_000


@given(st.binary(max_size=200))
def test_any_bytes_are_a_token_or_a_decode_error(token: bytes) -> None:
    with contextlib.suppress(DecodeError):
        open_access_token(KEY, SERVER_NAME, token)


def sealed(block: bytes) -> bytes:
    """A token with this for its encrypted block."""
    encrypted = AESGCM(KEY.key).encrypt(NONCE, block, SERVER_NAME.encode())
    return b"\0\x0c" + NONCE + encrypted


GOOD = make_access_token(KEY, SERVER_NAME, CONTENTS, nonce=NONCE)
TIMES = (1 << 16).to_bytes(8, "big") + (60).to_bytes(4, "big")

MALFORMED = [
    pytest.param(b"", id="empty"),
    pytest.param(b"\0", id="one-byte"),
    pytest.param(b"\0\x0c", id="nothing-behind-the-nonce-length"),
    pytest.param(GOOD[:3], id="three-bytes"),
    pytest.param(b"\xff\xff" + GOOD[2:], id="nonce-length-65535"),
    pytest.param(b"\0\0" + GOOD[2:], id="nonce-length-0"),
    pytest.param(b"\0\x0d" + GOOD[2:], id="nonce-length-13"),
    pytest.param(GOOD[:-1], id="truncated"),
    pytest.param(GOOD + b"\0", id="longer"),
    pytest.param(GOOD[:-1] + bytes([GOOD[-1] ^ 1]), id="bad-tag"),
    pytest.param(GOOD + bytes(10_000), id="huge"),
    pytest.param(sealed(b"\xff\xff" + bytes(20) + TIMES), id="key-length-65535"),
    pytest.param(sealed(b"\0\x15" + bytes(20) + TIMES), id="key-length-1-more"),
    pytest.param(sealed(b"\0\x13" + bytes(20) + TIMES), id="key-length-1-less"),
    pytest.param(sealed(b"\0\x00" + TIMES + bytes(4)), id="no-key"),
    pytest.param(sealed(b"\0\x0f" + bytes(15) + TIMES), id="short-key"),
    pytest.param(sealed(b"\0\x41" + bytes(65) + TIMES), id="long-key"),
    pytest.param(sealed(b"\0\x14" + bytes(20) + TIMES + b"\0"), id="with-a-tail"),
    pytest.param(sealed(b"\0\x14" + bytes(20) + TIMES[:8] + bytes(4)), id="lifetime-0"),
]


@pytest.mark.parametrize("token", MALFORMED)
@pytest.mark.requirement("stun-turn:TURN-OAUTH-06")
def test_a_malformed_token_is_refused(token: bytes) -> None:
    with pytest.raises(DecodeError):
        open_access_token(KEY, SERVER_NAME, token)


@pytest.mark.requirement("stun-turn:TURN-OAUTH-06")
def test_what_is_longer_than_any_token_is_not_decrypted() -> None:
    too_long = sealed(bytes(MAX_MAC_KEY_BYTES + 15))

    assert len(too_long) == MAX_TOKEN_BYTES + 1
    with pytest.raises(DecodeError, match="109 bytes long"):
        open_access_token(KEY, SERVER_NAME, too_long)


@pytest.mark.requirement("stun-turn:TURN-OAUTH-03")
def test_a_token_is_for_one_server_and_of_one_key() -> None:
    with pytest.raises(DecodeError, match="authentic"):
        open_access_token(KEY, "another.carleon.gov", GOOD)
    with pytest.raises(DecodeError, match="authentic"):
        open_access_token(TokenKey("kid", bytes(32)), SERVER_NAME, GOOD)


@pytest.mark.parametrize(
    ("age", "allowed"),
    [
        pytest.param(0, 3600, id="new"),
        pytest.param(3, 3600, id="within-delta"),
        pytest.param(1000, 2605, id="used-for-a-while"),
        pytest.param(3600, 5, id="its-last-seconds"),
        pytest.param(3604, 1, id="its-last-second"),
        pytest.param(3605, 0, id="expired"),
        pytest.param(-1000, 2605, id="from-the-future"),
        pytest.param(-3605, 0, id="from-too-far-in-the-future"),
    ],
)
@pytest.mark.requirement("stun-turn:TURN-OAUTH-03", "stun-turn:TURN-OAUTH-05")
def test_what_a_token_allows_ends_with_its_lifetime(age: int, allowed: int) -> None:
    assert CONTENTS.allowed_for(CONTENTS.timestamp + age) == allowed


def test_a_verifier_takes_the_tokens_of_all_its_keys_until_they_expire() -> None:
    now = CONTENTS.timestamp
    old, new = TokenKey("old", bytes(32), expires_at=now + 100), TokenKey("new", bytes(16))
    verifier = TokenVerifier(SERVER_NAME, [old, new])
    tokens = {
        key.kid: make_access_token(key, SERVER_NAME, CONTENTS, nonce=NONCE) for key in (old, new)
    }

    assert [verifier.open(kid, tokens[kid], now) for kid in tokens] == [CONTENTS, CONTENTS]
    assert verifier.open("old", tokens["old"], now + 100) is None
    assert verifier.open("new", tokens["old"], now) is None
    assert verifier.open("nobody", tokens["new"], now) is None
    assert verifier.open("new", tokens["new"], now + 3600 + DELTA) is None


def test_a_grant_has_all_that_a_client_needs() -> None:
    grant = grant_access(KEY, SERVER_NAME, CONTENTS, nonce=NONCE)

    assert (grant.kid, grant.token, grant.mac_key) == ("kid", GOOD, CONTENTS.mac_key)
    assert (grant.lifetime, grant.algorithm) == (3600, IntegrityAlgorithm.SHA1)


def test_a_key_is_read_from_text() -> None:
    encoded = base64.b64encode(bytes(32)).decode()

    assert TokenKey.parse(f"a-kid:{encoded}") == TokenKey("a-kid", bytes(32))
    assert TokenKey.parse(f"a-kid:{encoded}:1700000000").expires_at == 1_700_000_000
    assert TokenKey.parse(f"a-kid:{encoded}").algorithm is TokenAlgorithm.A256GCM


@pytest.mark.parametrize(
    "text",
    ["", "kid", "kid:", ":AAAAAAAAAAAAAAAAAAAAAA==", "kid:no base64", "kid:AAAA"]
    + [f"kid:AAAAAAAAAAAAAAAAAAAAAA=={tail}" for tail in ("x", ":x", ":-1", ":1234567890123")],
)
def test_text_that_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"kid|key|expiry"):
        TokenKey.parse(text)


def test_secrets_are_not_shown() -> None:
    grant = grant_access(KEY, SERVER_NAME, CONTENTS, nonce=NONCE)
    shown = repr((KEY, CONTENTS, grant, TokenVerifier(SERVER_NAME, [KEY])))

    assert "HGkj" not in shown
    assert "Zksj" not in shown
    assert "h4j3" not in shown


@pytest.mark.parametrize(
    ("name", "keys"), [("", [KEY]), ("a", []), ("a", [KEY, KEY])], ids=["name", "none", "twice"]
)
def test_a_verifier_needs_a_name_and_keys(name: str, keys: list[TokenKey]) -> None:
    with pytest.raises(ValueError, match=r"token"):
        TokenVerifier(name, keys)


@pytest.mark.parametrize(
    ("mac_key", "timestamp", "lifetime"),
    [(bytes(15), 0, 1), (bytes(65), 0, 1), (bytes(20), -1, 1), (bytes(20), 2**48, 1)]
    + [(bytes(20), 0, lifetime) for lifetime in (0, 2**32)],
)
def test_contents_that_no_token_holds_are_refused(
    mac_key: bytes, timestamp: int, lifetime: int
) -> None:
    with pytest.raises(ValueError, match=r"mac_key|timestamp|lifetime"):
        TokenContents(mac_key, timestamp, lifetime)


def test_a_nonce_has_12_bytes() -> None:
    with pytest.raises(ValueError, match="12 bytes"):
        make_access_token(KEY, SERVER_NAME, CONTENTS, nonce=bytes(NONCE_BYTES + 1))
