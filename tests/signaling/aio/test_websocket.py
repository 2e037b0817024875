from __future__ import annotations

from aiohttp import WSCloseCode, web

from signaling.aio.websocket import MAX_WAITING_CHARACTERS, MAX_WAITING_TEXTS, QueuedPeer


def test_a_peer_that_lets_too_much_wait_is_sent_away() -> None:
    peer = QueuedPeer(web.WebSocketResponse())
    for _ in range(MAX_WAITING_CHARACTERS // 65_536):
        peer.send_text("x" * 65_536)
    assert peer.close_code == WSCloseCode.OK

    peer.send_text("x")

    assert (peer.close_code, peer.close_reason) == (WSCloseCode.GOING_AWAY, "reads too slowly")


def test_a_peer_that_lets_too_many_messages_wait_is_sent_away() -> None:
    peer = QueuedPeer(web.WebSocketResponse())
    for _ in range(MAX_WAITING_TEXTS):
        peer.send_text("x")
    assert peer.close_code == WSCloseCode.OK

    peer.send_text("x")

    assert peer.close_reason == "reads too slowly"


def test_who_is_sent_away_leaves_for_the_first_reason() -> None:
    peer = QueuedPeer(web.WebSocketResponse())

    peer.send_away("the channel was deleted")
    peer.send_away("another reason")

    assert peer.close_reason == "the channel was deleted"
