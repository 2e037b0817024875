"""Channels (RFC 8656 section 12), from a scripted server."""

from __future__ import annotations

import pytest

from stun import ChannelNumber, Lifetime, Method
from transport import TransportAddress
from turn.client import (
    AllocationLost,
    AllocationReleased,
    ChannelBound,
    ChannelRefused,
    ClientState,
    DataReceived,
    DropReason,
    FailureReason,
    PermissionInstalled,
    PermissionRefused,
)
from turn.client.limits import MAX_CHANNELS, MAX_PERMISSIONS

from .script import PEER, Script, Sent, allocated, ip, peer


def number_of(request: Sent) -> int:
    number = request.message.get(ChannelNumber)
    assert number is not None
    return number.number


def keep_all(script: Script, until: float) -> list[Sent]:
    """Grant everything until then, and return the ChannelBind requests."""
    bindings = []
    while script.now < until:
        deadline = script.client.next_timeout()
        script.advance(until if deadline is None else min(deadline, until))
        for request in script.take():
            if request.method == Method.CHANNEL_BIND:
                bindings.append(request)
            refreshes = request.method == Method.REFRESH
            script.succeed(request, *((Lifetime(600),) if refreshes else ()))
    return bindings


def long_lived() -> Script:
    """An allocation whose own refresh is out of the way."""
    return allocated(lifetime=100_000)


@pytest.mark.requirement("stun-turn:TURNC-CHAN-01")
def test_a_channel_is_bound_with_a_number_of_the_allowed_range() -> None:
    script = allocated()

    script.bind(PEER)

    request = script.take_one()
    assert request.method == Method.CHANNEL_BIND
    assert request.peers == [PEER]
    assert 0x4000 <= number_of(request) <= 0x4FFF
    assert not script.client.has_channel(PEER)
    script.succeed(request)
    assert script.events_of(ChannelBound) == [ChannelBound(PEER, number_of(request))]
    assert script.client.has_channel(PEER)


def test_a_channel_brings_the_permission_of_its_peer() -> None:
    script = allocated()

    script.get_channel(PEER)

    assert script.events_of(PermissionInstalled) == [PermissionInstalled(PEER.ip)]
    assert script.client.has_permission(PEER.ip)


@pytest.mark.requirement("stun-turn:TURNC-PERM-03")
def test_a_channels_permission_is_refreshed_more_often_than_the_channel() -> None:
    script = long_lived()
    script.get_channel(PEER)

    script.advance(210.0)

    request = script.take_one()
    assert (request.at, request.method) == (210.0, Method.CREATE_PERMISSION)


@pytest.mark.requirement("stun-turn:TURNC-CHAN-05")
def test_a_channel_is_refreshed_before_its_ten_minutes_end() -> None:
    script = long_lived()
    number = script.get_channel(PEER)

    bindings = keep_all(script, 1100.0)

    assert [(request.at, number_of(request)) for request in bindings] == [
        (510.0, number),
        (1020.0, number),
    ]
    assert len(script.events_of(ChannelBound)) == 1


@pytest.mark.requirement("stun-turn:TURNC-CHAN-02")
def test_two_peers_have_two_numbers_and_a_peer_has_one() -> None:
    script = allocated()
    first = script.get_channel(peer(1))

    script.bind(peer(1))
    second = script.get_channel(peer(1, port=7001))

    assert first != second
    assert script.events_of(ChannelBound)[1] == ChannelBound(peer(1), first)


def test_a_channel_is_asked_for_once_while_the_answer_is_awaited() -> None:
    script = allocated()
    script.bind(PEER)
    script.bind(PEER)

    script.take_one()


@pytest.mark.requirement("stun-turn:TURNC-CHAN-02")
def test_a_number_rests_five_minutes_after_its_binding_has_expired() -> None:
    script = long_lived()
    number = script.get_channel(PEER)
    script.client.release_channel(PEER, script.now)
    script.client.release_permission(PEER.ip, script.now)

    keep_all(script, 899.0)

    # Within the rest the peer is bound to its old number, or to none.
    script.bind(PEER)
    assert number_of(script.take_one()) == number


@pytest.mark.requirement("stun-turn:TURNC-CHAN-02")
def test_after_its_rest_a_peer_may_have_another_number() -> None:
    script = long_lived()
    number = script.get_channel(PEER)
    script.client.release_channel(PEER, script.now)
    script.client.release_permission(PEER.ip, script.now)

    keep_all(script, 900.0)

    script.bind(PEER)
    assert number_of(script.take_one()) != number


