"""Who a client of the server under test says it is (RFC 8489 section 9.2)."""

from __future__ import annotations

import binascii
import dataclasses
from collections.abc import Sequence
from typing import Final

from .building import MessageBuilder, md5_key, sha256_key, userhash
from .codes import COOKIE_PREFIX, Attr
from .outcome import NotOffered
from .reading import ReceivedMessage
from .target import Credential

MD5_ALGORITHM: Final = bytes([0, 1, 0, 0])
SHA256_ALGORITHM: Final = bytes([0, 2, 0, 0])

SHA256_BIT: Final = 0x800000
USERHASH_BIT: Final = 0x400000
"""Of the 24 security feature bits of a nonce (RFC 8489 section 18.1)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 or 438 asks to be answered with."""

    realm: bytes
    nonce: bytes
    algorithms: bytes | None

    @classmethod
    def of(cls, response: ReceivedMessage) -> Challenge | None:
        realm, nonce = response.get(Attr.REALM), response.get(Attr.NONCE)
        if realm is None or nonce is None:
            return None
        return cls(realm, nonce, response.get(Attr.PASSWORD_ALGORITHMS))

    @property
    def uses_sha256(self) -> bool:
        """Whether SHA-256 is offered, and the nonce's feature bit vouches for that."""
        offered = self.algorithms is not None and SHA256_ALGORITHM in password_algorithms(
            self.algorithms
        )
        return offered and self.nonce.startswith(COOKIE_PREFIX.encode())


class Identity:
    """A credential, and what the server has asked to be answered with."""

    def __init__(self, credential: Credential | None) -> None:
        self.credential = credential
        self.challenge: Challenge | None = None
        self.is_bound_to_md5 = False
        """Sign as clients of RFC 5389 do, whatever the server offers."""

    @property
    def uses_sha256(self) -> bool:
        """Whether it signs with MESSAGE-INTEGRITY-SHA256."""
        if self.challenge is None or self.is_bound_to_md5:
            return False
        return self.challenge.uses_sha256

    @property
    def username(self) -> bytes:
        """As USERNAME has it; that of nobody without a credential."""
        return b"nobody" if self.credential is None else self.credential.username.encode()

    @property
    def integrity_kind(self) -> Attr:
        """What answers to it have to be signed with (RFC 8489 section 9.2.4)."""
        return Attr.MESSAGE_INTEGRITY_SHA256 if self.uses_sha256 else Attr.MESSAGE_INTEGRITY

    def key(self, credential: Credential | None = None) -> bytes:
        """That of the challenge and a credential (this client's, unless one is given).

        Raises:
            NotOffered: there is no challenge yet, or no credential.
        """
        challenge, used = self._expect_challenge(), self._used(credential)
        realm = challenge.realm.decode(errors="replace")
        derive = sha256_key if self.uses_sha256 else md5_key
        return derive(used.username, realm, used.password)

    def identify(
        self, builder: MessageBuilder, credential: Credential | None = None
    ) -> MessageBuilder:
        """Append who asks, in answer to the challenge; the integrity is still to come."""
        return self._answer(builder, Attr.USERNAME, self._used(credential).username.encode())

    def identify_hidden(self, builder: MessageBuilder) -> MessageBuilder:
        """The same with USERHASH in place of USERNAME."""
        realm = self._expect_challenge().realm.decode(errors="replace")
        return self._answer(builder, Attr.USERHASH, userhash(self._used(None).username, realm))

    def _answer(self, builder: MessageBuilder, kind: int, name: bytes) -> MessageBuilder:
        challenge = self._expect_challenge()
        builder.add(kind, name)
        builder.add(Attr.REALM, challenge.realm).add(Attr.NONCE, challenge.nonce)
        if self.uses_sha256:
            assert challenge.algorithms is not None
            builder.add(Attr.PASSWORD_ALGORITHMS, challenge.algorithms)
            builder.add(Attr.PASSWORD_ALGORITHM, SHA256_ALGORITHM)
        return builder

    def seal(self, builder: MessageBuilder, credential: Credential | None = None) -> MessageBuilder:
        """Append the integrity that fits the challenge."""
        key = self.key(credential)
        if self.uses_sha256:
            return builder.add_integrity_sha256(key)
        return builder.add_integrity(key)

    def sign(self, builder: MessageBuilder, credential: Credential | None = None) -> MessageBuilder:
        """Append what the challenge asks for, and the integrity."""
        return self.seal(self.identify(builder, credential), credential)

    def _used(self, credential: Credential | None) -> Credential:
        used = credential or self.credential
        if used is None:
            raise NotOffered("no credential was given: --user NAME:PASSWORD")
        return used

    def _expect_challenge(self) -> Challenge:
        if self.challenge is None:
            raise NotOffered("the server has asked for no credentials")
        return self.challenge


def password_algorithms(algorithms: bytes) -> Sequence[bytes]:
    """The entries of PASSWORD-ALGORITHMS (section 14.11)."""
    found, offset = [], 0
    while offset + 4 <= len(algorithms):
        size = int.from_bytes(algorithms[offset + 2 : offset + 4], "big")
        end = offset + 4 + size + -size % 4
        found.append(algorithms[offset:end])
        offset = end
    return found


def feature_bits(nonce: bytes) -> int | None:
    """The 24 security feature bits of a nonce, or None if it has none (section 9.2)."""
    prefix = COOKIE_PREFIX.encode()
    if not nonce.startswith(prefix) or len(nonce) < len(prefix) + 4:
        return None
    try:
        bits = binascii.a2b_base64(nonce[len(prefix) : len(prefix) + 4])
    except binascii.Error:
        return None
    return int.from_bytes(bits, "big") if len(bits) == 3 else None
