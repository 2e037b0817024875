"""What the client's users catch; a machine itself raises ClientStateError alone."""

from __future__ import annotations

from .events import AllocationFailed, FailureReason


class TurnClientError(Exception):
    """Base of every error of the TURN client."""


class ClientStateError(TurnClientError):
    """The verb does not fit the client's state, for instance before ``Allocated``."""


class AllocationError(TurnClientError):
    """No server relays for us; ``failure`` says what the last one asked has answered."""

    def __init__(self, failure: AllocationFailed) -> None:
        detail = " ".join(filter(None, (str(failure.code or ""), failure.phrase)))
        told = failure.reason.value + (f" ({detail})" if detail else "")
        super().__init__(f"no allocation: {told}")
        self.failure = failure


class AllocationGone(TurnClientError):
    """The allocation is no more: closed by us, or lost for ``reason``."""

    def __init__(self, reason: FailureReason | None = None) -> None:
        super().__init__("closed" if reason is None else reason.value)
        self.reason = reason


class MoveRefused(TurnClientError):
    """The allocation stays where it is: the server has refused the move, or is silent."""

    def __init__(self, code: int | None, reason: FailureReason, phrase: str = "") -> None:
        super().__init__(reason.value if code is None else f"{code} {phrase}".rstrip())
        self.code = code
        self.reason = reason


class PeerRefused(TurnClientError):
    """The server gives no permission, no channel, or no connection for this peer."""

    def __init__(self, code: int | None, reason: FailureReason, phrase: str = "") -> None:
        super().__init__(reason.value if code is None else f"{code} {phrase}".rstrip())
        self.code = code
        self.reason = reason
