"""The further sockets of a server that examines NATs: two IP addresses by two ports
(RFC 5780 section 6)."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import socket
from collections.abc import Sequence
from typing import Final

from stun.server import AlternatePair
from transport import TransportAddress
from transport.aio import KernelSockets, from_sockaddr
from turn.server import ServerConfig

PORT_TRIES: Final = 16
"""How often the system may choose a port that is free at one of the two addresses alone."""


class AlternateUnavailable(OSError):
    """One of the addresses cannot be bound: ``address``."""

    def __init__(self, address: TransportAddress, error: OSError) -> None:
        super().__init__(error.errno, f"{address}: {error.strerror}")
        self.address = address


def bind_alternates(
    config: ServerConfig, listening: Sequence[socket.socket]
) -> list[socket.socket]:
    """What is missing beside the ``listening`` sockets; nothing without an alternate address.

    With port 0 in the alternate address the system chooses one.

    Raises:
        AlternateUnavailable: an address cannot be bound.
        ValueError: the alternate address does not fit to where the server listens.
    """
    config = with_addresses(config, listening)
    if config.alternate_address is None:
        return []
    tries = 1 if config.alternate_address.port else PORT_TRIES
    while True:
        tries -= 1
        try:
            return _bind_missing(config)
        except AlternateUnavailable:
            if not tries:
                raise


def with_addresses(config: ServerConfig, listening: Sequence[socket.socket]) -> ServerConfig:
    """The configuration with the addresses of the sockets that are bound.

    Raises:
        ValueError: its alternate address does not fit to them.
    """
    addresses = tuple(from_sockaddr(each.getsockname()) for each in listening)
    bound = dataclasses.replace(config, listening=addresses)
    primary, alternate = bound.primary_address, bound.alternate_address
    if primary is None or alternate is None or alternate.port:
        return bound
    chosen = (each for each in addresses if each.ip == alternate.ip and each.port != primary.port)
    return dataclasses.replace(bound, alternate_address=next(chosen, alternate))


def _bind_missing(config: ServerConfig) -> list[socket.socket]:
    primary, alternate = config.primary_address, config.alternate_address
    assert primary is not None
    assert alternate is not None
    with contextlib.ExitStack() as unless_kept:
        missing: list[socket.socket] = []
        if alternate not in config.listening:
            missing.append(unless_kept.enter_context(_bind(alternate)))
            alternate = from_sockaddr(missing[0].getsockname())
            if alternate.port == primary.port:
                taken = OSError(errno.EADDRINUSE, "the system chose the primary address's port")
                raise AlternateUnavailable(alternate, taken)
        for address in AlternatePair(primary, alternate).addresses[1:3]:
            if address not in config.listening:
                missing.append(unless_kept.enter_context(_bind(address)))
        unless_kept.pop_all()
    return missing


def _bind(address: TransportAddress) -> socket.socket:
    try:
        return KernelSockets().bind(address)
    except OSError as error:
        raise AlternateUnavailable(address, error) from error
