"""A request that has passed authentication, and how it is answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from stun import AnyAttribute, ErrorCode, ErrorNumber, Message, MessageClass, encode_message
from stun.server import LongTermAuthenticated
from transport import Path


class Refused(Exception):
    """Ends a procedure with an error response; it never leaves the server."""

    def __init__(self, error: ErrorNumber, attributes: Sequence[AnyAttribute] = ()) -> None:
        super().__init__(error)
        self.error = error
        self.attributes = tuple(attributes)


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """Who asks what, on which 5-tuple; answers are signed as RFC 8489 section 9.2.4 says.

    ``token_ends_at`` is when the access token ends that the request carries, if it does.
    """

    message: Message
    path: Path
    now: float
    proof: LongTermAuthenticated
    token_ends_at: float | None = None

    def success(self, attributes: Sequence[AnyAttribute] = ()) -> bytes:
        return self._encode(MessageClass.SUCCESS, attributes)

    def failure(self, refusal: Refused) -> bytes:
        code = ErrorCode.of(refusal.error)
        return self._encode(MessageClass.ERROR, (code, *refusal.attributes))

    def _encode(self, message_class: MessageClass, attributes: Sequence[AnyAttribute]) -> bytes:
        return encode_message(
            self.message.method,
            message_class,
            self.message.transaction_id,
            attributes,
            key=self.proof.key,
            algorithm=self.proof.integrity,
            fingerprint=self.message.fingerprint_ok is not None,
        )
