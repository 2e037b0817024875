"""Permissions (RFC 8656 sections 9 and 10), from a scripted server."""

from __future__ import annotations

import ipaddress

import pytest

from stun import Lifetime, Method
from turn.client import (
    AllocationLost,
    ClientState,
    ClientStateError,
    FailureReason,
    PermissionInstalled,
    PermissionRefused,
)
from turn.client.limits import MAX_PERMISSIONS

from .script import PEER, Script, allocated, ip, silence


def permissions_at(script: Script, until: float) -> list[tuple[float, int]]:
    """Grant everything until then; when CreatePermission requests came, for how many."""
    times = []
    while script.now < until:
        deadline = script.client.next_timeout()
        script.advance(until if deadline is None else min(deadline, until))
        for request in script.take():
            if request.method == Method.CREATE_PERMISSION:
                times.append((script.now, len(request.peers)))
                script.succeed(request)
            else:
                script.succeed(request, Lifetime(600))
    return times


@pytest.mark.requirement("stun-turn:TURNC-PERM-01")
def test_a_permission_is_asked_for_by_ip_address() -> None:
    script = allocated()

    script.permit(PEER.ip)

    request = script.take_one()
    assert request.method == Method.CREATE_PERMISSION
    assert [peer.ip for peer in request.peers] == [PEER.ip]
    assert not script.client.has_permission(PEER.ip)
    script.succeed(request)
    assert script.events_of(PermissionInstalled) == [PermissionInstalled(PEER.ip)]
    assert script.client.has_permission(PEER.ip)


def test_permissions_that_are_asked_for_together_share_a_request() -> None:
    script = allocated()

    script.client.create_permission(ip(1), script.now)
    script.client.create_permission(ip(2), script.now)
    script.client.create_permission(ip(1), script.now)
    script.drain()

    assert [peer.ip for peer in script.take_one().peers] == [ip(1), ip(2)]


def test_so_many_permissions_go_into_one_request_as_the_smallest_mtu_carries() -> None:
    script = allocated()

    script.permit(*(ip(number) for number in range(50)))

    requests = script.take()
    assert [len(request.peers) for request in requests] == [24, 24, 2]
    assert max(len(request.message.data) for request in requests) <= 548


@pytest.mark.requirement("stun-turn:TURNC-PERM-03")
def test_all_permissions_are_refreshed_together_before_the_first_expires() -> None:
    script = allocated()
    script.get_permission(ip(1))
    script.advance(100.0)
    script.get_permission(ip(2))

    assert permissions_at(script, 900.0) == [(210.0, 2), (420.0, 2), (630.0, 2), (840.0, 2)]
    assert script.client.has_permission(ip(1))


def test_a_permission_that_is_asked_for_again_is_reported_again() -> None:
    script = allocated()
    script.get_permission(PEER.ip)

    script.permit(PEER.ip)

    assert script.take() == []
    assert len(script.events_of(PermissionInstalled)) == 2


@pytest.mark.requirement("stun-turn:TURNC-PERM-07")
def test_a_forbidden_peer_does_not_cost_the_others_their_permission() -> None:
    script = allocated()
    script.permit(ip(1), ip(2), ip(3))

    script.fail(script.take_one(), 403)

    singles = script.take()
    assert [request.peers[0].ip for request in singles] == [ip(1), ip(2), ip(3)]
    script.succeed(singles[0])
    script.fail(singles[1], 403)
    script.succeed(singles[2])
    assert [event.ip for event in script.events_of(PermissionInstalled)] == [ip(1), ip(3)]
    assert script.events_of(PermissionRefused) == [
        PermissionRefused(ip(2), 403, FailureReason.REFUSED, "Because")
    ]
    assert script.client.state is ClientState.ALLOCATED
    assert not script.client.has_permission(ip(2))


@pytest.mark.parametrize("code", [441, 500])
def test_an_error_that_no_peer_is_to_blame_for_is_not_tried_singly(code: int) -> None:
    script = allocated()
    script.permit(ip(1), ip(2))

    script.fail(script.take_one(), code)

    assert script.take() == []
    assert [event.ip for event in script.events_of(PermissionRefused)] == [ip(1), ip(2)]


def test_a_permission_that_is_not_answered_is_refused() -> None:
    script = allocated()
    script.permit(PEER.ip)

    script.advance(39.5)

    assert script.events[-1] == (39.5, PermissionRefused(PEER.ip, None, FailureReason.TIMED_OUT))
    script.permit(PEER.ip)
    assert script.take()[-1].method == Method.CREATE_PERMISSION


