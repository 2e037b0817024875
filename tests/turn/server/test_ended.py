"""What is remembered of deleted allocations: RFC 8489 section 6.3.1."""

from __future__ import annotations

import pytest

from stun import Method
from transport import Path, TransportAddress, TransportProtocol
from turn.server.ended import EndedTransactions
from turn.server.limits import ENDED_LIFETIME, MAX_ENDED

from .harness import CLIENT, LISTENING, UDP_REQUEST, Client, Relay, client_on, code


def tid(number: int) -> bytes:
    return number.to_bytes(12, "big")


ON_UDP = Path(TransportProtocol.UDP, LISTENING, CLIENT)


def test_a_delayed_duplicate_of_an_allocate_request_makes_no_orphan() -> None:
    relay = Relay()
    client = Client(relay)
    request = client.request(Method.ALLOCATE, UDP_REQUEST)
    assert code(client.answer(request)) == 0
    assert code(client.refresh(0)) == 0

    late = client.answer(request)

    assert code(late) == 437
    assert relay.server.stats().allocations == 0
    assert client.allocate()
    # The live allocation has its own transaction id; the old one is another's still.
    assert code(client.answer(request)) == 437


def test_another_client_may_use_the_same_transaction_id() -> None:
    relay = Relay()
    first, second = client_on(relay, 1), client_on(relay, 2)
    first.answer(first.request(Method.ALLOCATE, UDP_REQUEST, transaction_id=tid(1)))
    first.refresh(0)

    response = second.answer(second.request(Method.ALLOCATE, UDP_REQUEST, transaction_id=tid(1)))

    assert code(response) == 0


@pytest.mark.parametrize(("age", "expected"), [(ENDED_LIFETIME - 0.1, 437), (ENDED_LIFETIME, 0)])
def test_it_is_remembered_for_40_seconds(age: float, expected: int) -> None:
    relay = Relay()
    client = Client(relay)
    request = client.request(Method.ALLOCATE, UDP_REQUEST)
    client.answer(request)
    client.refresh(0)
    relay.run_until(age)

    assert code(client.answer(request)) == expected


def test_the_memory_has_a_bound_and_the_oldest_goes() -> None:
    ended = EndedTransactions()

    for number in range(MAX_ENDED + 1):
        ended.remember(ON_UDP, tid(number), 0.0)

    assert len(ended) == MAX_ENDED
    assert not ended.knows(ON_UDP, tid(0), 0.0)
    assert ended.knows(ON_UDP, tid(1), 0.0)


def test_what_is_old_leaves_the_memory_by_itself() -> None:
    ended = EndedTransactions()
    ended.remember(ON_UDP, tid(1), 0.0)

    ended.remember(ON_UDP, tid(2), ENDED_LIFETIME)

    assert len(ended) == 1


def test_a_stream_delivers_nothing_twice() -> None:
    ended = EndedTransactions()
    ended.remember(Path(TransportProtocol.TCP, LISTENING, CLIENT), tid(1), 0.0)
    ended.remember(
        Path(TransportProtocol.TLS, LISTENING, TransportAddress(CLIENT.ip, 9)), tid(1), 0.0
    )

    assert len(ended) == 0
