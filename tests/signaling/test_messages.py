"""WebSocket messages as official clients write and read them."""

from __future__ import annotations

import contextlib
import json
import pathlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling import (
    Description,
    DescriptionType,
    PayloadError,
    RemoteCandidate,
    ServiceError,
    ServiceEvent,
    StatusResponse,
    decode_candidate,
    decode_client_message,
    decode_description,
    decode_event,
    encode_candidate,
    encode_client_message,
    encode_description,
    encode_event,
)
from signaling.messages import Action, ClientMessage, MessageRefused

RECORDED = [
    pytest.param(json.loads(line)["raw"], id=f"{path.stem}-{number}")
    for path in sorted((pathlib.Path(__file__).parent / "kvs_requests").glob("*.jsonl"))
    for number, line in enumerate(path.read_text().splitlines())
]


@pytest.mark.parametrize("raw", RECORDED)
def test_what_official_clients_send_is_understood(raw: str) -> None:
    message = decode_client_message(raw)

    if message.action is Action.ICE_CANDIDATE:
        assert decode_candidate(message.payload).candidate.startswith("candidate:")
    else:
        assert decode_description(message.payload).sdp.startswith("v=0")


REFUSED = [
    pytest.param("[]", id="no-object"),
    pytest.param("{", id="no-json"),
    pytest.param("{}", id="nothing"),
    pytest.param('{"action": "SHOUT", "messagePayload": "eA=="}', id="action"),
    pytest.param('{"action": ["SDP_OFFER"], "messagePayload": "eA=="}', id="action-list"),
    pytest.param('{"action": "SDP_OFFER"}', id="no-payload"),
    pytest.param('{"action": "SDP_OFFER", "messagePayload": ""}', id="empty-payload"),
    pytest.param('{"action": "SDP_OFFER", "messagePayload": "%%"}', id="no-base64"),
    pytest.param('{"action": "SDP_OFFER", "messagePayload": 7}', id="number"),
    pytest.param(
        '{"action": "SDP_OFFER", "messagePayload": "eA==", "recipientClientId": 7}', id="recipient"
    ),
    pytest.param(
        '{"action": "SDP_OFFER", "messagePayload": "eA==", "correlationId": "a b"}',
        id="correlation-id",
    ),
    pytest.param("x" * 100_000, id="too-long"),
    pytest.param("[" * 50_000, id="deep"),
]


@pytest.mark.parametrize("raw", REFUSED)
def test_a_malformed_message_is_refused(raw: str) -> None:
    with pytest.raises(MessageRefused, match="InvalidArgumentException"):
        decode_client_message(raw)


def test_keys_are_matched_without_regard_to_case() -> None:
    raw = (
        '{"action":"SDP_ANSWER","RecipientClientId":"v",'
        '"MessagePayload":"eA==","CorrelationId":"1_0"}'
    )

    assert decode_client_message(raw) == ClientMessage(Action.SDP_ANSWER, "eA==", "v", "1_0")


identifiers = st.text(st.sampled_from("abcXYZ019_.-"), min_size=1, max_size=20)


@given(
    st.builds(
        ClientMessage,
        st.sampled_from(Action),
        st.sampled_from(["eA==", "e30="]),
        st.none() | identifiers,
        st.none() | identifiers,
    )
)
def test_a_client_message_round_trips(message: ClientMessage) -> None:
    assert decode_client_message(encode_client_message(message)) == message


@given(
    st.builds(
        ServiceEvent,
        st.sampled_from(["SDP_OFFER", "GO_AWAY", "STATUS_RESPONSE"]),
        st.none() | st.just("eA=="),
        st.none() | identifiers,
        st.none()
        | st.builds(
            StatusResponse, identifiers, identifiers, st.integers(200, 599), st.text(max_size=50)
        ),
    )
)
def test_an_event_round_trips(event: ServiceEvent) -> None:
    assert decode_event(encode_event(event)) == event


def test_an_events_keys_are_exactly_what_the_c_sdk_compares() -> None:
    event = ServiceEvent("SDP_OFFER", "eA==", "v1", StatusResponse("7", "X", 400, "why"))

    assert encode_event(event) == (
        '{"messageType":"SDP_OFFER","senderClientId":"v1","messagePayload":"eA==",'
        '"statusResponse":{"correlationId":"7","errorType":"X","statusCode":"400","description":"why"}}'
    )


@given(st.text(max_size=60) | st.binary(max_size=60).map(lambda b: b.decode("latin-1")))
def test_no_text_raises_anything_but_service_error(raw: str) -> None:
    for decode in (decode_client_message, decode_event):
        with contextlib.suppress(ServiceError):
            decode(raw)
    for read in (decode_description, decode_candidate):
        with contextlib.suppress(PayloadError):
            read(raw)


@given(st.sampled_from(DescriptionType), st.text())
def test_a_description_round_trips(kind: DescriptionType, sdp: str) -> None:
    description = Description(kind, sdp)

    assert decode_description(encode_description(description)) == description


@given(
    st.builds(
        RemoteCandidate,
        st.text(max_size=80),
        st.none() | st.text(max_size=5),
        st.none() | st.integers(0, 65535),
        st.none() | st.text(max_size=30),
    )
)
def test_a_candidate_round_trips(candidate: RemoteCandidate) -> None:
    assert decode_candidate(encode_candidate(candidate)) == candidate
