"""Servers that do what the RFC leaves to them, in ways that few do."""

from __future__ import annotations

import collections
import itertools

from conformance.building import xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .mutants import Mutant
from .mutants.changing import failing, parsed
from .mutants.mutant import edited
from .mutants.stuns_tcp import HELLO_VERIFY_REQUEST
from .mutants.turn_alloc import V4_ALONE
from .mutants.turn_gen import error


def narrow(ports: int) -> Mutant:
    """A range of so many ports."""
    return Mutant(options={"min_port": 50_000, "max_port": 49_999 + ports})


def knows_no_pairs_of_ports(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """As servers that have neither EVEN-PORT nor RESERVATION-TOKEN."""
    unknown = [kind for kind in (Attr.EVEN_PORT, Attr.RESERVATION_TOKEN) if kind in request.types]
    if request.method != Method.ALLOCATE or not unknown:
        return response.data
    listed = b"".join(kind.to_bytes(2, "big") for kind in unknown)
    return edited(
        response,
        request,
        drop=[Attr.ERROR_CODE],
        add=[(Attr.ERROR_CODE, error(420)), (Attr.UNKNOWN_ATTRIBUTES, listed)],
        message_class=Class.ERROR,
    )


def drops_what_is_malformed(_: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
    return None if response.error_code == 400 else response.data


class FewPermissions:
    """508 to who asks for more than ten permissions."""

    def __init__(self) -> None:
        self._permitted: collections.defaultdict[bytes | None, set[bytes]]
        self._permitted = collections.defaultdict(set)

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if request.method != Method.CREATE_PERMISSION or response.error_code is not None:
            return response.data
        mine = self._permitted[request.get(Attr.NONCE)]  # each 5-tuple has its own
        asked = mine | {each[4:] for each in request.get_all(Attr.XOR_PEER_ADDRESS)}
        if len(asked) <= 10:
            mine |= asked
            return response.data
        add = [(Attr.ERROR_CODE, error(508))]
        return edited(response, request, message_class=Class.ERROR, add=add)


def up_to(size: int) -> Mutant:
    """Relays no more bytes in one datagram: larger ones get lost."""

    def drop(data: bytes) -> bytes | None:
        return data if len(data) <= size else None

    return Mutant(relay=drop, hear=drop)


def behind_a_nat() -> Mutant:
    """As it looks where a NAT has another port for each address of the server, and lets nothing
    in from where nothing was sent to."""
    ports = itertools.count(30_000)

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        if Attr.CHANGE_REQUEST in request.types:
            return None
        mapped = TransportAddress.parse("192.0.2.2", next(ports))
        value = xor_address(mapped, response.transaction_id)
        return edited(response, request, change={Attr.XOR_MAPPED_ADDRESS: value})

    return Mutant(answer)


def decodes_nonces() -> Mutant:
    """As a server whose nonces end with bits that do not count, as base64 may."""
    given: dict[bytes, bytes] = {}

    def answer(_: ReceivedMessage, response: ReceivedMessage) -> bytes:
        nonce = response.get(Attr.NONCE)
        if nonce is not None:
            given[nonce[:-1]] = nonce
        return response.data

    def take(data: bytes) -> bytes:
        message = parsed(data)
        nonce = None if message is None else message.get(Attr.NONCE)
        if message is None or nonce is None or given.get(nonce[:-1], nonce) == nonce:
            return data
        return edited(message, message, change={Attr.NONCE: given[nonce[:-1]]})

    return Mutant(answer, take=take)


class Banning:
    """Is silent to everybody after a hundred Allocate requests of a header alone."""

    def __init__(self) -> None:
        self._left = 100

    def __call__(self, data: bytes) -> bytes | None:
        self._left -= len(data) == 20 and data[:2] == b"\x00\x03"
        return data if self._left > 0 else None


def greet(data: bytes) -> bytes | None:
    return HELLO_VERIFY_REQUEST if data[:1] == b"\x16" else None


def of_rfc_5766() -> Mutant:
    """Knows IPv4 alone, and no attributes about families."""

    def take(data: bytes) -> bytes:
        message = parsed(data)
        if message is None or Attr.ADDITIONAL_ADDRESS_FAMILY not in message.types:
            return data
        if Attr.NONCE not in message.types:
            return data
        return edited(message, message, drop=[Attr.ADDITIONAL_ADDRESS_FAMILY])

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        is_asked = Attr.REQUESTED_ADDRESS_FAMILY in request.types
        if is_asked and Attr.NONCE in request.types and response.error_code not in (401, 438):
            refusal = ReceivedMessage.parse(failing(420)(request, response) or b"")
            add = [(Attr.UNKNOWN_ATTRIBUTES, b"\x00\x17")]
            return edited(refusal, request, drop=[Attr.XOR_MAPPED_ADDRESS], add=add)
        if response.error_code == 443:
            return failing(400)(request, response)
        return response.data

    return Mutant(answer, take=take, options=V4_ALONE)
