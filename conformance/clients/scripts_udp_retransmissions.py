"""STUNC-UDP, continued: when requests are sent again (RFC 8489 section 6.2.1)."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen

from .heard import Heard, whole
from .script import Action, Over, script
from .stage import Stage

RTO: Final = 0.5
RC: Final = 7
RM: Final = 16
MAX_COPIES: Final = 100
ENOUGH_COPIES: Final = 5
"""To see four intervals, of which each is to be twice the one before."""

LIKELY_COPIES: Final = 15.0
"""Seconds in which a client that sends its request again has done so."""

ENOUGH_OTHERS: Final = 4
"""Requests whose intervals show that they are meant as one, sent again."""

TOLERANCE: Final = 0.1
SLACK: Final = 0.06
"""Seconds that a scheduler and a network may take."""

LONGEST: Final = 60.0
"""Seconds in which a transaction is over: 39.5, unless its RTO is longer than usual."""

LATE: Final = 2.0
"""Seconds in which a client that has failed says so."""


async def copies_of_a_request(stage: Stage, most: int = MAX_COPIES) -> list[Heard]:
    """The copies of the first request, where nobody answers; not more than ``most``."""
    first = await stage.first()
    copies, until = [first], stage.now + LONGEST / 2
    while len(copies) < most and (heard := await stage.hear(until - stage.now)) is not None:
        if heard.transaction_id == first.transaction_id:
            copies.append(heard)
            until = stage.now + 2.3 * (copies[-1].at - copies[-2].at) + 1
    return copies


def _gaps(copies: list[Heard]) -> list[float]:
    return [after.at - before.at for before, after in pairwise(copies)]


def _astray(gaps: list[float]) -> bool:
    """Whether one interval is not twice the one before."""
    slack = [2 * before * TOLERANCE + SLACK for before in gaps]
    pairs = zip(pairwise(gaps), slack, strict=False)
    return any(abs(after - 2 * before) > allowed for (before, after), allowed in pairs)


def _seconds(times: list[float]) -> str:
    return ", ".join(f"{each:.2f}" for each in times)


def _mark_difference(first: Heard, other: Heard) -> Mark:
    longest = max(len(first.data), len(other.data))
    pairs = zip(first.data.ljust(longest), other.data.ljust(longest), strict=True)
    at = next((n for n, (one, two) in enumerate(pairs) if one != two), 0)
    return Mark(other.data, min(at, len(other.data) - 1), len(other.data))


@script(
    "STUNC-UDP-01",
    "The value for RTO SHOULD be configurable and SHOULD be 500 ms or greater by default.",
    Action.REQUEST,
    over=Over.DATAGRAMS,
    timed=True,
)
async def the_first_retransmission_waits(stage: Stage) -> None:
    copies = await copies_of_a_request(stage, 2)
    if len(copies) < 2:
        raise NotOffered("the request is sent once: its RTO is not known")
    gap = copies[1].at - copies[0].at
    if gap < RTO * (1 - TOLERANCE):
        raise Violated(f"the request is sent again after {gap * 1000:.0f} ms", whole(copies[1]))


@script(
    "STUNC-UDP-02",
    "A client SHOULD retransmit a STUN request message starting with an interval of RTO, "
    "doubling after each retransmission.",
    Action.REQUEST,
    over=Over.DATAGRAMS,
    timed=True,
)
async def the_interval_doubles(stage: Stage) -> None:
    copies = await copies_of_a_request(stage, ENOUGH_COPIES)
    gaps = _gaps(copies)
    if len(gaps) < 2:
        raise NotOffered(f"the request is sent {len(copies)} times: there is nothing to double")
    if _astray(gaps):
        text = f"the intervals are {_seconds(gaps)} s: each should be twice the one before"
        raise Violated(text, whole(copies[-1]))


@script(
    "STUNC-UDP-03",
    "Rc SHOULD be configurable and SHOULD have a default of 7 (requests in all).",
    Action.REQUEST,
    over=Over.DATAGRAMS,
)
async def there_are_seven_requests(stage: Stage) -> None:
    copies = await copies_of_a_request(stage)
    if stage.ended is not None and stage.ended.at - copies[0].at < RTO:
        raise NotOffered("the client ends as soon as it has sent its request")
    if len(copies) != RC:
        times = _seconds([each.at - copies[0].at for each in copies])
        raise Violated(f"{len(copies)} requests are sent, not 7: at {times} s", whole(copies[-1]))


@script(
    "STUNC-UDP-04",
    "If, after the last request, a duration equal to Rm times the RTO has passed without a "
    "response, the client SHOULD consider the transaction to have failed (Rm = 16).",
    Action.REQUEST,
    over=Over.DATAGRAMS,
    timed=True,
)
async def the_end_comes_16_rto_after_the_last_request(stage: Stage) -> None:
    copies = await copies_of_a_request(stage)
    gaps = _gaps(copies)
    if not gaps:
        raise NotOffered("the request is sent once: its RTO is not known")
    ended = await stage.told_end(RM * gaps[0] + 2 - (stage.now - copies[-1].at))
    waited = ended.at - copies[-1].at
    if abs(waited - RM * gaps[0]) > RM * gaps[0] * TOLERANCE + 0.3:
        wanted = f"not {RM * gaps[0]:.1f} s ({RM} x {gaps[0]:.2f})"
        raise Violated(f"the client gives up {waited:.1f} s after the last request, {wanted}")


@script(
    "STUNC-UDP-07",
    "Retransmissions of the same request reuse the same transaction ID, and are the same.",
    Action.REQUEST,
    over=Over.DATAGRAMS,
)
async def retransmissions_are_identical(stage: Stage) -> Outcome | None:
    first = await stage.first()
    copies, others = 0, [first]
    until = stage.now + LIKELY_COPIES
    while copies < 3 and (heard := await stage.hear(until - stage.now)) is not None:
        if heard.transaction_id == first.transaction_id:
            copies += 1
            if heard.data != first.data:
                raise Violated("a retransmission differs", _mark_difference(first, heard))
        elif heard.path == first.path and heard.data[20:] == first.data[20:]:
            others.append(heard)
    if copies:
        return None
    if len(others) == 1:
        raise NotOffered("the request is not sent again")
    if len(others) >= ENOUGH_OTHERS and not _astray(_gaps(others)):
        raise Violated("the request is sent again with another transaction id", whole(others[1]))
    return seen("a request without an answer is followed by new ones, not sent again")


@script(
    "STUNC-UDP-09",
    "A client that receives a hard ICMP error MUST treat the transaction as failed.",
    Action.REQUEST,
    over=Over.DATAGRAMS,
    timed=True,
)
async def an_icmp_error_ends_a_transaction(stage: Stage) -> Outcome | None:
    copies = await copies_of_a_request(stage, 2)
    if len(copies) < 2:
        raise NotOffered("the request is sent once: it meets no ICMP error")
    if stage.ended is not None:
        raise NotOffered("the client ends before there is an ICMP error")
    gap = copies[1].at - copies[0].at
    stage.close_port()
    await stage.pause(2.6 * gap)  # the next copy comes to nobody, 1 to 2 times the gap later
    stage.open_port()
    closed_until = stage.now
    for each in await stage.collect(6 * gap + 1):
        if each.transaction_id == copies[0].transaction_id:
            raise Violated("the request is sent on after an ICMP port unreachable", whole(each))
    if stage.ended is None or stage.ended.succeeded is None:
        return seen("no more requests come; whether for that is not told (--status-tells)")
    if stage.ended.succeeded:
        raise Violated("after an ICMP port unreachable the client says that it has succeeded")
    if stage.ended.at > closed_until + LATE:
        waited = stage.ended.at - closed_until
        raise Violated(f"the client fails {waited:.1f} s after an ICMP port unreachable, or later")
    return None
