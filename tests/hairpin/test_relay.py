"""``hairpin relay`` as a process, and the relay of a service."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import resource
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_address, ip_network

import pytest
from click.testing import CliRunner

from hairpin.cli import cli
from hairpin.listening import refused_networks
from hairpin.relay import OwnRelay, own_networks, start_relay
from hairpin.relay_endpoints import plain_endpoints
from transport import TransportAddress, TransportProtocol
from transport.aio import KernelSockets
from turn.aio import Endpoint, ServerCertificate, connect
from turn.client import AllocationError
from turn.credentials import RelaySecret, make_credentials

from .certificates import write_certificate
from .test_daemon import FAR

LISTEN = ("--listen", "udp://127.0.0.1:0")
USER = ("--user", "ann:secret")


@contextlib.asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[str]]]:
    """The relay as a process, and the addresses that it said it is ready at."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from hairpin.cli import main; main()", "relay"),
        *(*LISTEN, *USER, "--allow-peer", "127.0.0.0/8", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        ready, *addresses = (await process.stdout.readline()).decode().split()
        assert ready == "ready"
        yield process, addresses
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.requirement("stun-turn:TURN-CDATA-01", "stun-turn:TURN-CDATA-07")
@pytest.mark.long  # A process of its own has to start, once for all that it shows.
async def test_it_says_where_it_is_ready_relays_and_ends_when_it_is_told_to() -> None:
    loop = asyncio.get_running_loop()
    now = int(time.time())
    secret = RelaySecret(b"shared")
    async with running("--secret", "shared", "--listen", "udp://127.0.0.2:0") as (process, ready):
        assert [address.rpartition(":")[0] for address in ready] == [
            "udp://127.0.0.1",
            "udp://127.0.0.2",
        ]
        uris = [address.replace("udp://", "turn:") for address in ready]
        peer = KernelSockets().bind(TransportAddress.parse("127.0.0.1", 0))
        with peer:
            address = TransportAddress.parse(*peer.getsockname())
            for uri, credentials in (
                (uris[0], ("ann", "secret")),
                (uris[1], make_credentials(secret, "bob", now + 600)),
            ):
                async with connect(uri, *credentials) as client:
                    await client.bind_channel(address)
                    # Each alone, for a relay that waits: that is another way than that of bursts.
                    for payload in (b"hello", b"again", b"and again"):
                        client.send(address, payload)
                        assert await loop.sock_recv(peer, 100) == payload
                        peer.sendto(payload, (client.relayed.host, client.relayed.port))
                        assert await client.receive() == (address, payload)
        with pytest.raises(AllocationError):
            async with connect(uris[0], *make_credentials(secret, "bob", now - 600)):
                pass

        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), FAR) == 0


@pytest.mark.long  # As above.
async def test_a_wildcard_stands_for_every_address_of_its_family() -> None:
    async with running("--listen", "udp://0.0.0.0:0") as (_, ready):
        hosts = [address.rpartition(":")[0] for address in ready]

    assert hosts.count("udp://127.0.0.1") == 1  # although it was named, too
    assert not {"udp://0.0.0.0", "udp://[::1]"} & set(hosts)


@pytest.mark.long  # As above; a relay that drains ends in its own time.
async def test_it_drains_until_its_last_client_has_gone() -> None:
    async with running("--drain", "60") as (process, ready):
        uri = ready[0].replace("udp://", "turn:")
        async with connect(uri, "ann", "secret"):
            process.send_signal(signal.SIGINT)
            while True:
                with contextlib.suppress(AllocationError):
                    async with connect(uri, "ann", "secret"):
                        continue
                break
            assert process.returncode is None

        assert await asyncio.wait_for(process.wait(), FAR) == 0


@pytest.mark.parametrize(
    ("relay", "allowed", "named"),
    [
        pytest.param(["8.8.8.8", "2600::1"], [], [], id="public"),
        pytest.param(["10.0.0.1"], [], ["10.0.0.1"], id="private"),
        pytest.param(["100.64.0.1"], [], ["100.64.0.1"], id="carrier"),
        pytest.param(["8.8.8.8", "::1"], [], ["::1"], id="one-of-two"),
        pytest.param(["10.0.0.1", "fd00::1"], ["10.0.0.0/8"], ["fd00::1"], id="other-family"),
        pytest.param(["10.0.0.1", "fd00::1"], ["10.0.0.0/8", "fd00::/8"], [], id="allowed"),
    ],
)
def test_an_operator_is_told_which_networks_are_refused(
    relay: Sequence[str], allowed: Sequence[str], named: Sequence[str]
) -> None:
    notice = refused_networks(
        [ip_address(each) for each in relay], [ip_network(each) for each in allowed]
    )

    assert (notice is not None) == bool(named)
    if notice is not None:
        assert [each for each in relay if each in notice.split()] == list(named)
        assert "--allow-peer" in notice


async def test_the_relay_of_a_service_may_have_as_many_sockets_as_the_system_allows() -> None:
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, most), most))
    try:
        async with contextlib.AsyncExitStack() as stack:
            await start_relay(
                stack, OwnRelay(plain_endpoints(TransportAddress.parse("127.0.0.1", 0)))
            )

            assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@pytest.mark.parametrize(
    ("public_host", "host"), [(None, "127.0.0.1"), ("relay.example", "relay.example")]
)
async def test_clients_are_told_of_every_transport_in_the_order_of_kvs(
    tmp_path: pathlib.Path, public_host: str | None, host: str
) -> None:
    certificate = ServerCertificate(*map(str, write_certificate(tmp_path)))
    address = TransportAddress.parse("127.0.0.1", 0)
    listen = tuple(Endpoint(each, address) for each in TransportProtocol)
    async with contextlib.AsyncExitStack() as stack:
        relay, issuer = await start_relay(
            stack, OwnRelay(listen, certificate=certificate), public_host=public_host
        )
        ports = {each.transport.value: each.address.port for each in relay.endpoints}

    assert issuer.uris == (
        f"turn:127.0.0.1:{ports['udp']}?transport=udp",
        f"turns:{host}:{ports['dtls']}?transport=udp",
        f"turn:127.0.0.1:{ports['tcp']}?transport=tcp",
        f"turns:{host}:{ports['tls']}?transport=tcp",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["demo"], "the demo has no certificate", id="demo"),
        pytest.param(["serve", "--data", "x"], "tls://127.0.0.1:5349 needs a cert", id="serve"),
    ],
)
def test_a_service_needs_a_certificate_for_a_relay_over_tls(
    arguments: Sequence[str], message: str
) -> None:
    result = CliRunner().invoke(cli, [*arguments, "--relay-listen", "tls://127.0.0.1"])

    assert message in result.output + str(result.exception)


def test_a_demo_for_other_machines_does_not_lead_them_to_its_loopback() -> None:
    anywhere = own_networks(plain_endpoints(TransportAddress.parse("0.0.0.0", 3478)))
    at_home = own_networks(plain_endpoints(TransportAddress.parse("127.0.0.1", 3478)))
    loopback = ip_network("127.0.0.1")
    assert loopback in at_home
    assert not any(network.is_loopback for network in anywhere)
