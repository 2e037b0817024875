from __future__ import annotations

import pytest

from media.srtp import SrtpProfile
from media.srtp.keys import derive_key, derive_session_keys

MASTER_KEY = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
MASTER_SALT = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")

# RFC 3711 appendix B.3.
VECTORS = [
    pytest.param(0, "C61E7A93744F39EE10734AFE3FF7A087", id="cipher-key"),
    pytest.param(2, "30CBBC08863D8C85D49DB34A9AE1", id="cipher-salt"),
    pytest.param(
        1,
        "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE"
        "E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25"
        "6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2",
        id="auth-key",
    ),
]


@pytest.mark.requirement("sdp-media:SEC01")
@pytest.mark.parametrize(("label", "expected"), VECTORS)
def test_keys_are_derived_as_rfc_3711_prints_them(label: int, expected: str) -> None:
    key = bytes.fromhex(expected)

    assert derive_key(MASTER_KEY, MASTER_SALT, label, length=len(key)) == key


@pytest.mark.requirement("sdp-media:SEC01")
def test_the_keystream_is_the_one_of_rfc_3711() -> None:
    key = bytes.fromhex("2B7E151628AED2A6ABF7158809CF4F3C")
    salt = bytes.fromhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD")

    keystream = derive_key(key, salt, 0, length=1_044_512)

    assert keystream[:48] == bytes.fromhex(
        "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"
        "41E95B3BB0A2E8DD477901E4FCA894C0"
    )
    assert keystream[-48:] == bytes.fromhex(
        "EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE"
        "6A2CC3787889374FBEB4C81B17BA6C44"
    )


@pytest.mark.parametrize("profile", SrtpProfile)
@pytest.mark.parametrize(("key_excess", "salt_excess"), [(1, 0), (-1, 0), (0, 1), (0, -1)])
def test_keying_material_of_another_length_is_refused_without_showing_it(
    profile: SrtpProfile, key_excess: int, salt_excess: int
) -> None:
    key = b"K" * (profile.key_length + key_excess)
    salt = b"K" * (profile.salt_length + salt_excess)

    with pytest.raises(ValueError, match="takes a key of") as caught:
        derive_session_keys(profile, key, salt)

    assert "KKK" not in str(caught.value)


def test_session_keys_do_not_show_in_a_repr() -> None:
    keys = derive_session_keys(SrtpProfile.AEAD_AES_128_GCM, bytes(16), bytes(12))

    assert repr(keys.rtp_key) not in repr(keys)
