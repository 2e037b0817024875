"""Answering the peer's checks (RFC 8445 section 7.3, RFC 8489 section 9.1.3)."""

from __future__ import annotations

import dataclasses

from stun import (
    KNOWN_TYPES,
    ErrorNumber,
    Message,
    Priority,
    UseCandidate,
    Username,
    short_term_key,
)
from transport import DecodeError, Path

from .check_message import error_response, success_response
from .context import AgentContext
from .credentials import IceCredentials
from .drops import DropReason
from .role import RoleVerdict


@dataclasses.dataclass(frozen=True, slots=True)
class AcceptedRequest:
    """A check that is authentic and well-formed, and what it asks for."""

    path: Path
    priority: int
    use_candidate: bool
    we_switch_role: bool = False


class ServerChecks:
    """Answers requests that are made with one generation of our credentials."""

    def __init__(self, context: AgentContext, credentials: IceCredentials) -> None:
        self._context = context
        self._prefix = f"{credentials.ufrag}:"
        self._key = short_term_key(credentials.password)

    def is_addressed(self, request: Message) -> bool:
        """Whether its USERNAME begins with our fragment; the other part is free (7.3)."""
        try:
            username = request.get(Username)
        except DecodeError:
            return False
        return username is not None and username.username.startswith(self._prefix)

    def read(self, request: Message, path: Path) -> AcceptedRequest | None:
        """Look at one request; None if it was answered with an error, which changes nothing."""
        refusal = self._authentication_error(request)
        if refusal is not None:
            # Whom we do not know gets no proof of our password (RFC 8489 section 9.1.3).
            self._refuse(error_response(request, refusal, None), path)
            return None
        unknown = request.unknown_comprehension_required(KNOWN_TYPES)
        if unknown:
            number = ErrorNumber.UNKNOWN_ATTRIBUTE
            self._refuse(error_response(request, number, self._key, unknown=unknown), path)
            return None
        try:
            accepted = self._read(request, path)
        except DecodeError:
            accepted = ErrorNumber.BAD_REQUEST
        if isinstance(accepted, ErrorNumber):
            self._refuse(error_response(request, accepted, self._key), path)
            return None
        return accepted

    def accept(self, request: Message, path: Path) -> None:
        """Answer with success."""
        self._context.send(path, success_response(request, path.remote, self._key))
        self._context.requests_answered += 1

    def refuse_nomination(self, request: Message, path: Path) -> None:
        """Tell the controlling peer to choose another pair (section 7.3.1.5)."""
        self._refuse(error_response(request, ErrorNumber.BAD_REQUEST, self._key), path)

    def _authentication_error(self, request: Message) -> ErrorNumber | None:
        if not request.has_integrity or not request.has(Username):
            return ErrorNumber.BAD_REQUEST
        if not self.is_addressed(request) or not request.verify_integrity(self._key):
            return ErrorNumber.UNAUTHENTICATED
        return None

    def _read(self, request: Message, path: Path) -> AcceptedRequest | ErrorNumber:
        priority = request.get(Priority)
        nominates = request.get(UseCandidate) is not None
        if priority is None or priority.priority == 0:
            return ErrorNumber.BAD_REQUEST
        verdict = self._context.role.judge(request)
        if verdict is RoleVerdict.PEER_SWITCHES:
            return ErrorNumber.ROLE_CONFLICT
        switch = verdict is RoleVerdict.WE_SWITCH
        return AcceptedRequest(path, priority.priority, nominates, we_switch_role=switch)

    def _refuse(self, response: bytes, path: Path) -> None:
        self._context.drop(DropReason.REQUEST_REFUSED)
        self._context.send(path, response)
