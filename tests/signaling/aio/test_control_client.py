from __future__ import annotations

import pathlib
import time

import pytest
from aiohttp import web

from signaling import AccessKey, ChannelArn, ErrorName, Role, ServiceError
from signaling.aio import ChannelEndpoints, ChannelUnreachable, ControlClient

from .service import ISSUER, KEY, REGION, no_service, running_service


async def test_a_channels_whole_life() -> None:
    async with running_service() as service, service.client() as client:
        arn = await client.create_channel("demo", message_ttl_seconds=7, tags={"a": "1"})
        made = await client.describe_channel("demo")
        await client.update_channel(arn, version=made.version, message_ttl_seconds=8)
        changed = await client.describe_channel(arn=arn)
        await client.tag_channel(arn, {"b": "2"})
        await client.untag_channel(arn, ["a"])
        tags = await client.list_tags(arn)
        with pytest.raises(ServiceError) as refused:
            await client.delete_channel(arn, version=made.version)
        await client.delete_channel(arn, version=changed.version)

        assert (made.arn, made.message_ttl_seconds) == (arn, 7)
        assert changed.message_ttl_seconds == 8
        assert tags == {"b": "2"}
        assert refused.value.name is ErrorName.VERSION_MISMATCH
        assert await client.list_channels() == []


async def test_channels_are_listed_by_prefix() -> None:
    async with running_service() as service, service.client() as client:
        for name in ("b1", "a2", "a1"):
            await client.create_channel(name)

        assert [channel.name for channel in await client.list_channels()] == ["a1", "a2", "b1"]
        assert [channel.name for channel in await client.list_channels(prefix="a")] == ["a1", "a2"]


async def test_each_role_has_its_endpoint_and_its_ice_servers() -> None:
    async with running_service() as service, service.client() as client:
        arn = await client.create_channel("demo")
        host = service.url.removeprefix("http://")

        master = await client.get_endpoints(arn, Role.MASTER)
        viewer = await client.get_endpoints(arn, Role.VIEWER)
        before = int(time.time())
        (grant,) = await client.get_ice_servers(viewer.https, arn, "v1")

    assert master == ChannelEndpoints(f"ws://{host}/master", f"http://{host}")
    assert viewer == ChannelEndpoints(f"ws://{host}/viewer", f"http://{host}")
    assert (grant.uris, grant.ttl_seconds) == (ISSUER.uris, 300)
    assert before + 300 <= int(grant.username.partition(":")[0]) <= time.time() + 300
    assert grant.password == ISSUER.secret.password(grant.username)


async def test_a_key_that_was_made_signs_until_it_is_revoked() -> None:
    async with running_service() as service, service.client() as client:
        key = await client.create_access_key()
        async with service.client(key) as other:
            await other.create_channel("demo")
            assert [info.id for info in await client.list_access_keys()] == [key.id]
            await client.revoke_access_key(key.id)
            with pytest.raises(ServiceError) as refused:
                await other.list_channels()

    assert refused.value.name is ErrorName.UNRECOGNIZED_CLIENT


@pytest.mark.parametrize(
    ("key", "region", "name"),
    [
        pytest.param(
            AccessKey(KEY.id, "wrong"), REGION, ErrorName.INVALID_SIGNATURE, id="wrong-secret"
        ),
        pytest.param(
            AccessKey("AKIDOTHER", "secret"), REGION, ErrorName.UNRECOGNIZED_CLIENT, id="no-key"
        ),
        pytest.param(KEY, "eu-west-1", ErrorName.INVALID_SIGNATURE, id="wrong-region"),
    ],
)
async def test_a_refusal_has_the_errors_name(key: AccessKey, region: str, name: ErrorName) -> None:
    async with running_service() as service, service.client(key, region) as client:
        with pytest.raises(ServiceError) as refused:
            await client.list_channels()

    assert refused.value.name is name


async def test_a_service_that_is_not_there_is_unreachable() -> None:
    with no_service() as url:
        async with ControlClient(url, KEY, REGION) as client:
            with pytest.raises(ChannelUnreachable, match="no service answers"):
                await client.list_channels()


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "http://", "ftp://a", ""])
async def test_an_endpoint_that_is_no_url_is_unreachable(url: str) -> None:
    async with ControlClient(url, KEY, REGION) as client:
        with pytest.raises(ChannelUnreachable):
            await client.list_channels()


@pytest.mark.parametrize(
    ("status", "headers", "body", "message"),
    [
        pytest.param(200, {}, "no JSON", "not an answer of the service", id="success-of-another"),
        pytest.param(502, {}, "<html>", "no error name \\(502\\)", id="proxy"),
        pytest.param(
            400,
            {"x-amzn-ErrorType": "InvalidArgumentException:http://aws"},
            '{"message":"lower case"}',
            "InvalidArgumentException: lower case",
            id="lower-case-message-and-a-url",
        ),
        pytest.param(
            418, {"x-amzn-ErrorType": "Teapot"}, "{}", "InternalFailure: Teapot", id="unknown"
        ),
    ],
)
async def test_answers_of_other_services_are_service_errors(
    status: int, headers: dict[str, str], body: str, message: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers=headers, text=body)

    app = web.Application()
    app.router.add_post("/listSignalingChannels", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with ControlClient(url, KEY, REGION) as client:
            with pytest.raises(ServiceError, match=message):
                await client.list_channels()
    finally:
        await runner.cleanup()


def test_a_ca_bundle_that_cannot_be_read_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(ChannelUnreachable, match=r"none\.pem"):
        ControlClient("https://a", KEY, REGION, ca_bundle=str(tmp_path / "none.pem"))


async def test_an_unknown_arn_is_not_found() -> None:
    async with running_service() as service, service.client() as client:
        with pytest.raises(ServiceError) as refused:
            await client.describe_channel(arn=ChannelArn("none", 1))

    assert refused.value.name is ErrorName.RESOURCE_NOT_FOUND
