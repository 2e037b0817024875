from __future__ import annotations

import asyncio
import contextlib
import datetime
import socket
import ssl
from pathlib import Path as FilePath

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.closed import closed_port
from transport import (
    CloseRequested,
    ConnectRequested,
    Path,
    ResetRequested,
    TransportAddress,
    TransportProtocol,
)
from transport.aio import MAX_UNSENT_BYTES, MachineDriver

from .machines import (
    Connected,
    Disconnected,
    Events,
    LineFramer,
    Received,
    SilentMachine,
    StreamEchoMachine,
)

TCP, TLS = TransportProtocol.TCP, TransportProtocol.TLS
MORE_THAN_KERNELS_BUFFER_BYTES = MAX_UNSENT_BYTES + (24 << 20)
UNKNOWN = TransportAddress.parse("0.0.0.0", 0)


def listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def address(sock: socket.socket) -> TransportAddress:
    return TransportAddress.parse(*sock.getsockname()[:2])


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for relay.example, and a client's that trusts it alone."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = make_certificate(folder)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    client = ssl.create_default_context(cafile=str(certificate))
    return server, client


def make_certificate(folder: FilePath) -> tuple[FilePath, FilePath]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.example")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(datetime.datetime(2049, 1, 1, tzinfo=datetime.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("relay.example")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return paths


