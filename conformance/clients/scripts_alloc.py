"""TURNC-ALLOC: how a client asks for an allocation (RFC 8656 sections 5 to 7)."""

from __future__ import annotations

from typing import Final

from conformance.building import xor_address
from conformance.checks import mark_attribute
from conformance.codes import Attr, Class, Method, attribute_name
from conformance.identity import MD5_ALGORITHM, SHA256_ALGORITHM
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from transport import TransportAddress

from .heard import Heard, is_request, message_of, whole
from .right import IPV6_RELAYED
from .script import Action, Over, script
from .scripts_life import PERMITTING, expect_refresh
from .scripts_ltc_algorithms import challenged_with
from .showing import aftermath, at_message, waits
from .stage import Stage

UDP: Final = 17
TCP: Final = 6
FORBIDDEN_TOGETHER: Final = (
    (Attr.REQUESTED_ADDRESS_FAMILY, Attr.RESERVATION_TOKEN),
    (Attr.REQUESTED_ADDRESS_FAMILY, Attr.ADDITIONAL_ADDRESS_FAMILY),
    (Attr.ADDITIONAL_ADDRESS_FAMILY, Attr.RESERVATION_TOKEN),
    (Attr.EVEN_PORT, Attr.RESERVATION_TOKEN),
)
TOGETHER: Final = {kind for pair in FORBIDDEN_TOGETHER for kind in pair}
SHORT_LIFETIME: Final = 120


def _mark(heard: Heard, kind: int) -> Mark:
    return mark_attribute(message_of(heard), kind) or whole(heard)


@script(
    "TURNC-ALLOC-01",
    "The client MUST include a REQUESTED-TRANSPORT attribute in the request. This attribute "
    "specifies the transport protocol between the server and the peers.",
    Action.ALLOCATE,
)
async def every_request_names_a_transport(stage: Stage) -> None:
    stage.answer(await stage.first(Method.ALLOCATE))
    await stage.play(4.0)
    for each in stage.heard:
        if each.method != Method.ALLOCATE:
            continue
        value = message_of(each).get(Attr.REQUESTED_TRANSPORT)
        if value is None:
            raise Violated("REQUESTED-TRANSPORT is missing", whole(each))
        if len(value) != 4 or value[0] not in (UDP, TCP):
            text = f"REQUESTED-TRANSPORT is {value.hex()}, not 17 (UDP) or 6 (TCP)"
            raise Violated(text, _mark(each, Attr.REQUESTED_TRANSPORT))
        if value[1:] != bytes(3):
            text = "the reserved bytes of REQUESTED-TRANSPORT are not zero"
            raise Violated(text, _mark(each, Attr.REQUESTED_TRANSPORT))


@script(
    "TURNC-ALLOC-02",
    "The client MUST NOT include more than one REQUESTED-ADDRESS-FAMILY, nor it beside a "
    "RESERVATION-TOKEN or an ADDITIONAL-ADDRESS-FAMILY attribute; ADDITIONAL-ADDRESS-FAMILY is "
    "IPv6, and not beside RESERVATION-TOKEN or EVEN-PORT with the R bit; EVEN-PORT is not beside "
    "RESERVATION-TOKEN.",
    Action.DUAL,
)
async def attributes_go_together(stage: Stage) -> None:
    stage.answer(await stage.first(Method.ALLOCATE))
    await stage.play(4.0)
    requests = [each for each in stage.heard if each.method == Method.ALLOCATE]
    for each in requests:
        _expect_compatible(each)
    if not any(TOGETHER & set(message_of(each).types) for each in requests):
        raise NotOffered("the client asks for nothing that does not go together with all else")


def _expect_compatible(heard: Heard) -> None:
    message = message_of(heard)
    types = message.types
    if types.count(Attr.REQUESTED_ADDRESS_FAMILY) > 1:
        raise Violated("REQUESTED-ADDRESS-FAMILY is there twice", whole(heard))
    for one, other in FORBIDDEN_TOGETHER:
        if one in types and other in types:
            text = f"{attribute_name(one)} is there beside {attribute_name(other)}"
            raise Violated(text, _mark(heard, one))
    additional = message.get(Attr.ADDITIONAL_ADDRESS_FAMILY)
    if additional is None:
        return
    if additional[:1] != b"\x02":
        text = "ADDITIONAL-ADDRESS-FAMILY is not IPv6"
        raise Violated(text, _mark(heard, Attr.ADDITIONAL_ADDRESS_FAMILY))
    if (message.get(Attr.EVEN_PORT) or b"\0")[0] & 0x80:
        raise Violated(
            "ADDITIONAL-ADDRESS-FAMILY is there beside EVEN-PORT with the R bit",
            _mark(heard, Attr.EVEN_PORT),
        )


@script(
    "TURNC-ALLOC-03",
    "If the client wishes to later use the DONT-FRAGMENT attribute in one or more Send "
    "indications on this allocation, then the client SHOULD include the DONT-FRAGMENT attribute "
    "in the Allocate request.",
    Action.SEND_WHOLE,
    over=Over.DATAGRAMS,
)
async def whole_datagrams_are_announced(stage: Stage) -> None:
    request = await stage.begin(Method.ALLOCATE)
    stage.answer(request)
    whole_ones = [
        each
        for each in await stage.play(8.0)
        if each.method == Method.SEND and Attr.DONT_FRAGMENT in message_of(each).types
    ]
    if not whole_ones:
        raise NotOffered("the client sends no Send indication with DONT-FRAGMENT")
    if Attr.DONT_FRAGMENT not in message_of(request).types:
        raise Violated("DONT-FRAGMENT was not in the Allocate request", whole(whole_ones[0]))


