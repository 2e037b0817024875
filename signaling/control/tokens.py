"""Pagination tokens: opaque to clients, and only good where they came from.

A token says where the next page begins and carries a MAC over that and the filter it
was made for, so that a changed or invented one is noticed.
"""

from __future__ import annotations

import base64
import binascii
import hmac

from .wire import invalid

_MAC_LENGTH = 16


def make_token(key: bytes, scope: str, position: str) -> str:
    """A token for ``position`` in the listing that ``scope`` describes."""
    content = position.encode()
    return base64.b64encode(_mac(key, scope, content) + content).decode()


def read_token(key: bytes, scope: str, token: str) -> str:
    """The position that a token stands for.

    Raises:
        ServiceError: it was not made with this key for this listing.
    """
    try:
        decoded = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid("NextToken is not valid.") from error
    mac, content = decoded[:_MAC_LENGTH], decoded[_MAC_LENGTH:]
    if not hmac.compare_digest(mac, _mac(key, scope, content)):
        raise invalid("NextToken is not valid.")
    if base64.b64encode(decoded).decode() != token:
        raise invalid("NextToken is not valid.")
    return content.decode()


def _mac(key: bytes, scope: str, content: bytes) -> bytes:
    return hmac.digest(key, scope.encode() + b"\0" + content, "sha256")[:_MAC_LENGTH]
