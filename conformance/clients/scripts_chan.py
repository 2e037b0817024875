"""TURNC-CHAN: channels (RFC 8656 section 12)."""

from __future__ import annotations

from typing import Final

from conformance.checks import mark_attribute
from conformance.codes import Attr, Method
from conformance.outcome import NotOffered, Outcome, Violated, seen
from transport import Path, TransportAddress

from .heard import Heard, channel_of, is_request, message_of, whole
from .script import Action, script
from .scripts_ltc import expect_heard
from .scripts_perm import IN_USE, payload
from .showing import waits
from .stage import Stage

CHANNELS: Final = range(0x4000, 0x5000)
CHANNELS_OF_RFC_5766: Final = range(0x4000, 0x7FFF)
CHANNEL_LIFETIME: Final = 600.0


async def bound(stage: Stage) -> Heard:
    """The first ChannelBind request, unanswered.

    Raises:
        NotOffered: there is none.
    """
    stage.answer(await stage.begin(Method.ALLOCATE))
    return await stage.await_next(Method.CHANNEL_BIND)


@script(
    "TURNC-CHAN-01",
    "A channel number is from 0x4000 through 0x4FFF.",
    Action.CHANNEL,
)
async def numbers_are_in_range(stage: Stage) -> Outcome | None:
    stage.answer(await bound(stage))
    await stage.play(3.0)
    old = None
    for each in stage.heard:
        number = channel_of(each) if each.method == Method.CHANNEL_BIND else 0x4000
        if number in CHANNELS:
            continue
        shown = "none" if number is None else f"0x{number:04X}"
        if number not in CHANNELS_OF_RFC_5766:
            mark = mark_attribute(message_of(each), Attr.CHANNEL_NUMBER) or whole(each)
            raise Violated(f"the channel number is {shown}", mark)
        old = shown
    return None if old is None else seen(f"the channel number is {old}, as RFC 5766 allowed")


@script(
    "TURNC-CHAN-02",
    "The client MUST NOT bind a channel to another peer, or a peer to another channel, while the "
    "binding lives.",
    Action.CHANNELS,
)
async def numbers_and_peers_belong_together(stage: Stage) -> None:
    stage.answer(await bound(stage))
    await stage.play(6.0)
    peers: dict[tuple[Path, int], TransportAddress] = {}  # each allocation has its own
    numbers: dict[tuple[Path, TransportAddress], int] = {}
    for each in stage.heard:
        number = channel_of(each) if each.method == Method.CHANNEL_BIND else None
        if number is None or not each.peers:
            continue
        peer = each.peers[0]
        if peers.setdefault((each.path, number), peer) != peer:
            raise Violated(f"0x{number:04X} is bound to another peer, too", whole(each))
        if numbers.setdefault((each.path, peer), number) != number:
            raise Violated(f"{peer} is bound to another channel, too", whole(each))
    if len(peers) == len({path for path, _ in peers}):
        raise NotOffered("the client binds one channel")


@script(
    "TURNC-CHAN-05",
    "A channel binding lasts for 10 minutes unless refreshed.",
    Action.CHANNEL,
    slow=True,
)
async def channels_are_kept(stage: Stage) -> None:
    bind = await bound(stage)
    stage.answer(bind)
    number = channel_of(bind)
    until = bind.at + CHANNEL_LIFETIME
    while (heard := await stage.hear(until - stage.now)) is not None:
        stage.answer(heard)
        is_other = heard.transaction_id != bind.transaction_id and heard.path == bind.path
        if heard.method == Method.CHANNEL_BIND and is_other and channel_of(heard) == number:
            return
    if stage.ended is not None:
        raise NotOffered("the client ends before a channel binding does")
    recent = [each for each in stage.since(until - IN_USE) if each.path == bind.path]
    if not any(payload(each) for each in recent):
        raise NotOffered("the client has stopped using its channel")
    raise Violated("600 s pass without the channel being bound again")


@script(
    "TURNC-CHAN-06",
    "If the client receives an unexpected 400 to a ChannelBind request, it is RECOMMENDED to "
    "delete the allocation and start anew.",
    Action.CHANNEL,
    slow=True,
)
async def an_unexpected_400_ends_the_allocation(stage: Stage) -> None:
    bind = await bound(stage)
    stage.answer(bind)
    number, again = channel_of(bind), is_request(Method.CHANNEL_BIND)

    def renews(heard: Heard) -> bool:
        is_other = heard.transaction_id != bind.transaction_id and heard.path == bind.path
        return again(heard) and is_other and channel_of(heard) == number

    second = await stage.seek(renews, CHANNEL_LIFETIME)
    if second is None:
        raise NotOffered("the client does not refresh its channel")
    waiting = await waits(stage, second)
    stage.refuse(second, 400)
    deletion = await stage.seek(lambda heard: heard.is_deletion, stage.settings.pause)
    if deletion is None:
        await expect_heard(stage, waiting, why="400 for a channel that was bound")
        raise Violated("400 for a channel that was bound does not end the allocation")


@script(
    "TURNC-CHAN-09",
    "The address family of the peer MUST be that of the allocation.",
    Action.CHANNELS,
)
async def peers_are_of_the_allocations_family(stage: Stage) -> None:
    bind = await bound(stage)
    stage.answer(bind)
    await stage.play(3.0)
    for each in stage.heard:
        if each.method != Method.CHANNEL_BIND:
            continue
        known = {address.is_ipv6 for address in stage.allocation_of(each).addresses}
        if not {peer.is_ipv6 for peer in each.peers} <= known:
            raise Violated("a channel is bound to a peer of another family", whole(each))
