"""boto3 against our service: every operation, and every way to sign wrongly."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import pathlib
import time
from collections.abc import AsyncIterator, Callable, Mapping

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.client
import botocore.config
import botocore.credentials
import botocore.exceptions
import pytest

from signaling import AccessKey, Role
from signaling.aio import ConnectRefused, SignalingConnection
from tests.signaling.aio.service import KEY, REGION, RunningService, running_service

from .service import KEY_ID, SECRET, serving

pytestmark = pytest.mark.interop

DOCUMENTED = {
    "AccessDeniedException": 401,
    "AccountChannelLimitExceededException": 400,
    "ClientLimitExceededException": 400,
    "InvalidArgumentException": 400,
    "ResourceInUseException": 400,
    "ResourceNotFoundException": 404,
    "TagsPerResourceExceededLimitException": 400,
    "VersionMismatchException": 400,
}
"""The HTTP status of each error in botocore's model of the control plane."""


def control_plane(
    url: str, *, key: AccessKey = KEY, region: str = REGION, verify: str | None = None
) -> botocore.client.BaseClient:
    return boto3.client(
        "kinesisvideo",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        aws_session_token=key.session_token,
        verify=verify,
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )


@contextlib.asynccontextmanager
async def service_and_client() -> AsyncIterator[tuple[RunningService, botocore.client.BaseClient]]:
    async with running_service() as service:
        client = await asyncio.to_thread(control_plane, service.url)
        with contextlib.closing(client):
            yield service, client


async def refusal(call: Callable[[], object]) -> tuple[str, int]:
    """The name and the status of the error that a call raises."""
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        await asyncio.to_thread(call)
    response = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


async def test_a_channel_is_created_described_updated_and_deleted() -> None:
    async with service_and_client() as (_, client):

        def live() -> tuple[Mapping[str, object], Mapping[str, object]]:
            arn = client.create_signaling_channel(
                ChannelName="demo",
                ChannelType="SINGLE_MASTER",
                SingleMasterConfiguration={"MessageTtlSeconds": 30},
                Tags=[{"Key": "k1", "Value": "v1"}],
            )["ChannelARN"]
            made = client.describe_signaling_channel(ChannelName="demo")["ChannelInfo"]
            client.update_signaling_channel(
                ChannelARN=arn,
                CurrentVersion=made["Version"],
                SingleMasterConfiguration={"MessageTtlSeconds": 90},
            )
            changed = client.describe_signaling_channel(ChannelARN=arn)["ChannelInfo"]
            client.delete_signaling_channel(ChannelARN=arn, CurrentVersion=changed["Version"])
            return made, changed

        made, changed = await asyncio.to_thread(live)
        gone = await refusal(lambda: client.describe_signaling_channel(ChannelName="demo"))

    assert (made["ChannelStatus"], made["ChannelType"]) == ("ACTIVE", "SINGLE_MASTER")
    assert made["SingleMasterConfiguration"] == {"MessageTtlSeconds": 30}
    assert changed["SingleMasterConfiguration"] == {"MessageTtlSeconds": 90}
    assert made["Version"] != changed["Version"]
    assert made["CreationTime"] == changed["CreationTime"]
    assert isinstance(made["CreationTime"], datetime.datetime)
    assert gone == ("ResourceNotFoundException", 404)


async def test_the_paginator_gives_every_channel_once() -> None:
    async with service_and_client() as (service, client):
        for number in range(7):
            await service.store.create_channel(f"p{number}")
        await service.store.create_channel("other")

        def names() -> list[list[str]]:
            pages = client.get_paginator("list_signaling_channels").paginate(
                ChannelNameCondition={"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "p"},
                PaginationConfig={"PageSize": 3},
            )
            return [[info["ChannelName"] for info in page["ChannelInfoList"]] for page in pages]

        found = await asyncio.to_thread(names)

    assert found == [["p0", "p1", "p2"], ["p3", "p4", "p5"], ["p6"]]


async def test_tags_are_put_listed_and_removed() -> None:
    async with service_and_client() as (service, client):
        arn = str((await service.store.create_channel("demo")).arn)

        def live() -> tuple[Mapping[str, str], Mapping[str, str]]:
            client.tag_resource(
                ResourceARN=arn,
                Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "v 2/=+-@:_."}],
            )
            before = client.list_tags_for_resource(ResourceARN=arn)["Tags"]
            client.untag_resource(ResourceARN=arn, TagKeyList=["a", "none"])
            return before, client.list_tags_for_resource(ResourceARN=arn)["Tags"]

        before, after = await asyncio.to_thread(live)

    assert before == {"a": "1", "b": "v 2/=+-@:_."}
    assert after == {"b": "v 2/=+-@:_."}


