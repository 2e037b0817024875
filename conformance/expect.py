"""What rows say about answers: expect_... raises Violated with what was seen instead."""

from __future__ import annotations

from collections.abc import Awaitable

from .checks import MAX_CHARACTERS, mark_attribute
from .client import describe
from .codes import ERRORS, Attr, Class, attribute_name
from .outcome import Mark, NotOffered, OutOfReach, Unanswered, Violated
from .reading import ReceivedMessage


def expect_success(response: ReceivedMessage, *, to: str = "the request") -> None:
    if response.message_class is not Class.SUCCESS:
        mark = mark_attribute(response, Attr.ERROR_CODE)
        raise Violated(f"{to} is met with {describe(response)}, not with success", mark)


async def need_success(asking: Awaitable[ReceivedMessage], what: str) -> ReceivedMessage:
    """What a row needs on its way to its point.

    Raises:
        NotOffered: it is refused.
        OutOfReach: it is not answered.
    """
    try:
        response = await asking
    except Unanswered as error:
        raise OutOfReach(error.detail) from error
    if response.message_class is not Class.SUCCESS:
        raise NotOffered(f"{what} is met with {describe(response)}")
    return response


def expect_error(response: ReceivedMessage, *codes: int, to: str = "the request") -> None:
    """One of these codes."""
    if response.error_code in codes and response.message_class is Class.ERROR:
        return
    wanted = " or ".join(f"{code} {ERRORS.get(code, '')}".strip() for code in codes)
    mark = mark_attribute(response, Attr.ERROR_CODE) or Mark(response.data, 0, 2)
    raise Violated(f"{to} is met with {describe(response)}, not with {wanted}", mark)


def expect_attribute(response: ReceivedMessage, kind: int) -> bytes:
    """The value of an attribute that must be there."""
    value = response.get(kind)
    if value is None:
        raise Violated(f"{attribute_name(kind)} is missing", Mark(response.data, 0, 20))
    return value


def expect_no_attribute(response: ReceivedMessage, *kinds: int) -> None:
    for kind in kinds:
        if kind in response.types:
            mark = mark_attribute(response, kind)
            raise Violated(f"{attribute_name(kind)} must not be there", mark)


def expect_value(response: ReceivedMessage, kind: int, wanted: object, found: object) -> None:
    """That an attribute says ``wanted``, where it was read as ``found``."""
    if found != wanted:
        name, mark = attribute_name(kind), mark_attribute(response, kind)
        raise Violated(f"{name} says {found}, not {wanted}", mark)


def expect_text(response: ReceivedMessage, kind: int) -> str | None:
    """What an attribute says, or None where it is not there: UTF-8 of fewer than 128 characters
    (RFC 8489 sections 14.9 to 14.14)."""
    value, mark = response.get(kind), mark_attribute(response, kind)
    if value is None:
        return None
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise Violated(f"{attribute_name(kind)} is no UTF-8", mark) from error
    if len(text) > MAX_CHARACTERS:
        raise Violated(f"{attribute_name(kind)} has {len(text)} characters, not below 128", mark)
    return text
