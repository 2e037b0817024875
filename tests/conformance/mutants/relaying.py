"""Ways to break what a relay does with requests about peers, and with data."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from conformance.building import MessageBuilder
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import DecodeError, TransportAddress

from .mutant import Answer, Blurt, Mutant, edited, key_of, only

Change = Callable[[bytes], bytes | None]

INTEGRITY = (Attr.MESSAGE_INTEGRITY, Attr.MESSAGE_INTEGRITY_SHA256)


def error(code: int) -> bytes:
    """The value of ERROR-CODE."""
    return bytes([0, 0, code // 100, code % 100])


def parsed(data: bytes) -> ReceivedMessage | None:
    """None for what is no STUN message."""
    if data[:1] >= b"\x40":
        return None
    try:
        return ReceivedMessage.parse(data)
    except DecodeError:
        return None


def is_signed(message: ReceivedMessage) -> bool:
    return bool(set(INTEGRITY) & set(message.types))


def says(method: Method, code: int, *instead_of: int) -> Mutant:
    """Says this error in place of those."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.error_code not in instead_of:
            return response.data
        return edited(response, request, change={Attr.ERROR_CODE: error(code)})

    return Mutant(only(method, change))


def refuses(method: Method, code: int, *, when: Callable[[ReceivedMessage], bool]) -> Mutant:
    """Says this error in place of success, to some requests."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.message_class is Class.ERROR or not when(request):
            return response.data
        kinds = [(Attr.ERROR_CODE, error(code))]
        return edited(response, request, message_class=Class.ERROR, add=kinds)

    return Mutant(only(method, change))


def grants(method: Method, *instead_of: int) -> Mutant:
    """Says success in place of these errors, and does nothing."""
    return Mutant(only(method, granted(*instead_of)))


def granted(*instead_of: int) -> Answer:
    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.error_code not in instead_of:
            return response.data
        builder = MessageBuilder(request.method, Class.SUCCESS, request.transaction_id)
        if Attr.PASSWORD_ALGORITHM in request.types:
            return builder.add_integrity_sha256(key_of(request, sha256=True)).build()
        return builder.add_integrity(key_of(request, sha256=False)).build()

    return change


def unsigned(method: Method) -> Mutant:
    """Signs no success."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if response.message_class is Class.ERROR:
            return response.data
        return edited(response, request, drop=INTEGRITY)

    return Mutant(only(method, change))


def rewritten(
    method: Method, attributes: Callable[[ReceivedMessage], Iterable[tuple[int, bytes]]]
) -> Change:
    """Takes a message of a client as if it had these attributes of its own in place of those
    it has (but who asks, and the integrity)."""
    identity = {
        Attr.USERNAME,
        Attr.REALM,
        Attr.NONCE,
        Attr.PASSWORD_ALGORITHM,
        Attr.PASSWORD_ALGORITHMS,
        *INTEGRITY,
    }

    def change(data: bytes) -> bytes:
        message = parsed(data)
        if message is None or message.method != method:
            return data
        drop = set(message.types) - identity
        return edited(message, message, drop=drop, add=attributes(message))

    return change


def relaying_for_anybody(host: str | None = None) -> Blurt:
    """Sends what is in a Send indication where it says, whoever asks (or to that host alone)."""

    def blurt(data: bytes) -> tuple[TransportAddress, bytes] | None:
        message = parsed(data)
        if message is None or message.method != Method.SEND:
            return None
        peer, payload = message.xor_address(Attr.XOR_PEER_ADDRESS), message.get(Attr.DATA)
        if peer is None or payload is None or host not in (None, peer.host):
            return None
        return peer, payload

    return blurt


def own(message: ReceivedMessage) -> list[tuple[int, bytes]]:
    """What a message says, without who says it."""
    told = {Attr.USERNAME, Attr.REALM, Attr.NONCE, *INTEGRITY}
    told |= {Attr.PASSWORD_ALGORITHM, Attr.PASSWORD_ALGORITHMS}
    return [(each.type, each.value) for each in message.attributes if each.type not in told]
