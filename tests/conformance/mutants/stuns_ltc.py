"""What breaks the rows of STUNS-LTC."""

from __future__ import annotations

from conformance.building import MessageBuilder, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress
from turn.credentials import CredentialVerifier

from .changing import (
    failing,
    is_error,
    is_success,
    once,
    with_error,
    with_more,
    with_success,
    with_value,
    without,
)
from .cod_values import wrong_integrity
from .mutant import USERS, Answer, Mutant, Setup, edited, key_of

RELAYED = TransportAddress.parse("192.0.2.1", 50_000)
ERROR_400, ERROR_401, ERROR_438 = (bytes([0, 0, 4, number]) for number in (0, 1, 38))
_OF_OWNERS = (Method.CREATE_PERMISSION, Method.CHANNEL_BIND, Method.REFRESH)
NONCE = b"obMatJos2gAAAthesameforall"


def _at_error(code: int, answer: Answer) -> Mutant:
    """Changes the answers with an error alone."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        return answer(request, response) if response.error_code == code else response.data

    return Mutant(change)


def _to_signed(code: int, answer: Answer) -> Mutant:
    """Changes the answers with an error to requests with credentials."""
    return _at_error(code, lambda q, a: answer(q, a) if Attr.NONCE in q.types else a.data)


def _changed(code: int, kind: Attr, value: bytes) -> Mutant:
    return _at_error(code, lambda q, a: edited(a, q, change={kind: value}))


def _dropped(code: int, *kinds: Attr) -> Mutant:
    return _at_error(code, lambda q, a: edited(a, q, drop=kinds))


def _added(code: int, kind: Attr, value: bytes) -> Mutant:
    return _at_error(code, lambda q, a: edited(a, q, add=[(kind, value)]))


def _granted(request: ReceivedMessage) -> bytes:
    """A success for an Allocate, that was never carried out."""
    builder = MessageBuilder(request.method, Class.SUCCESS, request.transaction_id)
    builder.add(Attr.XOR_RELAYED_ADDRESS, xor_address(RELAYED, request.transaction_id))
    builder.add(Attr.LIFETIME, (600).to_bytes(4, "big"))
    if Attr.PASSWORD_ALGORITHM in request.types:
        return builder.add_integrity_sha256(key_of(request, sha256=True)).build()
    return builder.add_integrity(key_of(request, sha256=False)).build()


def grant_instead(*codes: int) -> Mutant:
    """Grants what it should refuse with one of these errors, if credentials came along."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        is_signed = Attr.NONCE in request.types or Attr.REALM in request.types
        if request.method != Method.ALLOCATE or response.error_code not in codes or not is_signed:
            return response.data
        return _granted(request)

    return Mutant(answer)


def _refuse_with(value: bytes, *kinds: Attr) -> Mutant:
    """An error for a signed request that has one of these attributes."""

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.message_class is Class.ERROR or not set(kinds) & set(request.types):
            return response.data
        builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
        return builder.add(Attr.ERROR_CODE, value).build()

    return Mutant(answer)


def _refuse_without(value: bytes, kind: Attr) -> Mutant:
    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.message_class is Class.ERROR or kind in request.types:
            return response.data
        builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
        return builder.add(Attr.ERROR_CODE, value).build()

    return Mutant(answer)


def _obeying(code: int) -> Mutant:
    """Says that error to a deletion, and deletes."""
    return once(
        lambda q, a: is_error(code, Method.REFRESH)(q, a) and q.number(Attr.LIFETIME) == 0,
        is_success(Method.REFRESH),
        failing(437),
    )


