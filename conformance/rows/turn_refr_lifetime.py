"""TURN-REFR: how long allocations last (RFC 8656 section 6)."""

from __future__ import annotations

from typing import Final

from conformance.allocation import Allocation
from conformance.building import u32
from conformance.codes import Attr, Class
from conformance.expect import expect_error, expect_success
from conformance.outcome import NotOffered, Outcome, Unanswered
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.relaying import permitted_pair, stay
from conformance.row import Feature, row

from .turn_refr_deletion import CLOSED, is_closed

LATE: Final = 15.0
"""Seconds that an allocation may outlive its lifetime: timers of servers are coarse."""

MAX_LIFETIME: Final = 1800
"""An allocation that is granted more is not waited for."""


@row(
    "TURN-REFR-07",
    "Allocations can only be refreshed using the Refresh request; sending data to a peer does "
    "not refresh an allocation.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def data_keeps_no_allocation_alive(probe: Probe) -> Outcome | None:
    now = probe.wire.now
    idle, way = await probe.allocate(), await permitted_pair(probe)
    end = now() + _granted(way.allocation)
    while now() < end - 20:
        await way.permit()
        await way.need_both_ways(when="with a permission")
        await stay(probe, min(now() + 20, end - 20), way.allocation, idle, refresh=False)
    await way.permit()
    await way.need_both_ways(when="just before the end")
    await stay(probe, end + LATE)
    silent = await _late_refresh(probe, idle)
    if silent is not None and silent.message_class is Class.SUCCESS:
        raise NotOffered("allocations without data last too long as well: see TURN-REFR-08")
    response = await _late_refresh(probe, way.allocation)
    if response is None:
        return CLOSED
    expect_error(
        response,
        437,
        to=f"Refresh {LATE:g} s after the end of an allocation that carried data all the time",
    )
    return None


@row(
    "TURN-REFR-08",
    "The time-to-expiry is the time in seconds left until the allocation expires; each Allocate "
    "or Refresh transaction sets this timer, which then ticks down towards zero.",
    Feature.TURN,
    Feature.PEER,
    slow=True,
)
async def allocations_expire(probe: Probe) -> Outcome | None:
    way, refreshed = await permitted_pair(probe), await probe.allocate()
    seconds = _granted(way.allocation)
    end = probe.wire.now() + seconds
    both = (way.allocation, refreshed)
    await stay(probe, end - seconds / 2, *both, refresh=False)
    response = await refreshed.refresh((Attr.LIFETIME, u32(seconds)))
    expect_success(response, to="Refresh at half of the lifetime")
    is_longer = (response.number(Attr.LIFETIME) or 0) >= seconds / 2 + 2 * LATE
    await stay(probe, end - LATE, *both, refresh=False)
    response = await way.allocation.permit(way.peer.local)
    expect_success(response, to=f"CreatePermission {LATE:g} s before the end")
    await way.need_both_ways(when="just before the end")
    await stay(probe, end + LATE)
    await way.peer.send(b"late", way.allocation.relayed)
    await way.silence_at_client(why="the allocation has expired")
    if is_longer:
        to = f"Refresh {LATE:g} s after an allocation would have ended that was refreshed"
        expect_success(await refreshed.refresh(), to=to)
    late = await _late_refresh(probe, way.allocation)
    if late is None:
        return CLOSED
    expect_error(late, 437, to=f"Refresh {LATE:g} s after the end")
    return None


async def _late_refresh(probe: Probe, allocation: Allocation) -> ReceivedMessage | None:
    """The answer to Refresh of an allocation that has ended; None if the connection has, too.

    A server may look at its connections once a minute, and close one at any moment.

    Raises:
        Unanswered: there is no answer.
    """
    client = allocation.client
    if await is_closed(probe, client):
        return None
    try:
        return await allocation.refresh()
    except Unanswered:
        if client.link.has_ended:
            return None
        raise


def _granted(allocation: Allocation) -> int:
    """The seconds that it has.

    Raises:
        NotOffered: they are not said, or too many to wait for.
    """
    seconds = allocation.response.number(Attr.LIFETIME)
    if seconds is None:
        raise NotOffered("the answer to Allocate has no LIFETIME")
    if not LATE * 4 <= seconds <= MAX_LIFETIME:
        raise NotOffered(f"the allocation has {seconds} s: too few or too many to wait for")
    return seconds
