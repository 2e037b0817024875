"""Clients that do next to nothing: none may pass a script that it shows nothing for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final

from conformance.reading import ReceivedMessage

from .actors import Manners
from .mutant import Mutant, Sent, read, request_of

SILENT = Manners(is_mute=True)
Wanted = Callable[[ReceivedMessage], bool]


def rows(*ids: str) -> frozenset[str]:
    return frozenset(each for line in ids for each in line.split())


def _is_error(message: ReceivedMessage | None) -> bool:
    return message is not None and message.error_code is not None


def one_message(*, told: bool | None, ends: bool) -> Mutant:
    """It sends one message, and no more; with ``ends`` it is gone after that."""
    sent: list[bytes] = []

    def sends(data: bytes, now: float) -> Sent:
        if sent:
            return []
        sent.append(data)
        if ends:
            mutant.ends.append(told)
        return [(0.0, data)]

    mutant = Mutant(sends, hears=lambda data: [], manners=SILENT)
    return mutant


def deaf() -> Mutant:
    """It hears nothing: it sends its request again, and gives up."""
    return Mutant(hears=lambda data: [])


def deaf_and_mute() -> Mutant:
    return Mutant(hears=lambda data: [], manners=SILENT)


def stops_at(wanted: Wanted, *, told: bool | None, ends: bool) -> Mutant:
    """It falls silent for ever at a message, or is gone."""
    stopped: list[bytes] = []

    def hears(data: bytes) -> list[bytes]:
        message = read(data)
        if not stopped and message is not None and wanted(message):
            stopped.append(data)
            if ends:
                mutant.ends.append(told)
        return [] if stopped else [data]

    mutant = Mutant(lambda data, now: [] if stopped else [(0.0, data)], hears, manners=SILENT)
    return mutant


def first_error(message: ReceivedMessage) -> bool:
    return _is_error(message)


def second_error() -> Wanted:
    """The one after the challenge."""
    seen: list[bytes] = []

    def wanted(message: ReceivedMessage) -> bool:
        if _is_error(message):
            seen.append(message.data)
        return len(seen) > 1

    return wanted


def after_the_challenge() -> Wanted:
    """Whatever comes after the first 401."""
    seen: list[bytes] = []

    def wanted(message: ReceivedMessage) -> bool:
        seen.append(message.data)
        return len(seen) > 1

    return wanted


def anything(message: ReceivedMessage) -> bool:
    return True


def without_copies() -> Mutant:
    """It sends everything once."""
    sent: set[bytes] = set()

    def sends(data: bytes, now: float) -> Sent:
        if data in sent and request_of(data) is not None:
            return []
        sent.add(data)
        return [(0.0, data)]

    return Mutant(sends, manners=SILENT)


def deaf_after_the_challenge() -> Mutant:
    """It comes back with credentials, and hears nothing from then on."""
    seen: list[bytes] = []

    def hears(data: bytes) -> list[bytes]:
        seen.append(data)
        return [data] if len(seen) == 1 else []

    return Mutant(hears=hears, manners=SILENT)


FIRST: Final = rows(
    "STUNC-UDP-11 STUNC-TCP-01 STUNC-TCP-08 STUNC-STC-01 STUNC-LTC-01 TURNC-ALLOC-01",
    "TURNC-ALLOC-02",
)
"""What a first message shows, or that it is the only one."""

NO_TCP: Final = rows("STUNC-TCP-01")
"""What is shown by waiting."""

COPIES: Final = rows("STUNC-UDP-01 STUNC-UDP-02 STUNC-UDP-03 STUNC-UDP-07")
"""What the copies of a request show."""

TIMEOUT: Final = rows("STUNC-UDP-04 STUNC-UDP-09 STUNC-TCP-02 STUNC-TCP-03")
"""What a client shows that says when it gives up."""

SUCCESSES: Final = rows(
    "COD-HDR-07 STUNC-UDP-10 STUNC-UDP-12 STUNC-TCP-06 STUNC-RX-08 STUNC-STC-02 STUNC-STC-03",
    "STUNC-STC-04 STUNC-STC-05",
)
"""What a client shows that understands no error, but successes."""

ONE_ANSWER: Final = rows("STUNC-UDP-10 STUNC-TCP-06 STUNC-STC-04 STUNC-STC-05 STUNC-RX-06")
"""What one answer shows of a client without credentials."""

LOGIN: Final = rows(
    "STUNC-UDP-08 STUNC-LTC-02 STUNC-LTC-07 STUNC-LTC-09 TURNC-ALLOC-13 TURNC-TCP-01",
    "TURNC-OAUTH-01",
)
"""What the first request with credentials shows."""

ITS_END: Final = rows("STUNC-RX-08 STUNC-LTC-03 TURNC-ALLOC-08 TURNC-MOB-04")
"""What a client shows that stops sending a request for an error."""

FORGED: Final = rows("STUNC-UDP-12 STUNC-RX-08 STUNC-STC-03 STUNC-LTC-02")
FORGED_LATER: Final = rows(
    "STUNC-UDP-12 STUNC-STC-02 STUNC-STC-03 STUNC-LTC-04 STUNC-LTC-10 STUNC-LTC-11 STUNC-LTC-12",
    "TURNC-ALLOC-04 TURNC-ALLOC-11 TURNC-OAUTH-03",
)
UNRENEWED: Final = rows("TURNC-ALLOC-05 TURNC-LIFE-01")
"""What a client breaks that is there, and does nothing."""

HALF: Final = FIRST | COPIES | ONE_ANSWER | LOGIN | ITS_END


@dataclasses.dataclass(frozen=True)
class Lazy:
    """A client that does next to nothing; which rows it shows all the same, and which it fails.
    Nothing else may be said of it."""

    make: Callable[[], Mutant]
    shows: frozenset[str]
    breaks: frozenset[str] = frozenset()


def stopping(when: Callable[[], Wanted], told: bool | None = None) -> Callable[[], Mutant]:
    return lambda: stops_at(when(), told=told, ends=False)


def ending(when: Callable[[], Wanted], told: bool | None) -> Callable[[], Mutant]:
    return lambda: stops_at(when(), told=told, ends=True)


LAZY: Mapping[str, Lazy] = {
    "one-message": Lazy(
        lambda: one_message(told=None, ends=False), FIRST, rows("STUNC-UDP-03 STUNC-LTC-02")
    ),
    "one-message-and-ends": Lazy(lambda: one_message(told=None, ends=True), FIRST - NO_TCP),
    "one-message-and-fails": Lazy(
        lambda: one_message(told=False, ends=True), FIRST - NO_TCP, rows("STUNC-TCP-02")
    ),
    "deaf": Lazy(deaf, FIRST | COPIES | TIMEOUT, rows("STUNC-STC-04")),
    "deaf-and-mute": Lazy(deaf_and_mute, FIRST | COPIES, rows("STUNC-STC-04")),
    "stops-at-anything": Lazy(stopping(lambda: anything), FIRST | COPIES, FORGED),
    "ends-at-anything": Lazy(ending(lambda: anything, None), FIRST | COPIES, FORGED),
    "fails-at-anything": Lazy(
        ending(lambda: anything, False),
        FIRST | COPIES | rows("STUNC-RX-02 STUNC-RX-03 STUNC-RX-05 STUNC-STC-04"),
        FORGED,
    ),
    "stops-at-an-error": Lazy(
        stopping(lambda: first_error), FIRST | COPIES | SUCCESSES, rows("STUNC-LTC-02")
    ),
    "ends-at-an-error": Lazy(
        ending(lambda: first_error, None), FIRST | COPIES | SUCCESSES, rows("STUNC-LTC-02")
    ),
    "fails-at-an-error": Lazy(
        ending(lambda: first_error, False),
        FIRST | COPIES | SUCCESSES | rows("STUNC-RX-05"),
        rows("STUNC-LTC-02"),
    ),
    "stops-after-the-challenge": Lazy(
        stopping(after_the_challenge), HALF, FORGED_LATER | UNRENEWED
    ),
    "ends-after-the-challenge": Lazy(
        ending(after_the_challenge, None), HALF, FORGED_LATER | rows("TURNC-LIFE-02")
    ),
    "fails-after-the-challenge": Lazy(
        ending(after_the_challenge, False),
        HALF - rows("STUNC-RX-08") | rows("STUNC-RX-01"),
        FORGED_LATER | rows("TURNC-LIFE-02"),
    ),
    "deaf-after-the-challenge": Lazy(deaf_after_the_challenge, HALF - ITS_END),
}

MORE: Mapping[str, tuple[Callable[[], Mutant], frozenset[str], frozenset[str]]] = {
    "stops-at-the-second-error": (
        stopping(second_error),
        rows(
            "STUNC-UDP-04 STUNC-UDP-09 STUNC-TCP-02 STUNC-TCP-03 STUNC-RX-02 STUNC-RX-03",
            "STUNC-RX-04 STUNC-RX-05 STUNC-LTC-05 STUNC-LTC-06 STUNC-LTC-08 STUNC-LTC-15",
            "STUNC-ALT-01 STUNC-ALT-03 STUNC-ALT-04 TURNC-ALLOC-07 TURNC-TCP-03",
        ),
        rows("STUNC-LTC-04 STUNC-LTC-11 TURNC-ALLOC-11 TURNC-LIFE-04 TURNC-PERM-07 TURNC-CHAN-06"),
    ),
    "without-copies": (
        without_copies,
        rows(
            "STUNC-UDP-01 STUNC-UDP-02 STUNC-UDP-04 STUNC-UDP-07 STUNC-UDP-09 STUNC-UDP-12",
            "STUNC-TCP-02 STUNC-TCP-03 STUNC-RX-02 STUNC-RX-03 STUNC-RX-05 STUNC-RX-08",
            "STUNC-STC-02 STUNC-LTC-03 STUNC-LTC-06 STUNC-LTC-11 STUNC-ALT-03 TURNC-ALLOC-08",
            "TURNC-LIFE-03 TURNC-LIFE-05",
        ),
        rows("STUNC-UDP-03"),
    ),
}
"""Clients that do most things: how each is made, which rows they do not show, and which they
fail."""
