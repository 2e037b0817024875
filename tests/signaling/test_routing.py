"""The rules of a signaling channel, on a clock of the test's own."""

from __future__ import annotations

import base64
import dataclasses

import pytest

from signaling import (
    ChannelRouter,
    ClientMessage,
    Connection,
    Displaced,
    Role,
    ServiceError,
    ServiceEvent,
    TextReady,
    decode_event,
    encode_client_message,
)
from signaling.messages import Action
from signaling.pending import MAX_CANDIDATES_PER_SENDER, MAX_RECIPIENTS


def text(action: Action, content: str, recipient: str | None = None, **more: str) -> str:
    payload = base64.b64encode(content.encode()).decode()
    return encode_client_message(ClientMessage(action, payload, recipient, **more))


def received(router: ChannelRouter, connection: Connection) -> list[tuple[str, str | None, str]]:
    """(type, sender, content) of all that was put out for one connection."""
    found = []
    while (event := router.poll_event()) is not None:
        if isinstance(event, TextReady) and event.connection is connection:
            got = decode_event(event.text)
            content = base64.b64decode(got.payload or "").decode()
            found.append((got.message_type, got.sender, content))
    return found


def test_a_viewers_offer_reaches_the_master_with_its_client_id() -> None:
    router = ChannelRouter()
    master = router.connect(Role.MASTER, None, 0.0)
    viewer = router.connect(Role.VIEWER, "v1", 0.0)

    router.receive(viewer, text(Action.SDP_OFFER, "hello"), 1.0)

    assert received(router, master) == [("SDP_OFFER", "v1", "hello")]


def test_a_viewers_recipient_is_ignored() -> None:
    router = ChannelRouter()
    master = router.connect(Role.MASTER, None, 0.0)
    viewer = router.connect(Role.VIEWER, "v1", 0.0)
    router.connect(Role.VIEWER, "v2", 0.0)

    router.receive(viewer, text(Action.SDP_OFFER, "hello", "v2"), 1.0)

    assert received(router, master) == [("SDP_OFFER", "v1", "hello")]


def test_the_masters_answer_reaches_the_viewer_it_names_without_a_sender() -> None:
    router = ChannelRouter()
    master = router.connect(Role.MASTER, "MASTER", 0.0)
    viewer = router.connect(Role.VIEWER, "v1", 0.0)

    router.receive(master, text(Action.SDP_ANSWER, "hi", "v1"), 1.0)

    assert received(router, viewer) == [("SDP_ANSWER", None, "hi")]


def test_messages_wait_for_the_master_and_come_in_order() -> None:
    router = ChannelRouter(message_ttl=60)
    viewer = router.connect(Role.VIEWER, "v1", 0.0)
    for action, content in [
        (Action.SDP_OFFER, "offer"),
        (Action.ICE_CANDIDATE, "c1"),
        (Action.ICE_CANDIDATE, "c2"),
    ]:
        router.receive(viewer, text(action, content), 0.0)

    master = router.connect(Role.MASTER, None, 59.9)

    assert [content for _, _, content in received(router, master)] == ["offer", "c1", "c2"]


def test_a_newer_offer_replaces_the_one_that_waits_and_its_candidates() -> None:
    router = ChannelRouter()
    viewer = router.connect(Role.VIEWER, "v1", 0.0)
    other = router.connect(Role.VIEWER, "v2", 0.0)
    router.receive(viewer, text(Action.SDP_OFFER, "old"), 0.0)
    router.receive(viewer, text(Action.ICE_CANDIDATE, "old candidate"), 0.0)
    router.receive(other, text(Action.SDP_OFFER, "other"), 0.0)
    router.receive(viewer, text(Action.SDP_OFFER, "new"), 1.0)
    router.receive(viewer, text(Action.ICE_CANDIDATE, "new candidate"), 1.0)

    master = router.connect(Role.MASTER, None, 2.0)

    assert [content for _, _, content in received(router, master)] == [
        "other",
        "new",
        "new candidate",
    ]


def test_a_message_expires_after_the_channels_ttl() -> None:
    router = ChannelRouter(message_ttl=5)
    viewer = router.connect(Role.VIEWER, "v1", 0.0)
    router.receive(viewer, text(Action.SDP_OFFER, "offer"), 10.0)
    assert router.next_timeout() == 15.0

    master = router.connect(Role.MASTER, None, 15.0)

    assert received(router, master) == []


def test_handle_timeout_forgets_what_expired() -> None:
    router = ChannelRouter(message_ttl=5)
    viewer = router.connect(Role.VIEWER, "v1", 0.0)
    router.receive(viewer, text(Action.SDP_OFFER, "offer"), 0.0)
    router.disconnect(viewer)

    router.handle_timeout(5.0)

    assert router.is_idle
    assert router.next_timeout() is None


