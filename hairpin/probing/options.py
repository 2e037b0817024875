"""What a probe is asked."""

from __future__ import annotations

import dataclasses
import enum

from stun import ServerUri
from transport import IPAddress
from transport.aio import ClientTls
from turn.credentials import Credentials


class Proof(enum.Enum):
    """Where the credentials come from, for what to say when they are not taken."""

    PASSWORD = "password"
    SECRET = "secret"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ProbeOptions:
    """What the command line said.

    ``peers`` are IP addresses that the relay is asked to let in; ``packets`` go through it
    each way. With ``longest_lifetime`` that of the NAT's bindings is searched, up to so many
    seconds.
    """

    uri: ServerUri
    credentials: Credentials | None = None
    proof: Proof = Proof.PASSWORD
    peers: tuple[IPAddress, ...] = ()
    packets: int = 50
    longest_lifetime: float | None = None
    tls: ClientTls = dataclasses.field(default_factory=ClientTls)
