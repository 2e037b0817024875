from __future__ import annotations

import pytest

from transport.dtls import DtlsRole, SrtpKeys, SrtpProfile


@pytest.mark.parametrize(
    ("profile", "length"),
    [
        (SrtpProfile.AEAD_AES_128_GCM, 2 * (16 + 12)),
        (SrtpProfile.AEAD_AES_256_GCM, 2 * (32 + 12)),
        (SrtpProfile.AES128_CM_SHA1_80, 2 * (16 + 14)),
    ],
)
def test_a_profile_needs_two_keys_and_two_salts(profile: SrtpProfile, length: int) -> None:
    assert profile.material_length == length


@pytest.mark.requirement("sdp-media:SEC04")
@pytest.mark.parametrize("profile", SrtpProfile)
def test_keys_stand_before_salts_and_the_clients_before_the_servers(profile: SrtpProfile) -> None:
    client_key, server_key = b"c" * profile.key_length, b"s" * profile.key_length
    client_salt, server_salt = b"x" * profile.salt_length, b"y" * profile.salt_length
    material = client_key + server_key + client_salt + server_salt

    client = SrtpKeys.from_material(material, profile, DtlsRole.CLIENT)
    server = SrtpKeys.from_material(material, profile, DtlsRole.SERVER)

    assert client == SrtpKeys(client_key, client_salt, server_key, server_salt)
    assert server == SrtpKeys(server_key, server_salt, client_key, client_salt)


def test_material_of_another_length_is_refused() -> None:
    profile = SrtpProfile.AEAD_AES_128_GCM

    with pytest.raises(ValueError, match="needs 56 bytes"):
        SrtpKeys.from_material(bytes(55), profile, DtlsRole.CLIENT)


def test_keys_are_not_shown_in_logs() -> None:
    keys = SrtpKeys(b"local-key", b"local-salt", b"remote-key", b"remote-salt")

    assert repr(keys) == "SrtpKeys()"
