"""What breaks the rows of TURN-TCP about data connections, and how they come to be (RFC 6062
sections 5.3 to 5.5)."""

from __future__ import annotations

import ipaddress

from conformance.building import xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage
from transport import TransportAddress

from .changing import code, failing, is_error, nth, parsed, with_success
from .mutant import Answer, Mutant, Setup, TcpFault, edited, only
from .relaying import says

ELSEWHERE = TransportAddress(ipaddress.ip_address("192.0.2.2"), 9)


def _for_id(number: int, *, has_id: bool) -> Mutant:
    """Has another error code in answers to ConnectionBind with a CONNECTION-ID, or without."""

    def change(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        is_meant = (Attr.CONNECTION_ID in request.types) == has_id
        if response.error_code != 400 or not is_meant:
            return response.data
        return edited(response, request, change={Attr.ERROR_CODE: code(number)})

    return Mutant(only(Method.CONNECTION_BIND, change))


def _attempt(change: Answer) -> Mutant:
    """Tells of peers in another way."""

    def tell(data: bytes) -> bytes | None:
        message = parsed(data)
        if message is None or message.method != Method.CONNECTION_ATTEMPT:
            return data
        return change(message, message)

    return Mutant(tell=tell)


def _of_another(_: ReceivedMessage, attempt: ReceivedMessage) -> bytes:
    value = xor_address(ELSEWHERE, attempt.transaction_id)
    return edited(attempt, change={Attr.XOR_PEER_ADDRESS: value})


def _with_any_password() -> Mutant:
    """Takes any ConnectionBind for one with the right password."""

    def take(data: bytes) -> bytes:
        message = parsed(data)
        if message is None or message.method != Method.CONNECTION_BIND:
            return data
        return edited(message, message)

    return Mutant(take=take)


def _of_any_user() -> Mutant:
    """Takes a ConnectionBind of bob for one of ann."""

    def take(data: bytes) -> bytes:
        message = parsed(data)
        if message is None or message.method != Method.CONNECTION_BIND:
            return data
        if message.get(Attr.USERNAME) != b"bob":
            return data
        renamed = parsed(edited(message, message, change={Attr.USERNAME: b"ann"}))
        return data if renamed is None else edited(renamed, renamed)

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        return edited(response, request)

    return Mutant(only(Method.CONNECTION_BIND, answer), take=take)


_UNBOUND = is_error(400, Method.CONNECTION_BIND)


def _granted(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    return edited(response, request, message_class=Class.SUCCESS, drop=[Attr.ERROR_CODE])


MUTANTS = {
    "TURN-TCP-13": {
        "closes-soon": Mutant(tcp=TcpFault.CLOSES_SOON),
        "keeps": Mutant(tcp=TcpFault.KEEPS_UNBOUND),
        "keeps-those-of-peers": Mutant(tcp=TcpFault.KEEPS_UNBOUND_OF_PEERS),
    },
    "TURN-TCP-14": {
        "long-id": _attempt(
            lambda _, attempt: edited(attempt, change={Attr.CONNECTION_ID: bytes(8)})
        ),
        "another-id": _attempt(
            lambda _, attempt: edited(attempt, change={Attr.CONNECTION_ID: b"\xa5\x5a\xa5\x5a"})
        ),
        "no-indication": _attempt(lambda _, attempt: edited(attempt, message_class=Class.REQUEST)),
        "of-zeros": _attempt(lambda _, attempt: attempt.data[:20] + bytes(len(attempt.data) - 20)),
        "no-message": _attempt(
            lambda _, attempt: attempt.data[:20] + b"\0\x12\xff\xff" + attempt.data[24:]
        ),
        "loses-what-the-peer-sends": Mutant(tcp=TcpFault.LOSES_EARLY),
        "frames": Mutant(tcp=TcpFault.FRAMES),
        "keeps-strangers": Mutant(tcp=TcpFault.KEEPS_STRANGERS),
        "tells-of-strangers": Mutant(tcp=TcpFault.TELLS_OF_STRANGERS),
        "silent": _attempt(lambda _message, _same: None),
        "another-peer": _attempt(_of_another),
        "no-peer": _attempt(lambda _, attempt: edited(attempt, drop=[Attr.XOR_PEER_ADDRESS])),
        "no-id": _attempt(lambda _, attempt: edited(attempt, drop=[Attr.CONNECTION_ID])),
    },
    "TURN-TCP-15": {
        **{
            f"{name}-is-a-mismatch": nth(_UNBOUND, [number], failing(437))
            for number, name in enumerate(("bound", "over-udp", "unknown", "missing"), start=1)
        },
        **{
            f"{name}-is-taken": nth(_UNBOUND, [number], _granted)
            for number, name in enumerate(("bound", "over-udp", "unknown", "missing"), start=1)
        },
        "mismatch-without-id": _for_id(437, has_id=False),
        "mismatch-with-id": _for_id(437, has_id=True),
        "another-user-is-forbidden": says(Method.CONNECTION_BIND, 403, 441),
        "another-user-may": _of_any_user(),
    },
    "TURN-TCP-16": {
        "reads-data": Mutant(tcp=TcpFault.READS_DATA),
        "spoils-much-to-peers": Mutant(tcp=TcpFault.SPOILS_MUCH_TO_PEERS),
        "spoils-much-to-clients": Mutant(tcp=TcpFault.SPOILS_MUCH_TO_CLIENTS),
        "loses-much-to-peers": Mutant(tcp=TcpFault.LOSES_MUCH_TO_PEERS),
        "loses-much-to-clients": Mutant(tcp=TcpFault.LOSES_MUCH_TO_CLIENTS),
        "loses-early": Mutant(tcp=TcpFault.LOSES_EARLY),
        "frames": Mutant(tcp=TcpFault.FRAMES),
        "frames-to-peers": Mutant(tcp=TcpFault.FRAMES_TO_PEERS),
    },
    "TURN-TCP-17": {
        "tells-peers-of-the-deletion": Mutant(tcp=TcpFault.SAYS_GOODBYE_AT_DELETION_TO_PEERS),
        "tells-clients-of-the-deletion": Mutant(tcp=TcpFault.SAYS_GOODBYE_AT_DELETION_TO_CLIENTS),
        "says-goodbye-to-peers": Mutant(tcp=TcpFault.SAYS_GOODBYE_TO_PEERS),
        "says-goodbye-to-clients": Mutant(tcp=TcpFault.SAYS_GOODBYE_TO_CLIENTS),
        "peer-outlives-allocation": Mutant(tcp=TcpFault.PEER_OUTLIVES_ALLOCATION),
        "keeps-peer": Mutant(tcp=TcpFault.KEEPS_PEER),
        "keeps-client": Mutant(tcp=TcpFault.KEEPS_CLIENT),
        "outlives-allocation": Mutant(tcp=TcpFault.OUTLIVES_ALLOCATION),
    },
    "TURN-TCP-18": {
        "without-credentials": with_success(
            lambda q, a: q.method == Method.CONNECTION_BIND and Attr.NONCE not in q.types
        ),
        "any-password": _with_any_password(),
        "any-user": _of_any_user(),
    },
    "TURN-TCP-19": {
        "spoils-what-it-held-back": Mutant(tcp=TcpFault.SPOILS_MUCH_TO_CLIENTS),
        "no-bound": Mutant(tcp=TcpFault.HAS_NO_BOUND),
    },
}

OPEN: dict[str, str] = {}

SETUPS = {row_id: Setup(options={"tcp_relay": True}) for row_id in MUTANTS}