@script(
    "TURNC-ALLOC-04",
    "If one of the addresses is in an address family that the client is not prepared to use, the "
    "client MUST explicitly delete the allocation and MUST NOT attempt to create another "
    "allocation on that server until it believes the mismatch has been fixed.",
    Action.PERMIT,
)
async def a_wrong_family_is_given_back(stage: Stage) -> Outcome | None:
    request = await stage.begin(Method.ALLOCATE)
    waiting = await waits(stage, request)
    message = message_of(request)
    asked = message.get(Attr.REQUESTED_ADDRESS_FAMILY)
    if Attr.ADDITIONAL_ADDRESS_FAMILY in message.types or (asked or b"\x01")[0] != 1:
        raise NotOffered("the client asks for an IPv6 address")
    beside = {each.path for each in stage.heard} - {request.path}
    reply = _with_ipv6(stage, request)
    stage.send(reply, request.path)
    found = await aftermath(stage, waiting, _expect_no_peer, 8.0)
    later = [each for each in found.later if each.path not in beside]
    if found.is_repeated:
        raise NotOffered("the client does not take the response")
    if not any(each.is_deletion for each in later):
        if asked is None:
            return seen("an IPv6 address is kept: the client has asked for no family")
        text = "an IPv6 address that was not asked for is not given back (Refresh, LIFETIME 0)"
        raise Violated(text, at_message(reply))
    again = [each for each in later if each.method == Method.ALLOCATE]
    if again:
        raise Violated("another allocation is asked for at once", whole(again[-1]))
    return None


def _expect_no_peer(heard: Heard) -> None:
    if heard.method in PERMITTING and any(not peer.is_ipv6 for peer in heard.peers):
        raise Violated("an IPv6 address is taken for a peer with an IPv4 one", whole(heard))


def _with_ipv6(stage: Stage, request: Heard) -> bytes:
    relayed = xor_address(TransportAddress(IPV6_RELAYED, 50000), message_of(request).transaction_id)
    mapped = xor_address(request.path.remote, message_of(request).transaction_id)
    reply = stage.right.bare(request, Class.SUCCESS)
    reply.add(Attr.XOR_RELAYED_ADDRESS, relayed).add(Attr.XOR_MAPPED_ADDRESS, mapped)
    return stage.right.integrity.sign(
        reply.add(Attr.LIFETIME, (600).to_bytes(4, "big")), request
    ).build()


@script(
    "TURNC-ALLOC-05",
    "The value of the LIFETIME attribute in the response is how long the allocation lives, "
    "whatever was asked for.",
    Action.ALLOCATE,
    slow=True,
)
async def the_lifetime_is_the_servers(stage: Stage) -> None:
    stage.right.lifetime = SHORT_LIFETIME
    request = await stage.begin(Method.ALLOCATE)
    stage.answer(request)
    await expect_refresh(stage, request, stage.now + SHORT_LIFETIME)


@script(
    "TURNC-ALLOC-06",
    "ADDRESS-ERROR-CODE with 440: the client SHOULD NOT ask that server for an address of the "
    "family again (MUST NOT, section 7.3).",
    Action.DUAL_AGAIN,
)
async def a_refused_family_is_not_asked_for_again(stage: Stage) -> None:
    request = await stage.begin(Method.ALLOCATE)
    if Attr.ADDITIONAL_ADDRESS_FAMILY not in message_of(request).types:
        raise NotOffered("the client does not ask for two addresses")
    stage.right.has_ipv6 = False
    refused = bytes([2, 0, 4, 40]) + b"no IPv6"
    stage.send(stage.right.success(request, (Attr.ADDRESS_ERROR_CODE, refused)), request.path)
    ids = set(stage.transactions())
    beside = {each.path for each in stage.heard} - {request.path}
    wanted = is_request(Method.ALLOCATE, signed=False)
    again = await stage.seek(
        lambda each: wanted(each) and each.transaction_id not in ids and each.path not in beside,
        stage.settings.pause,
    )
    if again is None:
        raise NotOffered("the client does not allocate again")
    message = message_of(again)
    asked = message.get(Attr.REQUESTED_ADDRESS_FAMILY)
    if Attr.ADDITIONAL_ADDRESS_FAMILY in message.types or (asked or b"\0")[0] == 2:
        raise Violated("the family that was refused with 440 is asked for again", whole(again))


@script(
    "TURNC-ALLOC-13",
    "If the server's list has MD5 and SHA-256 and the client supports both, the client MUST use "
    "SHA-256.",
    Action.ALLOCATE,
)
async def sha256_comes_before_md5(stage: Stage) -> None:
    await challenged_with(stage, MD5_ALGORITHM + SHA256_ALGORITHM)


@script(
    "TURNC-ALLOC-14",
    "The client SHOULD include the SOFTWARE attribute in all Allocate and Refresh requests.",
    Action.RELEASE,
)
async def the_software_is_named(stage: Stage) -> None:
    stage.answer(await stage.first(Method.ALLOCATE))
    await stage.play(5.0)
    for each in stage.heard:
        is_wanted = each.is_request and each.method in (Method.ALLOCATE, Method.REFRESH)
        if is_wanted and Attr.SOFTWARE not in message_of(each).types:
            raise Violated("SOFTWARE is missing", whole(each))
    if not any(each.method == Method.REFRESH for each in stage.heard):
        raise NotOffered("the client names itself in Allocate requests, and sends no Refresh")
