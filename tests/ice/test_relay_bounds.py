"""How many peers an agent has a TURN server let in, however often it is restarted."""

from __future__ import annotations

from collections.abc import Iterable

from ice import CandidateType, DropReason, IceConfig, IceCredentials, IcePolicy
from ice.limits import MAX_RELAY_PEERS
from stun import (
    AnyAttribute,
    ErrorCode,
    Lifetime,
    Message,
    MessageClass,
    Method,
    XorMappedAddress,
    XorPeerAddress,
    XorRelayedAddress,
    encode_message,
)
from transport import IPAddress, TransportAddress

from .script import Script, Sent, host
from .servers import TURN

PER_GENERATION = 90
MAPPED = TransportAddress.parse("198.51.100.7", 7777)
RELAYED = TransportAddress.parse("198.51.100.10", 50000)


def answer(script: Script, request: Sent, *body: AnyAttribute, error: int | None = None) -> None:
    """As a TURN server that asks for no password."""
    script.receive(
        encode_message(
            request.message.method,
            MessageClass.SUCCESS if error is None else MessageClass.ERROR,
            request.message.transaction_id,
            body if error is None else (ErrorCode(error, "No"),),
        ),
        request.path,
    )


def relay_only() -> Script:
    script = Script(config=IceConfig(servers=(TURN,), policy=IcePolicy.RELAY))
    script.advance(0.0)
    (request,) = script.take_requests()
    relayed = (XorRelayedAddress(RELAYED), XorMappedAddress(MAPPED), Lifetime(3600))
    answer(script, request, *relayed)
    (candidate,) = script.agent.local_candidates
    assert candidate.type is CandidateType.RELAYED
    return script


def asked_for(messages: Iterable[Message]) -> set[IPAddress]:
    return {
        peer.address.ip
        for message in messages
        if message.method == Method.CREATE_PERMISSION
        for peer in message.get_all(XorPeerAddress)
    }


def answer_permissions(script: Script, *, error: int | None = None) -> set[IPAddress]:
    """Answer all requests for permissions; returns what was asked for."""
    found: set[IPAddress] = set()
    while requests := [
        sent for sent in script.take_requests() if sent.message.method == Method.CREATE_PERMISSION
    ]:
        for request in requests:
            answer(script, request, error=error)
        found |= asked_for(request.message for request in requests)
    return found


def peers(generation: int, count: int = PER_GENERATION) -> list[TransportAddress]:
    return [TransportAddress.parse(f"203.0.{generation}.{n}", 5000) for n in range(1, 1 + count)]


def describe(script: Script, generation: int, addresses: list[TransportAddress]) -> None:
    """The peer's description after ICE was restarted, the first time without."""
    if generation:
        script.agent.restart(script.now)
    script.describe(
        *(host(address) for address in addresses),
        credentials=IceCredentials(f"remote{generation}", "remotepasswordremotepassword"),
    )


def test_permissions_of_former_generations_are_let_go_beyond_a_bound() -> None:
    script = relay_only()
    for generation in range(3):
        describe(script, generation, peers(generation))
        assert len(answer_permissions(script)) == PER_GENERATION
    script.sent.clear()

    script.advance(290.0)

    refreshed = asked_for(sent.message for sent in script.requests())
    assert len(refreshed) == MAX_RELAY_PEERS
    assert refreshed >= {address.ip for address in peers(2)}
    assert refreshed.isdisjoint({address.ip for address in peers(0)})


def test_an_address_that_was_let_go_is_let_in_again_when_it_comes_back() -> None:
    script = relay_only()
    for generation in range(3):
        describe(script, generation, peers(generation))
        answer_permissions(script)
    back = peers(0)[0]
    describe(script, 3, [back])
    script.sent.clear()

    script.advance(290.0)

    assert back.ip in asked_for(sent.message for sent in script.requests())


def test_refused_addresses_are_remembered_up_to_a_bound() -> None:
    script = relay_only()
    for generation in range(3):
        describe(script, generation, peers(generation))
        assert len(answer_permissions(script, error=403)) == PER_GENERATION
    latest, forgotten = peers(2)[-1], peers(0)[0]

    describe(script, 3, [latest, forgotten])

    assert answer_permissions(script, error=403) == {forgotten.ip}
    assert script.drops(DropReason.PEER_REFUSED) == 1
