"""Requests without credentials, in the form of those that have some."""

from __future__ import annotations

from collections.abc import Sequence

from .attributes import AnyAttribute
from .encoding import encode_message
from .message import Message
from .transaction import Verdict
from .types import MessageClass


class UnsignedRequest:
    """One request; nothing proves the response to it but its transaction id."""

    __slots__ = ("_attributes", "_method")

    def __init__(self, method: int, attributes: Sequence[AnyAttribute]) -> None:
        self._method = method
        self._attributes = tuple(attributes)

    def encode(self, transaction_id: bytes) -> bytes:
        """
        Raises:
            ValueError: an attribute cannot be encoded.
        """
        return encode_message(self._method, MessageClass.REQUEST, transaction_id, self._attributes)

    def verify(self, response: Message) -> Verdict:
        return Verdict.ACCEPTED

    def retry(self, response: Message) -> bool:
        return False

    def is_authenticated(self, response: Message) -> bool:
        return False


class UnsignedClient:
    """No credentials, in the place of ``LongTermClient``."""

    __slots__ = ()

    def request(self, method: int, attributes: Sequence[AnyAttribute]) -> UnsignedRequest:
        """A new request to this server."""
        return UnsignedRequest(method, attributes)