async def test_endpoints_lead_to_ice_servers() -> None:
    async with service_and_client() as (service, client):
        arn = str((await service.store.create_channel("demo")).arn)

        def live() -> tuple[dict[str, str], Mapping[str, object]]:
            endpoints = client.get_signaling_channel_endpoint(
                ChannelARN=arn,
                SingleMasterChannelEndpointConfiguration={
                    "Protocols": ["WSS", "HTTPS"],
                    "Role": "VIEWER",
                },
            )["ResourceEndpointList"]
            found = {each["Protocol"]: each["ResourceEndpoint"] for each in endpoints}
            with contextlib.closing(
                boto3.client(
                    "kinesis-video-signaling",
                    endpoint_url=found["HTTPS"],
                    region_name=REGION,
                    aws_access_key_id=KEY.id,
                    aws_secret_access_key=KEY.secret,
                )
            ) as signaling:
                servers = signaling.get_ice_server_config(
                    ChannelARN=arn, ClientId="v1", Service="TURN"
                )["IceServerList"]
            return found, servers[0]

        endpoints, server = await asyncio.to_thread(live)

    assert endpoints["WSS"] == f"{service.url.replace('http', 'ws')}/viewer"
    assert server["Uris"] == ["turn:127.0.0.1:3478?transport=udp"]
    assert server["Ttl"] == 300
    assert str(server["Username"]).endswith(":demo/v1")
    assert server["Password"]


async def test_media_storage_is_described_as_disabled_and_cannot_be_enabled() -> None:
    async with service_and_client() as (service, client):
        arn = str((await service.store.create_channel("demo")).arn)
        described = await asyncio.to_thread(
            client.describe_media_storage_configuration, ChannelARN=arn
        )
        enabled = await refusal(
            lambda: client.update_media_storage_configuration(
                ChannelARN=arn,
                MediaStorageConfiguration={
                    "Status": "ENABLED",
                    "StreamARN": arn.replace("channel/", "stream/"),
                },
            )
        )

    assert described["MediaStorageConfiguration"] == {"Status": "DISABLED"}
    assert enabled == ("InvalidArgumentException", 400)


async def test_each_error_has_the_name_and_status_of_the_model() -> None:
    async with service_and_client() as (service, client):
        arn = str((await service.store.create_channel("demo")).arn)
        none = arn.replace("demo", "none")
        full = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
        await asyncio.to_thread(client.tag_resource, ResourceARN=arn, Tags=full)

        found = [
            await refusal(lambda: client.create_signaling_channel(ChannelName="demo")),
            await refusal(lambda: client.create_signaling_channel(ChannelName="bad name!")),
            await refusal(lambda: client.describe_signaling_channel()),
            await refusal(lambda: client.describe_signaling_channel(ChannelARN=none)),
            await refusal(
                lambda: client.update_signaling_channel(ChannelARN=arn, CurrentVersion="other")
            ),
            await refusal(lambda: client.list_signaling_channels(NextToken="AAAA")),
            await refusal(lambda: client.list_signaling_channels(MaxResults=10_001)),
            await refusal(
                lambda: client.tag_resource(ResourceARN=arn, Tags=[{"Key": "another", "Value": ""}])
            ),
            await refusal(
                lambda: client.get_signaling_channel_endpoint(
                    ChannelARN=arn,
                    SingleMasterChannelEndpointConfiguration={"Protocols": ["WEBRTC"]},
                )
            ),
        ]

    assert found == [
        (name, DOCUMENTED[name])
        for name in (
            "ResourceInUseException",
            "InvalidArgumentException",
            "InvalidArgumentException",
            "ResourceNotFoundException",
            "VersionMismatchException",
            "InvalidArgumentException",
            "InvalidArgumentException",
            "TagsPerResourceExceededLimitException",
            "InvalidArgumentException",
        )
    ]


async def test_an_operation_of_the_model_that_we_have_not_is_unknown() -> None:
    async with service_and_client() as (_, client):
        assert await refusal(lambda: client.list_streams()) == ("UnknownOperationException", 404)


@pytest.mark.parametrize(
    ("key", "region", "name"),
    [
        pytest.param(
            AccessKey(KEY.id, "wrong"), REGION, "InvalidSignatureException", id="wrong-secret"
        ),
        pytest.param(
            AccessKey("AKIDOTHER", "s"), REGION, "UnrecognizedClientException", id="unknown-key"
        ),
        pytest.param(KEY, "eu-west-1", "InvalidSignatureException", id="wrong-region"),
    ],
)
async def test_a_wrong_key_or_region_is_refused(key: AccessKey, region: str, name: str) -> None:
    async with running_service() as service:
        client = await asyncio.to_thread(control_plane, service.url, key=key, region=region)
        with contextlib.closing(client):
            assert await refusal(lambda: client.list_signaling_channels()) == (name, 403)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        pytest.param(-6, "Signature expired", id="expired"),
        pytest.param(6, "Signature not yet current", id="not-yet"),
    ],
)
async def test_a_clock_that_is_off_is_refused(
    monkeypatch: pytest.MonkeyPatch, minutes: int, words: str
) -> None:
    def shifted(**kwargs: bool) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC).replace(tzinfo=None) + datetime.timedelta(
            minutes=minutes
        )

    monkeypatch.setattr(botocore.auth, "get_current_datetime", shifted)
    async with service_and_client() as (_, client):
        with pytest.raises(botocore.exceptions.ClientError, match=words) as refused:
            await asyncio.to_thread(client.list_signaling_channels)

    assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


