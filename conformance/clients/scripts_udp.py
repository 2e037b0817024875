"""STUNC-UDP: transactions of a client over UDP (RFC 8489 section 6.2.1); COD-HDR-07."""

from __future__ import annotations

from typing import Final

from conformance.codes import Class, Method
from conformance.outcome import Mark, NotOffered, Violated

from .heard import Heard, whole
from .script import Action, Over, script
from .showing import discards, expect_answer_taken, goes_on_waiting, waits
from .stage import Stage

MAX_OUTSTANDING: Final = 10
BURST: Final = 50
ALL_AT_ONCE: Final = 1.0
"""Seconds for which a transaction is under way, at the least, where nobody answers."""

MAX_BITS_ASTRAY: Final = 0.15
"""How far from one half the share of ones may be in ids of BURST requests: 12 standard
deviations of chance."""


@script(
    "COD-HDR-07",
    "The transaction ID is a 96-bit identifier. It MUST be uniformly and randomly chosen from "
    "the interval 0 .. 2**96-1, and MUST be cryptographically random.",
    Action.BURST,
)
async def transaction_ids_are_random(stage: Stage) -> None:
    await stage.first()
    stage.answer(stage.heard[0])
    await stage.play(8.0)
    ids = stage.transactions()
    if len(ids) < BURST // 2:
        raise NotOffered(f"{len(ids)} transactions are too few to say")
    for position in range(12):
        values = {each[position] for each in ids}
        if len(values) < len(ids) // 4:
            detail = f"byte {position + 1} of {len(ids)} ids has {len(values)} values"
            raise Violated(f"the ids are not random: {detail}", _mark_id(stage, position))
    ones = sum(int.from_bytes(each, "big").bit_count() for each in ids) / (96 * len(ids))
    if abs(ones - 0.5) > MAX_BITS_ASTRAY:
        raise Violated(f"{ones:.0%} of the bits in {len(ids)} ids are ones", _mark_id(stage, 0))


def _mark_id(stage: Stage, position: int) -> Mark:
    return Mark(stage.heard[-1].data, 8 + position, 20)


@script(
    "STUNC-UDP-08",
    "The client MUST choose a new transaction ID for new transactions.",
    Action.ALLOCATE,
)
async def a_retry_has_another_id(stage: Stage) -> None:
    first = await stage.first(Method.ALLOCATE)
    if first.is_signed:
        raise NotOffered("the client begins with credentials: it knows the server")
    stage.challenge(first)
    until = stage.now + stage.settings.pause
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.is_signed and heard.transaction_id == first.transaction_id:
            raise Violated("the request with credentials has the id of the first", whole(heard))
        if heard.is_signed:
            return
    raise NotOffered("the client does not come back with credentials")


@script(
    "STUNC-UDP-10",
    "At any time, a client SHOULD NOT have more than 10 transactions to the same server "
    "outstanding.",
    Action.BURST,
    over=Over.DATAGRAMS,
)
async def ten_transactions_are_outstanding(stage: Stage) -> None:
    first = await stage.first()
    await stage.collect(4.0)
    most, last = _most_outstanding([each for each in stage.heard if each.is_request])
    if most > MAX_OUTSTANDING:
        raise Violated(f"{most} transactions are outstanding", whole(last))
    if most < MAX_OUTSTANDING:
        raise NotOffered(f"the client has {most} transactions at once, whatever is allowed")
    known = len(stage.transactions())
    for each in {each.transaction_id: each for each in stage.heard}.values():
        stage.answer(each)
    await stage.play(8.0)
    if len(stage.transactions()) == known:
        raise NotOffered(f"the client has no more than {known} requests to send from {first.path}")


def _most_outstanding(requests: list[Heard]) -> tuple[int, Heard]:
    """How many transactions were under way at once, and when the last of them began.

    One is, from its first request to its last, and some time after the first.
    """
    lives: dict[bytes | None, tuple[float, float]] = {}
    most, last = 0, requests[0]
    for each in requests:
        begun, _ = lives.get(each.transaction_id, (each.at, each.at))
        lives[each.transaction_id] = (begun, max(each.at, begun + ALL_AT_ONCE))
    for each in requests:
        under_way = sum(begun <= each.at <= end for begun, end in lives.values())
        if under_way > most:
            most, last = under_way, each
    return most, last


@script(
    "STUNC-UDP-11",
    "Indications are not retransmitted; thus, indication transactions over UDP are not reliable.",
    Action.INDICATION,
    over=Over.DATAGRAMS,
)
async def indications_are_sent_once(stage: Stage) -> None:
    heard = await stage.hear(stage.settings.patience)
    if heard is None or heard.message is None:
        raise NotOffered("the client sends nothing")
    if heard.message.message_class is not Class.INDICATION:
        raise NotOffered("the client sends no indication")
    for each in await stage.collect(6.0):
        if each.transaction_id == heard.transaction_id:
            raise Violated("the indication is sent again", whole(each))


@script(
    "STUNC-UDP-12",
    "The client checks that the transaction ID matches a transaction that is still in progress; "
    "a response that comes from another transport address is not one of the server.",
    Action.REQUEST,
    over=Over.DATAGRAMS,
)
async def only_the_response_of_the_server_counts(stage: Stage) -> None:
    first = await stage.first()
    reply = stage.right.answer(first)
    wrong = reply[:8] + bytes(each ^ 0xFF for each in reply[8:20]) + reply[20:]
    waiting = await waits(stage, first)
    waiting = await discards(stage, waiting, wrong, why="a response with another transaction id")
    stage.send_from_elsewhere(reply, first.path)
    why = "a response from another port"
    waiting = await goes_on_waiting(stage, waiting, reply, why=why)
    await expect_answer_taken(stage, waiting)
