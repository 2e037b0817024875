"""ConnectionBind: joining a stream of the client's with a peer's (RFC 6062 section 5.4)."""

from __future__ import annotations

from stun import ConnectionId, Message
from stun import ErrorNumber as Error
from transport import DecodeError
from turn.server.allocation import Allocation
from turn.server.authentication import is_owner
from turn.server.request import Refused, Request
from turn.server.state import ServerState

from .connections import ConnectionState
from .events import ConnectionsJoined


def allocation_to_bind(state: ServerState, message: Message) -> Allocation | None:
    """The allocation whose connection is meant: the stream itself has none."""
    try:
        named = message.get(ConnectionId)
    except DecodeError:
        return None
    connection = None if named is None else state.connections.get(named.connection_id)
    return None if connection is None else connection.allocation


def bind_connection(state: ServerState, request: Request) -> bytes:
    """The success, behind which the stream carries the peer's bytes and nothing else.

    Raises:
        Refused: with the error to answer.
        DecodeError: the CONNECTION-ID is malformed.
    """
    if not request.path.transport.is_reliable:
        raise Refused(Error.BAD_REQUEST)
    named = request.message.get(ConnectionId)
    connection = None if named is None else state.connections.get(named.connection_id)
    if connection is None or connection.state is not ConnectionState.PENDING:
        raise Refused(Error.BAD_REQUEST)
    if not is_owner(request, connection.allocation):
        raise Refused(Error.WRONG_CREDENTIALS)
    state.connections.join(connection)
    state.outbox.events.append(
        ConnectionsJoined(request.path, connection.connection_id, connection.allocation.meter)
    )
    return request.success()
