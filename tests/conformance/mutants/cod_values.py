"""What breaks the rows about values: COD-ADDR, COD-TXT, COD-MI and COD-FP."""

from __future__ import annotations

from conformance.building import MessageBuilder
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from turn.credentials import CredentialVerifier

from .changing import (
    is_error,
    is_success,
    losing,
    where,
    with_error,
    with_more,
    with_success,
    with_value,
    without,
)
from .mutant import USERS, Mutant, Setup, edited, key_of

ERROR_400 = bytes([0, 0, 4, 0])
ERROR_401 = bytes([0, 0, 4, 1])


def _error(request: ReceivedMessage, value: bytes) -> bytes:
    builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
    return builder.add(Attr.ERROR_CODE, value).build()


def _refuse_if(kind: Attr, begins_with: int) -> Mutant:
    """400 where an attribute begins with a byte."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        value = request.get(kind) or b"\0"
        return _error(request, ERROR_400) if value[0] == begins_with else response.data

    return Mutant(answer)


def _take_any_family(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if request.method != Method.CREATE_PERMISSION or response.error_code not in (400, 443):
        return response.data
    return edited(response, request, drop=[Attr.ERROR_CODE], message_class=Class.SUCCESS)


def _plain(request: ReceivedMessage, response: ReceivedMessage, *, begin: int, end: int) -> bytes:
    """Some bytes of XOR-MAPPED-ADDRESS as they are without XOR."""
    value = response.get(Attr.XOR_MAPPED_ADDRESS)
    mapped = response.xor_address(Attr.XOR_MAPPED_ADDRESS)
    if value is None or mapped is None:
        return response.data
    whole = value[:2] + mapped.port.to_bytes(2, "big") + mapped.ip.packed
    changed = value[:begin] + whole[begin:end] + value[end:]
    return edited(response, request, change={Attr.XOR_MAPPED_ADDRESS: changed})


def _deaf_to_long(kind: Attr, size: int) -> Mutant:
    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        return None if len(request.get(kind) or b"") >= size else response.data

    return Mutant(answer)


def _changed(kind: Attr, value: bytes) -> Mutant:
    """Another value of an attribute, where it is sent."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        has_it = kind in response.types
        return edited(response, request, change={kind: value}) if has_it else response.data

    return Mutant(answer)


