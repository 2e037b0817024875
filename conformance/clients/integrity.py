"""Integrity of messages, as a right server has it (RFC 8489 sections 9.1 and 9.2)."""

from __future__ import annotations

import hmac

from conformance.building import MessageBuilder, md5_key, sha256_key
from conformance.codes import Attr
from conformance.identity import SHA256_ALGORITHM
from conformance.reading import ReceivedMessage

from .heard import Heard, message_of
from .settings import Settings


class Integrity:
    """Whether requests are the user's, and what responses to them are signed with.

    With ``short_term_sha256`` responses to requests with short-term credentials carry
    MESSAGE-INTEGRITY-SHA256.
    """

    def __init__(self, settings: Settings) -> None:
        self.short_term_sha256 = True
        self._settings = settings

    def is_authentic(self, heard: Heard) -> bool:
        """Whether every integrity attribute is right, and the user is ours."""
        message = message_of(heard)
        types = message.types
        right = []
        if Attr.MESSAGE_INTEGRITY in types:
            right.append(message.has_integrity(self.key_of(message)))
        if Attr.MESSAGE_INTEGRITY_SHA256 in types:
            right.append(message.has_integrity_sha256(self.key_of(message)))
        return bool(right) and all(right)

    def key_of(self, message: ReceivedMessage) -> bytes:
        """With which the user signs, long-term or short-term."""
        user, grant = self._settings.user, self._settings.grant
        if message.text(Attr.USERNAME) == grant.kid:
            return grant.mac_key
        if Attr.REALM not in message.types:
            return user.password.encode()
        algorithm = message.get(Attr.PASSWORD_ALGORITHM)
        make = sha256_key if algorithm == SHA256_ALGORITHM else md5_key
        return make(user.username, self._settings.realm, user.password)

    def sign(self, reply: MessageBuilder, heard: Heard) -> MessageBuilder:
        """As the request is signed; nothing where it is not."""
        message = message_of(heard)
        if not heard.is_signed:
            return reply
        if self._wants_sha256(message):
            return reply.add_integrity_sha256(self.key_of(message))
        return reply.add_integrity(self.key_of(message))

    def sign_wrongly(self, reply: MessageBuilder, heard: Heard) -> MessageBuilder:
        """As somebody would who does not know the password."""
        key = hmac.digest(b"nobody", self.key_of(message_of(heard)), "sha1")
        if self._wants_sha256(message_of(heard)):
            return reply.add_integrity_sha256(key)
        return reply.add_integrity(key)

    def _wants_sha256(self, message: ReceivedMessage) -> bool:
        types = message.types
        if Attr.MESSAGE_INTEGRITY_SHA256 not in types:
            return False
        return Attr.MESSAGE_INTEGRITY not in types or self.short_term_sha256
