"""Dual allocations, ports and whole datagrams from the client's side: RFC 8656 sections 7.1,
7.3, 7.4 and 8.1."""

from __future__ import annotations

import random

import pytest

from stun import (
    AdditionalAddressFamily,
    AddressErrorCode,
    AddressFamily,
    AnyAttribute,
    Data,
    DontFragment,
    EvenPort,
    Lifetime,
    Method,
    RequestedAddressFamily,
    ReservationToken,
    UnknownAttribute,
    UnknownAttributes,
    XorMappedAddress,
    XorPeerAddress,
    XorRelayedAddress,
)
from transport import Path, TransportAddress, TransportProtocol
from turn.client import (
    AddressFamilyRefused,
    AddressFamilyReleased,
    Allocated,
    AllocationFailed,
    AllocationLost,
    ChannelBound,
    ClientConfig,
    ClientState,
    ClientStateError,
    DataReceived,
    DropReason,
    FailureReason,
    PermissionInstalled,
    PortWish,
    ServerMemory,
    TurnClient,
)
from turn.client.limits import CAPACITY_PAUSE, MAX_SERVERS

from .script import HERE, MAPPED, PATH, PEER, RELAYED, Script, Sent

IPV4, IPV6 = AddressFamily.IPV4, AddressFamily.IPV6
IPV6_RELAYED = TransportAddress.parse("2001:db8::1", 50001)
PEER_6 = TransportAddress.parse("2001:db8::7", 7000)
MAPPED_AND_LIFETIME = (XorMappedAddress(MAPPED), Lifetime(600))
TOKEN = bytes(range(8))


def asked(sent: Sent) -> dict[type[AnyAttribute], AnyAttribute]:
    """What a request asks for beside the usual."""
    kinds = (RequestedAddressFamily, AdditionalAddressFamily, EvenPort, ReservationToken)
    found = [sent.message.get(kind) for kind in (*kinds, DontFragment)]
    return {type(each): each for each in found if each is not None}


def ready(config: ClientConfig, memory: ServerMemory | None = None) -> tuple[Script, Sent]:
    """A script whose client has just sent its Allocate request with credentials."""
    script = Script(config=config, memory=memory)
    script.allocate()
    script.challenge(script.take_one())
    return script, script.take_one()


