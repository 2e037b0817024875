"""The service as one piece."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import socket

import pytest

from hairpin.aws import ServiceAccess, explained
from hairpin.daemon import Life
from hairpin.errors import HairpinError
from hairpin.relay import OtherRelays, OwnRelay
from hairpin.relay_endpoints import plain_endpoints
from hairpin.service import start_service
from hairpin.tls import server_context
from signaling import Role
from signaling.aio import ChannelEndpoints
from transport import TransportAddress, TransportProtocol
from turn.aio import Endpoint, connect
from turn.credentials import RelaySecret, make_credentials

from .certificates import write_certificate
from .parts import CHANNEL, KEY, access_to, connect_viewer, service, service_options

REGION = "us-west-2"
UDP, TCP = TransportProtocol.UDP, TransportProtocol.TCP


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


NEEDS_IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this host has no ::1")


def uris(*endpoints: Endpoint) -> tuple[str, ...]:
    """Of plain TURN."""
    return tuple(f"turn:{each.address}?transport={each.transport.value}" for each in endpoints)


async def test_clients_are_told_of_the_relay_that_listens(tmp_path: pathlib.Path) -> None:
    async with service(tmp_path) as running, access_to(running).client() as client:
        channel = await client.describe_channel(CHANNEL)
        endpoints = await client.get_endpoints(channel.arn, Role.VIEWER)
        (grant,) = await client.get_ice_servers(endpoints.https, channel.arn, "ann")

        assert running.relay is not None
        assert grant.uris == uris(*running.relay.endpoints)
        assert [each.transport for each in running.relay.endpoints] == [UDP, TCP]
        assert endpoints.https == running.url


async def test_relays_elsewhere_are_named_with_credentials_of_the_shared_secret(
    tmp_path: pathlib.Path,
) -> None:
    uris = ("turn:turn.example.org:3478", "turns:turn.example.org:5349?transport=tcp")
    options = dataclasses.replace(service_options(tmp_path), relay=OtherRelays(uris, "shared"))
    async with Life() as life:
        running = await start_service(life, options)
        channel = await running.store.create_channel(CHANNEL)
        client = await life.enter_async_context(access_to(running).client())
        (grant,) = await client.get_ice_servers(running.url, channel.arn, "ann")

    expiry, _, name = grant.username.partition(":")
    assert running.relay is None
    assert grant.uris == uris
    assert make_credentials(RelaySecret(b"shared"), name, int(expiry)) == (
        grant.username,
        grant.password,
    )


async def test_channels_outlive_the_service(tmp_path: pathlib.Path) -> None:
    data = tmp_path / "new" / "folder"
    async with service(data) as running, access_to(running).client() as client:
        before = await client.describe_channel(CHANNEL)
    async with service(data) as running, access_to(running).client() as client:
        assert await client.describe_channel(CHANNEL) == before


async def test_a_public_url_is_what_clients_are_sent_to(
    tmp_path: pathlib.Path,
) -> None:
    options = dataclasses.replace(
        service_options(tmp_path), public_url="https://kvs.example.org:443"
    )
    async with Life() as life:
        running = await start_service(life, options)
        assert running.url == "https://kvs.example.org:443"
        assert running.settings.websocket_endpoint(Role.MASTER) == "wss://kvs.example.org/master"
        assert running.settings.endpoints.https == "https://kvs.example.org"


async def test_https_is_served_to_who_trusts_the_certificate(tmp_path: pathlib.Path) -> None:
    certificate, key = map(str, write_certificate(tmp_path))
    options = dataclasses.replace(service_options(tmp_path), tls=server_context(certificate, key))
    async with Life() as life:
        running = await start_service(life, options)
        trusting = ServiceAccess(running.url, REGION, KEY, certificate)
        async with trusting.client() as client:
            assert await client.list_channels() == []
        async with access_to(running).client() as client:
            with (
                pytest.raises(HairpinError, match=r"https://.* its certificate is not trusted"),
                explained(access_to(running)),
            ):
                await client.list_channels()


async def refusal(options_data: pathlib.Path, **changes: object) -> str:
    options = dataclasses.replace(service_options(options_data), **changes)  # type: ignore[arg-type]
    async with Life() as life:
        with pytest.raises(HairpinError) as caught:
            await start_service(life, options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("wildcard", "host"),
    [
        pytest.param("0.0.0.0", "127.0.0.1", id="ipv4"),
        pytest.param("::", "127.0.0.1", id="ipv4-at-a-socket-of-ipv6", marks=NEEDS_IPV6),
        pytest.param("::", "[::1]", id="ipv6", marks=NEEDS_IPV6),
    ],
)
async def test_on_a_wildcard_clients_are_told_of_the_address_that_they_reached(
    tmp_path: pathlib.Path, wildcard: str, host: str
) -> None:
    anywhere = TransportAddress.parse(wildcard, 0)
    options = dataclasses.replace(
        service_options(tmp_path, listen=anywhere), relay=OwnRelay(plain_endpoints(anywhere))
    )
    async with Life() as life:
        running = await start_service(life, options)
        channel = await running.store.create_channel(CHANNEL)
        assert running.relay is not None
        relay_at = running.relay.endpoints
        port = running.url.rpartition(":")[2]
        access = ServiceAccess(f"http://{host}:{port}", REGION, KEY)
        client = await life.enter_async_context(access.client())
        endpoints = await client.get_endpoints(channel.arn, Role.VIEWER)
        (grant,) = await client.get_ice_servers(endpoints.https, channel.arn, "ann")
        async with await connect_viewer(client, channel, "ann"):
            assert running.hub.viewers(channel.arn) == ("ann",)
        async with connect(grant.uris[0], grant.username, grant.password) as allocation:
            relayed = allocation.relayed

    assert endpoints == ChannelEndpoints(f"ws://{host}:{port}/viewer", f"http://{host}:{port}")
    at_host = [each for each in relay_at if each.address.host == host.strip("[]")]
    assert grant.uris == uris(*at_host)
    # Who asks for no family gets IPv4 (RFC 8656 section 7.2), here of any address.
    assert relayed.host == host or (
        host == "[::1]" and relayed.host in {each.address.host for each in relay_at}
    )
    assert running.url in running.urls
    assert not any("0.0.0.0" in url or "[::]" in url for url in running.urls)


async def test_behind_a_public_url_a_relay_on_every_address_is_named_by_the_urls_host(
    tmp_path: pathlib.Path,
) -> None:
    running = None
    while running is None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        relay = OwnRelay(plain_endpoints(TransportAddress.parse("0.0.0.0", port)))
        options = dataclasses.replace(
            service_options(tmp_path), relay=relay, public_url="https://[2001:db8::7]:8443"
        )
        async with Life() as life:
            # It is free of TCP on one address, and somebody may take it there.
            with contextlib.suppress(HairpinError):
                running = await start_service(life, options)

    assert running.issuer.uris == (
        f"turn:[2001:db8::7]:{port}?transport=udp",
        f"turn:[2001:db8::7]:{port}?transport=tcp",
    )
    assert not running.issuer.uris_at
    assert running.urls == ("https://[2001:db8::7]:8443",)


async def test_a_directory_that_cannot_be_used_is_named(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    file.write_text("")

    assert f"--data {file} is not a directory" in await refusal(file)
    assert f"--data {file}/below is not a directory" in await refusal(file / "below")


async def test_a_store_that_is_something_else_is_named(tmp_path: pathlib.Path) -> None:
    (tmp_path / "hairpin.sqlite3").write_bytes(b"something else entirely" * 100)

    assert f"--data {tmp_path}: " in await refusal(tmp_path)


async def test_a_directory_is_for_one_service_at_a_time(tmp_path: pathlib.Path) -> None:
    async with service(tmp_path):
        assert "in use by another server" in await refusal(tmp_path)


async def test_a_busy_port_of_the_relay_is_named_with_its_flag(tmp_path: pathlib.Path) -> None:
    async with service(tmp_path / "one") as running:
        assert running.relay is not None
        relay = OwnRelay(running.relay.endpoints[:1])
        message = await refusal(tmp_path / "two", relay=relay)

    assert "is in use: choose another with --relay-listen" in message


async def test_whatever_was_brought_up_is_ended_when_the_rest_cannot_be(
    tmp_path: pathlib.Path,
) -> None:
    file = tmp_path / "file"
    file.write_text("")
    async with contextlib.AsyncExitStack() as stack:
        running = await stack.enter_async_context(service(tmp_path / "one"))
        host, _, port = running.url.removeprefix("http://").rpartition(":")
    listen = TransportAddress.parse(host, int(port))

    await refusal(file, listen=listen)
    async with service(tmp_path / "two", listen=listen) as running:
        assert running.url.endswith(f":{port}")