def _sha1_decides(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    both = {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256}
    if not both <= set(request.types):
        return response.data
    if response.message_class is Class.SUCCESS:
        builder = MessageBuilder(request.method, Class.ERROR, request.transaction_id)
        return builder.add(Attr.ERROR_CODE, ERROR_401).build()
    return _granted(request)


def _unsigned(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    if response.error_code == 401:
        return response.data
    drop = [Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256]
    return edited(response, request, drop=drop)


def _unsigned_errors(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    return _unsigned(request, response) if response.error_code == 437 else response.data


def _either_is_enough(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    both = {Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256}
    is_meant = both <= set(request.types) and response.message_class is Class.ERROR
    return _granted(request) if is_meant else response.data


MUTANTS = {
    "STUNS-LTC-12": {
        "lets-in": grant_instead(401),
    },
    "STUNS-LTC-01": {
        "no-realm-for-owners": without(is_error(401, Method.CHANNEL_BIND), Attr.REALM),
        "empty-nonce-for-owners": with_value(is_error(401, Method.CHANNEL_BIND), Attr.NONCE, b""),
        "says-400": _changed(401, Attr.ERROR_CODE, ERROR_400),
        "no-realm": _dropped(401, Attr.REALM),
        "no-nonce": _dropped(401, Attr.NONCE),
        "empty-nonce": _changed(401, Attr.NONCE, b""),
        **{
            f"wants-none-for-{method.name.lower()}": with_success(is_error(401, method))
            for method in _OF_OWNERS
        },
        "says-437-to-refresh": with_error(is_error(401, Method.REFRESH), 437),
        "connects-strangers": with_success(is_error(401, Method.CONNECT)),
        "no-nonce-for-connect": without(is_error(401, Method.CONNECT), Attr.NONCE),
        "empty-realm-for-connect": with_value(is_error(401, Method.CONNECT), Attr.REALM, b""),
        "challenges-and-deletes": _obeying(401),
    },
    "STUNS-LTC-02": {
        "username": _added(401, Attr.USERNAME, b"ann"),
        "signed": _added(401, Attr.MESSAGE_INTEGRITY, bytes(20)),
    },
    "STUNS-LTC-03": {
        "none": _dropped(401, Attr.NONCE),
        "one-for-all": _changed(401, Attr.NONCE, NONCE),
    },
    "STUNS-LTC-04": {"says-400": _changed(438, Attr.ERROR_CODE, ERROR_400)},
    "STUNS-LTC-05": {
        "none": _dropped(401, Attr.NONCE),
        "no-cookie": _changed(401, Attr.NONCE, b"0123456789abcdefghij"),
        "no-base64": _changed(401, Attr.NONCE, b"obMatJos2....abcdef"),
        "unassigned-bits": _changed(401, Attr.NONCE, b"obMatJos2gAABabcdef"),
    },
    "STUNS-LTC-06": {
        "none": _dropped(401, Attr.NONCE),
        "bit-without-list": _dropped(401, Attr.PASSWORD_ALGORITHMS),
        "list-without-bit": _changed(401, Attr.NONCE, b"obMatJos2AAAAabcdef"),
    },
    "STUNS-LTC-07": {
        "says-401": _changed(400, Attr.ERROR_CODE, ERROR_401),
        "says-401-to-a-username-alone": with_error(
            lambda q, a: a.error_code == 400 and not {Attr.REALM, Attr.NONCE} & set(q.types), 401
        ),
        "says-401-to-who-is-nobody": with_error(
            lambda q, a: a.error_code == 400 and Attr.USERNAME not in q.types, 401
        ),
    },
    "STUNS-LTC-08": {
        "not-signed": Mutant(
            lambda q, a: (
                edited(a, q, drop=[Attr.MESSAGE_INTEGRITY])
                if a.message_class is Class.SUCCESS
                else a.data
            )
        ),
        "wants-an-algorithm": _refuse_without(ERROR_400, Attr.PASSWORD_ALGORITHM),
    },
    "STUNS-LTC-09": {
        "grants": grant_instead(400),
        "says-401": _changed(400, Attr.ERROR_CODE, ERROR_401),
    },
    "STUNS-LTC-10": {
        "no-realm": _to_signed(401, lambda q, a: edited(a, q, drop=[Attr.REALM])),
        "no-nonce": _to_signed(401, lambda q, a: edited(a, q, drop=[Attr.NONCE])),
        "says-400": _to_signed(401, lambda q, a: edited(a, q, change={Attr.ERROR_CODE: ERROR_400})),
        "no-list": _to_signed(401, lambda q, a: edited(a, q, drop=[Attr.PASSWORD_ALGORITHMS])),
    },
    "STUNS-LTC-11": {
        "no-realm-for-owners": without(is_error(401, Method.CHANNEL_BIND), Attr.REALM),
        "no-nonce-for-owners": without(is_error(401, Method.CHANNEL_BIND), Attr.NONCE),
        "signed-for-owners": with_more(
            is_error(401, Method.CHANNEL_BIND),
            (Attr.MESSAGE_INTEGRITY, bytes(20)),
        ),
        "no-realm": _to_signed(401, lambda q, a: edited(a, q, drop=[Attr.REALM])),
        "no-nonce": _to_signed(401, lambda q, a: edited(a, q, drop=[Attr.NONCE])),
        "signed": _to_signed(
            401, lambda q, a: edited(a, q, add=[(Attr.MESSAGE_INTEGRITY, bytes(20))])
        ),
        "says-400": _to_signed(401, lambda q, a: edited(a, q, change={Attr.ERROR_CODE: ERROR_400})),
        "grants": grant_instead(401),
        "challenges-and-deletes": _obeying(401),
        **{
            f"grants-{method.name.lower()}": with_success(is_error(401, method))
            for method in _OF_OWNERS
        },
    },
    "STUNS-LTC-13": {
        "refuses-the-fresh-one": with_error(is_success(Method.ALLOCATE), 401),
        "says-401": _changed(438, Attr.ERROR_CODE, ERROR_401),
        "no-nonce": _dropped(438, Attr.NONCE),
        "no-list": _dropped(438, Attr.PASSWORD_ALGORITHMS),
        "takes-any": grant_instead(438),
        **{
            f"takes-any-for-{method.name.lower()}": with_success(is_error(438, method))
            for method in _OF_OWNERS
        },
        "no-nonce-for-refresh": without(is_error(438, Method.REFRESH), Attr.NONCE),
        "no-list-for-refresh": without(is_error(438, Method.REFRESH), Attr.PASSWORD_ALGORITHMS),
        "says-so-and-deletes": _obeying(438),
    },
    "STUNS-LTC-14": {
        "wrong-integrity": Mutant(wrong_integrity),
        "unsigned": Mutant(_unsigned),
        "unsigned-errors": Mutant(_unsigned_errors),
        "username": Mutant(
            lambda q, a: (
                edited(a, q, add=[(Attr.USERNAME, b"ann")])
                if a.message_class is Class.SUCCESS
                else a.data
            )
        ),
    },
    "STUNS-LTC-15": {
        "sha-1-is-enough": Mutant(_either_is_enough),
        "sha-1-decides": Mutant(_sha1_decides),
    },
    "STUNS-LTC-16": {
        "unknown-ones-are-400": with_error(
            lambda q, a: q.get(Attr.USERHASH) == bytes(32) and a.error_code == 401, 400
        ),
        "knows-none": _refuse_with(ERROR_401, Attr.USERHASH),
    },
    "STUNS-LTC-17": {
        "ends-early": with_error(is_success(Method.REFRESH), 437),
        "never": Mutant(options={"nonce_lifetime": 1e6}),
    },
    "STUNS-LTC-20": {
        "never-expires": grant_instead(401),
        "knows-no-secret": Mutant(options={"credentials": CredentialVerifier(USERS)}),
    },
}

OPEN = {
    "STUNS-LTC-12": "what is looked at first",
    "STUNS-LTC-18": "a nonce for each attempt is wanted, not demanded",
}

SETUPS = {
    "STUNS-LTC-01": Setup({"tcp_relay": True}),
    "STUNS-LTC-16": Setup({"offers_userhash": True, "credentials": CredentialVerifier(USERS)}),
}
