"""The short-term credential mechanism, both sides (RFC 8489 section 9.1).

ICE uses it: each side knows the other's username fragment and password from the
signaling.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Sequence

from transport import DecodeError

from .attributes import (
    KNOWN_TYPES,
    AnyAttribute,
    ErrorCode,
    ErrorNumber,
    UnknownAttributes,
    Username,
)
from .credentials import short_term_key
from .encoding import encode_message
from .integrity import IntegrityAlgorithm, IntegrityKey
from .message import Message
from .opaque_string import opaque_string
from .transaction import Verdict
from .types import MessageClass


@dataclasses.dataclass(frozen=True, slots=True)
class Authenticated:
    """A request or indication whose integrity holds.

    ``algorithm`` is the one that the response must carry (section 9.1.3).
    """

    username: str
    key: IntegrityKey
    algorithm: IntegrityAlgorithm


@dataclasses.dataclass(frozen=True, slots=True)
class Rejected:
    """A request to be answered with an error; an indication to be dropped.

    ``authenticated`` is there when the message passed authentication and failed
    afterwards: only then may the response carry integrity.
    """

    error: ErrorCode
    unknown_attributes: tuple[int, ...] = ()
    authenticated: Authenticated | None = None

    def response(self, request: Message, *, fingerprint: bool = False) -> bytes:
        """The error response that section 9.1.3 asks for."""
        attributes: list[AnyAttribute] = [self.error]
        if self.unknown_attributes:
            attributes.append(UnknownAttributes(self.unknown_attributes))
        proof = self.authenticated
        return encode_message(
            request.method,
            MessageClass.ERROR,
            request.transaction_id,
            attributes,
            key=proof.key if proof else None,
            algorithm=proof.algorithm if proof else IntegrityAlgorithm.SHA1,
            fingerprint=fingerprint,
        )


def authenticate_short_term(
    message: Message,
    find_key: Callable[[str], IntegrityKey | None],
    *,
    understood: Container[int] = KNOWN_TYPES,
) -> Authenticated | Rejected:
    """A server's checks of a request or indication, in the RFC's order (section 9.1.3).

    ``find_key`` returns the key of a username that is valid now, or None. The last
    check is for unknown comprehension-required attributes (section 6.3.1), which
    comes after authentication.
    """
    username = _legible_username(message)
    if username is None or not message.has_integrity:
        return Rejected(ErrorCode.of(ErrorNumber.BAD_REQUEST))
    key = find_key(username)
    if key is None or not message.verify_integrity(key):
        return Rejected(ErrorCode.of(ErrorNumber.UNAUTHENTICATED))
    algorithm = message.integrity
    if algorithm is not IntegrityAlgorithm.SHA1:
        algorithm = IntegrityAlgorithm.SHA256
    authenticated = Authenticated(username, key, algorithm)
    unknown = message.unknown_comprehension_required(understood)
    if unknown:
        error = ErrorCode.of(ErrorNumber.UNKNOWN_ATTRIBUTE)
        return Rejected(error, unknown, authenticated)
    return authenticated


class ShortTermVerifier:
    """A client's check of responses (section 9.1.4); one for each request.

    ``algorithm`` is what the request was sent with. After a response, ``agreed``
    is what later requests to the same server must be sent with (section 9.1.5).
    """

    __slots__ = ("_algorithm", "_key", "agreed")

    def __init__(
        self, key: IntegrityKey, algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1
    ) -> None:
        self._key = key
        self._algorithm = algorithm
        self.agreed = algorithm

    def verify(self, response: Message) -> Verdict:
        found = response.integrity
        if found is None:
            return Verdict.INTEGRITY_VIOLATED
        if self._algorithm is not IntegrityAlgorithm.BOTH and found is not self._algorithm:
            return Verdict.IGNORED
        if not response.verify_integrity(self._key):
            return Verdict.INTEGRITY_VIOLATED
        if found is not IntegrityAlgorithm.BOTH:
            self.agreed = found
        return Verdict.ACCEPTED


class ShortTermClient:
    """Credentials at one server, and the integrity algorithm that it has turned out to know.

    Raises:
        OpaqueStringError: the username or the password is not allowed.
    """

    __slots__ = ("_key", "_username", "algorithm")

    def __init__(
        self,
        username: str,
        password: str,
        algorithm: IntegrityAlgorithm = IntegrityAlgorithm.BOTH,
    ) -> None:
        self._username = Username(opaque_string(username))
        self._key = short_term_key(password)
        self.algorithm = algorithm

    def request(self, method: int, attributes: Sequence[AnyAttribute]) -> ShortTermRequest:
        """A new request to this server."""
        return ShortTermRequest(self, method, attributes)

    def sign(
        self,
        method: int,
        message_class: MessageClass,
        transaction_id: bytes,
        *,
        attributes: Sequence[AnyAttribute],
    ) -> bytes:
        """A request or an indication with its integrity (section 9.1.2).

        Raises:
            ValueError: an attribute cannot be encoded.
        """
        return encode_message(
            method,
            message_class,
            transaction_id,
            (*attributes, self._username),
            key=self._key,
            algorithm=self.algorithm,
        )

    def verifier(self) -> ShortTermVerifier:
        """For the response to what is signed now."""
        return ShortTermVerifier(self._key, self.algorithm)

    def proves(self, response: Message) -> bool:
        """Whether the integrity of a response was made with our key."""
        return response.verify_integrity(self._key)


class ShortTermRequest:
    """One request; the verifier of its transactions."""

    __slots__ = ("_attributes", "_client", "_method", "_verifier")

    def __init__(
        self, client: ShortTermClient, method: int, attributes: Sequence[AnyAttribute]
    ) -> None:
        self._client = client
        self._method = method
        self._attributes = tuple(attributes)
        self._verifier = client.verifier()

    def encode(self, transaction_id: bytes) -> bytes:
        """
        Raises:
            ValueError: an attribute cannot be encoded.
        """
        self._verifier = self._client.verifier()
        return self._client.sign(
            self._method, MessageClass.REQUEST, transaction_id, attributes=self._attributes
        )

    def verify(self, response: Message) -> Verdict:
        """The checks of section 9.1.4; the server's algorithm is kept (section 9.1.5)."""
        verdict = self._verifier.verify(response)
        if verdict is Verdict.ACCEPTED:
            self._client.algorithm = self._verifier.agreed
        return verdict

    def retry(self, response: Message) -> bool:
        """Never: what is wrong with a short-term credential does not pass (section 9.1.4)."""
        return False

    def is_authenticated(self, response: Message) -> bool:
        return self._client.proves(response)


def _legible_username(message: Message) -> str | None:
    try:
        attribute = message.get(Username)
    except DecodeError:
        return None
    return None if attribute is None else attribute.username