def test_a_second_master_displaces_the_first() -> None:
    router = ChannelRouter()
    first = router.connect(Role.MASTER, None, 0.0)
    second = router.connect(Role.MASTER, None, 1.0)

    event = router.poll_event()

    assert isinstance(event, Displaced)
    assert event.connection is first
    viewer = router.connect(Role.VIEWER, "v1", 1.0)
    router.disconnect(first)
    router.receive(viewer, text(Action.SDP_OFFER, "x"), 1.0)
    assert received(router, second) == [("SDP_OFFER", "v1", "x")]


def test_what_a_displaced_connection_still_sends_goes_nowhere() -> None:
    router = ChannelRouter()
    master = router.connect(Role.MASTER, None, 0.0)
    first = router.connect(Role.VIEWER, "v1", 0.0)
    router.connect(Role.VIEWER, "v1", 1.0)

    router.receive(first, text(Action.SDP_OFFER, "stale"), 1.0)

    assert received(router, master) == []


def test_the_eleventh_viewer_is_refused_until_one_leaves() -> None:
    router = ChannelRouter()
    viewers = [router.connect(Role.VIEWER, f"v{n}", 0.0) for n in range(10)]

    with pytest.raises(ServiceError, match="ClientLimitExceededException"):
        router.connect(Role.VIEWER, "v10", 0.0)
    router.connect(Role.VIEWER, "v3", 0.0)  # the same client id needs no further place
    router.disconnect(viewers[0])

    assert router.connect(Role.VIEWER, "v10", 0.0).client_id == "v10"


@pytest.mark.parametrize("client_id", [None, "", "a b", "x" * 257, "AWS_me", "aws_me", "a\n"])
def test_a_bad_viewer_id_is_refused(client_id: str | None) -> None:
    with pytest.raises(ServiceError, match="InvalidArgumentException"):
        ChannelRouter().connect(Role.VIEWER, client_id, 0.0)


def test_a_refused_message_with_a_correlation_id_gets_a_status_response() -> None:
    router = ChannelRouter()
    master = router.connect(Role.MASTER, None, 0.0)

    router.receive(master, text(Action.SDP_ANSWER, "x", correlation_id="7"), 0.0)

    event = router.poll_event()
    assert isinstance(event, TextReady)
    status = decode_event(event.text).status
    assert status is not None
    assert (status.correlation_id, status.error_type, status.status_code) == (
        "7",
        "InvalidArgumentException",
        400,
    )


def test_a_refused_message_without_a_correlation_id_gets_no_answer() -> None:
    router = ChannelRouter()
    master = router.connect(Role.MASTER, None, 0.0)

    router.receive(master, text(Action.SDP_ANSWER, "x"), 0.0)
    router.receive(master, "no json", 0.0)

    assert router.poll_event() is None


def test_candidates_are_limited_per_second_and_a_burst_is_allowed() -> None:
    router = ChannelRouter()
    master = router.connect(Role.MASTER, None, 0.0)
    viewer = router.connect(Role.VIEWER, "v1", 0.0)

    for _ in range(150):
        router.receive(viewer, text(Action.ICE_CANDIDATE, "c"), 0.0)
    assert len(received(router, master)) == 100
    for _ in range(150):
        router.receive(viewer, text(Action.ICE_CANDIDATE, "c"), 1.0)

    assert len(received(router, master)) == 20


def test_waiting_candidates_and_recipients_are_bounded() -> None:
    router = ChannelRouter()
    master = router.connect(Role.MASTER, None, 0.0)
    for second in range(MAX_CANDIDATES_PER_SENDER + 5):
        router.receive(master, text(Action.ICE_CANDIDATE, str(second), "gone"), second * 0.1)
    viewer = router.connect(Role.VIEWER, "gone", 11.0)
    contents = [content for _, _, content in received(router, viewer)]
    assert contents == [str(n) for n in range(5, MAX_CANDIDATES_PER_SENDER + 5)]

    for n in range(MAX_RECIPIENTS + 1):
        router.receive(master, text(Action.ICE_CANDIDATE, "c", f"absent{n}"), 100.0 + n * 0.1)

    assert received(router, router.connect(Role.VIEWER, "absent0", 107.0)) == []
    assert len(received(router, router.connect(Role.VIEWER, "absent1", 107.0))) == 1


def test_closing_a_channel_sends_everybody_away() -> None:
    router = ChannelRouter()
    router.connect(Role.MASTER, None, 0.0)
    router.connect(Role.VIEWER, "v1", 0.0)

    router.close("the channel was deleted")

    reasons = []
    while (event := router.poll_event()) is not None:
        assert isinstance(event, Displaced)
        reasons.append(event.reason)
    assert reasons == ["the channel was deleted"] * 2
    assert router.is_idle


def test_events_are_values() -> None:
    event = ServiceEvent("SDP_OFFER", "eA==", "v1")

    assert dataclasses.replace(event) == event