def _repeat_last(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """As RFC 3489 padded UNKNOWN-ATTRIBUTES."""
    value = response.get(Attr.UNKNOWN_ATTRIBUTES)
    if value is None or not len(value) % 4:
        return response.data
    return edited(response, request, change={Attr.UNKNOWN_ATTRIBUTES: value + value[-2:]})


def _unauthorized_if(condition: int) -> Mutant:
    """Does not know who signs with this attribute."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        return _error(request, ERROR_401) if condition in request.types else response.data

    return Mutant(answer)


def wrong_integrity(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    data = bytearray(response.data)
    for each in response.attributes:
        if each.type in (Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256):
            data[each.offset + 4] ^= 1
    return bytes(data)


def _cuts_are_taken(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    value = request.get(Attr.MESSAGE_INTEGRITY_SHA256)
    if value is None or len(value) == 32:
        return response.data
    builder = MessageBuilder(request.method, Class.SUCCESS, request.transaction_id)
    return builder.add_integrity_sha256(key_of(request, sha256=True)).build()


def _drop_signed_indications(data: bytes) -> bytes | None:
    is_indication = data[:2] == b"\x00\x16"
    if not is_indication:
        return data
    types = ReceivedMessage.parse(data).types
    return None if {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256} & set(types) else data


def _deaf_to_fingerprints(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
    return None if Attr.FINGERPRINT in request.types else response.data


def _wrong_fingerprint(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    plain = edited(response, request, drop=[Attr.FINGERPRINT])
    again = ReceivedMessage.parse(plain)
    return edited(again, request, add=[(Attr.FINGERPRINT, bytes(4))])


def _software(value: bytes) -> Mutant:
    return with_more(lambda _, __: True, (Attr.SOFTWARE, value))


def _fingerprint_first(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if Attr.FINGERPRINT not in request.types:
        return response.data
    drop = [Attr.FINGERPRINT]
    return edited(response, request, drop=drop, add=[(Attr.FINGERPRINT, bytes(4))])


def _fingerprint_of_what_is_not_signed(
    request: ReceivedMessage, response: ReceivedMessage
) -> bytes:
    if Attr.FINGERPRINT not in request.types:
        return response.data
    signed = {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256, Attr.FINGERPRINT}
    plain = ReceivedMessage.parse(edited(response, request, drop=signed))
    builder = MessageBuilder(plain.method, plain.message_class, plain.transaction_id)
    for each in plain.attributes:
        builder.add(each.type, each.value)
    fingerprint = ReceivedMessage.parse(builder.add_fingerprint().build()).get(Attr.FINGERPRINT)
    assert fingerprint is not None
    whole = edited(response, request, drop=[Attr.FINGERPRINT])
    size = (len(whole) - 12).to_bytes(2, "big")
    return whole[:2] + size + whole[4:] + b"\x80\x28\x00\x04" + fingerprint


def _granting_what_it_does_not_understand() -> Mutant:
    """Data goes to peers only whose address began with a zero."""
    understood: list[bytes] = []

    def take(data: bytes) -> bytes:
        message = ReceivedMessage.parse(data)
        value = message.get(Attr.XOR_PEER_ADDRESS)
        if message.method == Method.CREATE_PERMISSION and value and value[0] == 0:
            understood.append(value)
        return data

    return Mutant(take=take, relay=lambda data: data if understood else None)


def _is_wrong(request: ReceivedMessage, response: ReceivedMessage) -> bool:
    """Whether it is an Allocate with a wrong key."""
    return is_error(401, Method.ALLOCATE)(request, response) and Attr.NONCE in request.types


def _granted(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    drop = [Attr.ERROR_CODE, Attr.REALM, Attr.NONCE]
    return edited(response, request, message_class=Class.SUCCESS, drop=drop)


MUTANTS = {
    "COD-FP-02": {
        "wants-one": Mutant(lambda q, a: a.data if Attr.FINGERPRINT in q.types else None),
    },
    "COD-ADDR-01": {
        "refuses": _refuse_if(Attr.XOR_PEER_ADDRESS, 0xFF),
        "grants-for-nothing": _granting_what_it_does_not_understand(),
    },
    "COD-ADDR-02": {"takes-any": Mutant(_take_any_family)},
    "COD-ADDR-03": {
        "none": without(lambda _, __: True, Attr.XOR_MAPPED_ADDRESS),
        "plain-port": Mutant(lambda q, a: _plain(q, a, begin=2, end=4)),
    },
    "COD-ADDR-04": {
        "none": without(lambda _, __: True, Attr.XOR_MAPPED_ADDRESS),
        "plain-address": Mutant(lambda q, a: _plain(q, a, begin=4, end=8)),
    },
    "COD-ADDR-05": {
        "none": without(lambda _, __: True, Attr.XOR_MAPPED_ADDRESS),
        "xored-with-the-cookie": Mutant(lambda q, a: _plain(q, a, begin=8, end=20)),
    },
    "COD-TXT-01": {
        "says-500": with_error(lambda q, _: len(q.get(Attr.USERNAME) or b"") > 763, 500),
        "says-400-to-what-is-right": with_error(
            lambda q, _: len(q.get(Attr.USERNAME) or b"") > 500, 400
        ),
        "deaf-to-long-names": _deaf_to_long(Attr.USERNAME, 600),
    },
    "COD-TXT-03": {"knows-no-hashes": _unauthorized_if(Attr.USERHASH)},
    "COD-TXT-04": {
        "none": without(is_error(401), Attr.REALM),
        "empty": with_value(is_error(401), Attr.REALM, b""),
        "quoted": _changed(Attr.REALM, b'"netsim"'),
        "too-long": _changed(Attr.REALM, b"x" * 128),
        "no-utf-8": _changed(Attr.REALM, b"\xff\xfe"),
    },
    "COD-TXT-05": {
        "empty": with_value(is_error(401), Attr.NONCE, b""),
        "none": without(is_error(401), Attr.NONCE),
        "no-utf-8": with_value(is_error(401), Attr.NONCE, b"\xff\xfe"),
        "quoted": _changed(Attr.NONCE, b'"nonce"'),
        "too-long": _changed(Attr.NONCE, b"x" * 128),
        "control-characters": _changed(Attr.NONCE, b"a\nb"),
    },
    "COD-TXT-06": {
        "sends-no-utf-8": _software(b"\xff\xfe"),
        "sends-a-long-one": _software(b"x" * 128),
        "deaf-to-long-ones": _deaf_to_long(Attr.SOFTWARE, 600),
        "refuses-long-ones": with_error(lambda q, _: len(q.get(Attr.SOFTWARE) or b"") > 600, 400),
    },
    "COD-TXT-07": {
        "none": without(is_error(420), Attr.ERROR_CODE),
        "class-7": _changed(Attr.ERROR_CODE, bytes([0, 0, 7, 20])),
        "reserved-bits": _changed(Attr.ERROR_CODE, bytes([1, 0, 4, 20])),
        "long-phrase": _changed(Attr.ERROR_CODE, bytes([0, 0, 4, 20]) + b"x" * 128),
    },
    "COD-TXT-08": {
        "none": without(is_error(420), Attr.UNKNOWN_ATTRIBUTES),
        "repeats-the-last": Mutant(_repeat_last),
    },
    "COD-TXT-09": {
        "none": without(is_error(401), Attr.PASSWORD_ALGORITHMS),
        "parameters": _changed(Attr.PASSWORD_ALGORITHMS, b"\0\2\0\4abcd\0\1\0\0"),
    },
    "COD-MI-01": {
        "refuses": with_error(is_success(Method.REFRESH), 401),
        "takes-any": with_success(is_error(401, Method.REFRESH), (Attr.LIFETIME, bytes(4))),
        "wrong-answer": Mutant(wrong_integrity),
    },
    "COD-MI-02": {
        "disturbed-by-sha-256": with_error(
            lambda q, _: {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256} <= set(q.types),
            401,
        ),
        "disturbed-by-fingerprint": _unauthorized_if(Attr.FINGERPRINT),
    },
    "COD-MI-03": {"loses-it": losing(400, 401), "takes-a-cut-one": Mutant(_cuts_are_taken)},
    "COD-MI-05": {
        "knows-no-md5": _unauthorized_if(Attr.MESSAGE_INTEGRITY),
        "takes-any": where(_is_wrong, _granted),
    },
    "COD-MI-06": {
        "knows-no-sha-256": _unauthorized_if(Attr.MESSAGE_INTEGRITY_SHA256),
        "takes-any": where(_is_wrong, _granted),
    },
    "COD-MI-09": {
        "relays-more": Mutant(relay=lambda data: data + b"\0"),
        "drops": Mutant(take=_drop_signed_indications),
    },
    "COD-FP-01": {
        "refuses": with_error(lambda q, _: Attr.FINGERPRINT in q.types, 400),
        "deaf": Mutant(_deaf_to_fingerprints),
        "wrong-answer": Mutant(_wrong_fingerprint),
    },
    "COD-FP-03": {
        "before-the-integrity": Mutant(_fingerprint_first),
        "computed-before": Mutant(_fingerprint_of_what_is_not_signed),
        "refuses": _unauthorized_if(Attr.FINGERPRINT),
    },
}

OPEN = {
    "COD-FP-02": "a server may look at FINGERPRINT or not",
    "COD-TXT-07": "no sentence forbids a text that ends with zero bytes",
}

SETUPS = {
    "COD-ADDR-05": Setup(ipv6=True),
    "COD-TXT-03": Setup({"offers_userhash": True, "credentials": CredentialVerifier(USERS)}),
}
