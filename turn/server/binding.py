"""Binding requests to the relay, as far as its operator has enabled (RFC 8489, 5780, 3489)."""

from __future__ import annotations

from stun import Message
from stun.server import (
    BehaviorServer,
    binding_response,
    classic_binding_response,
    refusal_without_cookie,
)
from transport import Path, TransportProtocol

from .config import ServerConfig
from .state import Outbox
from .stats import DropReason


class BindingProcedure:
    """Tells clients their addresses; nobody is authenticated."""

    __slots__ = ("_answers_classic", "_behavior", "_outbox")

    def __init__(self, config: ServerConfig, outbox: Outbox) -> None:
        self._outbox = outbox
        self._answers_classic = config.classic_stun
        self._behavior: BehaviorServer | None = None
        if config.nat_discovery:
            self._behavior = BehaviorServer(config.alternate_pair, advertised=config.advertised)

    def answer(self, request: Message, path: Path, now: float) -> None:
        if self._behavior is None:
            self._outbox.send(path, binding_response(request, path))
            return
        transmit = self._behavior.respond(request, path, now)
        if transmit is None:
            self._outbox.drop(DropReason.RATE_LIMITED)
        else:
            self._outbox.transmits.append(transmit)

    def answer_undecodable(self, data: bytes, path: Path) -> None:
        """What is no message of RFC 8489 may be one of RFC 3489, which knew UDP alone, and
        must not be taken over DTLS (RFC 8489 section 11)."""
        answer: bytes | None = None
        if self._answers_classic and path.transport is TransportProtocol.UDP:
            answer = classic_binding_response(data, path)
        elif path.transport is TransportProtocol.DTLS:
            answer = refusal_without_cookie(data)
        if answer is None:
            self._outbox.drop(DropReason.NOT_TURN)
        else:
            self._outbox.send(path, answer)
