"""What clients of one process know of servers."""

from __future__ import annotations

import pytest

from transport import TransportAddress
from turn.client import ServerMemory
from turn.client.limits import MAX_SERVERS


def server(number: int) -> TransportAddress:
    return TransportAddress.parse(f"203.0.113.{number}", 3478)


def test_a_server_that_was_never_asked_is_not_known() -> None:
    assert ServerMemory().recall(server(1)) is None


def test_what_is_forgotten_is_not_known_any_more() -> None:
    memory = ServerMemory()
    memory.preset(server(1), realm="relay.example", nonce="nonce")

    memory.forget(server(1))
    memory.forget(server(1))

    assert memory.recall(server(1)) is None


def test_the_server_longest_unheard_of_goes_first() -> None:
    memory = ServerMemory()
    for number in (*range(MAX_SERVERS), 0):
        memory.preset(server(number), realm="relay.example", nonce="nonce")

    memory.preset(server(MAX_SERVERS), realm="relay.example", nonce="nonce")

    assert memory.recall(server(0)) is not None
    assert memory.recall(server(1)) is None


@pytest.mark.parametrize(("realm", "nonce"), [("r" * 128, "nonce"), ("realm", "n" * 128)])
def test_what_no_attribute_holds_cannot_be_preset(realm: str, nonce: str) -> None:
    with pytest.raises(ValueError, match="characters"):
        ServerMemory().preset(server(1), realm=realm, nonce=nonce)