@pytest.mark.requirement("stun-turn:TURNC-CHAN-02")
def test_no_number_stands_for_two_peers_though_all_are_used_in_turn() -> None:
    script = long_lived()
    kept = script.get_channel(PEER)
    used: dict[int, tuple[TransportAddress, float]] = {}
    round_length = 950.0

    for turn in range(10):
        for count in range(MAX_CHANNELS - 1):
            target = TransportAddress(ip(1), 1 + turn * MAX_CHANNELS + count)
            number = script.get_channel(target)
            script.client.release_channel(target, script.now)
            assert number not in used or used[number][1] + 900.0 <= script.now
            used[number] = (target, script.now)
        keep_all(script, (turn + 1) * round_length)

    assert set(used) == set(range(0x4000, 0x5000)) - {kept}
    assert script.client.has_channel(PEER)


@pytest.mark.requirement("stun-turn:TURNC-CHAN-01")
def test_more_channels_than_the_limit_are_refused_and_send_indications_serve() -> None:
    script = long_lived()
    for count in range(MAX_CHANNELS):
        script.get_channel(TransportAddress(ip(1), 1 + count))

    extra = TransportAddress(ip(1), 9999)
    script.bind(extra)

    refused = ChannelRefused(extra, None, FailureReason.LIMIT_REACHED)
    assert script.events_of(ChannelRefused) == [refused]
    assert script.send(extra, b"data")
    assert script.take_one().method == Method.SEND


def test_a_channel_needs_room_for_its_permission() -> None:
    script = long_lived()
    script.permit(*(ip(number) for number in range(MAX_PERMISSIONS)))
    extra = peer(MAX_PERMISSIONS)

    script.bind(extra)

    refused = ChannelRefused(extra, None, FailureReason.LIMIT_REACHED)
    assert script.events_of(ChannelRefused) == [refused]


@pytest.mark.parametrize("code", [403, 443, 508, 400])
def test_a_refused_channel_costs_neither_allocation_nor_permission(code: int) -> None:
    script = allocated()
    script.get_permission(PEER.ip)
    script.bind(PEER)

    script.fail(script.take_one(), code)

    refused = ChannelRefused(PEER, code, FailureReason.REFUSED, "Because")
    assert script.events_of(ChannelRefused) == [refused]
    assert script.client.state is ClientState.ALLOCATED
    assert script.send(PEER, b"data")
    assert script.take_one().method == Method.SEND


def test_a_refused_channel_leaves_no_permission_behind() -> None:
    script = allocated()
    script.bind(PEER)

    script.fail(script.take_one(), 403)

    assert not script.client.has_permission(PEER.ip)
    assert script.events_of(PermissionRefused) == []
    script.indicate(PEER, b"data")
    assert script.client.stats().drops == {DropReason.NO_PERMISSION: 1}


def test_a_refused_channel_keeps_its_number_from_others() -> None:
    script = allocated()
    script.bind(peer(1))
    first = script.take_one()
    script.fail(first, 403)

    script.bind(peer(1))

    assert number_of(script.take_one()) == number_of(first)


@pytest.mark.requirement("stun-turn:TURNC-CHAN-06")
def test_400_to_a_channel_that_was_bound_ends_an_allocation_that_is_out_of_sync() -> None:
    script = long_lived()
    script.get_channel(PEER)
    script.client.release_permission(PEER.ip, script.now)
    script.advance(510.0)

    script.fail(script.take_one(), 400)

    deletion = script.take_one()
    assert (deletion.method, deletion.lifetime) == (Method.REFRESH, 0)
    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.REFUSED, 400)]
    script.succeed(deletion, Lifetime(0))
    assert script.events_of(AllocationReleased)


@pytest.mark.requirement("stun-turn:TURNC-LIFE-05")
def test_437_to_a_channel_bind_is_the_end_of_the_allocation() -> None:
    script = allocated()
    script.bind(PEER)

    script.fail(script.take_one(), 437)

    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.MISMATCH, 437)]


@pytest.mark.requirement("stun-turn:STUNC-LTC-04")
def test_a_stale_nonce_is_replaced_at_once() -> None:
    script = allocated()
    script.bind(PEER)
    first = script.take_one()

    script.challenge(first, code=438, nonce="fresh")

    second = script.take_one()
    assert (second.nonce, number_of(second)) == ("fresh", number_of(first))


