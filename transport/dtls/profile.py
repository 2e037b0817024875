"""SRTP protection profiles and keys (RFC 5764 sections 4.1.2 and 4.2, RFC 7714 section 14.2)."""

from __future__ import annotations

import dataclasses
import enum
from typing import Self

from transport.srtp_profile import SrtpProfile as SrtpProfile

EXPORTER_LABEL = b"EXTRACTOR-dtls_srtp"
"""RFC 5764 section 4.2."""


class DtlsRole(enum.Enum):
    """Who sends the ClientHello: ``a=setup:active`` is the client (RFC 5763 section 5)."""

    CLIENT = "client"
    SERVER = "server"


DEFAULT_PROFILES = (
    SrtpProfile.AEAD_AES_128_GCM,
    SrtpProfile.AEAD_AES_256_GCM,
    SrtpProfile.AES128_CM_SHA1_80,
)
"""In order of preference; RFC 8827 section 6.5 makes the last one mandatory."""


@dataclasses.dataclass(frozen=True, slots=True)
class SrtpKeys:
    """Master keys and salts: ``local`` protects what is sent, ``remote`` what is received."""

    local_key: bytes = dataclasses.field(repr=False)
    local_salt: bytes = dataclasses.field(repr=False)
    remote_key: bytes = dataclasses.field(repr=False)
    remote_salt: bytes = dataclasses.field(repr=False)

    @classmethod
    def from_material(cls, material: bytes, profile: SrtpProfile, role: DtlsRole) -> Self:
        """Cut up exported keying material (RFC 5764 section 4.2).

        Raises:
            ValueError: it has not ``profile.material_length`` bytes.
        """
        if len(material) != profile.material_length:
            raise ValueError(f"{profile.name} needs {profile.material_length} bytes of material")
        key, salt = profile.key_length, profile.salt_length
        client_key, server_key = material[:key], material[key : 2 * key]
        client_salt, server_salt = material[2 * key : 2 * key + salt], material[2 * key + salt :]
        if role is DtlsRole.CLIENT:
            return cls(client_key, client_salt, server_key, server_salt)
        return cls(server_key, server_salt, client_key, client_salt)
