from __future__ import annotations

import pytest

from signaling import ServiceError

from .service import Caller

STREAM = "arn:aws:kinesisvideo:us-west-2:000000000000:stream/s/1600000000000"


def test_media_storage_is_disabled_for_every_channel() -> None:
    caller = Caller()
    arn = caller.create("demo")
    disabled = {"MediaStorageConfiguration": {"Status": "DISABLED"}}

    assert caller.call("/describeMediaStorageConfiguration", ChannelName="demo") == disabled
    assert caller.call("/describeMediaStorageConfiguration", ChannelARN=arn) == disabled


def test_disabling_it_changes_nothing() -> None:
    caller = Caller()
    arn = caller.create("demo")

    assert (
        caller.call(
            "/updateMediaStorageConfiguration",
            ChannelARN=arn,
            MediaStorageConfiguration={"Status": "DISABLED"},
        )
        == {}
    )


@pytest.mark.parametrize(
    ("path", "members", "error"),
    [
        pytest.param(
            "/updateMediaStorageConfiguration",
            {"MediaStorageConfiguration": {"Status": "ENABLED", "StreamARN": STREAM}},
            "InvalidArgumentException",
            id="enable",
        ),
        pytest.param(
            "/updateMediaStorageConfiguration", {}, "InvalidArgumentException", id="no-change"
        ),
        pytest.param(
            "/updateMediaStorageConfiguration",
            {"MediaStorageConfiguration": {}},
            "InvalidArgumentException",
            id="no-status",
        ),
        pytest.param(
            "/updateMediaStorageConfiguration",
            {"MediaStorageConfiguration": {"Status": "ON"}},
            "InvalidArgumentException",
            id="unknown-status",
        ),
        pytest.param(
            "/updateMediaStorageConfiguration",
            {"MediaStorageConfiguration": {"Status": "DISABLED", "StreamARN": "s"}},
            "InvalidArgumentException",
            id="bad-stream",
        ),
        pytest.param(
            "/describeMediaStorageConfiguration",
            {"ChannelARN": None},
            "InvalidArgumentException",
            id="describe-nothing",
        ),
        pytest.param(
            "/describeMediaStorageConfiguration",
            {"ChannelARN": None, "ChannelName": "none"},
            "ResourceNotFoundException",
            id="describe-unknown",
        ),
        pytest.param(
            "/describeMappedResourceConfiguration", {}, "InvalidArgumentException", id="no-stream"
        ),
        pytest.param(
            "/describeMappedResourceConfiguration",
            {"StreamARN": STREAM},
            "ResourceNotFoundException",
            id="unknown-stream",
        ),
        pytest.param(
            "/describeMappedResourceConfiguration",
            {"StreamName": "s", "MaxResults": 2},
            "InvalidArgumentException",
            id="two-results",
        ),
    ],
)
def test_what_would_need_media_storage_is_refused(
    path: str, members: dict[str, object], error: str
) -> None:
    caller = Caller()
    arn = caller.create("demo")

    with pytest.raises(ServiceError, match=error):
        caller.call(path, **{"ChannelARN": arn, **members})
