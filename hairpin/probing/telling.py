"""What came of a step, in words and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ice.aio import local_addresses
from ice.interfaces import host_addresses
from stun.resolution import Target

from .advice import Cause
from .allocating import Held, family_of
from .findings import Finding, JsonValue, Status, Step
from .reaching import Reached, Unreached
from .relaying import RoundTrip

_SAID: Final[Mapping[Cause, str]] = MappingProxyType(
    {
        Cause.NO_WAY: "there is no way to it",
        Cause.UDP_BLOCKED: "UDP is blocked",
        Cause.PORT_CLOSED: "nothing listens there",
        Cause.SERVER_SILENT: "it does not answer",
        Cause.CERTIFICATE_WRONG: "its certificate is not accepted",
        Cause.NO_TLS: "it speaks no TLS",
        Cause.NOT_STUN: "it speaks no STUN",
        Cause.BINDING_REFUSED: "it refuses to tell our address",
        Cause.CONNECTION_LOST: "it closes the connection",
    }
)


def target_data(target: Target) -> dict[str, JsonValue]:
    return {"address": str(target.address), "transport": target.transport.value}


def reach_finding(outcome: Reached | Unreached, *, is_needed: bool) -> Finding:
    data = target_data(outcome.target)
    if isinstance(outcome, Unreached):
        status = Status.FAILED if is_needed else Status.NOTE
        data["error"] = outcome.said
        text = f"{outcome.target}: {_SAID[outcome.cause]}"
        return Finding(
            Step.TRANSPORT, status, text, cause=outcome.cause, said=outcome.said, data=data
        )
    trip = outcome.round_trip_time
    data["mapped"] = str(outcome.mapped)
    data["round_trip_ms"] = None if trip is None else round(1000 * trip, 2)
    took = "after a repeat" if trip is None else f"in {1000 * trip:.1f} ms"
    text = f"{outcome.target} answers {took}; it sees us as {outcome.mapped}"
    return Finding(Step.TRANSPORT, Status.OK, text, data=data)


def candidates_finding(reached: Reached, held: Held | None, *, is_turn: bool) -> Finding:
    """What ICE would have to offer; loopback counts where the server is there too."""
    is_local = reached.path.local.ip.is_loopback
    hosts = [str(ip) for ip in host_addresses(local_addresses(), loopback=is_local)]
    reflexive = str(reached.mapped)
    relayed = [] if held is None else [str(each) for each in held.relay.relayed_addresses]
    text = f"host {', '.join(hosts) or 'none'}; server-reflexive {reflexive}"
    if is_turn:
        text += f"; relayed {', '.join(relayed) or 'none'}"
    data: dict[str, JsonValue] = {
        "host": hosts,
        "server_reflexive": reflexive,
        "relayed": relayed,
    }
    return Finding(Step.CANDIDATES, Status.OK, text, data=data)


def allocation_finding(first: Held, second: Held | None) -> Finding:
    allocated = first.allocated
    addresses = " and ".join(
        f"{each} ({family_of(each)})" for each in first.relay.relayed_addresses
    )
    features = (second or first).features
    software = first.client.software
    more = [f"seen: {', '.join(features) or 'no extension'}"]
    if software:
        more.append(f"software: {software}")
    return Finding(
        Step.ALLOCATION,
        Status.OK,
        f"{addresses} for {allocated.lifetime} s",
        tuple(more),
        data={
            "relayed": [str(each) for each in first.relay.relayed_addresses],
            "mapped": str(allocated.mapped),
            "lifetime": allocated.lifetime,
            "family": family_of(allocated.relayed),
            "features": list(features),
            "software": software or None,
        },
    )


def relay_finding(trip: RoundTrip, how: str) -> Finding:
    there, back = trip.there, trip.back
    data: dict[str, JsonValue] = {
        "how": how,
        "there": {"sent": there.sent, "received": there.received, "ms": round(there.median_ms, 2)},
        "back": {"sent": back.sent, "received": back.received, "ms": round(back.median_ms, 2)},
    }
    if not there.received or not back.received:
        direction = "there" if not there.received else "back"
        text = f"every packet is lost on the way {direction} ({how})"
        return Finding(Step.RELAY, Status.FAILED, text, cause=Cause.PACKETS_LOST, data=data)
    text = (
        f"{there.received} of {there.sent} packets there in {there.median_ms:.1f} ms, "
        f"{back.received} of {back.sent} back in {back.median_ms:.1f} ms"
    )
    status = Status.OK if not there.loss and not back.loss else Status.NOTE
    lost = f"lost: {100 * there.loss:.0f} % there, {100 * back.loss:.0f} % back"
    return Finding(
        Step.RELAY, status, text, (how, *((lost,) if status is Status.NOTE else ())), data=data
    )
