"""Whether a server has had room for what was to be allocated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from transport import DecodeError

from .codes import Class, Method
from .outcome import Direction, Frame
from .reading import ReceivedMessage

NO_ROOM: Final = frozenset({486, 508})
"""Errors of an Allocate that may be granted later; who is redirected (300) is to go elsewhere."""

SETTLE: Final = 1.5
"""Seconds after which what was deleted is free again: there are servers that take one."""


def tell_of_no_room(frames: Sequence[Frame]) -> bool:
    """Whether an Allocate was refused because of others."""
    received = (each.data for each in frames if each.direction is Direction.RECEIVED)
    return any(map(_tells_of_no_room, received))


def _tells_of_no_room(data: bytes) -> bool:
    try:
        response = ReceivedMessage.parse(data)
    except DecodeError:
        return False
    is_refusal = response.method == Method.ALLOCATE and response.message_class is Class.ERROR
    return is_refusal and response.error_code in NO_ROOM
