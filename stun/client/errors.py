"""What the client's users catch; the machine itself raises ClientClosed alone."""

from __future__ import annotations

from stun.errors import StunError

from .events import FailureReason, RequestFailed


class StunClientError(StunError):
    """Base of every error of the STUN client."""


class ClientClosed(StunClientError):
    """``close`` was called."""


class RequestError(StunClientError):
    """A request has failed; ``failure`` says how."""

    def __init__(self, failure: RequestFailed) -> None:
        details = (str(failure.code or ""), failure.phrase)
        detail = " ".join(filter(None, details))
        super().__init__(failure.reason.value + (f" ({detail})" if detail else ""))
        self.failure = failure


class RequestRefused(RequestError):
    """The server has answered, but not with what was asked of it."""


class ServerSilent(RequestError):
    """No answer came in time."""


class ServerUnreachable(RequestError):
    """There is nobody at the server's port, or the connection could not be made or is gone."""


def error_of(failure: RequestFailed) -> RequestError:
    """The exception for a failure."""
    match failure.reason:
        case FailureReason.TIMED_OUT:
            return ServerSilent(failure)
        case FailureReason.UNREACHABLE:
            return ServerUnreachable(failure)
        case _:
            return RequestRefused(failure)