def test_a_permission_whose_refresh_is_not_answered_is_kept_until_it_expires() -> None:
    script = allocated(lifetime=3600)
    script.get_permission(PEER.ip)

    sent = silence(script, 400.0)

    starts = {request.message.transaction_id: request.at for request in reversed(sent)}
    assert sorted(starts.values()) == [210.0, 254.5, 299.0]
    # The last request may have reached the server: only its end is the end.
    assert script.events[-1] == (338.5, PermissionRefused(PEER.ip, None, FailureReason.TIMED_OUT))
    assert not script.client.has_permission(PEER.ip)


def test_a_permission_whose_refresh_is_forbidden_is_gone() -> None:
    script = allocated()
    script.get_permission(PEER.ip)
    script.advance(210.0)

    script.fail(script.take_one(), 403)

    assert not script.client.has_permission(PEER.ip)
    refused = PermissionRefused(PEER.ip, 403, FailureReason.REFUSED, "Because")
    assert script.events_of(PermissionRefused) == [refused]


def test_a_server_error_to_a_refresh_is_followed_by_another_try() -> None:
    script = allocated()
    script.get_permission(PEER.ip)
    script.advance(210.0)
    script.fail(script.take_one(), 500)
    assert script.client.has_permission(PEER.ip)

    script.advance(215.0)

    script.succeed(script.take_one())
    assert script.client.next_timeout() == 425.0


def test_a_permission_whose_refreshes_fail_expires() -> None:
    script = allocated(lifetime=3600)
    script.get_permission(PEER.ip)

    while script.now < 310.0:
        script.advance(script.now + 5.0)
        for request in script.take():
            script.fail(request, 500)

    assert script.events[-1] == (300.0, PermissionRefused(PEER.ip, None, FailureReason.EXPIRED))


def test_an_address_that_was_never_permitted_is_released_without_effect() -> None:
    script = allocated()

    script.client.release_permission(PEER.ip, script.now)

    assert script.take() == []


def test_a_released_permission_lapses() -> None:
    script = allocated()
    script.get_permission(ip(1), ip(2))

    script.client.release_permission(ip(1), script.now)

    assert permissions_at(script, 250.0) == [(210.0, 1)]
    assert script.client.has_permission(ip(1))
    script.advance(300.0)
    assert not script.client.has_permission(ip(1))
    assert script.events_of(PermissionRefused) == []


def test_a_released_permission_can_be_wanted_again() -> None:
    script = allocated()
    script.get_permission(ip(1))
    script.client.release_permission(ip(1), script.now)
    script.advance(250.0)

    script.permit(ip(1))
    script.advance(250.0)

    assert script.take_one().method == Method.CREATE_PERMISSION


@pytest.mark.requirement("stun-turn:TURNC-LIFE-05")
def test_437_to_a_create_permission_is_the_end_of_the_allocation() -> None:
    script = allocated()
    script.permit(PEER.ip)

    script.fail(script.take_one(), 437)

    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.MISMATCH, 437)]


@pytest.mark.requirement("stun-turn:STUNC-LTC-04")
def test_a_stale_nonce_is_replaced_at_once() -> None:
    script = allocated()
    script.permit(PEER.ip)

    script.challenge(script.take_one(), code=438, nonce="fresh")

    request = script.take_one()
    assert (request.nonce, request.peers[0].ip) == ("fresh", PEER.ip)


@pytest.mark.requirement("stun-turn:STUNC-UDP-10")
def test_at_most_ten_requests_are_under_way() -> None:
    script = allocated()
    script.permit(*(ip(number) for number in range(24)))
    script.fail(script.take_one(), 403)

    singles = script.take()
    assert len(singles) == 10
    script.succeed(singles[0])
    script.succeed(singles[1])
    assert len(script.take()) == 2


def test_what_waits_for_its_turn_is_not_sent_after_the_end() -> None:
    script = allocated()
    script.permit(*(ip(number) for number in range(24)))
    script.fail(script.take_one(), 403)

    script.fail(script.take()[0], 437)

    assert script.take() == []
    assert script.client.next_timeout() is None


def test_more_permissions_than_the_limit_are_refused() -> None:
    script = allocated()
    first = ipaddress.ip_address("10.0.0.0")

    script.permit(*(first + number for number in range(MAX_PERMISSIONS + 1)))

    refused = PermissionRefused(first + MAX_PERMISSIONS, None, FailureReason.LIMIT_REACHED)
    assert script.events_of(PermissionRefused) == [refused]


def test_a_peer_of_another_family_is_a_mistake() -> None:
    script = allocated()

    with pytest.raises(ValueError, match="another family"):
        script.permit(ipaddress.ip_address("2001:db8::1"))


def test_there_are_no_permissions_without_an_allocation() -> None:
    script = Script()

    with pytest.raises(ClientStateError):
        script.permit(PEER.ip)