def dual() -> Script:
    """A script whose client has both addresses."""
    script, request = ready(ClientConfig(dual=True))
    relayed = (XorRelayedAddress(IPV6_RELAYED), XorRelayedAddress(RELAYED))
    script.succeed(request, *relayed, *MAPPED_AND_LIFETIME)
    return script


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param(ClientConfig(), [], id="nothing"),
        pytest.param(ClientConfig(family=IPV6), [RequestedAddressFamily(IPV6)], id="family"),
        pytest.param(ClientConfig(dual=True), [AdditionalAddressFamily(IPV6)], id="dual"),
        pytest.param(
            ClientConfig(port=PortWish.EVEN), [EvenPort(reserve_next=False)], id="even-port"
        ),
        pytest.param(
            ClientConfig(port=PortWish.EVEN_PAIR), [EvenPort(reserve_next=True)], id="even-pair"
        ),
        pytest.param(
            ClientConfig(family=IPV4, port=PortWish.EVEN_PAIR),
            [RequestedAddressFamily(IPV4), EvenPort(reserve_next=True)],
            id="family-and-even-pair",
        ),
        pytest.param(
            ClientConfig(dual=True, port=PortWish.EVEN),
            [AdditionalAddressFamily(IPV6), EvenPort(reserve_next=False)],
            id="dual-and-even-port",
        ),
        pytest.param(ClientConfig(reservation_token=TOKEN), [ReservationToken(TOKEN)], id="token"),
        pytest.param(ClientConfig(dont_fragment=True), [DontFragment()], id="dont-fragment"),
    ],
)
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-02", "stun-turn:TURNC-ALLOC-03")
def test_a_request_asks_for_what_the_configuration_says(
    config: ClientConfig, expected: list[AnyAttribute]
) -> None:
    _, request = ready(config)

    assert asked(request) == {type(each): each for each in expected}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        pytest.param({"dual": True, "family": IPV4}, "both families", id="dual-and-family"),
        pytest.param({"dual": True, "port": PortWish.EVEN_PAIR}, "held", id="dual-and-pair"),
        pytest.param({"reservation_token": TOKEN, "dual": True}, "token", id="token-and-dual"),
        pytest.param({"reservation_token": TOKEN, "family": IPV6}, "token", id="token-and-family"),
        pytest.param(
            {"reservation_token": TOKEN, "port": PortWish.EVEN}, "token", id="token-and-port"
        ),
        pytest.param({"reservation_token": TOKEN[1:]}, "8 bytes", id="token-of-7-bytes"),
    ],
)
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-02")
def test_what_must_not_be_asked_for_together_cannot_be(
    settings: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        ClientConfig(**settings)  # type: ignore[arg-type]  # of each its own type


def test_both_addresses_are_told_ipv4_first() -> None:
    script = dual()

    assert script.events_of(Allocated) == [Allocated(RELAYED, MAPPED, 600, additional=IPV6_RELAYED)]
    assert script.client.relayed == RELAYED
    assert script.client.relayed_addresses == (RELAYED, IPV6_RELAYED)


def test_peers_of_either_family_are_legal() -> None:
    script = dual()

    script.permit(PEER.ip, PEER_6.ip)
    for request in script.take():
        assert len({peer.is_ipv6 for peer in request.peers}) == 1
        script.succeed(request)
    script.bind(PEER)
    script.succeed(script.take_one())
    script.bind(PEER_6)
    script.succeed(script.take_one())

    assert {each.ip for each in script.events_of(PermissionInstalled)} == {PEER.ip, PEER_6.ip}
    assert [each.peer for each in script.events_of(ChannelBound)] == [PEER, PEER_6]


@pytest.mark.parametrize("family", [IPV4, IPV6])
def test_with_one_address_a_peer_of_the_other_family_is_misuse(family: AddressFamily) -> None:
    script, request = ready(ClientConfig(family=family))
    ours, theirs = (RELAYED, PEER_6) if family is IPV4 else (IPV6_RELAYED, PEER)
    script.succeed(request, XorRelayedAddress(ours), *MAPPED_AND_LIFETIME)

    with pytest.raises(ValueError, match="another family"):
        script.permit(theirs.ip)
    with pytest.raises(ValueError, match="another family"):
        script.bind(theirs)
    assert script.take() == []


def test_a_server_that_does_not_know_dual_allocations_gives_one_address() -> None:
    memory = ServerMemory()
    script, request = ready(ClientConfig(dual=True), memory)

    script.succeed(request, XorRelayedAddress(RELAYED), *MAPPED_AND_LIFETIME)

    assert script.events_of(Allocated) == [Allocated(RELAYED, MAPPED, 600)]
    assert script.events_of(AddressFamilyRefused) == []
    assert memory.refused(PATH.remote, script.now) == {}


def refused(
    family: AddressFamily, code: int, memory: ServerMemory
) -> tuple[Script, AddressFamilyRefused]:
    script, request = ready(ClientConfig(dual=True), memory)
    granted = RELAYED if family is IPV6 else IPV6_RELAYED
    error = AddressErrorCode(family, code, "No")
    script.succeed(request, XorRelayedAddress(granted), error, *MAPPED_AND_LIFETIME)
    (event,) = script.events_of(AddressFamilyRefused)
    return script, event


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        pytest.param(IPV6, {}, id="ipv6-refused"),
        pytest.param(
            IPV4, {RequestedAddressFamily: RequestedAddressFamily(IPV6)}, id="ipv4-refused"
        ),
    ],
)
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-06")
def test_a_family_that_is_not_supported_is_never_asked_for_again(
    family: AddressFamily, expected: dict[type[AnyAttribute], AnyAttribute]
) -> None:
    memory = ServerMemory()

    _, event = refused(family, 440, memory)

    assert event == AddressFamilyRefused(family, 440, "No", retry_after=None)
    later = Script(config=ClientConfig(dual=True), memory=memory, seed=2)
    later.advance(86_400.0)
    later.allocate()
    assert asked(later.take_one()) == expected


