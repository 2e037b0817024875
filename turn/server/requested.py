"""What an Allocate request asks for (the checks of RFC 8656 section 7.2)."""

from __future__ import annotations

import dataclasses
from typing import Final

from stun import (
    AdditionalAddressFamily,
    AddressErrorCode,
    AddressFamily,
    DontFragment,
    EvenPort,
    IpProtocol,
    Lifetime,
    RequestedAddressFamily,
    RequestedTransport,
    ReservationToken,
)
from stun import ErrorNumber as Error
from transport import IPAddress, Path
from turn.draft_numbers import additional_address_family

from .config import ServerConfig
from .peer_policy import is_tunneled
from .ports import PortWish
from .request import Refused, Request
from .tcp.allocate import check_protocol

_VERSIONS: Final[dict[int, int]] = {AddressFamily.IPV4: 4, AddressFamily.IPV6: 6}


@dataclasses.dataclass(frozen=True, slots=True)
class NewPorts:
    """A port of each of ``ips``; ``lifetime`` is in seconds, as the client has asked for it.

    ``protocol`` is the ``IpProtocol`` that is spoken with peers; ``unsupported`` tells of the
    family that a dual allocation cannot have here.
    """

    lifetime: int | None
    ips: tuple[IPAddress, ...]
    wish: PortWish
    protocol: int = IpProtocol.UDP
    unsupported: AddressErrorCode | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class ReservedPort:
    """The relayed transport address that ``token`` stands for."""

    lifetime: int | None
    token: bytes


def check_request(request: Request, config: ServerConfig) -> NewPorts | ReservedPort:
    """Hold a request against everything but the state of the server.

    Raises:
        Refused: with the error to answer.
        DecodeError: an attribute is malformed.
    """
    if is_tunneled(request.path.remote.ip):
        raise Refused(Error.FORBIDDEN)
    message = request.message
    transport = message.get(RequestedTransport)
    if transport is None:
        raise Refused(Error.BAD_REQUEST)
    check_protocol(transport.protocol, message, request.path, config)
    message.get(DontFragment)  # only to be well-formed: it is supported
    asked = message.get(Lifetime)
    lifetime = None if asked is None else asked.lifetime
    token, even = message.get(ReservationToken), message.get(EvenPort)
    family, additional = message.get(RequestedAddressFamily), additional_address_family(message)
    if token is not None:
        if even or family or additional:
            raise Refused(Error.BAD_REQUEST)
        return ReservedPort(lifetime, token.token)
    if additional is not None:
        _check_additional(additional, family, even)
        ips, unsupported = _dual(request.path, config)
        return NewPorts(lifetime, ips, _port_wish(even), transport.protocol, unsupported)
    # Without the attribute it is IPv4, however the client reached us.
    ip = _relay_ip(AddressFamily.IPV4 if family is None else family.family, request.path, config)
    if ip is None:
        raise Refused(Error.ADDRESS_FAMILY_NOT_SUPPORTED)
    return NewPorts(lifetime, (ip,), _port_wish(even), transport.protocol)


def address_error(family: AddressFamily, error: Error) -> AddressErrorCode:
    """Why an allocation has no address of this family (section 18.12)."""
    return AddressErrorCode(family, error, error.phrase)


def _dual(
    path: Path, config: ServerConfig
) -> tuple[tuple[IPAddress, ...], AddressErrorCode | None]:
    """Addresses of both families, or of the one that there is here (section 7.2, step 9)."""
    found = {family: _relay_ip(family, path, config) for family in AddressFamily}
    missing = [family for family, ip in found.items() if ip is None]
    ips = tuple(ip for ip in found.values() if ip is not None)
    error = Error.ADDRESS_FAMILY_NOT_SUPPORTED
    return ips, address_error(missing[0], error) if missing else None


def _check_additional(
    additional: AdditionalAddressFamily,
    family: RequestedAddressFamily | None,
    even: EvenPort | None,
) -> None:
    reserves = even is not None and even.reserve_next
    if family is not None or reserves or additional.family != AddressFamily.IPV6:
        raise Refused(Error.BAD_REQUEST)


def _relay_ip(family: int, path: Path, config: ServerConfig) -> IPAddress | None:
    version = _VERSIONS.get(family)
    ips = [ip for ip in config.relay_addresses if ip.version == version]
    if path.local.ip in ips:
        return path.local.ip
    return ips[0] if ips else None


def _port_wish(even: EvenPort | None) -> PortWish:
    if even is None:
        return PortWish.ANY
    return PortWish.EVEN_PAIR if even.reserve_next else PortWish.EVEN
