"""What is inside a message's payload: a session description or an ICE candidate.

Base64 of JSON: ``RTCSessionDescription`` or ``RTCIceCandidate`` as browsers write
them. SDP and candidate text are opaque here; nothing in this package parses them.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum

import msgspec

from .errors import SignalingError


class DescriptionType(enum.Enum):
    OFFER = "offer"
    ANSWER = "answer"


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """A session description in transit."""

    type: DescriptionType
    sdp: str


@dataclasses.dataclass(frozen=True, slots=True)
class RemoteCandidate:
    """An ICE candidate in transit; empty ``candidate`` text means end-of-candidates."""

    candidate: str
    sdp_mid: str | None = None
    sdp_m_line_index: int | None = None
    username_fragment: str | None = None


class PayloadError(SignalingError):
    """A payload is not what its message type says."""


class _Description(msgspec.Struct):
    type: DescriptionType
    sdp: str


class _Candidate(msgspec.Struct):
    candidate: str
    sdp_mid: str | None = msgspec.field(name="sdpMid", default=None)
    sdp_m_line_index: int | None = msgspec.field(name="sdpMLineIndex", default=None)
    username_fragment: str | None = msgspec.field(name="usernameFragment", default=None)


def encode_description(description: Description) -> str:
    """As base64 text. Exactly ``type`` and ``sdp``: the C SDK walks the object flat."""
    return _encode({"type": description.type.value, "sdp": description.sdp})


def decode_description(payload: str) -> Description:
    """From base64 text.

    Raises:
        PayloadError: it holds no description.
    """
    try:
        found = msgspec.json.decode(_json(payload), type=_Description)
    except msgspec.DecodeError as error:
        raise PayloadError(f"not a session description: {error}") from error
    return Description(found.type, found.sdp)


def encode_candidate(candidate: RemoteCandidate) -> str:
    """As base64 text, with the members that are known."""
    members: dict[str, str | int] = {"candidate": candidate.candidate}
    if candidate.sdp_mid is not None:
        members["sdpMid"] = candidate.sdp_mid
    if candidate.sdp_m_line_index is not None:
        members["sdpMLineIndex"] = candidate.sdp_m_line_index
    if candidate.username_fragment is not None:
        members["usernameFragment"] = candidate.username_fragment
    return _encode(members)


def decode_candidate(payload: str) -> RemoteCandidate:
    """From base64 text.

    Raises:
        PayloadError: it holds no candidate.
    """
    try:
        found = msgspec.json.decode(_json(payload), type=_Candidate)
    except msgspec.DecodeError as error:
        raise PayloadError(f"not an ICE candidate: {error}") from error
    return RemoteCandidate(
        found.candidate, found.sdp_mid, found.sdp_m_line_index, found.username_fragment
    )


def _encode(members: dict[str, str] | dict[str, str | int]) -> str:
    return base64.b64encode(msgspec.json.encode(members)).decode()


def _json(payload: str) -> str:
    """The text inside; a browser's ``btoa`` writes one byte per character, others UTF-8."""
    try:
        octets = base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PayloadError("not base64") from error
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")
