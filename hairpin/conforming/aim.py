"""The server under test, from what a user says about it."""

from __future__ import annotations

import asyncio
import dataclasses
import ipaddress
import socket
import ssl
import time

from conformance import Credential, Target, TargetUnusable
from conformance.aio import Trust
from conformance.profiles import PROFILES
from conformance.target import TokenKey
from hairpin.errors import HairpinError
from stun import ServerUri, UriScheme
from transport import DecodeError, IPAddress, TransportAddress, TransportProtocol
from turn import tokens

RESOLUTION_PATIENCE = 10.0
"""Seconds for the name of the server."""

SECRET_LIFETIME = 7200
"""Seconds for which credentials are made: longer than a run with its slow rows."""

SECRET_NAMES = ("ann", "bob")
"""Whom time-limited credentials are for: some rows need two of them."""

MAX_USERS = len(SECRET_NAMES)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Where the server is, how to get in, and that it may be tested.

    ``is_operated`` says that whoever asks operates the server: public addresses need that.
    ``ca_file`` has the certificates to trust; with ``is_insecure`` any will do. With
    ``token_key`` access tokens are made, as an authorization server does (RFC 7635).
    ``options`` is what the names of options begin with where this was said.
    """

    uri: ServerUri
    users: tuple[tuple[str, str], ...] = ()
    secret: str | None = dataclasses.field(default=None, repr=False)
    peer_ip: IPAddress | None = None
    profile: str | None = None
    ca_file: str | None = None
    is_insecure: bool = False
    is_operated: bool = False
    token_key: TokenKey | None = None
    options: str = "--"

    def __post_init__(self) -> None:
        """Raises:
        ValueError: it makes no sense.
        """
        self._check_users()
        if self.ca_file is not None and self.is_insecure:
            names = f"{self.options}ca-file and {self.options}insecure"
            raise ValueError(f"{names} exclude each other")
        if self.peer_ip is not None:
            _expect_own(self.peer_ip, f"{self.options}peer-address")

    def _check_users(self) -> None:
        user, secret = f"{self.options}user", f"{self.options}secret"
        if self.uri.scheme.is_turn and not self.users and self.secret is None:
            raise ValueError(
                f"a TURN server wants credentials: {user} NAME:PASSWORD, and better two of them, "
                f"or {secret} SECRET (without any: {_without_turn(self.uri)})"
            )
        if self.users and self.secret is not None:
            raise ValueError(
                f"{user} and {secret} exclude each other: with {secret}, users are made"
            )
        if len(self.users) > MAX_USERS:
            raise ValueError(f"{user}: no row needs more than {MAX_USERS} users")
        names = [name for name, _ in self.users]
        if len(set(names)) < len(names):
            raise ValueError(
                f"{user} {names[0]} twice: the second one is to be a different user, for rows "
                "about what belongs to another"
            )

    def trust(self) -> Trust:
        """How the server's certificate is judged.

        Raises:
            HairpinError: the certificates cannot be read, or DTLS is not installed here.
        """
        found = Trust(self.ca_file, is_insecure=self.is_insecure)
        if not self.uri.scheme.is_secure:
            return found
        try:
            found.tls()
        except OSError as error:
            is_read = isinstance(error, ssl.SSLError)
            problem = "there is no certificate in it (PEM)" if is_read else error.strerror
            raise HairpinError(f"{self.options}ca-file {self.ca_file}: {problem}") from error
        if self.uri.protocol is TransportProtocol.DTLS:
            try:
                found.dtls()
            except OSError as error:
                raise HairpinError(str(error)) from error
        return found


def read_uri(text: str) -> ServerUri:
    """The URI of a server that can be tested.

    RFC 7064 leaves the transport of a stuns: URI to DNS; here it may be named as in turns:.

    Raises:
        ValueError: it is none.
    """
    plain, _, transport = text.partition("?transport=")
    is_extended = bool(transport) and text.lower().startswith("stuns:")
    try:
        uri = ServerUri.parse(plain if is_extended else text)
    except DecodeError as error:
        raise ValueError(f"{text!r} is no target: {error.problem}") from error
    if is_extended:
        uri = dataclasses.replace(uri, transport=transport.lower())
    if uri.protocol is None:
        raise ValueError(f"{text!r}: the transport {uri.transport!r} is not known")
    return uri


def sealing_key(
    key: tokens.TokenKey | None, server_name: str | None, *, options: str = "--"
) -> TokenKey | None:
    """What access tokens are made with; ``server_name`` is what they call the server, None for
    what it calls itself.

    Raises:
        ValueError: the name is there for nothing.
    """
    if key is not None:
        return TokenKey(key.kid, key.key, server_name)
    if server_name is not None:
        raise ValueError(f"{options}oauth-server-name needs {options}oauth-key")
    return None


async def find_targets(aim: Aim) -> tuple[Target, ...]:
    """What to test: the server at its addresses, at most one of each family, best first.

    Raises:
        TargetUnusable: the name leads nowhere, or the address is public and not the user's.
    """
    addresses = await _resolve(aim.uri)
    for address in addresses:
        if is_public(address.ip) and not aim.is_operated:
            raise TargetUnusable(
                f"{address.ip} is a public address, and a run sends thousands of messages and "
                "fills quotas: if it is you who operates this server, say so with "
                "--i-operate-this-server"
            )
    return tuple(_target(aim, address) for address in addresses)


def is_public(ip: IPAddress) -> bool:
    """Whether it may be anybody's."""
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_global


def _target(aim: Aim, address: TransportAddress) -> Target:
    protocol = aim.uri.protocol
    assert protocol is not None  # read_uri() has asked for one it knows
    return Target(
        address=address,
        transport=protocol,
        is_turn=aim.uri.scheme.is_turn,
        server_name=aim.uri.host,
        credentials=_credentials(aim),
        secret=aim.secret,
        peer_ip=aim.peer_ip,
        hints={} if aim.profile is None else PROFILES[aim.profile],
        token_key=aim.token_key,
    )


def _credentials(aim: Aim) -> tuple[Credential, ...]:
    if aim.users or aim.secret is None:
        return tuple(Credential(*user) for user in aim.users)
    expiry = int(time.time()) + SECRET_LIFETIME
    return tuple(Credential.time_limited(aim.secret, name, expiry) for name in SECRET_NAMES)


async def _resolve(uri: ServerUri) -> tuple[TransportAddress, ...]:
    if uri.address is not None:
        return (TransportAddress(uri.address, uri.port),)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLUTION_PATIENCE):
            found = await loop.getaddrinfo(uri.host, uri.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        what = "takes too long" if isinstance(error, TimeoutError) else str(error)
        raise TargetUnusable(f"{uri.host} cannot be resolved: {what}") from error
    first: dict[int, TransportAddress] = {}
    for family, *_, sockaddr in found:
        host, port = str(sockaddr[0]), int(sockaddr[1])
        first.setdefault(family, TransportAddress.parse(host, port))
    return tuple(first.values())


def _without_turn(uri: ServerUri) -> ServerUri:
    """The same server, for what needs no credentials; stun: has no transport (RFC 7064)."""
    if uri.scheme.is_secure:
        return dataclasses.replace(uri, scheme=UriScheme.STUNS)
    return dataclasses.replace(uri, scheme=UriScheme.STUN, transport=None)


def _expect_own(ip: IPAddress, option: str) -> None:
    family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind((str(ip), 0))
    except OSError as error:
        raise ValueError(
            f"{option} {ip}: peers are on this host, and it has no such address"
        ) from error
