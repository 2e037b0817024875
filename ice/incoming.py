"""Which STUN messages are worth looking at (RFC 8445 section 7.1.1, RFC 8489 section 6.3)."""

from __future__ import annotations

from stun import Message, MessageClass, Method
from transport import DecodeError

from .drops import DropReason


def read_binding(data: bytes) -> Message | DropReason:
    """A Binding request or response, or why the datagram is none that counts.

    FINGERPRINT is mandatory in ICE: without it, or with a wrong one, a message is
    discarded in silence (RFC 8489 section 7.3).
    """
    try:
        message = Message.decode(data)
    except DecodeError:
        return DropReason.MALFORMED
    if message.method != Method.BINDING:
        return DropReason.UNEXPECTED_METHOD
    if message.fingerprint_ok is False:
        return DropReason.BAD_FINGERPRINT
    if message.message_class is MessageClass.INDICATION:
        return DropReason.INDICATION
    if message.fingerprint_ok is None:
        return DropReason.NO_FINGERPRINT
    return message
