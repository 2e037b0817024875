"""What breaks the rows of TURN-TCP about connecting to peers (RFC 6062 section 5.2)."""

from __future__ import annotations

from conformance.codes import Attr, Method
from conformance.reading import ReceivedMessage

from .changing import (
    failing,
    is_error,
    is_success,
    nth,
    once,
    silent_where,
    with_error,
    with_success,
    with_value,
    without,
)
from .mutant import Mutant, Setup, TcpFault
from .relaying import says

SAME_ID = b"same"


def _has_bad_peer(request: ReceivedMessage, response: ReceivedMessage) -> bool:
    is_meant = request.method == Method.CONNECT and Attr.XOR_PEER_ADDRESS in request.types
    return is_meant and response.error_code == 400


def _taking_for_the_last(size: int) -> Mutant:
    """Says that somebody is connected to, where XOR-PEER-ADDRESS is bad and has that size."""

    def when(request: ReceivedMessage, response: ReceivedMessage) -> bool:
        peer = request.get(Attr.XOR_PEER_ADDRESS) or b""
        return _has_bad_peer(request, response) and len(peer) == size

    return with_success(when, (Attr.CONNECTION_ID, SAME_ID))


def _one_peer_for_all() -> Mutant:
    """Takes another port of a peer for the same peer."""
    return once(is_success(Method.CONNECT), is_success(Method.CONNECT), failing(446))


MUTANTS = {
    "TURN-TCP-06": {"bad-request": says(Method.CONNECT, 400, 437)},
    "TURN-TCP-07": {
        "forbids-bad-ones": with_error(_has_bad_peer, 403),
        "takes-4-bytes": _taking_for_the_last(4),
        "takes-family-3": _taking_for_the_last(8),
        "forbidden": says(Method.CONNECT, 403, 400),
    },
    "TURN-TCP-08": {
        "one-peer-for-all": _one_peer_for_all(),
        "failure-while-another-is-processed": nth(is_error(446, Method.CONNECT), [3], failing(447)),
        "failure": says(Method.CONNECT, 447, 446),
        "forgets-connecting": Mutant(tcp=TcpFault.FORGETS_CONNECTING),
        "forgets-pending": Mutant(tcp=TcpFault.FORGETS_PENDING),
        "forgets-active": Mutant(tcp=TcpFault.FORGETS_ACTIVE),
    },
    "TURN-TCP-09": {"failure": says(Method.CONNECT, 447, 403)},
    "TURN-TCP-10": {
        "silent": silent_where(is_error(447)),
        "server-error-of-the-deaf": nth(is_error(447), [2], failing(500)),
        "server-error": says(Method.CONNECT, 500, 447),
        "gives-up-soon": Mutant(tcp=TcpFault.GIVES_UP_SOON),
    },
    "TURN-TCP-11": {
        "refuses": with_error(is_success(Method.CONNECT), 400),
        "connects-nobody": Mutant(tcp=TcpFault.CONNECTS_NOBODY),
        "from-another-port": Mutant(tcp=TcpFault.FROM_ANOTHER_PORT),
    },
    "TURN-TCP-12": {
        "none": without(is_success(Method.CONNECT), Attr.CONNECTION_ID),
        "long": with_value(is_success(Method.CONNECT), Attr.CONNECTION_ID, bytes(8)),
        "the-same": with_value(is_success(Method.CONNECT), Attr.CONNECTION_ID, SAME_ID),
    },
}

OPEN: dict[str, str] = {}

SETUPS = {row_id: Setup(options={"tcp_relay": True}) for row_id in MUTANTS}
