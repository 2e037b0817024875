"""What a server demands of who asks it, in the long-term mechanism (RFC 8489 section 9.2).

The answers of ``long_term`` are built here, and what else a response says of credentials is
read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from transport import DecodeError

from .access_grant import AccessGrant
from .attributes import (
    AccessToken,
    AnyAttribute,
    ErrorCode,
    ErrorNumber,
    KeyAlgorithm,
    Nonce,
    PasswordAlgorithms,
    Realm,
    ThirdPartyAuthorization,
    UnknownAttribute,
    Userhash,
    Username,
)
from .credentials import long_term_key, userhash
from .integrity import IntegrityKey
from .message import Message
from .nonce_cookie import SecurityFeature, security_features
from .types import MessageClass


@dataclasses.dataclass(frozen=True, slots=True)
class Challenge:
    """What a 401 or 438 gave us, made ready to be sent back.

    ``identity`` is the username form, the realm and the token: a retry after 401 must
    change it. ``access_token`` goes along in the requests of ``long_term.TOKEN_METHODS``.
    """

    attributes: tuple[AnyAttribute, ...]
    key: IntegrityKey
    identity: bytes = dataclasses.field(repr=False)
    realm: bytes
    nonce: Nonce
    access_token: AccessToken | None = None


def password_challenge(
    username: str,
    password: str,
    *,
    nonce: Nonce,
    realm: bytes,
    key_algorithm: KeyAlgorithm,
    algorithms: Sequence[AnyAttribute],
) -> Challenge:
    """The answer of a user with a password; ``algorithms`` are the attributes that name it.

    Raises:
        DecodeError: the realm is malformed.
        OpaqueStringError: it is not allowed.
    """
    name = Realm.decode(realm, b"").realm
    user: Username | Userhash = Username(username)
    if SecurityFeature.USERNAME_ANONYMITY in security_features(nonce.nonce):
        user = Userhash(userhash(username, name))
    return Challenge(
        attributes=(user, UnknownAttribute(Realm.TYPE, realm), nonce, *algorithms),
        key=long_term_key(username, name, password=password, algorithm=key_algorithm),
        identity=user.encode(b"") + b"\0" + realm,
        realm=realm,
        nonce=nonce,
    )


def token_challenge(grant: AccessGrant, nonce: Nonce, realm: bytes) -> Challenge:
    """The answer of who has an access token (RFC 7635 section 4)."""
    return Challenge(
        attributes=(Username(grant.kid), UnknownAttribute(Realm.TYPE, realm), nonce),
        key=IntegrityKey(grant.mac_key),
        identity=b"\0".join((grant.kid.encode(), realm, grant.token)),
        realm=realm,
        nonce=nonce,
        access_token=AccessToken(grant.token),
    )


def error_code(response: Message) -> int | None:
    """That of an error response; None for any other message."""
    if response.message_class is not MessageClass.ERROR:
        return None
    try:
        error = response.get(ErrorCode)
    except DecodeError:
        return None
    return None if error is None else error.code


def server_name(response: Message) -> str | None:
    """The name of the server for its authorization server, where a 401 says that it takes
    access tokens (RFC 7635 section 4)."""
    if error_code(response) != ErrorNumber.UNAUTHENTICATED:
        return None
    try:
        third_party = response.get(ThirdPartyAuthorization)
    except DecodeError:
        return None
    return None if third_party is None else third_party.server_name


def lacks_algorithms(response: Message) -> bool:
    """Whether the nonce cookie announces PASSWORD-ALGORITHMS that are not there."""
    try:
        nonce = response.get(Nonce)
    except DecodeError:
        return False
    return (
        nonce is not None
        and SecurityFeature.PASSWORD_ALGORITHMS in security_features(nonce.nonce)
        and not response.has(PasswordAlgorithms)
    )
