from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import ErrorName, ServiceError
from signaling.control import OPERATION_PATHS

from .service import Caller


def run(path: str, body: bytes) -> None:
    caller = Caller()
    caller.create("demo")
    caller.plane.execute(path, body, tables=caller.tables, now=caller.now)


def refusal(path: str, body: bytes) -> ServiceError | None:
    try:
        run(path, body)
    except ServiceError as error:
        return error
    return None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="cut"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"{}{}", id="tail"),
        pytest.param(b'{"ChannelName":"\xff"}', id="not-utf8"),
        pytest.param(b'{"ChannelName":"\\ud800"}', id="half-a-surrogate-pair"),
        pytest.param(b'{"a":' * 100_000, id="deep"),
        pytest.param(b'{"a":' * 900 + b"1" + b"}" * 900, id="deep-and-whole"),
    ],
)
def test_a_body_that_is_no_json_object_is_a_serialization_exception(body: bytes) -> None:
    with pytest.raises(ServiceError) as refused:
        run("/createSignalingChannel", body)

    assert refused.value.name in (ErrorName.SERIALIZATION, ErrorName.INVALID_ARGUMENT)


def test_a_body_that_is_empty_has_no_members() -> None:
    run("/listSignalingChannels", b"")


def test_an_unknown_path_is_an_unknown_operation() -> None:
    with pytest.raises(ServiceError, match="UnknownOperationException"):
        run("/createStream", b"{}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
members = st.dictionaries(
    st.sampled_from(
        [
            "ChannelName",
            "ChannelARN",
            "ResourceARN",
            "Tags",
            "TagKeyList",
            "NextToken",
            "MaxResults",
            "CurrentVersion",
            "SingleMasterConfiguration",
            "SingleMasterChannelEndpointConfiguration",
            "ChannelNameCondition",
            "ClientId",
            "AccessKeyId",
        ]
    ),
    json_values | st.just("arn:aws:kinesisvideo:us-west-2:000000000000:channel/demo/1600000000250"),
)


@given(st.sampled_from(OPERATION_PATHS), members)
def test_no_members_raise_anything_but_a_service_error(path: str, found: dict[str, object]) -> None:
    error = refusal(path, json.dumps(found).encode())

    assert error is None or error.name.status < 500


@given(st.sampled_from(OPERATION_PATHS), st.binary(max_size=32))
def test_no_bytes_raise_anything_but_a_service_error(path: str, body: bytes) -> None:
    error = refusal(path, body)

    assert error is None or error.name.status < 500
