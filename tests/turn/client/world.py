"""TURN clients and a TURN server, each a machine, on a simulated network."""

from __future__ import annotations

import ipaddress

from netsim import Host, LinkProfile, Network, Process
from transport import (
    Event,
    Path,
    RandomBytes,
    Transmit,
    TransportAddress,
    TransportProtocol,
)
from turn import CredentialVerifier
from turn.client import Allocated, ClientConfig, ServerMemory, TurnClient
from turn.server import RelayReleased, RelayRequested, ServerConfig, TurnServer

USER, PASSWORD, REALM = "ann", "open sesame", "relay.example"
USERS = CredentialVerifier(users={USER: PASSWORD})
LISTENING = TransportAddress.parse("5.5.5.5", 3478)
RELAY_IP = ipaddress.ip_address("5.5.5.5")


class RelayMachine:
    """A TurnServer as a Machine: what comes to a relayed transport address goes there."""

    def __init__(
        self,
        random_bytes: RandomBytes,
        *,
        nonce_lifetime: float = 3600.0,
        credentials: CredentialVerifier = USERS,
    ) -> None:
        config = ServerConfig(
            realm=REALM,
            credentials=credentials,
            listening=(LISTENING,),
            relay_addresses=(RELAY_IP,),
            nonce_lifetime=nonce_lifetime,
            mobility=True,
        )
        self.server = TurnServer(config, random_bytes=random_bytes)

    def receive(self, data: bytes, path: Path, now: float) -> None:
        if path.local == LISTENING:
            self.server.receive(data, path, now)
        else:
            self.server.receive_relayed(data, path.remote, path.local, now)

    def handle_timeout(self, now: float) -> None:
        self.server.handle_timeout(now)

    def next_timeout(self) -> float | None:
        return self.server.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return self.server.poll_transmit()

    def poll_event(self) -> Event | None:
        return self.server.poll_event()


class EchoMachine:
    """A peer that sends everything back."""

    def __init__(self) -> None:
        self._transmits: list[Transmit] = []
        self.received: list[bytes] = []

    def receive(self, data: bytes, path: Path, now: float) -> None:
        self.received.append(data)
        self._transmits.append(Transmit(path, (data,)))

    def handle_timeout(self, now: float) -> None:
        pass

    def next_timeout(self) -> float | None:
        return None

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.pop(0) if self._transmits else None

    def poll_event(self) -> Event | None:
        return None


class World:
    """A relay, and the hosts around it."""

    def __init__(
        self,
        *,
        seed: int = 1,
        nonce_lifetime: float = 3600.0,
        credentials: CredentialVerifier = USERS,
    ) -> None:
        self.network = Network(seed=seed)
        self.memory = ServerMemory()
        self._credentials = credentials
        self._relay_host = self.network.host("relay", str(RELAY_IP))
        self.relay = self._run_relay(nonce_lifetime)

    def restart_relay(self) -> None:
        """Another server takes its place, which knows nothing."""
        self.relay.stop()
        self.relay = self._run_relay(3600.0)

    def client(
        self,
        name: str,
        host: Host,
        *,
        config: ClientConfig | None = None,
        username: str = USER,
        password: str = PASSWORD,
    ) -> Process[TurnClient]:
        local = host.bind(host.addresses[0])
        client = TurnClient(
            Path(TransportProtocol.UDP, local, LISTENING),
            username=username,
            password=password,
            random_bytes=self.network.random_bytes(name),
            config=config,
            memory=self.memory,
        )
        return host.run(client, name=name, addresses=[local])

    def host(self, name: str, address: str, *, link: LinkProfile | None = None) -> Host:
        return self.network.host(name, address, link=link)

    def echo(self, name: str, address: str) -> TransportAddress:
        """Where a peer listens that sends everything back."""
        host = self.network.host(name, address)
        peer = host.bind(address, 7000)
        host.run(EchoMachine(), addresses=[peer])
        return peer

    def allocate(self, client: Process[TurnClient]) -> TransportAddress:
        """The relayed transport address."""
        client.call(lambda machine, now: machine.allocate(now))
        self.network.run_until(lambda: client.events_of(Allocated), timeout=80.0)
        return client.events_of(Allocated)[0].relayed

    def run(self, seconds: float) -> None:
        self.network.run(until=self.network.now + seconds)

    def _run_relay(self, nonce_lifetime: float) -> Process[RelayMachine]:
        random_bytes = self.network.random_bytes(f"relay at {self.network.now}")
        return self._relay_host.run(
            RelayMachine(
                random_bytes, nonce_lifetime=nonce_lifetime, credentials=self._credentials
            ),
            addresses=[LISTENING],
            on_event=_do_what_the_relay_asks,
        )


def _do_what_the_relay_asks(process: Process[RelayMachine], event: Event) -> None:
    match event:
        case RelayRequested(token=token, address=address):
            process.bind(address.ip, address.port)
            process.call(lambda relay, now: relay.server.relay_opened(token, address, now))
        case RelayReleased(relayed=relayed):
            process.unbind(relayed)
        case _:
            pass
