"""What an operator decides about a TURN server."""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Mapping
from typing import Final

from stun import OpaqueStringError, opaque_string
from stun.server import AlternatePair
from transport import IPAddress, TransportAddress
from turn.credentials import CredentialVerifier
from turn.tokens import TokenVerifier

from .mobility.tickets import TICKET_KEY_BYTES

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

DEFAULT_LIFETIME: Final = 600
"""Seconds of an allocation without a LIFETIME (RFC 8656 section 6)."""

MAX_LIFETIME: Final = 3600
"""Seconds that RFC 8656 section 7.2 recommends as the most."""

MIN_PORT: Final = 49152
MAX_PORT: Final = 65535
"""The Dynamic and/or Private Port range (RFC 8656 section 7.2)."""

WELL_KNOWN_PORTS: Final = 1023
"""Ports up to here are never allocated (RFC 8656 section 7.2)."""

NONCE_LIFETIME: Final = 3600.0
"""Seconds; RFC 8656 section 5 wants a nonce to expire at least once every hour."""

MAX_SESSION_LIFE: Final = 24 * 3600.0
"""Seconds that an allocation may be kept with a credential that has expired since."""

QUOTA_PER_ID: Final = 50
"""Allocations of one <id> at a time: what the KVS service grants a channel. A browser
takes one for each interface and TURN URI."""

MAX_ALLOCATIONS: Final = 4096
"""Of one server: each has a socket, that is a file descriptor and its kernel buffers."""

