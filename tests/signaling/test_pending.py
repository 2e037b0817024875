from __future__ import annotations

from signaling.messages import MAX_PAYLOAD_CHARACTERS, Action
from signaling.pending import MAX_CHARACTERS_PER_RECIPIENT, PendingMessages, WaitingMessage

FITTING = MAX_CHARACTERS_PER_RECIPIENT // MAX_PAYLOAD_CHARACTERS


def test_payloads_that_wait_are_bounded_by_their_size_and_the_oldest_give_way() -> None:
    pending = PendingMessages()
    for number in range(FITTING + 2):
        payload = f"{number:08}" + "x" * (MAX_PAYLOAD_CHARACTERS - 8)
        pending.add(None, WaitingMessage(f"v{number}", Action.SDP_OFFER, payload, 60.0))

    waiting = pending.take(None, 0.0)

    assert [message.sender for message in waiting] == [f"v{n}" for n in range(2, FITTING + 2)]
    assert pending.dropped == 2
