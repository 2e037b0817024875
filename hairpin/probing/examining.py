"""The NAT in front of us, and what it means."""

from __future__ import annotations

from stun.aio import discover_behavior
from stun.behavior import (
    ALL_BUT_LIFETIME,
    BehaviorConfig,
    BehaviorReport,
    BehaviorTest,
    BindingLifetime,
    Inconclusive,
    NatFiltering,
    NatMapping,
    TestResult,
)
from transport import TransportProtocol

from .findings import Finding, JsonValue, Status, Step
from .natwords import headline, meaning
from .reaching import Reached


async def examine(reached: Reached, *, longest_lifetime: float | None) -> Finding:
    """What RFC 5780 can tell over UDP; elsewhere a NAT is only seen."""
    if reached.path.transport is not TransportProtocol.UDP:
        is_seen = reached.mapped.ip != reached.path.local.ip
        seen = "there is one" if is_seen else "there is none on this way"
        text = f"{seen}; how a NAT behaves is found out over UDP alone"
        return Finding(Step.NAT, Status.NOTE, text, data={"is_there": is_seen})
    tests = ALL_BUT_LIFETIME if longest_lifetime is None else frozenset(BehaviorTest)
    config = BehaviorConfig()
    if longest_lifetime is not None:
        config = BehaviorConfig(longest_lifetime=longest_lifetime)
    try:
        report = await discover_behavior(
            reached.target.address, tests=tests, config=config, local=reached.path.local.ip
        )
    except OSError as error:
        return Finding(Step.NAT, Status.NOTE, "it cannot be examined", said=str(error))
    is_known = isinstance(report.mapping, NatMapping) and isinstance(report.filtering, NatFiltering)
    return Finding(
        Step.NAT,
        Status.OK if is_known else Status.NOTE,
        headline(report),
        meaning(report),
        data=_data(report),
    )


def _data(report: BehaviorReport) -> dict[str, JsonValue]:
    lifetime = report.lifetime
    seconds: JsonValue = _value(lifetime) if isinstance(lifetime, Inconclusive) else None
    if isinstance(lifetime, BindingLifetime):
        seconds = {"at_least": lifetime.at_least, "below": lifetime.below}
    return {
        "mapping": _value(report.mapping),
        "filtering": _value(report.filtering),
        "hairpinning": _value(report.hairpinning),
        "fragments": _value(report.fragments),
        "binding_lifetime": seconds,
    }


def _value(result: TestResult | None) -> JsonValue:
    match result:
        case None | BindingLifetime():
            return None
        case Inconclusive(obstacle, code):
            return {"inconclusive": obstacle.name.lower(), "code": code}
        case _:
            return str(result.value)
