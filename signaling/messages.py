"""WebSocket messages between the service and its clients.

Keys are matched without regard to case on the way in (the C SDK writes
``RecipientClientId``, the JavaScript SDK ``recipientClientId``) and are exactly
lower camel case on the way out (the C SDK compares them byte for byte).
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import enum
import re

import msgspec

from .errors import ErrorName, ServiceError

MAX_PAYLOAD_CHARACTERS = 64 * 1024
"""KVS allows 10,000, which an offer of a current browser exceeds; see docs/departures.md."""

MAX_MESSAGE_CHARACTERS = MAX_PAYLOAD_CHARACTERS + 4096
"""A message is a payload with some names around it (and a C SDK viewer's IceServerList)."""

CLIENT_ID = re.compile(r"[a-zA-Z0-9_.-]{1,256}\Z")


class Action(enum.Enum):
    """What a client sends, and the type under which its peer receives it."""

    SDP_OFFER = "SDP_OFFER"
    SDP_ANSWER = "SDP_ANSWER"
    ICE_CANDIDATE = "ICE_CANDIDATE"


@dataclasses.dataclass(frozen=True, slots=True)
class ClientMessage:
    """A message from a client: ``payload`` is base64 text, passed on as it is."""

    action: Action
    payload: str
    recipient: str | None = None
    correlation_id: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class StatusResponse:
    """Why a message that carried a correlation id was refused."""

    correlation_id: str
    error_type: str
    status_code: int
    description: str


@dataclasses.dataclass(frozen=True, slots=True)
class ServiceEvent:
    """What a client receives: ``sender`` is the viewer's id, None from the master."""

    message_type: str
    payload: str | None = None
    sender: str | None = None
    status: StatusResponse | None = None


class MessageRefused(ServiceError):
    """A client's message breaks a rule; ``correlation_id`` is there if it could be read."""

    def __init__(self, name: ErrorName, message: str, correlation_id: str | None = None) -> None:
        super().__init__(name, message)
        self.correlation_id = correlation_id


def decode_client_message(text: str) -> ClientMessage:
    """Read what a client sent.

    Raises:
        MessageRefused: it is no message, or one that breaks a constraint.
    """
    members = _members(text)
    correlation_id = _identifier(members, "correlationid", None)
    recipient = members.get("recipientclientid")
    if recipient is not None and not isinstance(recipient, str):
        raise _invalid("recipientClientId must be a string", correlation_id)
    try:
        action = Action(members.get("action"))
    except ValueError as error:
        raise _invalid(
            "action must be SDP_OFFER, SDP_ANSWER or ICE_CANDIDATE", correlation_id
        ) from error
    payload = members.get("messagepayload")
    if not isinstance(payload, str) or not 1 <= len(payload) <= MAX_PAYLOAD_CHARACTERS:
        raise _invalid(
            f"messagePayload must be 1 to {MAX_PAYLOAD_CHARACTERS} characters", correlation_id
        )
    try:
        base64.b64decode(payload, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid("messagePayload must be base64", correlation_id) from error
    return ClientMessage(action, payload, recipient or None, correlation_id)


def encode_client_message(message: ClientMessage) -> str:
    """The text a client sends, in the JavaScript SDK's casing."""
    members: dict[str, str] = {"action": message.action.value, "messagePayload": message.payload}
    if message.recipient is not None:
        members["recipientClientId"] = message.recipient
    if message.correlation_id is not None:
        members["correlationId"] = message.correlation_id
    return msgspec.json.encode(members).decode()


def encode_event(event: ServiceEvent) -> str:
    """The text a client receives. ``messageType`` stands first: a C client reads in order."""
    members: dict[str, str | dict[str, str]] = {"messageType": event.message_type}
    if event.sender is not None:
        members["senderClientId"] = event.sender
    if event.payload is not None:
        members["messagePayload"] = event.payload
    if event.status is not None:
        members["statusResponse"] = {
            "correlationId": event.status.correlation_id,
            "errorType": event.status.error_type,
            "statusCode": str(event.status.status_code),
            "description": event.status.description[:1024],
        }
    return msgspec.json.encode(members).decode()


class _Status(msgspec.Struct, rename="camel"):
    correlation_id: str = ""
    error_type: str = ""
    status_code: str = "0"
    description: str = ""


class _Event(msgspec.Struct, rename="camel"):
    message_type: str
    sender_client_id: str | None = None
    message_payload: str | None = None
    status_response: _Status | None = None


def decode_event(text: str) -> ServiceEvent:
    """Read what the service sent.

    Raises:
        ServiceError: it is no event of the service.
    """
    try:
        event = msgspec.json.decode(text, type=_Event)
        status = None if event.status_response is None else _status(event.status_response)
    except (msgspec.DecodeError, ValueError) as error:
        raise ServiceError(ErrorName.INTERNAL_FAILURE, f"not a service event: {error}") from error
    return ServiceEvent(event.message_type, event.message_payload, event.sender_client_id, status)


def _status(found: _Status) -> StatusResponse:
    return StatusResponse(
        found.correlation_id, found.error_type, int(found.status_code), found.description
    )


def _members(text: str) -> dict[str, object]:
    if len(text) > MAX_MESSAGE_CHARACTERS:
        raise _invalid(f"a message has at most {MAX_MESSAGE_CHARACTERS} characters")
    try:
        decoded = msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError) as error:
        raise _invalid("a message must be a JSON object") from error
    return {key.lower(): value for key, value in decoded.items()}


def _identifier(members: dict[str, object], key: str, correlation_id: str | None) -> str | None:
    value = members.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not CLIENT_ID.match(value):
        raise _invalid(f"{key} must match [a-zA-Z0-9_.-]{{1,256}}", correlation_id)
    return value


def _invalid(message: str, correlation_id: str | None = None) -> MessageRefused:
    return MessageRefused(ErrorName.INVALID_ARGUMENT, message, correlation_id)
