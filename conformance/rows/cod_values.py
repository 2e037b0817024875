"""COD-ADDR and COD-TXT: addresses and text (RFC 8489 sections 14.1 to 14.16)."""

from __future__ import annotations

from conformance.allocation import UDP, delete_granted
from conformance.building import xor_address
from conformance.checks import MAX_CHARACTERS, mark_attribute
from conformance.client import describe
from conformance.codes import MAGIC_COOKIE, Attr, Method, attribute_name
from conformance.expect import (
    expect_attribute,
    expect_error,
    expect_success,
    expect_text,
    expect_value,
)
from conformance.identity import MD5_ALGORITHM, SHA256_ALGORITHM, password_algorithms
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.relaying import pair
from conformance.row import Feature, row

from .needs import expect_granted, need_well_formed, somewhere


@row(
    "COD-ADDR-01",
    "The first 8 bits of the MAPPED-ADDRESS MUST be set to 0 and MUST be ignored by receivers.",
    Feature.PEER,
)
async def the_first_byte_of_an_address_changes_nothing(probe: Probe) -> None:
    two = await pair(probe)
    value = (
        Attr.XOR_PEER_ADDRESS,
        lambda tid: xor_address(two.peer.local, tid, first_byte=0xFF),
    )
    name = "XOR-PEER-ADDRESS that begins with 0xFF"
    response = await two.allocation.client.authenticated(Method.CREATE_PERMISSION, value)
    expect_success(response, to=name)
    if await two.send(b"permitted") is not None:
        return
    await two.permit()
    if await two.send(b"permitted") is None:
        raise NotOffered("the peer hears nothing with a permission, either")
    mark = Mark(response.data, 0, 2)
    raise Violated(f"{name} is granted, but does not permit that peer", mark)


@row(
    "COD-ADDR-02",
    "The address family can take on the values 0x01 (IPv4, 32 bits) and 0x02 (IPv6, 128 bits).",
    Feature.TURN,
)
async def family_and_length_have_to_agree(probe: Probe) -> Outcome | None:
    allocation = await probe.allocate()
    client = allocation.client
    await need_well_formed(allocation, somewhere(probe))
    wrong = {
        "family 1 with 16 bytes": b"\0\x01\0\x09" + bytes(16),
        "family 2 with 4 bytes": b"\0\x02\0\x09" + bytes(4),
        "family 3": b"\0\x03\0\x09" + bytes(4),
        "family 1 with 3 bytes": b"\0\x01\0\x09" + bytes(3),
    }
    dropped = []
    for name, value in wrong.items():
        attribute = (Attr.XOR_PEER_ADDRESS, value)
        response = await client.try_authenticated(Method.CREATE_PERMISSION, attribute)
        if response is None:
            dropped.append(name)  # the 400 is RFC 8656's, and TURN-PERM-02's
        else:
            expect_error(response, 400, 443, to=f"XOR-PEER-ADDRESS of {name}")
    await probe.is_alive()
    return seen(f"silence to XOR-PEER-ADDRESS of {', '.join(dropped)}") if dropped else None


@row(
    "COD-ADDR-03",
    "X-Port is computed by XOR'ing the mapped port with the most significant 16 bits of the "
    "magic cookie.",
    Feature.OPEN_BINDING,
)
async def the_port_is_xored_with_the_cookie(probe: Probe) -> None:
    client = await probe.client()
    response = await client.request(Method.BINDING)
    value = expect_attribute(response, Attr.XOR_MAPPED_ADDRESS)
    wanted = (client.local.port ^ MAGIC_COOKIE >> 16).to_bytes(2, "big")
    expect_value(response, Attr.XOR_MAPPED_ADDRESS, wanted.hex(), value[2:4].hex())


@row(
    "COD-ADDR-04",
    "If the IP address family is IPv4, X-Address is computed by XOR'ing the mapped IP address "
    "with the magic cookie.",
    Feature.OPEN_BINDING,
)
async def an_ipv4_address_is_xored_with_the_cookie(probe: Probe) -> None:
    if probe.target.address.is_ipv6:
        raise NotOffered("the target has an IPv6 address")
    await _expect_xored(probe)


@row(
    "COD-ADDR-05",
    "If the IP address family is IPv6, X-Address is computed by XOR'ing the mapped IP address "
    "with the concatenation of the magic cookie and the 96-bit transaction ID.",
    Feature.OPEN_BINDING,
)
async def an_ipv6_address_is_xored_with_the_transaction_id_too(probe: Probe) -> None:
    if not probe.target.address.is_ipv6:
        raise NotOffered("the target has an IPv4 address: name it as turn:[ADDRESS]:PORT")
    await _expect_xored(probe)


@row(
    "COD-TXT-01",
    "USERNAME MUST contain a UTF-8-encoded sequence of fewer than 509 bytes; a compliant "
    "implementation MUST be able to parse one of 763 or fewer bytes.",
    Feature.LONG_TERM,
)
async def long_usernames_can_be_read(probe: Probe) -> None:
    for size in (508, 763, 764, 1000):
        client = await probe.client()
        challenge = await client.learn_challenge()
        builder = client.message(Method.ALLOCATE, UDP, (Attr.USERNAME, b"x" * size))
        builder.add(Attr.REALM, challenge.realm).add(Attr.NONCE, challenge.nonce)
        response = await client.ask(builder.add_integrity(bytes(16)).build())
        if response is None and size <= 763:
            raise Violated(f"a USERNAME of {size} bytes is met with silence")
        if response is not None:
            codes = (401,) if size < 509 else (400, 401)
            expect_error(response, *codes, to=f"an unknown USERNAME of {size} bytes")
    await probe.is_alive()


