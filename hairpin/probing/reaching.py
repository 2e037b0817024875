"""Whether a server can be reached, over which transports, and if not, why."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import ssl
from typing import Final

from stun import TransactionTiming
from stun.aio import Client, open_way
from stun.client import ClientConfig, FailureReason, RequestError, StunClient
from stun.resolution import Target
from transport import Path, TransportAddress, TransportProtocol
from transport.aio import ClientTls, KernelSockets, to_sockaddr

from .advice import Cause

TIMING: Final = TransactionTiming(rc=4, rm=4, ti=8.0)
"""Over UDP a server has 5.5 s for one of four requests, over a connection 8 s."""

PATIENCE: Final = 12.0
"""Seconds for all of it, a handshake of TLS or DTLS included."""

CONNECT_PATIENCE: Final = 5.0
"""Seconds for a TCP handshake when it is only asked whether there is somebody."""

_SECURED: Final = (TransportProtocol.TLS, TransportProtocol.DTLS)


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """A server that answers. ``round_trip_time`` is None where a request was lost."""

    target: Target
    path: Path
    mapped: TransportAddress
    round_trip_time: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Unreached:
    """A server that does not; ``said`` is the error as the system, or the server, worded it."""

    target: Target
    cause: Cause
    said: str = ""


class _Remembering(StunClient):
    """A client that keeps why its connection ended."""

    reason = ""

    def disconnected(self, path: Path, reason: str, now: float) -> None:
        self.reason = reason
        super().disconnected(path, reason, now)


async def reach(
    target: Target, tls: ClientTls, *, timing: TransactionTiming = TIMING
) -> Reached | Unreached:
    """Ask a server for our address."""
    try:
        path, sock = await open_way(target, KernelSockets())
    except OSError as error:
        return Unreached(target, Cause.NO_WAY, str(error))
    machine = _Remembering(
        path,
        random_bytes=os.urandom,
        config=ClientConfig(server_name=target.server_name, timing=timing),
    )
    client = Client(machine, sock=sock, tls=tls)
    try:
        async with asyncio.timeout(PATIENCE):
            binding = await client.binding()
    except TimeoutError:
        return Unreached(target, Cause.SERVER_SILENT, f"no answer in {PATIENCE:.0f} s")
    except RequestError as error:
        return await _explain(target, error, machine.reason, tls)
    finally:
        await client.aclose()
    return Reached(target, binding.path, binding.mapped, binding.round_trip_time)


async def _explain(target: Target, error: RequestError, reason: str, tls: ClientTls) -> Unreached:
    failure = error.failure
    if failure.code is not None:
        said = f"{failure.code} {failure.phrase}".rstrip()
        return Unreached(target, Cause.BINDING_REFUSED, said)
    if target.transport is TransportProtocol.UDP:
        if failure.reason is FailureReason.UNREACHABLE:
            return Unreached(target, Cause.PORT_CLOSED, "connection refused")
        return await _explain_silence(target)
    if target.transport is TransportProtocol.DTLS:
        is_certificate = "certificate" in reason.lower()
        cause = Cause.CERTIFICATE_WRONG if is_certificate else Cause.SERVER_SILENT
        return Unreached(target, cause, reason)
    if failure.reason is FailureReason.UNREACHABLE:
        return await _explain_connection(target, reason, tls)
    return Unreached(target, Cause.NOT_STUN, reason)


async def _explain_silence(target: Target) -> Unreached:
    """Silence over UDP: whether there is anybody over TCP says where to look."""
    try:
        async with asyncio.timeout(CONNECT_PATIENCE):
            _, writer = await asyncio.open_connection(*_endpoint(target.address))
    except ConnectionRefusedError:
        # Without a filter it would have refused UDP as well, with an ICMP error.
        said = "nothing over UDP, though the machine is there: it refuses TCP at this port"
        return Unreached(target, Cause.UDP_BLOCKED, said)
    except (OSError, TimeoutError):
        return Unreached(target, Cause.SERVER_SILENT, "nothing over UDP, and nothing over TCP")
    await _close(writer)
    return Unreached(target, Cause.UDP_BLOCKED, "nothing over UDP, but TCP connects")


async def _explain_connection(target: Target, reason: str, tls: ClientTls) -> Unreached:
    """Connect once more, for the system's own word on what is wrong."""
    is_tls = target.transport in _SECURED
    try:
        async with asyncio.timeout(CONNECT_PATIENCE):
            _, writer = await asyncio.open_connection(
                *_endpoint(target.address),
                ssl=tls.context() if is_tls else None,
                server_hostname=target.server_name if is_tls else None,
            )
    except ssl.SSLCertVerificationError as error:
        return Unreached(target, Cause.CERTIFICATE_WRONG, error.verify_message)
    except ssl.SSLError as error:
        return Unreached(target, Cause.NO_TLS, error.reason or str(error))
    except ConnectionRefusedError as error:
        return Unreached(target, Cause.PORT_CLOSED, _system_word(error))
    except ConnectionResetError as error:
        return Unreached(target, Cause.CONNECTION_LOST, _system_word(error))
    except TimeoutError:
        return Unreached(target, Cause.SERVER_SILENT, "the connection is not answered")
    except OSError as error:
        return Unreached(target, Cause.NO_WAY, _system_word(error))
    await _close(writer)
    return Unreached(target, Cause.NOT_STUN, reason)


def _system_word(error: OSError) -> str:
    """asyncio puts the address into the text, which is told anyway."""
    return os.strerror(error.errno) if error.errno else str(error)


def _endpoint(address: TransportAddress) -> tuple[str, int]:
    host, port = to_sockaddr(address)[:2]
    return str(address.ip) if address.is_ipv6 else host, port


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