def test_a_channel_whose_refresh_is_not_answered_is_used_until_it_expires() -> None:
    script = long_lived()
    script.get_channel(PEER)
    starts = set()

    while script.now < 700.0:
        script.advance(script.now + 10.0)
        for request in script.take():
            if request.method == Method.CREATE_PERMISSION:
                script.succeed(request)
            else:
                starts.add(request.message.transaction_id)
        assert script.client.has_channel(PEER) is (script.now < 600.0)

    assert len(starts) == 3
    assert script.events_of(ChannelRefused) == [ChannelRefused(PEER, None, FailureReason.TIMED_OUT)]


def test_a_channel_whose_refreshes_fail_expires() -> None:
    script = long_lived()
    script.get_channel(PEER)

    while script.now < 610.0:
        script.advance(script.now + 5.0)
        for request in script.take():
            if request.method == Method.CREATE_PERMISSION:
                script.succeed(request)
            else:
                script.fail(request, 508)

    assert script.events[-1] == (600.0, ChannelRefused(PEER, None, FailureReason.EXPIRED))
    assert script.client.has_permission(PEER.ip)


def test_a_channel_whose_refresh_is_forbidden_is_not_used_any_more() -> None:
    script = long_lived()
    script.get_channel(PEER)
    script.client.release_permission(PEER.ip, script.now)
    script.advance(510.0)

    script.fail(script.take_one(), 403)

    refused = ChannelRefused(PEER, 403, FailureReason.REFUSED, "Because")
    assert script.events_of(ChannelRefused) == [refused]
    assert not script.client.has_channel(PEER)


def test_a_late_success_binds_the_channel_again() -> None:
    script = long_lived()
    number = script.get_channel(PEER)
    script.advance(605.0)
    last = [request for request in script.take() if request.method == Method.CHANNEL_BIND][-1]
    assert not script.client.has_channel(PEER)

    script.succeed(last)

    assert script.client.has_channel(PEER)
    assert script.events_of(ChannelBound) == [ChannelBound(PEER, number)] * 2


def test_a_channel_that_is_released_before_the_answer_is_not_refreshed() -> None:
    script = long_lived()
    script.bind(PEER)
    script.client.release_channel(PEER, script.now)

    script.succeed(script.take_one())

    assert not script.client.has_channel(PEER)
    assert keep_all(script, 1000.0) == []
    assert not script.client.has_permission(PEER.ip)


def test_a_channel_that_is_released_before_it_is_refused_is_not_missed() -> None:
    script = long_lived()
    script.bind(PEER)
    script.client.release_channel(PEER, script.now)

    script.fail(script.take_one(), 403)

    assert script.events_of(ChannelRefused) == []


def test_a_channel_that_rests_is_released_without_effect() -> None:
    script = long_lived()
    script.get_channel(PEER)
    script.client.release_channel(PEER, script.now)
    keep_all(script, 700.0)

    script.client.release_channel(PEER, script.now)

    assert script.client.next_timeout() == 840.0


def test_a_channel_that_is_wanted_again_before_the_answer_is_bound() -> None:
    script = long_lived()
    script.bind(PEER)
    script.client.release_channel(PEER, script.now)
    script.bind(PEER)

    script.succeed(script.take_one())

    assert script.client.has_channel(PEER)


@pytest.mark.requirement("stun-turn:TURNC-CHAN-03")
def test_channel_data_is_taken_as_soon_as_the_request_is_sent() -> None:
    script = allocated()
    script.bind(PEER)
    number = number_of(script.take_one())

    script.receive(number.to_bytes(2, "big") + b"\0\4data")

    assert script.events_of(DataReceived) == [DataReceived(PEER, b"data")]


def test_channel_data_is_taken_until_the_released_channel_expires() -> None:
    script = long_lived()
    data = script.get_channel(PEER).to_bytes(2, "big") + b"\0\4data"
    script.client.release_channel(PEER, script.now)

    keep_all(script, 599.0)
    script.receive(data)
    keep_all(script, 601.0)
    script.receive(data)

    assert len(script.events_of(DataReceived)) == 1
    assert script.client.stats().drops == {DropReason.UNKNOWN_CHANNEL: 1}


@pytest.mark.requirement("stun-turn:TURNC-CHAN-09")
def test_a_peer_of_another_family_is_a_mistake() -> None:
    script = allocated()

    with pytest.raises(ValueError, match="another family"):
        script.bind(TransportAddress.parse("2001:db8::1", 7000))
