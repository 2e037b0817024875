"""The relays that are compared: each a process on the one core that is measured."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from typing import IO

from transport import TransportAddress

from .certificate import Certificate
from .flow import Flow, Way
from .mmsg import pin
from .session import PASSWORD, USERNAME

RELAY_CORE = 0
LOAD_CORE = 1

INSTALL = "coturn is missing: apt-get install coturn (or name a build of it with COTURN=PATH)"

LISTENING_PORTS = range(10_000, 20_000)
RELAYED_PORTS = range(20_000, 30_000)
"""Both below those that Linux gives out by itself (32768 and up)."""

_START_PATIENCE = 10.0


@dataclasses.dataclass(frozen=True)
class Ports:
    """Where a relay listens, with both families and transports on each port."""

    plain: int
    tls: int

    @classmethod
    def choose(cls) -> Ports:
        first, second = (free_port() for _ in range(2))
        return cls(first, second) if first != second else cls.choose()

    @property
    def addresses(self) -> Mapping[Way, TransportAddress]:
        plain = TransportAddress.parse("127.0.0.1", self.plain)
        return {
            Way.CHANNEL: plain,
            Way.IPV6: TransportAddress.parse("::1", self.plain),
            Way.INDICATIONS: plain,
            Way.TCP: plain,
            Way.TLS: TransportAddress.parse("127.0.0.1", self.tls),
        }


class Server:
    """A relay that runs; ``tls`` is for its clients, if it listens with TLS."""

    def __init__(
        self,
        name: str,
        process: subprocess.Popen[bytes],
        ports: Ports,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.name = name
        self.process = process
        self.addresses = ports.addresses
        self.tls = tls

    def cpu_seconds(self) -> float:
        """What all of its threads have had of a processor."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        nanoseconds = 0
        for task in tasks.iterdir():
            with contextlib.suppress(OSError):  # a thread that has just ended
                nanoseconds += int((task / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

    def resident_bytes(self) -> int:
        pages = pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@contextlib.contextmanager
def hairpin(*arguments: str, certificate: Certificate | None = None) -> Iterator[Server]:
    """Our relay, as ``hairpin relay`` runs it; with a certificate on every way."""
    ports = Ports.choose()
    command = [
        *(sys.executable, "-c", "from hairpin.cli import main; main()", "relay"),
        *("--listen", f"udp://127.0.0.1:{ports.plain}", "--user", f"{USERNAME}:{PASSWORD}"),
        *("--allow-peer", "127.0.0.0/8", "--min-port", str(RELAYED_PORTS[0])),
        *("--max-port", str(RELAYED_PORTS[-1]), *arguments),
    ]
    if certificate is not None:
        command += (
            *("--listen", f"udp://[::1]:{ports.plain}", "--allow-peer", "::1/128"),
            *("--listen", f"tcp://127.0.0.1:{ports.plain}"),
            *("--listen", f"tls://127.0.0.1:{ports.tls}"),
            *("--tls-cert", str(certificate.chain), "--tls-key", str(certificate.key)),
        )
    with _running("hairpin", command, ports, certificate) as server:
        yield server


@contextlib.contextmanager
def coturn(*, certificate: Certificate | None = None) -> Iterator[Server]:
    """coturn from PATH or ``COTURN``, with one relay thread, as it is on one core.

    Raises:
        FileNotFoundError: there is none.
    """
    binary = shutil.which(os.environ.get("COTURN", "turnserver"))
    if binary is None:
        raise FileNotFoundError(INSTALL)
    ports = Ports.choose()
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(binary, "-n", "-m", "1", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"),
            *("--listening-port", str(ports.plain), "--tls-listening-port", str(ports.tls)),
            *("--min-port", str(RELAYED_PORTS[0]), "--max-port", str(RELAYED_PORTS[-1])),
            *("--lt-cred-mech", "--user", f"{USERNAME}:{PASSWORD}", "--realm", "bench"),
            *("--allow-loopback-peers", "--no-cli", "--no-dtls", "--no-tcp-relay"),
            *("--simple-log", "--log-file", "/dev/null", "--no-stdout-log"),
            *("--pidfile", f"{folder}/pid", "--userdb", f"{folder}/db"),
        ]
        if certificate is None:
            command += ("--no-tcp", "--no-tls")
        else:
            command += (
                *("--listening-ip", "::1", "--relay-ip", "::1"),
                *("--cert", str(certificate.chain), "--pkey", str(certificate.key)),
            )
        with _running("coturn", command, ports, certificate) as server:
            yield server


@contextlib.contextmanager
def both(*, on_every_way: bool = False) -> Iterator[tuple[Server, Server]]:
    """Our relay and coturn.

    Raises:
        ImportError: there is no coturn, which the table of all figures says as it says of
            other peers that are missing.
    """
    with contextlib.ExitStack() as stack:
        certificate = None
        if on_every_way:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            certificate = Certificate.generate(pathlib.Path(folder))
        ours = stack.enter_context(hairpin(certificate=certificate))
        try:
            peer = stack.enter_context(coturn(certificate=certificate))
        except FileNotFoundError as error:
            raise ImportError(str(error)) from error
        yield ours, peer


def free_port() -> int:
    """A port that nobody listens on now, over UDP or TCP."""
    while True:
        port = random.choice(LISTENING_PORTS)
        try:
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                with socket.socket(socket.AF_INET, kind) as sock:
                    sock.bind(("127.0.0.1", port))
        except OSError:
            continue
        return port


@contextlib.contextmanager
def _running(
    name: str, command: list[str], ports: Ports, certificate: Certificate | None
) -> Iterator[Server]:
    tls = None if certificate is None else certificate.trusting()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, preexec_fn=lambda: pin(RELAY_CORE)
        )
        server = Server(name, process, ports, tls)
        try:
            _wait_until_it_relays(server, log)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_relays(server: Server, log: IO[bytes]) -> None:
    deadline = time.monotonic() + _START_PATIENCE
    while True:
        try:
            Flow(server).close()
        except OSError as error:
            if server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            log.seek(0)
            said = log.read().decode(errors="replace")
            raise RuntimeError(f"{server.name} does not relay: {error}\n{said}") from error
        return
