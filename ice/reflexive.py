"""A server-reflexive candidate from a STUN server (RFC 8445 sections 5.1.1.2 and 5.1.1.4)."""

from __future__ import annotations

import collections
import logging

from stun import (
    ClientTransaction,
    MessageClass,
    Method,
    ResponseReceived,
    encode_message,
    reflexive_address,
)

from .check_message import TRANSACTION_ID_BYTES
from .checks_client import RTO
from .context import AgentContext
from .findings import MappedFound, SourceFailed, SourceFinding
from .origin import Origin

logger = logging.getLogger(__name__)

KEEPALIVE_INTERVAL = 15.0
"""Seconds: half the life of a NAT binding that lives no longer than 30 s, as real ones do;
also the shortest Tr of RFC 8445 section 11."""


class ReflexiveSource:
    """Asks a server for our mapped address, and again and again, which keeps it mapped.

    The request has no credentials. Nothing follows from an error response: least of
    all is an ALTERNATE-SERVER asked, which anybody could have sent (section 5.1.1.2).
    """

    def __init__(
        self,
        number: int,
        origin: Origin,
        context: AgentContext,
        findings: collections.deque[SourceFinding],
    ) -> None:
        self.number = number
        self.origin = origin
        self.is_settled = False
        """It has found something, or will not."""
        self.is_over = False
        self.is_released = False
        self._context = context
        self._findings = findings
        self._transaction: ClientTransaction | None = None
        self._next_at: float | None = None

    def start(self, now: float) -> None:
        """Send a Binding request."""
        self._next_at = None
        request = encode_message(
            Method.BINDING,
            MessageClass.REQUEST,
            self._context.random_bytes(TRANSACTION_ID_BYTES),
            (),
        )
        self._transaction = ClientTransaction(request, self.origin.path, rto=RTO)
        self._transaction.start(now)
        self._advance(now)

    def receive(self, data: bytes, now: float) -> None:
        """A Binding response from the server."""
        if self._transaction is not None:
            self._transaction.receive(data, self.origin.path, now)
            self._advance(now)

    def handle_timeout(self, now: float) -> None:
        if self._transaction is not None:
            self._transaction.handle_timeout(now)
            self._advance(now)
        elif self._next_at is not None and self._next_at <= now:
            self.start(now)

    def next_timeout(self) -> float | None:
        transaction = self._transaction
        return self._next_at if transaction is None else transaction.next_timeout()

    def release(self, now: float) -> None:
        """The mapping is needed no more."""
        self.is_settled = self.is_over = self.is_released = True
        self._transaction = self._next_at = None

    def _advance(self, now: float) -> None:
        transaction = self._transaction
        if transaction is None:
            return
        if (transmit := transaction.poll_transmit()) is not None:
            self._context.transmits.append(transmit)
        if transaction.is_open:
            return
        self._transaction = None
        event = transaction.poll_event()
        mapped = None
        if (
            isinstance(event, ResponseReceived)
            and event.message.message_class is MessageClass.SUCCESS
        ):
            mapped = reflexive_address(event.message)
        if mapped is not None and mapped.is_ipv6 == self.origin.path.local.is_ipv6:
            self._findings.append(MappedFound(self.origin, mapped))
        elif not self.is_settled:
            logger.info("no mapped address from %s", self.origin.server.uri)
            self.is_over = True
            self._findings.append(SourceFailed(self.origin))
        self.is_settled = True
        if not self.is_over:
            self._next_at = now + KEEPALIVE_INTERVAL
