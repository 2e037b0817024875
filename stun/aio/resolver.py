"""Answers what a ``Resolution`` asks for: addresses from the system, the rest from DNS."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import socket
from collections.abc import Sequence
from typing import Protocol

from stun import AddressFamily, ServerUri
from stun.resolution import (
    LookupRequested,
    NaptrRecord,
    NoServerFound,
    Record,
    RecordType,
    Resolution,
    Resolved,
    SrvRecord,
    Target,
)
from stun.resolution.limits import LOOKUP_PATIENCE
from transport import Event, RandomBytes, TransportAddress, TransportProtocol
from transport.aio import MachineDriver

from .names import look_up_addresses

logger = logging.getLogger(__name__)

_FAMILIES = {RecordType.A: socket.AF_INET, RecordType.AAAA: socket.AF_INET6}


class Resolver(Protocol):
    """Where records come from; a test has its own."""

    async def look_up(self, name: str, record_type: RecordType) -> Sequence[Record]:
        """What there is, nothing for an error too."""
        ...


class SystemResolver:
    """Addresses as the system knows them, from files too; SRV and NAPTR records from DNS.

    The latter takes dnspython (extra ``dns``): without it there are none. They are asked of
    the system's name servers, or of ``name_servers``.
    """

    def __init__(self, *, name_servers: Sequence[TransportAddress] = ()) -> None:
        self._name_servers = tuple(name_servers)

    async def look_up(self, name: str, record_type: RecordType) -> Sequence[Record]:
        try:
            if record_type in _FAMILIES:
                return await look_up_addresses(name, family=_FAMILIES[record_type])
            return await _ask_dns(name, record_type, self._name_servers)
        except (OSError, UnicodeError) as error:
            logger.debug("no %s record of %s: %s", record_type.value, name, error)
            return ()


async def resolve(
    uri: ServerUri,
    *,
    supported: Sequence[TransportProtocol],
    server_name: str | None = None,
    family: AddressFamily | None = None,
    resolver: Resolver | None = None,
    random_bytes: RandomBytes = os.urandom,
) -> list[Target]:
    """The targets of a URI, in the order in which they are to be tried.

    ``family`` leaves out the addresses of the other one.

    Raises:
        UnsupportedTransport: nothing among ``supported`` serves the URI.
        UnverifiableServer: no certificate could be checked.
        NoServerFound: there is no address.
    """
    resolution = Resolution(
        uri, supported=supported, server_name=server_name, random_bytes=random_bytes
    )
    source = resolver or SystemResolver()
    found: asyncio.Future[Sequence[Target]] = asyncio.get_running_loop().create_future()
    lookups: set[asyncio.Task[None]] = set()

    async def look_up(request: LookupRequested) -> None:
        records = await source.look_up(request.name, request.record_type)
        driver.call(lambda now: resolution.answered(request.token, records, now))

    def on_event(event: Event) -> None:
        match event:
            case LookupRequested():
                lookups.add(asyncio.ensure_future(look_up(event)))
            case Resolved(targets=targets) if not found.done():
                found.set_result(targets)
            case _:
                pass

    driver = MachineDriver(resolution, on_event)
    try:
        driver.call(resolution.start)
        targets = await found
    finally:
        for lookup in lookups:
            lookup.cancel()
        await asyncio.gather(*lookups, return_exceptions=True)
        await driver.aclose()
    usable = [each for each in targets if family in (None, AddressFamily.of(each.address))]
    if not usable:
        raise NoServerFound(f"{uri}: there is no address")
    return usable


async def _ask_dns(
    name: str, record_type: RecordType, name_servers: Sequence[TransportAddress]
) -> Sequence[Record]:
    """
    Raises:
        OSError: DNS cannot be asked.
    """
    try:
        import dns.asyncresolver
        import dns.exception
        import dns.nameserver
    except ImportError:
        tell_that_there_is_no_dns()
        return ()
    from dns.rdtypes.IN.NAPTR import NAPTR
    from dns.rdtypes.IN.SRV import SRV

    try:
        resolver = dns.asyncresolver.Resolver(configure=not name_servers)
        if name_servers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(each.host, each.port) for each in name_servers
            ]
        answer = await resolver.resolve(
            f"{name}.", record_type.value, lifetime=LOOKUP_PATIENCE, raise_on_no_answer=False
        )
    except dns.exception.DNSException as error:
        raise OSError(str(error)) from error
    found: list[Record] = []
    for record in answer:
        if isinstance(record, SRV):
            target = record.target.to_text()
            found.append(SrvRecord(record.priority, record.weight, record.port, target))
        elif isinstance(record, NAPTR):
            found.append(
                NaptrRecord(
                    record.order,
                    record.preference,
                    _text(record.flags),
                    _text(record.service),
                    _text(record.regexp),
                    record.replacement.to_text(),
                )
            )
    return found


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace")


@functools.cache
def tell_that_there_is_no_dns() -> None:
    """Once is enough."""
    logger.warning("SRV and NAPTR records are not looked up: pip install 'hairpin[dns]'")
