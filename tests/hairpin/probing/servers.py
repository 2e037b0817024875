"""Servers on loopback that go wrong in one way each."""

from __future__ import annotations

import collections
import contextlib
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from ipaddress import ip_address

from stun import (
    AnyAttribute,
    ErrorCode,
    Message,
    MessageClass,
    Method,
    Nonce,
    Realm,
    XorMappedAddress,
    encode_message,
    long_term_key,
)
from tests.closed import both_ports
from transport import Event, Machine, Path, Transmit, TransportAddress
from transport.aio import KernelSockets, MachineDriver
from turn import CredentialVerifier
from turn.aio import RelayServer
from turn.server import IPNetwork, ServerConfig

LOOPBACK = TransportAddress.parse("127.0.0.1", 0)
REALM = "probe.example"
USER, PASSWORD = "ann", "secret"


def relay_config(
    *,
    users: dict[str, str] | None = None,
    allow_peers: Sequence[IPNetwork] = (),
    relay_ip: str = "127.0.0.1",
) -> ServerConfig:
    return ServerConfig(
        realm=REALM,
        credentials=CredentialVerifier({USER: PASSWORD} if users is None else users),
        listening=(LOOPBACK,),
        relay_addresses=(ip_address(relay_ip),),
        allow_peers=tuple(allow_peers),
    )


@contextlib.asynccontextmanager
async def relay(config: ServerConfig | None = None) -> AsyncIterator[RelayServer]:
    async with RelayServer.open(config or relay_config()) as server:
        yield server


class Refusing:
    """Answers Binding requests, and every signed request with the same error."""

    def __init__(self, code: int | None, *, binding: int | None = None) -> None:
        self._code = code
        self._binding = binding
        self._key = long_term_key(USER, REALM, password=PASSWORD)
        self._transmits: collections.deque[Transmit] = collections.deque()

    def receive(self, data: bytes, path: Path, now: float) -> None:
        request = Message.decode(data)
        if request.method == Method.BINDING:
            self._bind(request, path)
        elif self._code is None:
            pass
        elif not request.has_integrity:
            self._answer(request, path, (ErrorCode(401), Realm(REALM), Nonce("first")))
        elif self._code == 438:
            self._answer(request, path, (ErrorCode(438), Realm(REALM), Nonce("another")))
        else:
            self._answer(request, path, (ErrorCode(self._code),), signed=True)

    def handle_timeout(self, now: float) -> None:
        """Nothing is ever due."""

    def next_timeout(self) -> float | None:
        return None

    def poll_transmit(self) -> Transmit | None:
        return self._transmits.popleft() if self._transmits else None

    def poll_event(self) -> Event | None:
        return None

    def _bind(self, request: Message, path: Path) -> None:
        if self._binding is not None:
            self._answer(request, path, (ErrorCode(self._binding),))
            return
        attributes = (XorMappedAddress(path.remote),)
        answer = encode_message(
            Method.BINDING, MessageClass.SUCCESS, request.transaction_id, attributes
        )
        self._transmits.append(Transmit(path, (answer,)))

    def _answer(
        self,
        request: Message,
        path: Path,
        attributes: Sequence[AnyAttribute],
        *,
        signed: bool = False,
    ) -> None:
        answer = encode_message(
            request.method,
            MessageClass.ERROR,
            request.transaction_id,
            attributes,
            key=self._key if signed else None,
        )
        self._transmits.append(Transmit(path, (answer,)))


@contextlib.asynccontextmanager
async def serving(machine: Machine) -> AsyncIterator[TransportAddress]:
    """A machine on a socket of its own."""
    driver = MachineDriver(machine, lambda event: None)
    sock = await KernelSockets().open(LOOPBACK)
    driver.add_socket(sock)
    try:
        yield sock.local
    finally:
        await driver.aclose()


@contextlib.contextmanager
def streaming(reply: bytes, *, tls: ssl.SSLContext | None = None) -> Iterator[TransportAddress]:
    """A TCP server that says something else than STUN, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener, _answering(listener, reply, tls):
        yield TransportAddress.parse(*listener.getsockname())


@contextlib.contextmanager
def streaming_beside_silence() -> Iterator[TransportAddress]:
    """The same, which only hangs up; over UDP its port says nothing."""
    with both_ports() as (_, listener):
        listener.listen()
        with _answering(listener, b""):
            yield TransportAddress.parse(*listener.getsockname())


@contextlib.contextmanager
def _answering(
    listener: socket.socket, reply: bytes, tls: ssl.SSLContext | None = None
) -> Iterator[None]:
    thread = threading.Thread(target=_answer_all, args=(listener, reply, tls))
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _answer_all(listener: socket.socket, reply: bytes, tls: ssl.SSLContext | None) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with plain, contextlib.suppress(OSError):
            plain.settimeout(30.0)
            with tls.wrap_socket(plain, server_side=True) if tls else plain as stream:
                stream.recv(1)
                stream.sendall(reply)
