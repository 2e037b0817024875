"""Getting allocations, and what the server shows of itself meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from stun import ErrorNumber as Error
from stun import (
    Message,
    MessageClass,
    Method,
    MobilityTicket,
    Nonce,
    PasswordAlgorithms,
    SecurityFeature,
    Software,
    is_stun,
    security_features,
)
from stun.aio import open_way
from stun.resolution import Target
from transport import DecodeError, Event, Path, TransportAddress
from transport.aio import ClientTls, KernelSockets
from turn.aio import Relay
from turn.client import Allocated, AllocationFailed, ClientConfig, FailureReason, TurnClient
from turn.credentials import Credentials

from .advice import Cause
from .options import Proof

PATIENCE: Final = 15.0
"""Seconds for an allocation of a server that answers everything else."""

ALL_FEATURES: Final = ClientConfig(dual=True, dont_fragment=True, mobility=True)
"""What is asked for only to see whether the server has it."""

_CAUSES: Final[Mapping[int, Cause]] = MappingProxyType(
    {
        Error.TRY_ALTERNATE: Cause.REDIRECTED,
        Error.FORBIDDEN: Cause.FORBIDDEN,
        Error.STALE_NONCE: Cause.STALE_NONCE,
        Error.ADDRESS_FAMILY_NOT_SUPPORTED: Cause.FAMILY_MISSING,
        Error.ALLOCATION_QUOTA_REACHED: Cause.QUOTA_REACHED,
        Error.INSUFFICIENT_CAPACITY: Cause.NO_CAPACITY,
    }
)


class _Listening(TurnClient):
    """A client that keeps what a user of TURN does not need to know."""

    allocated: Allocated | None = None
    software = ""
    has_password_algorithms = False
    has_userhash = False
    has_ticket = False

    def receive(self, data: bytes, path: Path, now: float) -> None:
        if is_stun(data):
            with contextlib.suppress(DecodeError):
                self._listen(Message.decode(data))
        super().receive(data, path, now)

    def poll_event(self) -> Event | None:
        event = super().poll_event()
        if isinstance(event, Allocated):
            self.allocated = event
        return event

    def _listen(self, message: Message) -> None:
        if (software := message.get(Software)) is not None:
            self.software = software.description
        if (nonce := message.get(Nonce)) is not None:
            features = security_features(nonce.nonce)
            self.has_userhash = SecurityFeature.USERNAME_ANONYMITY in features
            self.has_password_algorithms = message.has(PasswordAlgorithms)
        if message.method == Method.ALLOCATE and message.message_class is MessageClass.SUCCESS:
            self.has_ticket = message.has(MobilityTicket)


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """An allocation that the probe has."""

    relay: Relay
    client: _Listening

    @property
    def allocated(self) -> Allocated:
        assert self.client.allocated is not None  # there is a Held only then
        return self.client.allocated

    @property
    def features(self) -> tuple[str, ...]:
        """What was seen of the server, in the words of the RFCs."""
        client, allocated = self.client, self.allocated
        seen = {
            "SHA-256": client.has_password_algorithms,
            "USERHASH": client.has_userhash,
            "dual allocation": allocated.additional is not None,
            "DONT-FRAGMENT": allocated.dont_fragment,
            "mobility": client.has_ticket,
        }
        return tuple(name for name, is_there in seen.items() if is_there)


async def allocate(
    stack: contextlib.AsyncExitStack,
    target: Target,
    credentials: Credentials,
    *,
    tls: ClientTls,
    config: ClientConfig | None = None,
    patience: float = PATIENCE,
) -> Held | AllocationFailed:
    """An allocation until the stack ends, or why there is none within ``patience`` seconds.

    Raises:
        OSError: no socket is left.
    """
    path, sock = await open_way(target, KernelSockets())
    client = _Listening(
        path,
        username=credentials.username,
        password=credentials.password,
        random_bytes=os.urandom,
        config=dataclasses.replace(config or ClientConfig(), server_name=target.server_name),
    )
    relay = Relay(client, sock=sock, tls=tls)
    stack.push_async_callback(relay.aclose)
    try:
        async with asyncio.timeout(patience):
            failure = await relay.allocate()
    except TimeoutError:
        failure = AllocationFailed(None, FailureReason.TIMED_OUT)
    return Held(relay, client) if failure is None else failure


def cause_of(failure: AllocationFailed, proof: Proof) -> Cause:
    """What is wrong, for ``advice``."""
    if failure.code is not None and failure.code in _CAUSES:
        return _CAUSES[failure.code]
    match failure.reason:
        case FailureReason.UNAUTHENTICATED | FailureReason.INTEGRITY_VIOLATED:
            return Cause.WRONG_SECRET if proof is Proof.SECRET else Cause.WRONG_PASSWORD
        case FailureReason.TIMED_OUT:
            return Cause.NO_TURN
        case FailureReason.UNREACHABLE:
            return Cause.CONNECTION_LOST
        case _:
            return Cause.ALLOCATION_REFUSED


def family_of(address: TransportAddress) -> str:
    return "IPv6" if address.is_ipv6 else "IPv4"


def in_words(failure: AllocationFailed) -> str:
    """What the server said, or that it said nothing."""
    if failure.code is None:
        return failure.reason.value
    phrase = f" {failure.phrase}" if failure.phrase else ""
    elsewhere = f", to {failure.alternate}" if failure.alternate else ""
    return f"the server says {failure.code}{phrase}{elsewhere}"