@pytest.mark.parametrize("code", [440, 508])
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-06")
def test_a_client_for_just_that_family_does_not_even_ask(code: int) -> None:
    memory = ServerMemory()
    refused(IPV6, code, memory)
    script = Script(config=ClientConfig(family=IPV6), memory=memory, seed=2)
    script.advance(10.0)

    script.allocate()

    assert script.take() == []
    (failed,) = script.events_of(AllocationFailed)
    assert (failed.code, failed.reason) == (code, FailureReason.REFUSED)
    assert failed.retry_after == (None if code == 440 else CAPACITY_PAUSE - 10.0)
    assert script.client.state is ClientState.CLOSED


@pytest.mark.parametrize(("at", "asks"), [(59.9, False), (60.0, True)])
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-06")
def test_a_family_without_capacity_is_asked_for_again_after_a_minute(at: float, asks: bool) -> None:
    memory = ServerMemory()
    _, event = refused(IPV6, 508, memory)
    assert event.retry_after == CAPACITY_PAUSE
    script = Script(config=ClientConfig(dual=True), memory=memory, seed=2)
    script.advance(at)

    script.allocate()

    assert (AdditionalAddressFamily in asked(script.take_one())) is asks


@pytest.mark.parametrize(
    "attribute",
    [
        pytest.param(AddressErrorCode(9, 440), id="no-family"),
        pytest.param(UnknownAttribute(AddressErrorCode.TYPE, b"\2"), id="malformed"),
    ],
)
def test_an_error_for_no_family_says_nothing(attribute: AnyAttribute) -> None:
    script, request = ready(ClientConfig(dual=True))

    script.succeed(request, XorRelayedAddress(RELAYED), attribute, *MAPPED_AND_LIFETIME)

    assert script.events_of(Allocated) == [Allocated(RELAYED, MAPPED, 600)]
    assert script.events_of(AddressFamilyRefused) == []


def test_what_servers_have_refused_is_remembered_for_a_bounded_number_of_them() -> None:
    memory = ServerMemory()
    for number in range(MAX_SERVERS + 1):
        server = TransportAddress.parse("203.0.113.1", 1000 + number)
        script = Script(
            Path(TransportProtocol.UDP, HERE, server),
            config=ClientConfig(dual=True),
            memory=memory,
        )
        script.allocate()
        script.challenge(script.take_one())
        error = AddressErrorCode(IPV6, 440)
        script.succeed(script.take_one(), XorRelayedAddress(RELAYED), error, *MAPPED_AND_LIFETIME)

    known = [
        bool(memory.refused(TransportAddress.parse("203.0.113.1", 1000 + number), 0.0))
        for number in range(MAX_SERVERS + 1)
    ]
    assert known == [False, *[True] * MAX_SERVERS]


@pytest.mark.requirement("stun-turn:TURNC-LIFE-06")
def test_a_refresh_of_both_names_no_family() -> None:
    script = dual()

    script.advance(510.0)

    assert asked(script.take_one()) == {}


@pytest.mark.parametrize(("family", "left"), [(IPV4, IPV6_RELAYED), (IPV6, RELAYED)])
@pytest.mark.requirement("stun-turn:TURNC-LIFE-06")
def test_one_of_two_is_deleted_and_only_the_other_refreshed(
    family: AddressFamily, left: TransportAddress
) -> None:
    script = dual()

    script.client.release_family(family, script.now)
    script.drain()

    deletion = script.take_one()
    assert (deletion.method, deletion.lifetime) == (Method.REFRESH, 0)
    assert asked(deletion) == {RequestedAddressFamily: RequestedAddressFamily(family)}
    script.succeed(deletion, Lifetime(0))
    assert script.events_of(AddressFamilyReleased) == [AddressFamilyReleased(family)]
    assert script.client.relayed_addresses == (left,)
    script.advance(510.0)
    refresh = script.take_one()
    assert asked(refresh) == {
        RequestedAddressFamily: RequestedAddressFamily(AddressFamily.of(left))
    }


