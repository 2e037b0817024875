"""The relay inside the process of ``hairpin demo`` and ``hairpin serve``."""

from __future__ import annotations

import contextlib
import ipaddress
import os

from ice.aio import local_addresses
from signaling.ice_servers import IceServerIssuer
from transport import TransportAddress
from turn.aio import RelayServer
from turn.credentials import CredentialVerifier, RelaySecret, SecretAlgorithm
from turn.server import IPNetwork, ServerConfig

from .daemon import listening_error

REALM = "hairpin"
DEFAULT_PORT = 3478


def own_networks(listen: TransportAddress) -> tuple[IPNetwork, ...]:
    """This host's addresses, as peers that the demo's relay may reach."""
    addresses = {interface.ip for interface in local_addresses()} | {listen.ip}
    return tuple(ipaddress.ip_network(ip) for ip in addresses if not ip.is_link_local)


async def start_relay(
    stack: contextlib.AsyncExitStack,
    listen: TransportAddress,
    *,
    allow_peers: tuple[IPNetwork, ...] = (),
) -> tuple[RelayServer, IceServerIssuer]:
    """A relay until the stack ends, and what grants its use.

    Its secret is made here and never leaves the process.

    Raises:
        HairpinError: the address cannot be listened on.
    """
    secret = RelaySecret(os.urandom(32), SecretAlgorithm.SHA256)
    config = ServerConfig(
        realm=REALM,
        credentials=CredentialVerifier(secrets=[secret]),
        listening=(listen,),
        relay_addresses=(listen.ip,),
        allow_peers=allow_peers,
    )
    try:
        relay = await stack.enter_async_context(RelayServer.open(config))
    except OSError as error:
        raise listening_error(listen, "--relay-listen", error) from error
    uris = tuple(f"turn:{address}?transport=udp" for address in relay.addresses)
    return relay, IceServerIssuer(uris, secret)
