"""TURNC-CHAN: channels (RFC 8656 section 12)."""

from __future__ import annotations

from typing import Final

from conformance.building import channel_data
from conformance.checks import mark_attribute
from conformance.codes import Attr, Method
from conformance.outcome import NotOffered, Outcome, Violated, seen
from transport import Path, TransportAddress

from .heard import Heard, channel_of, is_request, message_of, whole
from .script import Action, Over, script
from .scripts_ltc import expect_heard
from .scripts_perm import IN_USE, carries, echoed, payload, sent_back
from .showing import waits
from .stage import Stage

CHANNELS: Final = range(0x4000, 0x5000)
CHANNELS_OF_RFC_5766: Final = range(0x4000, 0x7FFF)
UNBOUND: Final = 0x4ABC
CHANNEL_LIFETIME: Final = 600.0


async def bound(stage: Stage) -> Heard:
    """The first ChannelBind request, unanswered.

    Raises:
        NotOffered: there is none.
    """
    stage.answer(await stage.begin(Method.ALLOCATE))
    return await stage.await_next(Method.CHANNEL_BIND)


async def echoing_on_channel(stage: Stage) -> tuple[Heard, int]:
    """A bound channel whose client sends back what comes on it.

    Raises:
        NotOffered: it does not.
    """
    stage.right.echoes = False
    bind = await bound(stage)
    number = channel_of(bind)
    if number is None or not bind.peers:
        raise NotOffered("the ChannelBind request cannot be read")
    stage.answer(bind)
    await _expect_channel_echo(stage, bind, number)
    return bind, number


async def _expect_channel_echo(stage: Stage, bind: Heard, number: int) -> None:
    """A positive control.

    Raises:
        NotOffered: what comes the right way is not sent back.
    """
    await stage.play(0.3)
    stage.send(padded(stage, number, b"control"), bind.path)
    if await echoed(stage, b"control") is None:
        raise NotOffered("the client does not send back what comes on its channel")


def padded(stage: Stage, number: int, data: bytes) -> bytes:
    """ChannelData as the transport wants it."""
    message = channel_data(number, data)
    return message + bytes(-len(message) % 4 if stage.is_stream else 0)


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
    "TURNC-CHAN-03",
    "The client SHOULD be prepared to receive ChannelData messages on the channel as soon as it "
    "has sent the ChannelBind request.",
    Action.ECHO_CHANNEL,
    over=Over.DATAGRAMS,
)
async def data_may_come_before_the_answer(stage: Stage) -> None:
    stage.right.echoes = False
    bind = await bound(stage)
    number = channel_of(bind) or 0
    known = stage.allocation_of(bind).permitted
    if not all(peer.ip in known for peer in bind.peers):
        raise NotOffered("the client has no permission to send back what comes so early")
    stage.send(padded(stage, number, b"early"), bind.path)
    await stage.pause(0.1)
    stage.answer(bind)
    early = await echoed(stage, b"early", 4.0)
    stage.send(padded(stage, number, b"control"), bind.path)
    late = await echoed(stage, b"control")
    if late is None and early is None:
        raise NotOffered("the client does not send back what comes on its channel")
    if early is None:
        raise Violated("ChannelData that comes before the answer is dropped")


@script(
    "TURNC-CHAN-04",
    "Until it has received the success response, the client sends data in Send indications, or "
    "queues them.",
    Action.CHANNEL,
)
async def a_channel_is_used_when_it_is_bound(stage: Stage) -> None:
    bind = await bound(stage)
    number = channel_of(bind)
    until = stage.now + 2.5
    while (heard := await stage.hear(until - stage.now)) is not None:
        is_same = heard.channel is not None and heard.channel.number == number
        if is_same and heard.path == bind.path:
            raise Violated("ChannelData come before the channel is bound", whole(heard))
        if heard.transaction_id != bind.transaction_id:
            stage.answer(heard)
    stage.answer(bind)
    later = await stage.seek(lambda heard: heard.channel is not None, stage.settings.pause)
    if later is None:
        raise NotOffered("the client sends no ChannelData")


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
    "TURNC-CHAN-07",
    "Over TCP and TLS-over-TCP, the ChannelData message MUST be padded to a multiple of four "
    "bytes.",
    Action.CHANNEL,
    over=Over.STREAM,
)
async def streams_are_padded(stage: Stage) -> None:
    bind = await bound(stage)
    stage.answer(bind)
    first = await stage.seek(lambda heard: heard.channel is not None, stage.settings.pause)
    if first is None:
        raise NotOffered("the client sends no ChannelData")
    stage.answer(first)
    begun = len(stage.heard)
    await stage.play(5.0)
    found = [first, *stage.heard[begun:]]
    lengths = {len(each.channel.data) % 4 for each in found if each.channel is not None}
    if any(each.message is None and each.channel is None for each in found):
        raise Violated("what follows ChannelData is no message", whole(found[-1]))
    if lengths == {0}:
        raise NotOffered("all data of the client have a length that needs no padding")


@script(
    "TURNC-CHAN-08",
    "ChannelData with an unbound channel number, or a length that passes the datagram's end, are "
    "discarded; padding is not data, and a length of zero is a datagram of none.",
    Action.ECHO_CHANNEL,
    over=Over.DATAGRAMS,
)
async def odd_channel_data_are_looked_at(stage: Stage) -> None:
    bind, number = await echoing_on_channel(stage)
    stage.send(channel_data(UNBOUND if number != UNBOUND else UNBOUND + 1, b"unbound"), bind.path)
    if (found := await echoed(stage, b"unbound")) is not None:
        raise Violated("ChannelData with an unbound number are taken", whole(found))
    stage.send(channel_data(number, b"short", length=40), bind.path)
    if (found := await _sent_back(stage, b"short")) is not None:
        raise Violated("ChannelData that end too early are taken", whole(found))
    stage.send(channel_data(number, b"pad") + b"\0", bind.path)
    found = await _sent_back(stage, b"pad")
    if found is None:
        await _expect_channel_echo(stage, bind, number)
        raise Violated("padded ChannelData are not taken")
    if not carries(found, b"pad"):
        raise Violated("padding is taken for data", whole(found))
    stage.send(channel_data(number, b""), bind.path)
    if await echoed(stage, b"") is None:
        await _expect_channel_echo(stage, bind, number)
        raise Violated("ChannelData without data are not delivered")


async def _sent_back(stage: Stage, begin: bytes) -> Heard | None:
    """What has the client send back something that begins so, or None."""
    return await sent_back(stage, lambda heard: payload(heard).startswith(begin))


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


@script(
    "TURNC-CHAN-10",
    "Only what comes from the server's transport address is taken for the server's.",
    Action.ECHO_CHANNEL,
    over=Over.DATAGRAMS,
)
async def data_from_elsewhere_are_dropped(stage: Stage) -> None:
    bind, number = await echoing_on_channel(stage)
    stage.send_from_elsewhere(padded(stage, number, b"forged"), bind.path)
    if (found := await echoed(stage, b"forged")) is not None:
        raise Violated("ChannelData from another port than the server's are taken", whole(found))
    stage.send_from_elsewhere(stage.right.data(stage.settings.peer, b"forged too"), bind.path)
    if (found := await echoed(stage, b"forged too")) is not None:
        text = "a Data indication from another port than the server's is taken"
        raise Violated(text, whole(found))
    await _expect_channel_echo(stage, bind, number)
