"""The service and its client over loopback."""

from __future__ import annotations

import asyncio
import contextlib
import time

import aiohttp
import pytest
from aiohttp import web

from signaling import (
    AccessKey,
    ChannelArn,
    Description,
    DescriptionType,
    RemoteCandidate,
    Role,
    ServiceEvent,
    decode_candidate,
    decode_description,
    presign_url,
)
from signaling.aio import (
    ChannelUnreachable,
    ConnectRefused,
    ServiceQuotas,
    ServiceSettings,
    SignalingConnection,
    master_url,
    viewer_url,
)

from .service import KEY, REGION, RunningService, no_service, running_service


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers that are not reading answer no ping: they stay for as long as a test takes."""
    monkeypatch.setattr("signaling.aio.websocket.PING_INTERVAL", 600.0)
    monkeypatch.setattr("signaling.aio.client.PING_INTERVAL", 600.0)


def as_master(
    service: RunningService, arn: ChannelArn, key: AccessKey = KEY
) -> SignalingConnection:
    endpoint = service.settings.websocket_endpoint(Role.MASTER)
    return SignalingConnection(master_url(endpoint, str(arn), key=key, region=REGION))


def as_viewer(service: RunningService, arn: ChannelArn, client_id: str) -> SignalingConnection:
    endpoint = service.settings.websocket_endpoint(Role.VIEWER)
    return SignalingConnection(viewer_url(endpoint, str(arn), client_id, key=KEY, region=REGION))


async def demo_channel(service: RunningService) -> ChannelArn:
    return (await service.store.create_channel("demo")).arn


async def next_event(connection: SignalingConnection) -> ServiceEvent:
    return await anext(aiter(connection))


async def test_an_offer_an_answer_and_candidates_cross_between_viewer_and_master() -> None:
    async with running_service() as service:
        arn = await demo_channel(service)
        async with as_viewer(service, arn, "v1") as viewer:
            await viewer.send_description(Description(DescriptionType.OFFER, "v=0\r\n"))
            await viewer.send_candidate(RemoteCandidate("candidate:1", "0", 0))
            async with as_master(service, arn) as master:
                offer, candidate = await next_event(master), await next_event(master)
                await master.send_description(
                    Description(DescriptionType.ANSWER, "v=0\r\n"), recipient=offer.sender
                )
                answer = await next_event(viewer)

    assert decode_description(offer.payload or "").type is DescriptionType.OFFER
    assert decode_candidate(candidate.payload or "") == RemoteCandidate("candidate:1", "0", 0)
    assert (answer.message_type, answer.sender) == ("SDP_ANSWER", None)


async def test_the_eleventh_viewer_is_refused_and_a_place_is_free_when_one_leaves() -> None:
    async with running_service() as service, contextlib.AsyncExitStack() as stack:
        arn = await demo_channel(service)
        viewers = [
            await stack.enter_async_context(as_viewer(service, arn, f"v{n}")) for n in range(10)
        ]
        with pytest.raises(ConnectRefused) as refused:
            async with as_viewer(service, arn, "v10"):
                pass
        await viewers[0].__aexit__(None, None, None)
        async with as_viewer(service, arn, "v10"):
            pass

    assert (refused.value.status, refused.value.code) == (400, "ClientLimitExceededException")


async def test_a_second_master_displaces_the_first() -> None:
    async with running_service() as service:
        arn = await demo_channel(service)
        async with as_master(service, arn) as first, as_master(service, arn):
            assert [event async for event in first] == []


async def test_deleting_a_channel_sends_its_peers_away_and_nobody_comes_back() -> None:
    async with running_service() as service, service.client() as client:
        arn = await demo_channel(service)
        async with as_master(service, arn) as master, as_viewer(service, arn, "v1") as viewer:
            await client.delete_channel(arn)

            assert [event async for event in master] == []
            assert [event async for event in viewer] == []
        with pytest.raises(ConnectRefused) as refused:
            async with as_viewer(service, arn, "v1"):
                pass

    assert (refused.value.status, refused.value.code) == (404, "ResourceNotFoundException")


async def test_a_channel_that_is_deleted_while_a_peer_comes_keeps_nobody() -> None:
    async with running_service() as service, service.client() as client:
        arn = await demo_channel(service)

        async def come() -> list[ServiceEvent]:
            async with as_viewer(service, arn, "v1") as viewer:
                return [event async for event in viewer]

        coming = asyncio.ensure_future(come())
        await client.delete_channel(arn)
        outcome = (await asyncio.gather(coming, return_exceptions=True))[0]

        assert outcome == [] or isinstance(outcome, ConnectRefused)
        assert service.hub.viewers(arn) == ()


@pytest.mark.parametrize(
    ("role", "parameters", "expected"),
    [
        pytest.param(Role.VIEWER, {}, (400, "InvalidArgumentException"), id="viewer-without-id"),
        pytest.param(
            Role.VIEWER, {"X-Amz-ClientId": ""}, (400, "InvalidArgumentException"), id="empty-id"
        ),
        pytest.param(
            Role.VIEWER, {"X-Amz-ClientId": "a b"}, (400, "InvalidArgumentException"), id="bad-id"
        ),
        pytest.param(
            Role.VIEWER,
            {"X-Amz-ClientId": "a" * 257},
            (400, "InvalidArgumentException"),
            id="long-id",
        ),
        pytest.param(
            Role.VIEWER,
            {"X-Amz-ClientId": "aws_1"},
            (400, "InvalidArgumentException"),
            id="reserved-id",
        ),
        pytest.param(
            Role.MASTER,
            {"X-Amz-ChannelARN": ""},
            (400, "InvalidArgumentException"),
            id="no-arn",
        ),
        pytest.param(
            Role.MASTER,
            {"X-Amz-ChannelARN": str(ChannelArn("demo", 1, region="eu-west-1"))},
            (400, "InvalidArgumentException"),
            id="other-region",
        ),
        pytest.param(
            Role.MASTER,
            {"X-Amz-ChannelARN": str(ChannelArn("demo", 1))},
            (404, "ResourceNotFoundException"),
            id="unknown-channel",
        ),
    ],
)
async def test_a_handshake_that_breaks_a_rule_is_refused_by_its_name(
    role: Role, parameters: dict[str, str], expected: tuple[int, str]
) -> None:
    async with running_service() as service:
        arn = await demo_channel(service)
        url = presign_url(
            service.settings.websocket_endpoint(role),
            {"X-Amz-ChannelARN": str(arn), **parameters},
            key=KEY,
            region=REGION,
            now=time.time(),
        )
        with pytest.raises(ConnectRefused) as refused:
            async with SignalingConnection(url):
                pass

    assert (refused.value.status, refused.value.code) == expected


@pytest.mark.parametrize(
    ("key", "region", "age", "expected"),
    [
        pytest.param(
            AccessKey(KEY.id, "wrong"), REGION, 0, (403, "InvalidSignatureException"), id="secret"
        ),
        pytest.param(
            AccessKey("AKIDOTHER", "secret"),
            REGION,
            0,
            (403, "UnrecognizedClientException"),
            id="unknown-key",
        ),
        pytest.param(KEY, "eu-west-1", 0, (403, "InvalidSignatureException"), id="region"),
        pytest.param(KEY, REGION, 400, (403, "InvalidSignatureException"), id="expired"),
        pytest.param(KEY, REGION, -400, (403, "InvalidSignatureException"), id="early"),
    ],
)
async def test_a_handshake_that_is_not_signed_well_is_forbidden(
    key: AccessKey, region: str, age: float, expected: tuple[int, str]
) -> None:
    async with running_service() as service:
        arn = await demo_channel(service)
        url = presign_url(
            service.settings.websocket_endpoint(Role.MASTER),
            {"X-Amz-ChannelARN": str(arn)},
            key=key,
            region=region,
            now=time.time() - age,
        )
        with pytest.raises(ConnectRefused) as refused:
            async with SignalingConnection(url):
                pass

    assert (refused.value.status, refused.value.code) == expected


async def test_a_viewers_url_does_not_open_the_masters_endpoint() -> None:
    async with running_service() as service:
        arn = await demo_channel(service)
        endpoint = service.settings.websocket_endpoint(Role.VIEWER)
        url = viewer_url(endpoint, str(arn), "v1", key=KEY, region=REGION)
        with pytest.raises(ConnectRefused) as refused:
            async with SignalingConnection(url.replace("/viewer", "/master")):
                pass

    assert refused.value.code == "InvalidSignatureException"


async def test_a_master_that_sends_a_client_id_is_the_master() -> None:
    async with running_service() as service:
        arn = await demo_channel(service)
        url = presign_url(
            service.settings.websocket_endpoint(Role.MASTER),
            {"X-Amz-ChannelARN": str(arn), "X-Amz-ClientId": "MASTER"},
            key=KEY,
            region=REGION,
            now=time.time(),
        )
        async with SignalingConnection(url):
            assert service.hub.has_master(arn)
            assert service.hub.viewers(arn) == ()


async def test_the_subprotocol_of_the_c_sdk_is_echoed_and_compression_agreed() -> None:
    async with running_service() as service, aiohttp.ClientSession() as session:
        arn = await demo_channel(service)
        endpoint = service.settings.websocket_endpoint(Role.MASTER)
        url = master_url(endpoint, str(arn), key=KEY, region=REGION)
        async with session.ws_connect(url, protocols=["wss"], compress=15) as socket:
            assert (socket.protocol, socket.compress) == ("wss", 15)


async def test_connections_to_a_channel_that_come_too_often_are_refused() -> None:
    quotas = ServiceQuotas(connects=0.01, burst_seconds=200)
    async with running_service(quotas=quotas) as service:
        arn = await demo_channel(service)
        for _ in range(2):
            async with as_master(service, arn):
                pass
        with pytest.raises(ConnectRefused) as refused:
            async with as_master(service, arn):
                pass
        async with as_viewer(service, arn, "v1"):
            pass

    assert (refused.value.status, refused.value.code) == (400, "ClientLimitExceededException")


async def test_a_new_ttl_is_for_new_messages() -> None:
    async with running_service() as service, service.client() as client:
        arn = await demo_channel(service)
        channel = await client.describe_channel("demo")
        async with as_master(service, arn):
            await client.update_channel(arn, version=channel.version, message_ttl_seconds=5)

            assert service.hub.message_ttl(arn) == 5.0


async def test_a_service_that_is_not_there_is_unreachable() -> None:
    arn = str(ChannelArn("demo", 1))
    with no_service() as url:
        endpoint = ServiceSettings(url, REGION).websocket_endpoint(Role.MASTER)
        with pytest.raises(ChannelUnreachable):
            async with SignalingConnection(master_url(endpoint, arn, key=KEY, region=REGION)):
                pass


async def send_for_ever(connection: SignalingConnection) -> None:
    while True:
        await connection.send_candidate(RemoteCandidate("candidate:1", "0", 0))
        await asyncio.sleep(0)


async def test_a_ping_that_cannot_be_answered_any_more_ends_a_clients_iteration() -> None:
    async def ping_and_cut(request: web.Request) -> web.StreamResponse:
        server = web.WebSocketResponse()
        await server.prepare(request)
        await server.ping()
        assert request.transport is not None
        request.transport.close()
        return server

    app = web.Application()
    app.router.add_get("/", ping_and_cut)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with SignalingConnection(f"ws://127.0.0.1:{runner.addresses[0][1]}/") as connection:
            with pytest.raises(ChannelUnreachable):
                await send_for_ever(connection)  # now the line is cut, and the ping not read

            assert [event async for event in connection] == []
    finally:
        await runner.cleanup()


async def test_stopping_the_service_ends_a_clients_iteration() -> None:
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(running_service())
        connection = as_viewer(service, await demo_channel(service), "v1")
        await connection.__aenter__()
        reading = asyncio.ensure_future(next_event(connection))

    with pytest.raises(StopAsyncIteration):
        await reading
    await connection.__aexit__(None, None, None)
