"""Debian's coturn, started for a test and there when the body begins."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from transport import TransportAddress

from .answering import until_all_answer
from .certificate import Certificate
from .conftest import need
from .ports import free_ports

USER, PASSWORD, REALM = "ann", "secret", "relay.example"


@dataclasses.dataclass(frozen=True)
class Coturn:
    """A server that listens at ``port`` over UDP and TCP, at ``secured`` over TLS and DTLS."""

    port: int
    secured: int
    certificate: str
    host: str = "127.0.0.1"

    @property
    def address(self) -> TransportAddress:
        return TransportAddress.parse(self.host, self.port)

    @property
    def uri(self) -> str:
        """Without a transport."""
        return f"turn:{self.host}:{self.port}"


@contextlib.asynccontextmanager
async def coturn(
    folder: Path,
    *options: str,
    addresses: Sequence[str] = ("127.0.0.1",),
    prefix: Sequence[str] = (),
) -> AsyncIterator[Coturn]:
    """A server of its own for one user, who may have peers on loopback.

    With two addresses it also listens at alternate ports, for the discovery of RFC 5780.
    ``prefix`` is a command that becomes the one it is given. It has one thread: with more it
    has a socket in each, opened one after the other, and which of them a client is heard at
    changes while they are.
    """
    made = Certificate.generate(folder)
    port, alternate, secured, other = free_ports(4, () if prefix else addresses)
    process = await asyncio.create_subprocess_exec(
        *(*prefix, need("turnserver"), "-n", "--no-cli", "--relay-threads=1"),
        *(word for ip in addresses for word in (f"--listening-ip={ip}", f"--relay-ip={ip}")),
        *(f"--listening-port={port}", f"--alt-listening-port={alternate}"),
        *(f"--tls-listening-port={secured}", f"--alt-tls-listening-port={other}"),
        *(f"--cert={made.certificate}", f"--pkey={made.key}"),
        *("--lt-cred-mech", f"--user={USER}:{PASSWORD}", f"--realm={REALM}"),
        *("--allow-loopback-peers", "--log-file=stdout"),
        *(f"--pidfile={folder / 'turnserver.pid'}", f"--userdb={folder / 'turndb'}", *options),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        ports = (port, secured) if len(addresses) == 1 else (port, alternate, secured, other)
        # It takes TCP connections before it has sockets for UDP, and plain STUN on every port.
        schemes = ("tcp",) if "--no-udp" in options else ("tcp", "udp")
        await until_all_answer(
            *(
                f"{scheme}://{host}:{each}"
                for each in ports
                for host in addresses
                for scheme in schemes
            ),
            prefix=prefix,
        )
        yield Coturn(port, secured, str(made.certificate), addresses[0])
    finally:
        process.terminate()
        await process.wait()