MAX_REALM_BYTES: Final = 44
"""Keeps a 401 to a 28-byte Allocate request below 3 times its size, with the headers
of IPv4 and UDP counted: an address that may be forged gets no more."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """What an operator decides; all times are seconds.

    ``listening`` are the addresses clients send datagrams to, ``stream_listening`` those
    they connect to over TCP and TLS; they are never legal peers.
    ``relay_addresses`` are the addresses of this host that relayed transport addresses
    are taken from, for each family the first, or the one the client sent to;
    ``advertised`` says what clients are told in their place, where a NAT stands in
    front of the relay. ``allow_peers`` beat the list of addresses that a relay must
    not reach. ``deny_peer_ports`` are ports that no peer may have, whatever is allowed;
    live relayed transport addresses are peers all the same. ``offers_userhash`` lets
    clients hide their usernames, which needs that all users are static.
    ``strict_expiry`` refuses expired credentials on a live allocation too. ``nonce_key``
    is for servers that share their nonces, ``ticket_key`` (32 bytes) for those that share
    mobility tickets. With ``refuses_mobility`` clients are told that there is none (405);
    by default what they ask is ignored, as in a server that does not know it.
    ``third_party_auth`` takes the access tokens of authorization servers, beside passwords.
    The other extensions are those of RFC 6062, 5780, 3489 and 8016, each off by default.
    ``alternate_address`` is the second one of RFC 5780: with the first of ``listening`` that
    has another IP address of its family it makes the four that the server listens on.

    Raises:
        ValueError: a value is out of range, or two do not fit together.
    """

    realm: str
    credentials: CredentialVerifier
    listening: tuple[TransportAddress, ...]
    relay_addresses: tuple[IPAddress, ...]
    stream_listening: tuple[TransportAddress, ...] = ()
    advertised: Mapping[IPAddress, IPAddress] = dataclasses.field(default_factory=dict)
    allow_peers: tuple[IPNetwork, ...] = ()
    deny_peer_ports: tuple[range, ...] = ()
    min_port: int = MIN_PORT
    max_port: int = MAX_PORT
    default_lifetime: int = DEFAULT_LIFETIME
    max_lifetime: int = MAX_LIFETIME
    nonce_lifetime: float = NONCE_LIFETIME
    nonce_key: bytes | None = dataclasses.field(default=None, repr=False)
    max_session_life: float = MAX_SESSION_LIFE
    strict_expiry: bool = False
    offers_userhash: bool = False
    quota_per_id: int = QUOTA_PER_ID
    max_allocations: int = MAX_ALLOCATIONS
    tcp_relay: bool = False
    nat_discovery: bool = False
    classic_stun: bool = False
    mobility: bool = False
    refuses_mobility: bool = False
    ticket_key: bytes | None = dataclasses.field(default=None, repr=False)
    third_party_auth: TokenVerifier | None = None
    alternate_address: TransportAddress | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.realm.encode()) <= MAX_REALM_BYTES:
            raise ValueError(f"a realm has from 1 to {MAX_REALM_BYTES} bytes")
        _check_realm(self.realm)
        if not WELL_KNOWN_PORTS < self.min_port <= self.max_port <= 0xFFFF:
            raise ValueError(f"relay ports {self.min_port} to {self.max_port} are no range")
        if not 0 < self.default_lifetime <= self.max_lifetime:
            raise ValueError("the default lifetime is positive, and at most the greatest")
        if not self.relay_addresses:
            raise ValueError("a relay needs at least one relay address")
        if any(ip.is_unspecified for ip in self.relay_addresses):
            raise ValueError("a relay address is an address of this host, not a wildcard")
        if self.offers_userhash and self.credentials.has_secrets:
            raise ValueError("time-limited usernames cannot be found by their hash")
        if self.nonce_lifetime <= 0 or self.quota_per_id < 1 or self.max_allocations < 1:
            raise ValueError("lifetimes and quotas are positive")
        self._check_extensions()
        if self.alternate_address is not None:
            self._check_alternate()

    def _check_extensions(self) -> None:
        if self.third_party_auth is not None:
            _check_names(self.realm, self.third_party_auth.server_name)
        if self.ticket_key is not None and len(self.ticket_key) != TICKET_KEY_BYTES:
            raise ValueError(f"a ticket key has {TICKET_KEY_BYTES} bytes")
        if self.mobility and self.refuses_mobility:
            raise ValueError("mobility is offered or refused, not both")

    @property
    def primary_address(self) -> TransportAddress | None:
        """What the alternate address is the alternate of; None where there is none."""
        alternate = self.alternate_address
        if alternate is None:
            return None
        ours = (each for each in self.listening if each.is_ipv6 == alternate.is_ipv6)
        return next((each for each in ours if each.ip != alternate.ip), None)

    @property
    def alternate_pair(self) -> AlternatePair | None:
        """The two addresses of RFC 5780, once their ports are known."""
        primary, alternate = self.primary_address, self.alternate_address
        if primary is None or alternate is None:
            return None
        return AlternatePair(primary, alternate)

    def _check_alternate(self) -> None:
        if not self.nat_discovery:
            raise ValueError("an alternate address is for NAT behavior discovery alone")
        primary, alternate = self.primary_address, self.alternate_address
        if primary is None or alternate is None or alternate.ip.is_unspecified:
            raise ValueError("an alternate address needs another IP address than the listening one")
        if primary.port and alternate.port:
            AlternatePair(primary, alternate)


def _check_names(realm: str, server_name: str) -> None:
    """A 401 carries both; it is to stay as short as with the longest realm alone."""
    padded = [len(each.encode()) + 3 & ~3 for each in (realm, server_name)]
    if sum(padded) + 4 > MAX_REALM_BYTES:
        raise ValueError(
            f"realm and server name have at most {MAX_REALM_BYTES - 4} bytes together,"
            " each rounded up to a multiple of 4"
        )


def _check_realm(realm: str) -> None:
    """With others no client would find the key that the server does (RFC 8489 section 14.9)."""
    if '"' in realm or "\\" in realm:
        raise ValueError("a realm has no quotes and no backslashes")
    try:
        prepared = opaque_string(realm)
    except OpaqueStringError as error:
        raise ValueError(f"the realm cannot be used: {error}") from error
    if prepared != realm:
        raise ValueError(f"the realm has to be written as {prepared!r}")