@pytest.mark.requirement("stun-turn:TURNC-LIFE-06")
def test_a_family_that_is_not_allocated_any_more_is_not_named_again() -> None:
    script = dual()
    script.client.release_family(IPV6, script.now)
    script.drain()
    script.take()

    for family in (IPV6, IPV4):
        with pytest.raises(ValueError, match="no two addresses"):
            script.client.release_family(family, script.now)
    script.drain()

    assert script.take() == []
    script.release()
    assert asked(script.take_one()) == {}


def test_before_there_is_an_allocation_no_family_can_be_released() -> None:
    script = Script(config=ClientConfig(dual=True))

    with pytest.raises(ClientStateError):
        script.client.release_family(IPV6, script.now)


def test_permissions_and_channels_go_with_their_family_and_the_others_stay() -> None:
    script = dual()
    for peer in (PEER, PEER_6):
        script.bind(peer)
        script.succeed(script.take_one())

    script.client.release_family(IPV6, script.now)
    script.drain()
    script.succeed(script.take_one(), Lifetime(0))

    assert not script.client.has_permission(PEER_6.ip)
    assert not script.client.has_channel(PEER_6)
    assert script.client.has_permission(PEER.ip)
    assert script.client.has_channel(PEER)
    assert not script.send(PEER_6, b"off")
    with pytest.raises(ValueError, match="another family"):
        script.permit(PEER_6.ip)
    script.indicate(PEER_6, b"late")
    assert script.events_of(DataReceived) == []
    script.advance(220.0)
    assert {peer for sent in script.take() for peer in sent.peers} == {TransportAddress(PEER.ip, 0)}


@pytest.mark.parametrize("succeeds", [True, False])
def test_a_permission_that_was_under_way_does_not_outlive_its_family(succeeds: bool) -> None:
    script = dual()
    script.permit(PEER_6.ip)
    request = script.take_one()
    script.client.release_family(IPV6, script.now)
    script.drain()
    script.succeed(script.take_one(), Lifetime(0))

    if succeeds:
        script.succeed(request)
    else:
        script.fail(request, 443)

    assert not script.client.has_permission(PEER_6.ip)
    assert script.events_of(PermissionInstalled) == []


def test_a_channel_that_was_under_way_does_not_outlive_its_family() -> None:
    script = dual()
    script.bind(PEER_6)
    request = script.take_one()
    script.client.release_family(IPV6, script.now)
    script.drain()
    script.succeed(script.take_one(), Lifetime(0))

    script.succeed(request)

    assert not script.client.has_channel(PEER_6)
    assert script.events_of(ChannelBound) == []
    assert not script.client.has_permission(PEER_6.ip)


def test_437_to_the_deletion_of_one_says_that_all_is_gone() -> None:
    script = dual()
    script.client.release_family(IPV6, script.now)
    script.drain()

    script.fail(script.take_one(), 437)

    assert script.events_of(AllocationLost) == [AllocationLost(FailureReason.MISMATCH, 437)]


def test_a_server_that_does_not_answer_the_deletion_keeps_nobody_waiting() -> None:
    script = dual()
    script.client.release_family(IPV6, script.now)
    script.drain()

    script.advance(40.0)

    assert script.events_of(AddressFamilyReleased) == [AddressFamilyReleased(IPV6)]
    assert script.client.state is ClientState.ALLOCATED


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-02")
def test_the_token_for_the_next_port_is_told() -> None:
    script, request = ready(ClientConfig(port=PortWish.EVEN_PAIR))

    script.succeed(
        request, XorRelayedAddress(RELAYED), ReservationToken(TOKEN), *MAPPED_AND_LIFETIME
    )

    assert script.events_of(Allocated) == [Allocated(RELAYED, MAPPED, 600, reservation_token=TOKEN)]


