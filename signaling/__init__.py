"""Signaling channels: who is on them, what is said over them, who may use them.

Speaks the Amazon Kinesis Video Streams with WebRTC API. Start with
``ChannelRouter``, the rules of one channel without I/O; ``messages`` and
``payload`` are what goes over its WebSockets, ``sigv4`` signs and verifies
requests, ``control`` has the operations on channels. ``signaling.aio`` has the service,
its store and the clients (extra ``signaling``).
SDP is opaque here.
"""

from .channel import Channel, ChannelArn
from .errors import ErrorName, ServiceError, SignalingError
from .messages import (
    Action,
    ClientMessage,
    ServiceEvent,
    StatusResponse,
    decode_client_message,
    decode_event,
    encode_client_message,
    encode_event,
)
from .payload import (
    Description,
    DescriptionType,
    PayloadError,
    RemoteCandidate,
    decode_candidate,
    decode_description,
    encode_candidate,
    encode_description,
)
from .routing import MAX_VIEWERS, ChannelRouter, Connection, Displaced, Role, TextReady
from .sigv4 import AccessKey, ReceivedRequest, presign_url, sign_headers, verify

__all__ = [
    "MAX_VIEWERS",
    "AccessKey",
    "Action",
    "Channel",
    "ChannelArn",
    "ChannelRouter",
    "ClientMessage",
    "Connection",
    "Description",
    "DescriptionType",
    "Displaced",
    "ErrorName",
    "PayloadError",
    "ReceivedRequest",
    "RemoteCandidate",
    "Role",
    "ServiceError",
    "ServiceEvent",
    "SignalingError",
    "StatusResponse",
    "TextReady",
    "decode_candidate",
    "decode_client_message",
    "decode_description",
    "decode_event",
    "encode_candidate",
    "encode_client_message",
    "encode_description",
    "encode_event",
    "presign_url",
    "sign_headers",
    "verify",
]
