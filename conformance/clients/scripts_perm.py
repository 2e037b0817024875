"""TURNC-PERM: permissions, and data in indications (RFC 8656 sections 9 to 11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from conformance.client import xor
from conformance.codes import Attr, Method
from conformance.outcome import NotOffered, Violated
from transport import Path, TransportAddress

from .heard import Heard, is_request, message_of, whole
from .script import Action, script
from .stage import Stage

PERMISSION_LIFETIME: Final = 300.0
LONGEST_UNKEPT: Final = PERMISSION_LIFETIME + 2
IN_USE: Final = 30.0
"""Seconds since data were sent: what nobody uses need not be kept."""


def payload(heard: Heard) -> bytes:
    """What goes to a peer with it; nothing where that is not what it is for."""
    if heard.channel is not None:
        return heard.channel.data
    if heard.method != Method.SEND:
        return b""
    return message_of(heard).get(Attr.DATA) or b""


def carries(heard: Heard, data: bytes) -> bool:
    """Whether these bytes go to a peer with it."""
    is_for_peers = heard.channel is not None or heard.method == Method.SEND
    return is_for_peers and payload(heard) == data


async def echoed(stage: Stage, data: bytes, seconds: float = 3.0) -> Heard | None:
    """What has the client send the bytes back, or None.

    Raises:
        NotOffered: the client has ended.
    """
    return await sent_back(stage, lambda heard: carries(heard, data), seconds)


async def sent_back(
    stage: Stage, wanted: Callable[[Heard], bool], seconds: float = 3.0
) -> Heard | None:
    """As ``echoed``."""
    found = await stage.seek(wanted, seconds)
    if found is None and stage.ended is not None:
        raise NotOffered("the client ends before all has been tried")
    return found


async def echoing(stage: Stage) -> Heard:
    """An allocation whose client sends back what the peer sends; a request of its 5-tuple.

    Raises:
        NotOffered: it does not.
    """
    stage.right.echoes = False  # or two would send the same back and forth for ever
    stage.answer(await stage.begin(Method.ALLOCATE))
    permit = await stage.await_next(Method.CREATE_PERMISSION)
    stage.answer(permit)
    await expect_echo(stage, permit)
    return permit


async def expect_echo(stage: Stage, request: Heard) -> None:
    """A positive control.

    Raises:
        NotOffered: what comes the right way is not sent back.
    """
    await stage.play(0.3)
    stage.send(stage.right.data(stage.settings.peer, b"control"), request.path)
    if await echoed(stage, b"control") is None:
        raise NotOffered("the client does not send back what its peer sends")


@script(
    "TURNC-PERM-01",
    "The client MUST include at least one XOR-PEER-ADDRESS attribute, with an address of the "
    "family of the relayed transport address.",
    Action.PERMIT,
)
async def a_permission_has_a_peer(stage: Stage) -> None:
    stage.answer(await stage.begin(Method.ALLOCATE))
    permit = await stage.await_next(Method.CREATE_PERMISSION)
    if not permit.peers:
        raise Violated("CreatePermission has no XOR-PEER-ADDRESS", whole(permit))
    known = {each.is_ipv6 for each in stage.allocation_of(permit).addresses}
    if not {peer.is_ipv6 for peer in permit.peers} <= known:
        raise Violated("a peer is not of the allocation's family", whole(permit))


@script(
    "TURNC-PERM-02",
    "Before it sends a Send indication the client makes sure that there is a permission for the "
    "peer.",
    Action.SEND,
)
async def a_permission_comes_before_data(stage: Stage) -> None:
    stage.answer(await stage.begin(Method.ALLOCATE))
    sent = None
    until = stage.now + stage.settings.pause
    while (heard := await stage.hear(until - stage.now)) is not None:
        if heard.method == Method.SEND:
            sent = heard
            break
        stage.answer(heard)
    if sent is None:
        raise NotOffered("the client sends no Send indication")
    permitted = stage.allocation_of(sent).permitted
    if not all(peer.ip in permitted for peer in sent.peers):
        raise Violated("a Send indication goes to a peer without a permission", whole(sent))


@script(
    "TURNC-PERM-03",
    "Each permission has a Lifetime of 300 seconds, and is refreshed by CreatePermission or "
    "ChannelBind; a channel binding lives longer.",
    Action.CHANNEL,
    slow=True,
)
async def permissions_are_kept(stage: Stage) -> None:
    stage.answer(await stage.begin(Method.ALLOCATE))
    kept: dict[Path, float] = {}
    end = stage.now + 2.2 * PERMISSION_LIFETIME
    while (heard := await stage.hear(end - stage.now)) is not None:
        stage.answer(heard)
        if heard.method in (Method.CREATE_PERMISSION, Method.CHANNEL_BIND) and heard.is_signed:
            kept[heard.path] = heard.at
        elif payload(heard) and heard.at - kept.get(heard.path, heard.at) > LONGEST_UNKEPT:
            raise Violated("300 s pass without the permission being refreshed", whole(heard))
    if stage.ended is not None:
        raise NotOffered("the client ends before a permission does")
    if not kept:
        raise NotOffered("the client asks for no permission")
    if not any(payload(each) for each in stage.since(end - IN_USE)):
        raise NotOffered("the client has stopped sending: it needs no permission")


@script(
    "TURNC-PERM-04",
    "If the Data indication has no XOR-PEER-ADDRESS attribute, or neither DATA nor ICMP, it is "
    "discarded.",
    Action.ECHO,
)
async def an_incomplete_indication_is_dropped(stage: Stage) -> None:
    permit = await echoing(stage)
    nobody = stage.right.indication(Method.DATA, (Attr.DATA, b"nobody's"))
    stage.send(nobody.build(), permit.path)
    if (found := await echoed(stage, b"nobody's")) is not None:
        raise Violated("a Data indication without XOR-PEER-ADDRESS is taken", whole(found))
    empty = stage.right.indication(Method.DATA, xor(Attr.XOR_PEER_ADDRESS, stage.settings.peer))
    stage.send(empty.build(), permit.path)
    if (found := await echoed(stage, b"")) is not None:
        raise Violated("a Data indication without DATA is taken", whole(found))
    await expect_echo(stage, permit)


@script(
    "TURNC-PERM-05",
    "The client SHOULD check that XOR-PEER-ADDRESS has an IP address with which the client "
    "believes there is an active permission, and otherwise discard the Data indication.",
    Action.ECHO,
)
async def data_of_strangers_are_dropped(stage: Stage) -> None:
    permit = await echoing(stage)
    ip = stage.settings.other.ip
    if any(peer.ip == ip for each in stage.heard for peer in each.peers):
        raise NotOffered(f"the client has a permission for {ip}")
    stage.send(stage.right.data(TransportAddress(ip, 7000), b"stranger"), permit.path)
    if (found := await echoed(stage, b"stranger")) is not None:
        raise Violated("data of a peer without a permission are taken", whole(found))
    await expect_echo(stage, permit)


@script(
    "TURNC-PERM-07",
    "One forbidden peer does not cost the others their permissions: 403 is for a request.",
    Action.PERMIT_TWO,
)
async def one_forbidden_peer_does_not_harm_the_other(stage: Stage) -> None:
    stage.answer(await stage.begin(Method.ALLOCATE))
    forbidden, wanted = stage.settings.other.ip, stage.settings.peer.ip
    until = stage.now + stage.settings.pause
    refused = None
    while (heard := await stage.hear(until - stage.now)) is not None:
        if not is_request(Method.CREATE_PERMISSION)(heard):
            stage.answer(heard)
            continue
        asked = {peer.ip for peer in heard.peers}
        if forbidden not in asked:
            stage.answer(heard)
        else:
            refused = heard
            stage.refuse(heard, 403)
    if refused is None:
        raise NotOffered(f"the client asks for no permission for {forbidden}")
    known = stage.right.allocations.get(refused.path)
    is_gone = stage.ended is not None or stage.is_closed(refused.path)
    if known is None or (is_gone and wanted not in known.permitted):
        raise NotOffered("the client gives its allocation up when one peer is forbidden")
    if wanted not in known.permitted:
        raise Violated(f"after 403 for {forbidden}, none is asked for {wanted}", whole(refused))
