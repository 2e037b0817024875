"""TURN-PERM: how long permissions last, and what refreshes them (RFC 8656 section 9)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from conformance.outcome import NotOffered, Violated
from conformance.probe import Probe
from conformance.relaying import Pair, permitted_pair, stay
from conformance.row import Feature, row

from .needs import need_data

LIFETIME: Final = 300.0
"""Seconds of a permission: a MUST."""

EARLY: Final = 5.0
LATE: Final = 6.0
"""Seconds before and after, when it is looked at: timers of servers tick."""

HALF: Final = 150.0
"""When a permission is refreshed that has lasted for a while."""

EVERY: Final = 20.0
"""Seconds between data that must refresh nothing."""


@row(
    "TURN-PERM-08",
    "The Permission Lifetime MUST be 300 seconds (= 5 minutes). By sending either "
    "CreatePermission requests or ChannelBind requests, the client can cause the server to "
    "install or refresh a permission.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def permissions_last_five_minutes(probe: Probe) -> None:
    await need_data(probe)
    # Each is looked at once, so that what is sent to look keeps none alive.
    before = probe.wire.now()
    early, late, again, bound, unbound = ways = [await permitted_pair(probe) for _ in range(5)]
    after = probe.wire.now()
    allocations = [each.allocation for each in ways]
    await stay(probe, before + HALF, *allocations)
    refreshed = probe.wire.now()
    await again.permit()
    await bound.bind()
    await unbound.bind()
    await stay(probe, before + LIFETIME - EARLY, *allocations)
    await _expect_open(early, f"{LIFETIME - EARLY:g} s after CreatePermission")
    await stay(probe, after + LIFETIME + LATE, *allocations)
    await _expect_silence(late, f"{LIFETIME + LATE:g} s after CreatePermission")
    await stay(probe, refreshed + LIFETIME - EARLY - 5, *allocations)
    await _expect_open(again, "after CreatePermission has refreshed it")
    await _expect_open(await bound.with_peer(), "after ChannelBind has refreshed it")
    await stay(probe, refreshed + LIFETIME + LATE + 1, *allocations)
    # Another port has the permission, but not the channel.
    other = await unbound.with_peer()
    await _expect_silence(other, f"{LIFETIME + LATE:g} s after ChannelBind")
    await _need_new(late)
    await _need_new(other)


@row(
    "TURN-PERM-09",
    "Note that a Send indication never causes the server to refresh the permission.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def send_indications_refresh_no_permission(probe: Probe) -> None:
    way = await permitted_pair(probe)
    await way.need_both_ways(when="with a permission")

    async def send() -> bool:
        return await way.send(b"kept alive?") is not None

    async def hears(idle: Pair) -> bool:
        return await idle.passes()

    await _expect_end_in_spite_of(way, send, hears, "Send indications")


@row(
    "TURN-PERM-10",
    "CreatePermission and ChannelBind requests cause the server to install or refresh a "
    "permission (RFC 8656 section 9). That nothing else does, what peers send least of all, is "
    "our summary.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def data_of_peers_refreshes_no_permission(probe: Probe) -> None:
    way = await permitted_pair(probe)
    await way.need_both_ways(when="with a permission")

    async def sends(idle: Pair) -> bool:
        return await idle.send(b"idle") is not None

    await _expect_end_in_spite_of(way, way.passes, sends, "what the peer sends")


async def _expect_end_in_spite_of(
    way: Pair,
    carry: Callable[[], Awaitable[bool]],
    lasts: Callable[[Pair], Awaitable[bool]],
    what: str,
) -> None:
    """Beside it there is a permission without data; ``lasts`` looks whether that has ended,
    in the other direction than what is carried: a permission that lasts longer anyway says
    nothing about data."""
    probe, idle = way.probe, await permitted_pair(way.probe)
    begun = probe.wire.now()
    carried = False
    while (now := probe.wire.now()) < begun + LIFETIME - 2 * EARLY:
        carried = await carry()
        await stay(
            probe, min(now + EVERY, begun + LIFETIME - 2 * EARLY), way.allocation, idle.allocation
        )
    if not carried:
        raise NotOffered(
            f"the permission has ended within {LIFETIME - 2 * EARLY:g} s: TURN-PERM-08"
        )
    await stay(probe, begun + LIFETIME + LATE, way.allocation, idle.allocation)
    if await lasts(idle):
        raise NotOffered("permissions without data last too long as well: see TURN-PERM-08")
    await _expect_closed(way, f"{LIFETIME + LATE:g} s after CreatePermission, with {what} since")


async def _expect_open(way: Pair, when: str) -> None:
    if not await way.passes():
        raise Violated(f"{when} what the peer sends does not come to the client")
    if await way.send(b"out") is None:
        raise Violated(f"{when} a Send indication does not come to the peer")


async def _expect_closed(way: Pair, when: str) -> None:
    """That nothing passes, and that this is for want of the permission."""
    await _expect_silence(way, when)
    await _need_new(way)


async def _expect_silence(way: Pair, when: str) -> None:
    await way.allocation.send(way.peer.local, b"late")
    await way.silence_at_peer(why=when)
    await way.peer.send(b"late", way.allocation.relayed)
    await way.silence_at_client(why=when)


async def _need_new(way: Pair) -> None:
    await way.permit()
    await way.need_both_ways(when="with a new permission")