async def test_a_body_that_was_changed_after_signing_is_refused() -> None:
    def tamper(request: botocore.awsrequest.AWSPreparedRequest, **kwargs: object) -> None:
        request.body = b'{"ChannelName": "evil"}'
        request.headers["Content-Length"] = str(len(request.body))

    async with service_and_client() as (service, client):
        client.meta.events.register("before-send.kinesisvideo.*", tamper)
        refused = await refusal(lambda: client.create_signaling_channel(ChannelName="good"))
        assert await service.store.find_channel("evil") is None

    assert refused == ("InvalidSignatureException", 403)


async def test_a_key_that_was_made_over_http_is_a_key_for_boto3_until_revoked() -> None:
    async with running_service() as service, service.client() as ours:
        key = await ours.create_access_key()
        client = await asyncio.to_thread(control_plane, service.url, key=key)
        with contextlib.closing(client):
            await asyncio.to_thread(client.list_signaling_channels)
            await ours.revoke_access_key(key.id)
            refused = await refusal(lambda: client.list_signaling_channels())

    assert refused == ("UnrecognizedClientException", 403)


def presigned_by_botocore(url: str, parameters: dict[str, str], *, key: AccessKey) -> str:
    """A WebSocket URL as Amazon's Python samples make it."""
    request = botocore.awsrequest.AWSRequest("GET", url, params=parameters)
    credentials = botocore.credentials.Credentials(key.id, key.secret, key.session_token)
    botocore.auth.SigV4QueryAuth(credentials, "kinesisvideo", REGION, expires=299).add_auth(request)
    return str(request.prepare().url)


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(KEY, id="static"),
        pytest.param(AccessKey(KEY.id, KEY.secret, "a/session+token=="), id="with-a-token"),
    ],
)
async def test_a_websocket_url_that_botocore_signed_opens_for_each_role(key: AccessKey) -> None:
    async with running_service() as service:
        arn = (await service.store.create_channel("demo")).arn
        master, viewer = (
            presigned_by_botocore(
                service.settings.websocket_endpoint(role),
                {"X-Amz-ChannelARN": str(arn), "X-Amz-ClientId": client_id},
                key=key,
            )
            for role, client_id in ((Role.MASTER, "MASTER"), (Role.VIEWER, "v1"))
        )
        async with SignalingConnection(master), SignalingConnection(viewer):
            assert service.hub.has_master(arn)
            assert service.hub.viewers(arn) == ("v1",)


async def test_a_websocket_url_with_something_added_after_signing_is_refused() -> None:
    async with running_service() as service:
        arn = (await service.store.create_channel("demo")).arn
        url = presigned_by_botocore(
            service.settings.websocket_endpoint(Role.VIEWER),
            {"X-Amz-ChannelARN": str(arn)},
            key=KEY,
        )
        with pytest.raises(ConnectRefused) as refused:
            async with SignalingConnection(url + "&X-Amz-ClientId=v1"):
                pass

    assert (refused.value.status, refused.value.code) == (403, "InvalidSignatureException")


async def test_boto3_reaches_hairpin_serve_over_tls(tmp_path: pathlib.Path) -> None:
    async with serving(tmp_path, "https") as service:
        assert service.certificate is not None
        key = AccessKey(KEY_ID, SECRET)
        client = await asyncio.to_thread(
            control_plane, service.endpoint, key=key, verify=str(service.certificate.certificate)
        )

        def live() -> list[str]:
            arn = client.create_signaling_channel(ChannelName=f"tls-{int(time.time())}")
            return [
                each["ResourceEndpoint"]
                for each in client.get_signaling_channel_endpoint(
                    ChannelARN=arn["ChannelARN"],
                    SingleMasterChannelEndpointConfiguration={
                        "Protocols": ["WSS", "HTTPS"],
                        "Role": "MASTER",
                    },
                )["ResourceEndpointList"]
            ]

        with contextlib.closing(client):
            endpoints = await asyncio.to_thread(live)

    host = service.endpoint.removeprefix("https://")
    assert endpoints == [f"wss://{host}/master", f"https://{host}"]
