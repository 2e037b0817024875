"""Runs of a few rows against servers on loopback."""

from __future__ import annotations

import dataclasses

from conformance import Credential, Row, Target, registered
from conformance.aio import Limits
from conformance.probe import Probe
from conformance.row import Run
from transport import TransportAddress, TransportProtocol

from .loopback import USERS

QUICK = Limits(per_second=10_000, lost_after=0.2)
REQUIREMENT = registered()[0].requirement


def target(
    server: TransportAddress, transport: TransportProtocol = TransportProtocol.UDP
) -> Target:
    credentials = tuple(Credential(*user) for user in USERS.items())
    return Target(
        address=server, transport=transport, credentials=credentials, patience=0.1, silence=0.05
    )


def row(program: Run, *, alone: bool = False) -> Row:
    return Row(REQUIREMENT, program, "", frozenset(), alone=alone, slow=False)


def named(program: Run, number: int, *, alone: bool = False) -> Row:
    requirement = dataclasses.replace(REQUIREMENT, id=registered()[number].id)
    return dataclasses.replace(row(program, alone=alone), requirement=requirement)


async def quick(_: Probe) -> None:
    """Passes."""
