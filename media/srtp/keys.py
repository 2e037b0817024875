"""Session keys from the master key and master salt (RFC 3711 section 4.3)."""

from __future__ import annotations

import dataclasses

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from transport.srtp_profile import SrtpProfile

# The labels of RFC 3711 section 4.3.2.
LABEL_RTP_ENCRYPTION = 0x00
LABEL_RTP_AUTHENTICATION = 0x01
LABEL_RTP_SALT = 0x02
LABEL_RTCP_ENCRYPTION = 0x03
LABEL_RTCP_AUTHENTICATION = 0x04
LABEL_RTCP_SALT = 0x05

HMAC_SHA1_KEY_LENGTH = 20
"""n_a of RFC 3711 section 5.2."""

_PRF_SALT_LENGTH = 14


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class SessionKeys:
    """The keys that packets of one direction are protected with.

    Those for authentication are empty where the cipher authenticates (AEAD).
    """

    rtp_key: bytes
    rtp_salt: bytes
    rtcp_key: bytes
    rtcp_salt: bytes
    rtp_authentication_key: bytes = b""
    rtcp_authentication_key: bytes = b""


def derive_key(master_key: bytes, master_salt: bytes, label: int, *, length: int) -> bytes:
    """One session key: AES in counter mode over label and master salt.

    The key derivation rate is zero, as DTLS-SRTP has it, so that the packet index
    does not come in. A 96-bit salt is padded on the right to 112 bits (RFC 7714
    section 11). The PRF follows the size of the master key (RFC 6188 section 3).
    """
    salt = int.from_bytes(master_salt.ljust(_PRF_SALT_LENGTH, b"\0"), "big")
    counter = (salt ^ (label << 48)) << 16
    cipher = Cipher(algorithms.AES(master_key), modes.CTR(counter.to_bytes(16, "big")))
    return cipher.encryptor().update(bytes(length))


def derive_session_keys(profile: SrtpProfile, key: bytes, salt: bytes) -> SessionKeys:
    """All that a profile needs.

    Raises:
        ValueError: key or salt have not the length of the profile.
    """
    check_lengths(profile, key, salt)
    is_aead = profile is not SrtpProfile.AES128_CM_SHA1_80
    authentication_length = 0 if is_aead else HMAC_SHA1_KEY_LENGTH

    def derive(label: int, length: int) -> bytes:
        return derive_key(key, salt, label, length=length)

    return SessionKeys(
        rtp_key=derive(LABEL_RTP_ENCRYPTION, profile.key_length),
        rtp_salt=derive(LABEL_RTP_SALT, profile.salt_length),
        rtcp_key=derive(LABEL_RTCP_ENCRYPTION, profile.key_length),
        rtcp_salt=derive(LABEL_RTCP_SALT, profile.salt_length),
        rtp_authentication_key=derive(LABEL_RTP_AUTHENTICATION, authentication_length),
        rtcp_authentication_key=derive(LABEL_RTCP_AUTHENTICATION, authentication_length),
    )


def check_lengths(profile: SrtpProfile, key: bytes, salt: bytes) -> None:
    """Refuse keying material that is not the profile's.

    Raises:
        ValueError: key or salt have not the length of the profile.
    """
    if len(key) != profile.key_length or len(salt) != profile.salt_length:
        raise ValueError(
            f"{profile.name} takes a key of {profile.key_length} and a salt of"
            f" {profile.salt_length} bytes, not {len(key)} and {len(salt)}"
        )
