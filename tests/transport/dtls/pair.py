"""Two DTLS machines, a clock that jumps, and a network that may misbehave."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Sequence

from transport import Event, Path, TransportAddress, TransportProtocol
from transport.dtls import (
    DEFAULT_PROFILES,
    DtlsCertificate,
    DtlsConnection,
    DtlsRole,
    SrtpProfile,
)

CLIENT_ADDRESS = TransportAddress.parse("192.0.2.1", 1000)
SERVER_ADDRESS = TransportAddress.parse("192.0.2.2", 2000)
CLIENT_PATH = Path(TransportProtocol.UDP, CLIENT_ADDRESS, SERVER_ADDRESS)
SERVER_PATH = Path(TransportProtocol.UDP, SERVER_ADDRESS, CLIENT_ADDRESS)

CLIENT_CERTIFICATE = DtlsCertificate.generate(random.Random(1).randbytes)
SERVER_CERTIFICATE = DtlsCertificate.generate(random.Random(2).randbytes)

Network = Callable[[list[bytes]], Sequence[bytes]]


def faithful(datagrams: list[bytes]) -> Sequence[bytes]:
    return datagrams


def lossy(rng: random.Random, *, loss: float) -> Network:
    return lambda datagrams: [d for d in datagrams if rng.random() >= loss]


@dataclasses.dataclass
class Pair:
    """A client and a server; ``sent`` and ``events`` record what they did."""

    client: DtlsConnection
    server: DtlsConnection
    network: Network = faithful
    now: float = 0.0

    def __post_init__(self) -> None:
        self.sent: dict[DtlsRole, list[tuple[float, bytes]]] = {role: [] for role in DtlsRole}
        self.events: dict[DtlsRole, list[Event]] = {role: [] for role in DtlsRole}

    def start(self) -> None:
        self.server.start(self.now)
        self.client.start(self.now)

    def deliver(self) -> None:
        """Pass datagrams to and fro until nobody has anything to say."""
        while self._pass(self.client, self.server) | self._pass(self.server, self.client):
            pass

    def run(self, *, until: float) -> None:
        """Deliver, let the clock jump to the next deadline, and so on."""
        self.deliver()
        while (deadline := self.next_timeout()) is not None and deadline <= until:
            self.now = deadline
            self.client.handle_timeout(self.now)
            self.server.handle_timeout(self.now)
            self.deliver()

    def next_timeout(self) -> float | None:
        timeouts = (self.client.next_timeout(), self.server.next_timeout())
        return min((at for at in timeouts if at is not None), default=None)

    def _pass(self, source: DtlsConnection, destination: DtlsConnection) -> bool:
        datagrams: list[bytes] = []
        while (transmit := source.poll_transmit()) is not None:
            datagrams.extend(transmit.segments)
        self.sent[source.role] += [(self.now, datagram) for datagram in datagrams]
        for datagram in self.network(datagrams):
            path = SERVER_PATH if destination is self.server else CLIENT_PATH
            destination.receive(datagram, path, self.now)
        for machine in (source, destination):
            while (event := machine.poll_event()) is not None:
                self.events[machine.role].append(event)
        return bool(datagrams)


def make_pair(
    *,
    client_profiles: Sequence[SrtpProfile] = DEFAULT_PROFILES,
    server_profiles: Sequence[SrtpProfile] = DEFAULT_PROFILES,
    network: Network = faithful,
    mtu: int = 1200,
) -> Pair:
    return Pair(
        DtlsConnection(
            CLIENT_CERTIFICATE,
            DtlsRole.CLIENT,
            CLIENT_PATH,
            srtp_profiles=client_profiles,
            mtu=mtu,
        ),
        DtlsConnection(
            SERVER_CERTIFICATE,
            DtlsRole.SERVER,
            SERVER_PATH,
            srtp_profiles=server_profiles,
            mtu=mtu,
        ),
        network,
    )


def connected_pair(*, mtu: int = 1200) -> Pair:
    """A pair after its handshake, with nothing left to read in its records."""
    pair = make_pair(mtu=mtu)
    pair.start()
    pair.deliver()
    for role in DtlsRole:
        pair.events[role].clear()
        pair.sent[role].clear()
    return pair
