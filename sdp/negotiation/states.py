"""The signaling states and the steps between them (RFC 8829 section 3.2)."""

from __future__ import annotations

import enum

from sdp.errors import InvalidStateError
from sdp.kinds import SdpType


class SignalingState(enum.Enum):
    """Where an offer/answer exchange stands."""

    STABLE = "stable"
    HAVE_LOCAL_OFFER = "have-local-offer"
    HAVE_REMOTE_OFFER = "have-remote-offer"
    HAVE_LOCAL_PRANSWER = "have-local-pranswer"
    HAVE_REMOTE_PRANSWER = "have-remote-pranswer"
    CLOSED = "closed"


_S = SignalingState

_LOCAL = {
    (_S.STABLE, SdpType.OFFER): _S.HAVE_LOCAL_OFFER,
    (_S.HAVE_LOCAL_OFFER, SdpType.OFFER): _S.HAVE_LOCAL_OFFER,
    (_S.HAVE_REMOTE_OFFER, SdpType.ANSWER): _S.STABLE,
    (_S.HAVE_REMOTE_OFFER, SdpType.PRANSWER): _S.HAVE_LOCAL_PRANSWER,
    (_S.HAVE_LOCAL_PRANSWER, SdpType.PRANSWER): _S.HAVE_LOCAL_PRANSWER,
    (_S.HAVE_LOCAL_PRANSWER, SdpType.ANSWER): _S.STABLE,
}

_REMOTE = {
    (_S.STABLE, SdpType.OFFER): _S.HAVE_REMOTE_OFFER,
    (_S.HAVE_REMOTE_OFFER, SdpType.OFFER): _S.HAVE_REMOTE_OFFER,
    (_S.HAVE_LOCAL_OFFER, SdpType.ANSWER): _S.STABLE,
    (_S.HAVE_LOCAL_OFFER, SdpType.PRANSWER): _S.HAVE_REMOTE_PRANSWER,
    (_S.HAVE_REMOTE_PRANSWER, SdpType.PRANSWER): _S.HAVE_REMOTE_PRANSWER,
    (_S.HAVE_REMOTE_PRANSWER, SdpType.ANSWER): _S.STABLE,
}

_ROLLBACK = (_S.HAVE_LOCAL_OFFER, _S.HAVE_REMOTE_OFFER)

_CREATE = {
    SdpType.OFFER: (_S.STABLE, _S.HAVE_LOCAL_OFFER),
    SdpType.ANSWER: (_S.HAVE_REMOTE_OFFER, _S.HAVE_LOCAL_PRANSWER),
}


def after_local(state: SignalingState, kind: SdpType) -> SignalingState:
    """The state after a local description, or InvalidStateError."""
    after = _LOCAL.get((state, kind))
    if after is None:
        raise InvalidStateError(f"set_local({kind.value})", state.value)
    return after


def after_remote(state: SignalingState, kind: SdpType) -> SignalingState:
    """The state after a remote description, or InvalidStateError."""
    after = _REMOTE.get((state, kind))
    if after is None:
        raise InvalidStateError(f"set_remote({kind.value})", state.value)
    return after


def after_rollback(state: SignalingState) -> SignalingState:
    """STABLE, or InvalidStateError (RFC 8829 section 4.1.10.2)."""
    if state not in _ROLLBACK:
        raise InvalidStateError("rollback", state.value)
    return SignalingState.STABLE


def check_create(state: SignalingState, kind: SdpType) -> None:
    """Raise InvalidStateError where an offer or answer cannot be created."""
    if state not in _CREATE[kind]:
        raise InvalidStateError(f"create_{kind.value}", state.value)
