"""The examples in docs/libraries.md run as they stand, with servers on loopback."""

from __future__ import annotations

import asyncio
import ipaddress
import pathlib
import re
import sys

import pytest

from transport import TransportAddress
from transport.aio import KernelSockets
from turn import CredentialVerifier
from turn.aio import RelayServer
from turn.server import ServerConfig

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "libraries.md"
LOOPBACK = ipaddress.ip_address("127.0.0.1")
ANYWHERE = TransportAddress(LOOPBACK, 0)
BINDING, RELAY, MACHINE = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


async def run(example: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        example,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, complaints = await asyncio.wait_for(process.communicate(), 50.0)
    assert complaints.decode() == ""
    return printed.decode()


def relay() -> RelayServer:
    return RelayServer.open(
        ServerConfig(
            realm="relay.example",
            credentials=CredentialVerifier(users={"ann": "secret"}),
            listening=(ANYWHERE,),
            relay_addresses=(LOOPBACK,),
            allow_peers=(ipaddress.ip_network("127.0.0.0/8"),),
        )
    )


@pytest.mark.long
async def test_the_example_of_a_binding_prints_our_address() -> None:
    """A process of its own has to start."""
    async with relay() as server:
        uri = f"stun:{server.endpoints[0].address}"
        printed = await run(BINDING.replace("stun:stun.example.org", uri))

    assert re.fullmatch(r"we are 127\.0\.0\.1:\d+\n", printed)


@pytest.mark.long
async def test_the_example_of_a_relay_talks_to_its_peer() -> None:
    """A process of its own has to start."""
    peer = await KernelSockets().open(ANYWHERE)

    def echo() -> None:
        for data, source in peer.receive():
            peer.send([data], source, None)

    peer.start(echo)
    async with relay() as server:
        uri = f"turn:{server.endpoints[0].address}"
        example = RELAY.replace("turn:relay.example.org", uri).replace(
            '"198.51.100.7", 7000', f'"127.0.0.1", {peer.local.port}'
        )
        printed = await run(example)
        wrong = await run(example.replace('"secret"', '"wrong"'))
    peer.close()

    assert printed == "True b'hello'\n"
    assert wrong.startswith("no allocation: the server does not take the credentials (401")


@pytest.mark.long
async def test_the_example_without_asyncio_makes_a_request() -> None:
    """A process of its own has to start."""
    assert await run(MACHINE) == "20 bytes, again in 0.5 s\n"