class Side:
    """A machine with its driver and its events."""

    def __init__(
        self, machine: StreamEchoMachine | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.machine = machine or StreamEchoMachine()
        self.events = Events()
        self.driver = MachineDriver(self.machine, self.events, framer=LineFramer, tls=tls)

    def connect(self, request: ConnectRequested) -> None:
        self.driver.call(lambda now: self.machine.want(request))

    async def listen(self, *, tls: ssl.SSLContext | None = None) -> TransportAddress:
        sock = listener()
        bound = address(sock)
        self.driver.add_listener(sock, tls=tls)
        return bound

    async def connected(self) -> Path:
        event = await self.events.next()
        assert isinstance(event, Connected)
        return event.path


async def test_a_machine_connects_talks_and_closes() -> None:
    server, client = Side(), Side(SilentMachine())
    remote = await server.listen()
    client.connect(ConnectRequested(TCP, remote))
    path, back = await client.connected(), await server.connected()

    client.driver.call(lambda now: client.machine.send(path, b"one\n", b"two\n"))
    answers = [await client.events.next() for _ in range(2)]
    client.driver.call(lambda now: client.machine.want(CloseRequested(path)))

    assert (path.local, path.remote) == (back.remote, back.local)
    assert path.transport is back.transport is TCP
    assert answers == [Received(b"one\n", path), Received(b"two\n", path)]
    assert await client.events.next() == Disconnected(path, "closed")
    await server.events.next(), await server.events.next()
    assert await server.events.next() == Disconnected(back, "closed by the peer")
    await server.driver.aclose()
    await client.driver.aclose()


async def test_tls_is_the_drivers_and_its_name_is_checked(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    server, client = Side(), Side(SilentMachine(), tls=contexts[1])
    remote = await server.listen(tls=contexts[0])
    client.connect(ConnectRequested(TLS, remote, "relay.example"))
    path = await client.connected()
    client.driver.call(lambda now: client.machine.send(path, b"secret\n"))

    assert path.transport is TLS
    assert await client.events.next() == Received(b"secret\n", path)

    client.connect(ConnectRequested(TLS, remote, "other.example"))
    refused = await client.events.next()
    assert isinstance(refused, Disconnected)
    assert refused.path == Path(TLS, UNKNOWN, remote)
    assert "match" in refused.reason
    await client.driver.aclose()
    await server.driver.aclose()


async def test_a_stream_that_cannot_be_opened_is_reported() -> None:
    client = Side()

    with closed_port() as nobody:
        client.connect(ConnectRequested(TCP, nobody))
        client.connect(ConnectRequested(TransportProtocol.DTLS, nobody))
        events = [await client.events.next() for _ in range(2)]

    assert {e.path.transport for e in events if isinstance(e, Disconnected)} == {
        TCP,
        TransportProtocol.DTLS,
    }
    assert all(isinstance(e, Disconnected) and e.path.local == UNKNOWN for e in events)
    await client.driver.aclose()


async def test_messages_are_framed_however_the_stream_is_cut() -> None:
    server = Side(SilentMachine())
    remote = await server.listen()
    _, writer = await asyncio.open_connection(remote.host, remote.port)
    path = await server.connected()
    for byte in b"one\ntw":
        writer.write(bytes([byte]))
        await writer.drain()
    writer.write(b"o\nthree\nrest")

    seen = [await server.events.next() for _ in range(3)]

    assert seen == [Received(data, path) for data in (b"one\n", b"two\n", b"three\n")]
    writer.close()
    await writer.wait_closed()
    await server.driver.aclose()


async def test_a_stream_that_makes_no_sense_is_closed() -> None:
    server = Side(SilentMachine())
    remote = await server.listen()
    reader, writer = await asyncio.open_connection(remote.host, remote.port)
    path = await server.connected()

    writer.write(b"\0")

    assert await server.events.next() == Disconnected(path, "line: a NUL")
    with contextlib.suppress(ConnectionResetError):  # or the end, as the kernel likes
        assert await reader.read() == b""
    writer.close()
    await server.driver.aclose()


async def test_what_a_peer_does_not_read_is_dropped_by_whole_messages() -> None:
    server = Side(SilentMachine())
    message = b"x" * 65_535 + b"\n"
    count = MORE_THAN_KERNELS_BUFFER_BYTES // len(message)
    remote = await server.listen()
    reader, writer = await asyncio.open_connection(remote.host, remote.port, limit=2 * len(message))
    path = await server.connected()

    for _ in range(count):
        server.driver.call(lambda now: server.machine.send(path, message))
    dropped = server.driver.stats().dropped_messages

    received = [await reader.readexactly(len(message)) for _ in range(count - dropped)]
    assert 0 < dropped < count
    assert set(received) == {message}
    writer.close()
    await writer.wait_closed()
    await server.driver.aclose()


async def test_messages_for_a_stream_that_is_gone_are_counted() -> None:
    side = Side()
    gone = Path(TCP, UNKNOWN, UNKNOWN)

    side.driver.call(lambda now: side.machine.send(gone, b"a\n", b"b\n"))
    side.driver.call(lambda now: side.machine.want(CloseRequested(gone)))

    assert side.driver.stats().dropped_messages == 2
    await side.driver.aclose()


async def test_an_open_connection_can_be_taken_over() -> None:
    side = Side()
    ours, theirs = listener(), socket.socket()
    theirs.connect(ours.getsockname())
    accepted, _ = ours.accept()
    with ours, theirs:
        accepted.setblocking(False)
        await side.driver.add_stream(accepted)
        path = await side.connected()
        theirs.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=theirs)
        writer.write(b"hello\n")

        assert await reader.readline() == b"hello\n"
        assert path.remote == TransportAddress.parse(*theirs.getsockname())
        writer.close()
        await writer.wait_closed()
    await side.driver.aclose()


async def test_closing_hands_over_what_was_written_and_leaves_nothing() -> None:
    server = Side()
    remote = await server.listen()
    reader, writer = await asyncio.open_connection(remote.host, remote.port)
    path = await server.connected()
    server.driver.call(lambda now: server.machine.send(path, b"last words\n"))

    await server.driver.aclose()

    assert await reader.read() == b"last words\n"
    writer.close()
    await writer.wait_closed()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    assert not others


async def test_closing_gives_up_a_connection_that_is_being_opened() -> None:
    client = Side()
    with listener() as sock:
        client.connect(ConnectRequested(TCP, address(sock)))
        await client.driver.aclose()

    assert client.events.all == []
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_driver_without_a_framer_has_no_streams() -> None:
    events = Events()
    machine = StreamEchoMachine()
    driver = MachineDriver(machine, events)
    request = ConnectRequested(TCP, UNKNOWN)

    driver.call(lambda now: machine.want(request))

    assert events.all == [request]
    with listener() as sock, pytest.raises(RuntimeError, match="without a framer"):
        driver.add_listener(sock)
    await driver.aclose()


async def test_a_stream_that_is_held_for_dead_is_reset() -> None:
    server, client = Side(), Side(SilentMachine())
    remote = await server.listen()
    client.connect(ConnectRequested(TCP, remote))
    path, back = await client.connected(), await server.connected()

    client.driver.call(lambda now: client.machine.want(ResetRequested(path)))

    assert await client.events.next() == Disconnected(path, "reset")
    ended = await server.events.next()
    assert isinstance(ended, Disconnected)
    assert ended.path == back
    assert "reset" in ended.reason
    await server.driver.aclose()
    await client.driver.aclose()
