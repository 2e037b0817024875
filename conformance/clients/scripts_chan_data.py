"""TURNC-CHAN, continued: what clients do with ChannelData (RFC 8656 sections 12.4 to 12.6)."""

from __future__ import annotations

from typing import Final

from conformance.building import channel_data
from conformance.outcome import NotOffered, Violated

from .heard import Heard, channel_of, whole
from .script import Action, Over, script
from .scripts_chan import bound
from .scripts_perm import carries, echoed, payload, sent_back
from .stage import Stage

UNBOUND: Final = 0x4ABC


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