def test_a_malformed_token_is_none() -> None:
    script, request = ready(ClientConfig(port=PortWish.EVEN_PAIR))
    malformed = UnknownAttribute(ReservationToken.TYPE, b"1234567")

    script.succeed(request, XorRelayedAddress(RELAYED), malformed, *MAPPED_AND_LIFETIME)

    assert script.events_of(Allocated) == [Allocated(RELAYED, MAPPED, 600)]


def test_an_address_that_was_held_may_be_of_any_family() -> None:
    script, request = ready(ClientConfig(reservation_token=TOKEN))

    script.succeed(request, XorRelayedAddress(IPV6_RELAYED), *MAPPED_AND_LIFETIME)

    assert script.client.relayed == IPV6_RELAYED


def whole(script: Script, peer: TransportAddress, data: bytes) -> bool:
    sent = script.client.send_unfragmented(peer, data, script.now)
    script.drain()
    return sent


@pytest.mark.parametrize("has_channel", [False, True], ids=["indications", "channel"])
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-03")
def test_a_datagram_that_is_not_to_be_cut_goes_in_an_indication_that_says_so(
    has_channel: bool,
) -> None:
    script, request = ready(ClientConfig(dont_fragment=True))
    script.grant(request)
    assert script.events_of(Allocated) == [Allocated(RELAYED, MAPPED, 600, dont_fragment=True)]
    if has_channel:
        script.get_channel()
    else:
        script.get_permission(PEER.ip)

    assert whole(script, PEER, b"whole")

    indication = script.take_one()
    assert indication.method == Method.SEND
    assert indication.message.get(XorPeerAddress) == XorPeerAddress(PEER)
    assert indication.message.get(Data) == Data(b"whole")
    assert indication.message.get(DontFragment) == DontFragment()


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-03")
def test_without_having_asked_the_server_it_is_misuse() -> None:
    script, request = ready(ClientConfig())
    script.grant(request)
    script.get_permission(PEER.ip)

    with pytest.raises(ValueError, match="DONT-FRAGMENT"):
        whole(script, PEER, b"whole")

    script.drain()
    assert script.take() == []


@pytest.mark.requirement("stun-turn:TURNC-ALLOC-09")
def test_a_server_that_does_not_know_dont_fragment_is_asked_without_it() -> None:
    script, request = ready(ClientConfig(dont_fragment=True))

    script.fail(request, 420, UnknownAttributes((0x7FFF, DontFragment.TYPE)))

    again = script.take_one()
    assert again.message.transaction_id != request.message.transaction_id
    assert asked(again) == {}
    script.grant(again)
    assert script.events_of(Allocated) == [Allocated(RELAYED, MAPPED, 600)]
    script.get_permission(PEER.ip)
    assert not whole(script, PEER, b"whole")
    assert script.client.stats().drops == {DropReason.DONT_FRAGMENT_UNKNOWN: 1}
    assert script.take() == []


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param((UnknownAttributes((0x7FFF,)),), id="another-attribute"),
        pytest.param((), id="no-list"),
        pytest.param((UnknownAttribute(UnknownAttributes.TYPE, b"\0"),), id="malformed-list"),
    ],
)
@pytest.mark.requirement("stun-turn:TURNC-ALLOC-09")
def test_a_420_for_something_else_is_the_end(unknown: tuple[AnyAttribute, ...]) -> None:
    script, request = ready(ClientConfig(dont_fragment=True))

    script.fail(request, 420, *unknown)

    assert script.take() == []
    (failed,) = script.events_of(AllocationFailed)
    assert failed.code == 420


def test_nothing_goes_whole_without_an_allocation_or_a_permission() -> None:
    client = TurnClient(
        PATH,
        username="ann",
        password="secret",
        random_bytes=random.Random(1).randbytes,
        config=ClientConfig(dont_fragment=True),
    )
    assert not client.send_unfragmented(PEER, b"whole", 0.0)
    script, request = ready(ClientConfig(dont_fragment=True))
    script.grant(request)

    assert not whole(script, PEER, b"whole")

    assert client.stats().drops == {DropReason.NOT_ALLOCATED: 1}
    assert script.client.stats().drops == {DropReason.SEND_WITHOUT_PERMISSION: 1}
