"""The relays that are compared: each a process on the one core that is measured."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from typing import IO

from transport import TransportAddress

from .mmsg import pin
from .session import PASSWORD, USERNAME, Flow

RELAY_CORE = 0
LOAD_CORE = 1

INSTALL = "coturn is missing: apt-get install coturn (or name a build of it with COTURN=PATH)"

_START_PATIENCE = 10.0


class Server:
    """A relay that runs."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], port: int) -> None:
        self.name = name
        self.process = process
        self.address = TransportAddress.parse("127.0.0.1", port)

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
def hairpin(*arguments: str) -> Iterator[Server]:
    """Our relay, as ``hairpin relay`` runs it."""
    port = free_port()
    command = (
        *(sys.executable, "-c", "from hairpin.cli import main; main()", "relay"),
        *("--listen", f"udp://127.0.0.1:{port}", "--user", f"{USERNAME}:{PASSWORD}"),
        *("--allow-peer", "127.0.0.0/8", *arguments),
    )
    with _running("hairpin", command, port) as server:
        yield server


@contextlib.contextmanager
def coturn() -> Iterator[Server]:
    """coturn from PATH or ``COTURN``, with one relay thread, as it is on one core.

    Raises:
        FileNotFoundError: there is none.
    """
    binary = shutil.which(os.environ.get("COTURN", "turnserver"))
    if binary is None:
        raise FileNotFoundError(INSTALL)
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        command = (
            *(binary, "-n", "-m", "1", "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1"),
            *("--listening-port", str(port), "--lt-cred-mech", "--user", f"{USERNAME}:{PASSWORD}"),
            *("--realm", "bench", "--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls"),
            *("--no-tcp", "--no-tcp-relay", "--simple-log", "--log-file", "/dev/null"),
            *("--no-stdout-log", "--pidfile", f"{folder}/pid", "--userdb", f"{folder}/db"),
        )
        with _running("coturn", command, port) as server:
            yield server


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@contextlib.contextmanager
def _running(name: str, command: tuple[str, ...], port: int) -> Iterator[Server]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, preexec_fn=lambda: pin(RELAY_CORE)
        )
        server = Server(name, process, port)
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
            Flow(server.address).close()
        except OSError as error:
            if server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
                continue
            log.seek(0)
            said = log.read().decode(errors="replace")
            raise RuntimeError(f"{server.name} does not relay: {error}\n{said}") from error
        return
