"""The STUN messages of connectivity checks and of consent (RFC 8445 sections 7.1, 7.3)."""

from __future__ import annotations

import dataclasses

from stun import (
    AnyAttribute,
    ErrorCode,
    ErrorNumber,
    IntegrityAlgorithm,
    IntegrityKey,
    Message,
    MessageClass,
    Method,
    Priority,
    UnknownAttributes,
    UseCandidate,
    Username,
    XorMappedAddress,
    encode_message,
    short_term_key,
)
from transport import RandomBytes, TransportAddress

from .credentials import IceCredentials
from .role import Role

TRANSACTION_ID_BYTES = 12


@dataclasses.dataclass(frozen=True, slots=True)
class RemoteParameters:
    """What the peer's offer or answer says of it as a whole."""

    credentials: IceCredentials
    options: tuple[str, ...] = ()
    lite: bool = False
    key: IntegrityKey = dataclasses.field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", short_term_key(self.credentials.password))


class RequestFactory:
    """Builds our requests: checks, nominations, consent (section 7.2.4)."""

    def __init__(
        self, local: IceCredentials, remote: RemoteParameters, random_bytes: RandomBytes
    ) -> None:
        self._username = Username(f"{remote.credentials.ufrag}:{local.ufrag}")
        self._random_bytes = random_bytes
        self.key = remote.key

    def request(self, role: Role, *, priority: int) -> bytes:
        return self._encode([self._username, role.attribute(), Priority(priority)])

    def nomination(self, role: Role, *, priority: int) -> bytes:
        """The same with USE-CANDIDATE, which only a controlling agent sends."""
        return self._encode([self._username, role.attribute(), Priority(priority), UseCandidate()])

    def _encode(self, attributes: list[AnyAttribute]) -> bytes:
        # A fresh, unpredictable id each: consent rests on it (RFC 7675 section 5.1).
        transaction_id = self._random_bytes(TRANSACTION_ID_BYTES)
        return encode_message(
            Method.BINDING,
            MessageClass.REQUEST,
            transaction_id,
            attributes,
            key=self.key,
            fingerprint=True,
        )


def success_response(request: Message, source: TransportAddress, key: IntegrityKey) -> bytes:
    return _answer(request, MessageClass.SUCCESS, [XorMappedAddress(source)], key)


def error_response(
    request: Message,
    number: ErrorNumber,
    key: IntegrityKey | None,
    *,
    unknown: tuple[int, ...] = (),
) -> bytes:
    """An error; without a key where the request was not authenticated (RFC 8489 9.1.3)."""
    attributes: list[AnyAttribute] = [ErrorCode(number, number.phrase)]
    if unknown:
        attributes.append(UnknownAttributes(unknown))
    return _answer(request, MessageClass.ERROR, attributes, key)


def _answer(
    request: Message,
    message_class: MessageClass,
    attributes: list[AnyAttribute],
    key: IntegrityKey | None,
) -> bytes:
    return encode_message(
        Method.BINDING,
        message_class,
        request.transaction_id,
        attributes,
        key=key,
        algorithm=_in_kind(request),
        fingerprint=True,
    )


def _in_kind(request: Message) -> IntegrityAlgorithm:
    """A request with MESSAGE-INTEGRITY-SHA256 is answered with the same (RFC 8489 9.1.3)."""
    if request.integrity in (IntegrityAlgorithm.SHA256, IntegrityAlgorithm.BOTH):
        return IntegrityAlgorithm.SHA256
    return IntegrityAlgorithm.SHA1
