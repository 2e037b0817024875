"""What may be wrong, and what to do about it, in plain words."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class Cause(enum.Enum):
    """Why something does not work; the value is its name for programs."""

    NAME_NOT_FOUND = "name-not-found"
    NO_WAY = "no-way"
    UDP_BLOCKED = "udp-blocked"
    PORT_CLOSED = "port-closed"
    SERVER_SILENT = "server-silent"
    CERTIFICATE_WRONG = "certificate-wrong"
    NO_TLS = "no-tls"
    NOT_STUN = "not-stun"
    BINDING_REFUSED = "binding-refused"
    WRONG_PASSWORD = "wrong-password"
    WRONG_SECRET = "wrong-secret"
    STALE_NONCE = "stale-nonce"
    NO_TURN = "no-turn"
    FORBIDDEN = "forbidden"
    QUOTA_REACHED = "quota-reached"
    NO_CAPACITY = "no-capacity"
    FAMILY_MISSING = "family-missing"
    REDIRECTED = "redirected"
    ALLOCATION_REFUSED = "allocation-refused"
    CONNECTION_LOST = "connection-lost"
    PEER_DENIED = "peer-denied"
    PACKETS_LOST = "packets-lost"


_ADVICE: Final[Mapping[Cause, str]] = MappingProxyType(
    {
        Cause.NAME_NOT_FOUND: (
            "DNS has no address for this name. Check its spelling, then the name server of this "
            "machine (getent hosts NAME). A probe of the server's IP address needs no DNS."
        ),
        Cause.NO_WAY: (
            "This machine has no route to the server's address. Is the network up, and does it "
            "have this address family (IPv4, IPv6)?"
        ),
        Cause.UDP_BLOCKED: (
            "The machine answers over TCP, but nothing comes back over UDP: a firewall on the way, "
            "or in front of the server, drops it. Open UDP to this port in both directions. Where "
            "that cannot be, have the server listen on TCP and TLS, and let clients use "
            "turn:...?transport=tcp, or turns: on port 443; expect delay where packets are lost."
        ),
        Cause.PORT_CLOSED: (
            "The machine is there, but nothing listens at this port. Is the server running, does "
            "it listen on this address (not on 127.0.0.1 alone), and is the port right? The usual "
            "ones are 3478, and 5349 for TLS and DTLS."
        ),
        Cause.SERVER_SILENT: (
            "No answer at all, over UDP or TCP. The address may be wrong, the machine down, or a "
            "firewall drops both. Look from the server's own machine first: hairpin probe "
            "stun:127.0.0.1. If that works, it is the network or the firewall."
        ),
        Cause.CERTIFICATE_WRONG: (
            "The server's certificate is not good for this name. It must be valid today, name the "
            "host in the URI, come with its intermediate certificates, and be signed by an "
            "authority that this machine trusts; for one of your own, give --ca FILE."
        ),
        Cause.NO_TLS: (
            "The connection is made, but there is no TLS at its other end. The port may be the "
            "one for plain TCP: use turn: or stun: there, or the port for TLS (5349, 443)."
        ),
        Cause.NOT_STUN: ("Something answers there that does not speak STUN. Check the port."),
        Cause.BINDING_REFUSED: (
            "The server refuses Binding requests. Some want credentials even for those; TURN may "
            "work all the same."
        ),
        Cause.WRONG_PASSWORD: (
            "The server knows no such user, or another password. It said 401 to a request that "
            "was signed with its own realm and nonce, so it is not that. For time-limited "
            "credentials check that they have not expired."
        ),
        Cause.WRONG_SECRET: (
            "The server takes no credentials made with this secret. Is it the same on both sides "
            "(coturn: use-auth-secret and static-auth-secret; hairpin relay: --secret), and are "
            "the clocks of both machines right?"
        ),
        Cause.STALE_NONCE: (
            "The server calls every nonce stale, its own new ones too. If several servers share "
            "the address, each request may reach another one: let a client stay with one server, "
            "or let them share the key of their nonces. A NAT that changes our port with each "
            "request looks the same."
        ),
        Cause.NO_TURN: (
            "The server answers Binding requests, but none for an allocation: it is a STUN server, "
            "or TURN is switched off (coturn: --stun-only)."
        ),
        Cause.FORBIDDEN: (
            "The server knows this user and forbids the allocation (403). Look at its "
            "configuration: allowed users, realms and addresses."
        ),
        Cause.QUOTA_REACHED: (
            "This user has as many allocations as it may have (486). They go when their clients "
            "close them, or after ten minutes; or raise the quota (coturn: user-quota, "
            "total-quota)."
        ),
        Cause.NO_CAPACITY: (
            "The server has no room (508): no free port in its range, no relay address of this "
            "family, or it is being shut down. Look at its range of relay ports and its log."
        ),
        Cause.FAMILY_MISSING: ("The server does not relay in this address family (440)."),
        Cause.REDIRECTED: (
            "The server sends clients elsewhere (300), and that led nowhere. Probe the server "
            "that it names."
        ),
        Cause.ALLOCATION_REFUSED: "The server's log should say why.",
        Cause.CONNECTION_LOST: (
            "The connection was closed in the middle. A proxy or firewall that takes it for HTTPS "
            "may do so, and a server that is restarted."
        ),
        Cause.PEER_DENIED: (
            "The relay is told not to send to this address (403). Servers refuse private and "
            "local addresses, and should; to let a network in: hairpin relay --allow-peer CIDR, "
            "coturn --allowed-peer-ip, and --allow-loopback-peers for 127.0.0.0/8. Peers on the "
            "internet may work all the same: --peer IP asks."
        ),
        Cause.PACKETS_LOST: (
            "There is an allocation, but no packet comes through. The relay's address must be "
            "reachable from its peers: open UDP to its relay ports (49152-65535 unless it is told "
            "otherwise), and behind a NAT tell it its public address (coturn: external-ip)."
        ),
    }
)


def advice(cause: Cause) -> str:
    """What to fix."""
    return _ADVICE[cause]
