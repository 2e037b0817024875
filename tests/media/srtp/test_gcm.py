from __future__ import annotations

import pytest

from media.srtp import SrtpError, SrtpFailure
from media.srtp.gcm import GcmReceiver, GcmSender
from media.srtp.keys import SessionKeys

SALT = b"Quid pro quo"
KEYS_128 = SessionKeys(bytes(range(16)), SALT, bytes(range(16)), SALT)
KEYS_256 = SessionKeys(bytes(range(32)), SALT, bytes(range(32)), SALT)

# RFC 7714 section 16.
HEADER = bytes.fromhex("8040f17b8041f8d35501a0b2")
PAYLOAD = b"Gallia est omnis divisa in partes tres"
RTP = [
    pytest.param(
        KEYS_128,
        "f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b"
        "36de3adf8833899d7f27beb16a9152cf765ee4390cce",
        id="rfc7714-16.1",
    ),
    pytest.param(
        KEYS_256,
        "32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f"
        "1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
        id="rfc7714-16.2",
    ),
]

# RFC 7714 section 17.
RTCP_INDEX = 0x5D4
RTCP = bytes.fromhex(
    "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61"
    "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"
)
RTCP_ENCRYPTED = [
    pytest.param(
        KEYS_128,
        "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32d"
        "c676a5f1730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf872"
        "45d9eade800005d4",
        id="rfc7714-17.1",
    ),
    pytest.param(
        KEYS_256,
        "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50"
        "a2eaa5c1110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6c"
        "b26ac3be800005d4",
        id="rfc7714-17.2",
    ),
]
RTCP_TAGGED = [
    pytest.param(KEYS_128, "841dd9683dd78ec92ae58790125f62b3", id="rfc7714-17.3"),
    pytest.param(KEYS_256, "91db4afbfeee5a978fab4393ed2615fe", id="rfc7714-17.4"),
]


@pytest.mark.requirement("sdp-media:SEC02")
@pytest.mark.parametrize(("keys", "cipher"), RTP)
def test_rtp_vector(keys: SessionKeys, cipher: str) -> None:
    protected = HEADER + bytes.fromhex(cipher)

    assert GcmSender(keys).protect(HEADER, PAYLOAD) == protected
    assert GcmSender(keys).protect_run([HEADER], [PAYLOAD]) == [protected]
    assert GcmReceiver(keys).unprotect(protected) == HEADER + PAYLOAD


@pytest.mark.requirement("sdp-media:SEC02")
@pytest.mark.parametrize(("keys", "protected"), RTCP_ENCRYPTED)
def test_rtcp_vector(keys: SessionKeys, protected: str) -> None:
    sender = GcmSender(keys, first_rtcp_index=RTCP_INDEX)

    assert sender.protect_rtcp(RTCP) == bytes.fromhex(protected)
    assert GcmReceiver(keys).unprotect_rtcp(bytes.fromhex(protected)) == RTCP


@pytest.mark.requirement("sdp-media:SEC02")
@pytest.mark.requirement("sdp-media:SEC07")
@pytest.mark.parametrize(("keys", "tag"), RTCP_TAGGED)
def test_rtcp_that_is_only_authenticated_is_taken(keys: SessionKeys, tag: str) -> None:
    protected = RTCP + bytes.fromhex(tag) + RTCP_INDEX.to_bytes(4, "big")

    assert GcmReceiver(keys).unprotect_rtcp(protected) == RTCP


@pytest.mark.requirement("sdp-media:SEC07")
def test_clearing_the_e_bit_of_an_encrypted_packet_does_not_pass() -> None:
    protected = bytearray(GcmSender(KEYS_128).protect_rtcp(RTCP))
    protected[-4] &= 0x7F

    with pytest.raises(SrtpError) as caught:
        GcmReceiver(KEYS_128).unprotect_rtcp(bytes(protected))

    assert caught.value.reason is SrtpFailure.AUTHENTICATION_FAILED


@pytest.mark.requirement("sdp-media:SEC07")
@pytest.mark.requirement("sdp-media:SEC08")
def test_the_last_rtcp_index_is_used_and_none_after_it() -> None:
    sender = GcmSender(KEYS_128, first_rtcp_index=(1 << 31) - 1)

    assert sender.protect_rtcp(RTCP)[-4:] == b"\xff\xff\xff\xff"
    with pytest.raises(SrtpError) as caught:
        sender.protect_rtcp(RTCP)

    assert caught.value.reason is SrtpFailure.KEY_EXHAUSTED
