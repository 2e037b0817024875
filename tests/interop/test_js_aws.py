"""The AWS SDK for JavaScript in a page of another origin: every operation is preflighted."""

from __future__ import annotations

import pathlib

import pytest

from .sdk_page import CHANNEL, both_schemes, browser_with, call, member, peer_page
from .service import SECRET, serving

pytestmark = [
    pytest.mark.interop,
    pytest.mark.alone,
    pytest.mark.timeout(120, func_only=True),
    pytest.mark.usefixtures("javascript_sdks"),
]


async def test_the_aws_sdk_in_a_page_manages_channels(tmp_path: pathlib.Path) -> None:
    async with (
        serving(tmp_path, "https") as service,
        browser_with(service) as (browser, address),
        peer_page(browser, address) as page,
    ):
        created = await call(
            page,
            service,
            "CreateSignalingChannel",
            ChannelName=CHANNEL,
            SingleMasterConfiguration={"MessageTtlSeconds": 30},
            Tags=[{"Key": "room", "Value": "hall"}],
        )
        arn = member(created, "ChannelARN")
        again = await call(page, service, "CreateSignalingChannel", ChannelName=CHANNEL)
        described = await call(page, service, "DescribeSignalingChannel", ChannelARN=arn)
        tags = await call(page, service, "ListTagsForResource", ResourceARN=arn)
        listed = await call(page, service, "ListSignalingChannels", MaxResults=10)
        info = member(described, "ChannelInfo")
        assert isinstance(info, dict)
        await call(
            page,
            service,
            "UpdateSignalingChannel",
            ChannelARN=arn,
            CurrentVersion=info["Version"],
            SingleMasterConfiguration={"MessageTtlSeconds": 120},
        )
        more = [{"Key": "floor", "Value": "2"}]
        await call(page, service, "TagResource", ResourceARN=arn, Tags=more)
        await call(page, service, "UntagResource", ResourceARN=arn, TagKeyList=["room"])
        updated = await call(page, service, "DescribeSignalingChannel", ChannelName=CHANNEL)
        new_tags = await call(page, service, "ListTagsForResource", ResourceARN=arn)
        stale = await call(
            page, service, "DeleteSignalingChannel", ChannelARN=arn, CurrentVersion="stale"
        )
        deleted = await call(page, service, "DeleteSignalingChannel", ChannelARN=arn)
        gone = await call(page, service, "DescribeSignalingChannel", ChannelName=CHANNEL)

    assert (info["ChannelStatus"], info["ChannelType"]) == ("ACTIVE", "SINGLE_MASTER")
    assert info["SingleMasterConfiguration"] == {"MessageTtlSeconds": 30}
    assert member(tags, "Tags") == {"room": "hall"}
    assert member(listed, "ChannelInfoList") == [info]
    new_info = member(updated, "ChannelInfo")
    assert isinstance(new_info, dict)
    assert new_info["SingleMasterConfiguration"] == {"MessageTtlSeconds": 120}
    assert new_info["Version"] != info["Version"]
    assert member(new_tags, "Tags") == {"floor": "2"}
    assert (again["name"], again["status"]) == ("ResourceInUseException", 400)
    assert (stale["name"], stale["status"]) == ("VersionMismatchException", 400)
    assert deleted == {"answer": {}}
    assert (gone["name"], gone["status"]) == ("ResourceNotFoundException", 404)


@both_schemes
async def test_a_wrong_secret_is_refused_and_the_page_learns_why(
    scheme: str, tmp_path: pathlib.Path
) -> None:
    async with (
        serving(tmp_path, scheme) as service,
        browser_with(service) as (browser, address),
        peer_page(browser, address) as page,
    ):
        await call(page, service, "CreateSignalingChannel", ChannelName=CHANNEL)
        settings = service.settings
        outcomes = {}
        for secret in (SECRET, "another"):
            outcomes[secret] = await page.evaluate(
                "(arguments) => connect(...arguments)",
                [settings, {**settings, "secretAccessKey": secret}, CHANNEL],
            )

    assert outcomes[SECRET] == {"socket": "open"}
    assert outcomes["another"] == {
        "socket": "the WebSocket failed",
        "operation": "InvalidSignatureException",
    }
