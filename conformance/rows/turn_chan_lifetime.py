"""TURN-CHAN: how long channels last, and what refreshes them (RFC 8656 section 12)."""

from __future__ import annotations

from typing import Final

from conformance.allocation import Allocation
from conformance.expect import expect_success
from conformance.outcome import NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.relayed import expect_relayed
from conformance.relaying import CHANNEL, Pair, bound_pair, stay
from conformance.row import Feature, row

from .needs import need_data

LIFETIME: Final = 600.0
"""Seconds of a channel binding."""

PERMISSION: Final = 300.0
"""Seconds of a permission."""

EARLY: Final = 5.0
LATE: Final = 6.0
"""Seconds before and after, when it is looked at: timers of servers tick."""

GUARD: Final = 300.0
"""Seconds that a client waits before it uses a number or a peer again."""

EVERY: Final = 20.0
"""Seconds between data that must refresh nothing."""

OTHER: Final = 0x4002


@row(
    "TURN-CHAN-08",
    "A channel binding lasts for 10 minutes unless refreshed.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def channels_last_ten_minutes(probe: Probe) -> None:
    await need_data(probe)
    # Each is looked at once, so that what is sent to look keeps none alive.
    before = probe.wire.now()
    early, late, again = ways = [await bound_pair(probe) for _ in range(3)]
    lapsed = await bound_pair(probe)
    await lapsed.permit()
    after = probe.wire.now()
    await _stay_permitted(probe, before + LIFETIME / 2, *ways, unpermitted=lapsed)
    refreshed = probe.wire.now()
    await again.bind()
    await _stay_permitted(probe, after + PERMISSION + LATE, *ways, unpermitted=lapsed)
    await lapsed.permit()
    await _expect_bound(lapsed, "with a new permission, after the first has ended,")
    await _stay_permitted(probe, before + LIFETIME - EARLY, *ways)
    await _expect_bound(early, f"{LIFETIME - EARLY:g} s after ChannelBind")
    await _stay_permitted(probe, after + LIFETIME + LATE, *ways)
    await _expect_unbound(late, f"{LIFETIME + LATE:g} s after ChannelBind")
    await _stay_permitted(probe, refreshed + LIFETIME - EARLY - 5, again)
    await _expect_bound(again, "after another ChannelBind has refreshed it")


@row(
    "TURN-CHAN-09",
    "On the server, the receipt of a ChannelData message MUST NOT refresh either the channel "
    "binding or the permission towards the peer.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def data_refreshes_no_channel(probe: Probe) -> Outcome | None:
    await need_data(probe)
    # Beside it there is a channel without data: what lasts longer anyway says nothing of data.
    way, idle = await bound_pair(probe), await bound_pair(probe)
    begun, both = probe.wire.now(), (way.allocation, idle.allocation)
    await _keep_sending(way, begun + PERMISSION - 2 * EARLY, idle)
    await stay(probe, begun + PERMISSION + LATE, *both)
    is_too_long = await (await idle.with_peer()).passes()
    if not is_too_long:
        # Permissions are about what peers and Send indications send: ChannelData may go on.
        when = f"{PERMISSION + LATE:g} s after ChannelBind, with ChannelData since"
        other = await way.with_peer()
        await other.peer.send(b"late", way.allocation.relayed)
        await other.silence_at_client(why=f"{when}, the permission has ended")
    for until in (PERMISSION + 5 * EVERY, LIFETIME - 2 * EARLY):
        await way.permit()
        await _keep_sending(way, begun + until, idle)
    await stay(probe, begun + LIFETIME + LATE, *both)
    await way.permit()
    await idle.permit()
    found = await idle.back(b"idle")
    if found is not None and found.channel is not None:
        raise NotOffered("channels without data last too long as well: see TURN-CHAN-08")
    await _expect_unbound(way, f"{LIFETIME + LATE:g} s after ChannelBind, with ChannelData since")
    if is_too_long:
        return seen("the channel is not refreshed; permissions last too long: see TURN-PERM-08")
    return None


@row(
    "TURN-CHAN-11",
    "Once unbound, the channel number can be bound to a different transport address, and the "
    "transport address can be bound to a different channel number.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def what_is_unbound_can_be_bound(probe: Probe) -> None:
    way = await bound_pair(probe)
    other = await way.with_peer()
    # A client has to wait for five more minutes (section 12).
    await stay(probe, probe.wire.now() + LIFETIME + GUARD + LATE, way.allocation)
    await way.permit()
    found = await way.back(b"unbound")
    if found is not None and found.channel is not None:
        raise NotOffered("the channel is still bound: see TURN-CHAN-08")
    response = await way.allocation.bind(CHANNEL, other.peer.local)
    expect_success(response, to="binding a number, that was bound before, to another peer")
    response = await way.allocation.bind(OTHER, way.peer.local)
    expect_success(response, to="binding a peer, that was bound before, to another number")
    await other.expect_sent_on_channel(b"to its new peer", CHANNEL)
    await way.expect_sent_on_channel(b"with its new number", OTHER)


async def _stay_permitted(
    probe: Probe, until: float, *ways: Pair, unpermitted: Pair | None = None
) -> None:
    """Wait, and let no permission end (but of one): CreatePermission does not touch channels."""
    allocations: list[Allocation] = [each.allocation for each in ways]
    allocations += [] if unpermitted is None else [unpermitted.allocation]
    while probe.wire.now() < until:
        for each in ways:
            await each.permit()
        await stay(probe, min(until, probe.wire.now() + PERMISSION / 2), *allocations)
    for each in ways:
        await each.permit()


async def _keep_sending(way: Pair, until: float, idle: Pair) -> None:
    """ChannelData every while, and none beside it.

    Raises:
        NotOffered: it does not come out.
    """
    while (now := way.probe.wire.now()) < until:
        if await way.send_channel(b"kept alive?") is None:
            raise NotOffered("ChannelData does not come to the peer: see TURN-CHAN-08")
        await stay(way.probe, min(now + EVERY, until), way.allocation, idle.allocation)


async def _expect_bound(way: Pair, when: str) -> None:
    if await way.send_channel(b"bound") is None:
        raise Violated(f"{when} ChannelData does not come to the peer")
    found = await way.back(b"bound")
    if found is None or found.channel != CHANNEL:
        raise Violated(f"{when} the client receives {found or 'nothing'}, not ChannelData")


async def _expect_unbound(way: Pair, when: str) -> None:
    """Though there is a permission."""
    await way.allocation.send_channel(CHANNEL, b"late")
    await way.silence_at_peer(why=f"{when} the channel is unbound")
    if await way.send(b"control") is None:
        raise NotOffered("with a permission a Send indication does not come to the peer")
    expect_relayed(await way.back(b"unbound"), b"unbound", peer=way.peer.local)