@row(
    "COD-TXT-03",
    'userhash = SHA-256(OpaqueString(username) ":" OpaqueString(realm))',
    Feature.TURN,
    Feature.USERHASH,
)
async def a_userhash_names_its_user(probe: Probe) -> None:
    client = await probe.client()
    await client.learn_challenge()
    builder = client.identify_hidden(client.message(Method.ALLOCATE, UDP))
    response = await client.demand(client.seal(builder).build())
    await delete_granted(client, response)
    expect_granted(response, to="USERHASH of a known user")


@row(
    "COD-TXT-04",
    "REALM may contain text that meets the grammar for realm-value, but without the double "
    "quotes; it MUST be a UTF-8-encoded sequence of fewer than 128 characters.",
    Feature.LONG_TERM,
)
async def the_realm_is_short_and_unquoted(probe: Probe) -> None:
    _expect_text(await _challenge(probe), Attr.REALM)


@row(
    "COD-TXT-05",
    "NONCE contains a sequence of qdtext or quoted-pair, without the surrounding quotes; it "
    "MUST be fewer than 128 characters.",
    Feature.LONG_TERM,
)
async def the_nonce_is_short_and_unquoted(probe: Probe) -> None:
    response = await _challenge(probe)
    _expect_text(response, Attr.NONCE)
    if any(byte < 0x20 or byte == 0x7F for byte in response.get(Attr.NONCE) or b""):
        mark = mark_attribute(response, Attr.NONCE)
        raise Violated("NONCE has control characters", mark)


@row(
    "COD-TXT-06",
    "The SOFTWARE attribute has no impact on operation of the protocol; a compliant "
    "implementation MUST be able to parse one of 763 or fewer bytes.",
    Feature.OPEN_BINDING,
)
async def a_long_software_is_read(probe: Probe) -> None:
    client = await probe.client()
    response = await client.request(Method.BINDING, (Attr.SOFTWARE, b"x" * 763))
    expect_success(response, to="SOFTWARE of 763 bytes")


@row(
    "COD-TXT-07",
    "The Reserved bits SHOULD be 0. The class MUST be between 3 and 6. The number MUST be "
    "between 0 and 99. The reason phrase MUST be fewer than 128 characters.",
    about_answers=True,
)
async def an_error_code_is_well_formed(probe: Probe) -> Outcome | None:
    client = await probe.client()
    response = await client.request(Method.BINDING, (0x7F01, b""))
    value = expect_attribute(response, Attr.ERROR_CODE)
    mark = mark_attribute(response, Attr.ERROR_CODE)
    if len(value) < 4 or value[0] or value[1] or value[2] & 0xF8:
        raise Violated("ERROR-CODE is short, or its reserved bits are set", mark)
    if not 3 <= value[2] <= 6 or value[3] > 99:
        raise Violated(f"class {value[2]}, number {value[3]}", mark)
    if len(value[4:].decode(errors="replace")) > MAX_CHARACTERS:
        raise Violated("the reason phrase has over 127 characters", mark)
    zeros = len(value) - len(value.rstrip(b"\0"))
    if len(value) > 4 and value[4:].strip(b"\0") and zeros:
        return seen(f"{zeros} zero bytes at its end count as text: padding that is in the length?")
    return None


@row(
    "COD-TXT-08",
    "UNKNOWN-ATTRIBUTES contains a list of 16-bit values, each of which represents an attribute "
    "type that was not understood; normal padding rules apply.",
    Feature.OPEN_BINDING,
    about_answers=True,
)
async def unknown_attributes_are_a_plain_list(probe: Probe) -> None:
    client = await probe.client()
    for count in (1, 2, 3):
        unknown = [(0x7F01 + number, b"") for number in range(count)]
        response = await client.request(Method.BINDING, *unknown)
        value = expect_attribute(response, Attr.UNKNOWN_ATTRIBUTES)
        expect_value(response, Attr.UNKNOWN_ATTRIBUTES, f"{2 * count} bytes", f"{len(value)} bytes")


@row(
    "COD-TXT-09",
    "PASSWORD-ALGORITHMS contains a list of algorithm number, algorithm parameters length, and "
    "algorithm parameters; those of MD5 and SHA-256 are empty.",
    Feature.SHA256,
)
async def password_algorithms_have_empty_parameters(probe: Probe) -> None:
    response = await _challenge(probe)
    value = expect_attribute(response, Attr.PASSWORD_ALGORITHMS)
    for entry in password_algorithms(value):
        if entry[:2] in (MD5_ALGORITHM[:2], SHA256_ALGORITHM[:2]) and len(entry) != 4:
            mark = mark_attribute(response, Attr.PASSWORD_ALGORITHMS)
            raise Violated(f"algorithm {entry[:2].hex()} has parameters", mark)


async def _expect_xored(probe: Probe) -> None:
    client = await probe.client()
    response = await client.request(Method.BINDING)
    value = expect_attribute(response, Attr.XOR_MAPPED_ADDRESS)
    wanted = xor_address(client.local, response.transaction_id)[4:]
    expect_value(response, Attr.XOR_MAPPED_ADDRESS, wanted.hex(), value[4:].hex())


async def _challenge(probe: Probe) -> ReceivedMessage:
    client = await probe.client()
    response = await client.request(Method.ALLOCATE, UDP)
    if response.error_code != 401:
        raise NotOffered(f"Allocate without credentials is met with {describe(response)}")
    return response


def _expect_text(response: ReceivedMessage, kind: Attr) -> None:
    expect_attribute(response, kind)
    text, mark = expect_text(response, kind), mark_attribute(response, kind)
    if not text:
        raise Violated(f"{attribute_name(kind)} is empty", mark)
    if '"' in text:
        raise Violated(f"{attribute_name(kind)} has quotes", mark)
