"""The service and its client over loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from signaling import (
    AccessKey,
    Channel,
    ChannelArn,
    Description,
    DescriptionType,
    ErrorName,
    RemoteCandidate,
    Role,
    ServiceError,
    ServiceEvent,
    decode_candidate,
    decode_description,
)
from signaling.aio import (
    ChannelHub,
    ChannelUnreachable,
    ConnectRefused,
    ServiceSettings,
    SignalingConnection,
    make_application,
    master_url,
    viewer_url,
)

KEY = AccessKey("AKIDTEST", "secret")
CHANNEL = Channel(ChannelArn("demo", 1_600_000_000_000), "v1")
REGION = "us-west-2"


async def find(arn: ChannelArn) -> Channel:
    if arn != CHANNEL.arn:
        raise ServiceError(ErrorName.RESOURCE_NOT_FOUND, "The requested channel is not found.")
    return CHANNEL


@contextlib.asynccontextmanager
async def service() -> AsyncIterator[ServiceSettings]:
    hub = ChannelHub()
    runner: web.AppRunner | None = None
    settings = ServiceSettings("http://127.0.0.1:0")
    app = make_application(settings, hub=hub, keys={KEY.id: KEY}.get, channels=find)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield ServiceSettings(f"http://127.0.0.1:{port}")
    finally:
        await runner.cleanup()


def as_master(settings: ServiceSettings, key: AccessKey = KEY) -> SignalingConnection:
    endpoint = settings.websocket_endpoint(Role.MASTER)
    return SignalingConnection(master_url(endpoint, str(CHANNEL.arn), key=key, region=REGION))


def as_viewer(settings: ServiceSettings, client_id: str) -> SignalingConnection:
    endpoint = settings.websocket_endpoint(Role.VIEWER)
    return SignalingConnection(
        viewer_url(endpoint, str(CHANNEL.arn), client_id, key=KEY, region=REGION)
    )


async def next_event(connection: SignalingConnection) -> ServiceEvent:
    return await anext(aiter(connection))


async def test_an_offer_an_answer_and_candidates_cross_between_viewer_and_master() -> None:
    async with service() as settings, as_viewer(settings, "v1") as viewer:
        await viewer.send_description(Description(DescriptionType.OFFER, "v=0\r\n"))
        await viewer.send_candidate(RemoteCandidate("candidate:1", "0", 0))
        async with as_master(settings) as master:
            offer, candidate = await next_event(master), await next_event(master)
            await master.send_description(
                Description(DescriptionType.ANSWER, "v=0\r\n"), recipient=offer.sender
            )
            answer = await next_event(viewer)

    assert decode_description(offer.payload or "").type is DescriptionType.OFFER
    assert decode_candidate(candidate.payload or "") == RemoteCandidate("candidate:1", "0", 0)
    assert (answer.message_type, answer.sender) == ("SDP_ANSWER", None)


async def test_the_eleventh_viewer_is_refused_and_a_place_is_free_when_one_leaves() -> None:
    async with service() as settings, contextlib.AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(as_viewer(settings, f"v{n}")) for n in range(10)]
        with pytest.raises(ConnectRefused) as refused:
            async with as_viewer(settings, "v10"):
                pass
        await viewers[0].__aexit__(None, None, None)
        async with as_viewer(settings, "v10"):
            pass

    assert (refused.value.status, refused.value.code) == (400, "ClientLimitExceededException")


async def test_a_second_master_displaces_the_first() -> None:
    async with service() as settings, as_master(settings) as first, as_master(settings):
        assert [event async for event in first] == []


async def test_a_wrong_secret_is_refused_at_the_handshake() -> None:
    async with service() as settings:
        with pytest.raises(ConnectRefused) as refused:
            async with as_master(settings, AccessKey(KEY.id, "wrong")):
                pass

    assert (refused.value.status, refused.value.code) == (403, "InvalidSignatureException")


async def test_an_unknown_channel_is_not_found() -> None:
    async with service() as settings:
        endpoint = settings.websocket_endpoint(Role.MASTER)
        arn = str(ChannelArn("other", 1_600_000_000_000))
        with pytest.raises(ConnectRefused) as refused:
            async with SignalingConnection(master_url(endpoint, arn, key=KEY, region=REGION)):
                pass

    assert (refused.value.status, refused.value.code) == (404, "ResourceNotFoundException")


async def test_a_service_that_is_not_there_is_unreachable() -> None:
    async with service() as settings:
        url = master_url(
            settings.websocket_endpoint(Role.MASTER), str(CHANNEL.arn), key=KEY, region=REGION
        )
    with pytest.raises(ChannelUnreachable):
        async with SignalingConnection(url):
            pass


async def test_stopping_the_service_ends_a_clients_iteration() -> None:
    async with contextlib.AsyncExitStack() as stack:
        settings = await stack.enter_async_context(service())
        connection = as_viewer(settings, "v1")
        await connection.__aenter__()
        reading = asyncio.ensure_future(next_event(connection))

    with pytest.raises(StopAsyncIteration):
        await reading
    await connection.__aexit__(None, None, None)
