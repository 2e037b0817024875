"""Clients that are wrong about what of TURN is an option: TCP, mobility, access tokens."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from conformance.building import MessageBuilder, xor_address
from conformance.codes import Attr, Class, Method
from conformance.reading import ReceivedMessage

from .mutant import (
    LONG_TERM_KEY,
    SETTINGS,
    Mutant,
    Sent,
    as_method,
    edited,
    request_of,
    response_of,
)
from .wrongs import Make, changes_signed, hears_otherwise, new_id
from .wrongs_turn import drops_requests


def connects_again(after: float) -> Mutant:
    """A Connect request is made once more, for the same peer."""

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.CONNECT)
        if message is None:
            return [(0.0, data)]
        again = edited(message, transaction_id=new_id(message.transaction_id, 1))
        return [(0.0, data), (after, again)]

    return Mutant(sends)


def with_ticket(ticket: bytes, *methods: int) -> Mutant:
    """It has this ticket in all requests of these methods."""
    return changes_signed(
        lambda m: edited(m, drop=[Attr.MOBILITY_TICKET], add=[(Attr.MOBILITY_TICKET, ticket)]),
        *methods,
    )


def always_with_ticket(*methods: int) -> Mutant:
    """What has no ticket gets one."""

    def change(message: ReceivedMessage) -> bytes:
        if Attr.MOBILITY_TICKET in message.types:
            return message.data
        return edited(message, add=[(Attr.MOBILITY_TICKET, b"")])

    return changes_signed(change, *methods)


def talks_from_its_new_address() -> Mutant:
    """With the Refresh that moves goes a Send indication."""

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.REFRESH)
        if message is None or Attr.MOBILITY_TICKET not in message.types:
            return [(0.0, data)]
        early = MessageBuilder(Method.SEND, Class.INDICATION, bytes(12))
        early.add(Attr.XOR_PEER_ADDRESS, xor_address(SETTINGS.peer, bytes(12)))
        return [(0.0, data), (0.1, early.add(Attr.DATA, b"early").build())]

    return Mutant(sends)


def refreshes_with_a_ticket() -> Mutant:
    """A Refresh with a ticket goes out where nothing has moved."""
    numbers = itertools.count(1)

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.CREATE_PERMISSION)
        if message is None:
            return [(0.0, data)]
        refresh = as_method(
            message,
            Method.REFRESH,
            transaction_id=new_id(message.transaction_id, next(numbers)),
            drop=[Attr.XOR_PEER_ADDRESS],
            add=[(Attr.MOBILITY_TICKET, b"mine")],
        )
        return [(0.0, data), (0.1, refresh)]

    return Mutant(sends)


def binds_over_the_same_connection() -> Mutant:
    """ConnectionBind goes where Connect went."""
    asked: list[ReceivedMessage] = []

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, Method.CONNECT)
        asked.extend([] if message is None else [message])
        return [(0.0, data)]

    def hears(data: bytes) -> list[bytes]:
        success = response_of(data, Method.CONNECT)
        if success is None:
            return [data]
        bind = as_method(
            asked[-1],
            Method.CONNECTION_BIND,
            transaction_id=new_id(success.transaction_id, 1),
            drop=[Attr.XOR_PEER_ADDRESS],
            add=[(Attr.CONNECTION_ID, success.get(Attr.CONNECTION_ID) or b"")],
        )
        mutant.replies.append((0.0, bind))
        return []

    mutant = Mutant(sends, hears)
    return mutant


GRANT = SETTINGS.grant

OPTIONS: Mapping[str, Mapping[str, Make]] = {
    "TURNC-TCP-01": {
        "dont-fragment": lambda: changes_signed(
            lambda m: edited(m, add=[(Attr.DONT_FRAGMENT, b"")]), Method.ALLOCATE
        ),
    },
    "TURNC-TCP-02": {
        "other-id": lambda: changes_signed(
            lambda m: edited(m, change={Attr.CONNECTION_ID: b"wrng"}), Method.CONNECTION_BIND
        ),
        "no-connection": lambda: Mutant(never_reconnects=True),
        "same-connection": binds_over_the_same_connection,
        "no-peer": lambda: changes_signed(
            lambda m: edited(m, drop=[Attr.XOR_PEER_ADDRESS]), Method.CONNECT
        ),
    },
    "TURNC-TCP-03": {
        "at-once": lambda: connects_again(3.0),
        "both": lambda: connects_again(0.2),
    },
    "TURNC-TCP-04": {
        "other-id": lambda: changes_signed(
            lambda m: edited(m, change={Attr.CONNECTION_ID: b"wrng"}), Method.CONNECTION_BIND
        ),
    },
    "TURNC-TCP-05": {"forgets": lambda: drops_requests(Method.REFRESH)},
    "TURNC-MOB-01": {"filled": lambda: with_ticket(b"mine", Method.ALLOCATE)},
    "TURNC-MOB-02": {
        "always": lambda: always_with_ticket(Method.REFRESH),
        "before": refreshes_with_a_ticket,
    },
    "TURNC-MOB-03": {
        "another": lambda: with_ticket(b"mine", Method.REFRESH),
        "talks": talks_from_its_new_address,
    },
    "TURNC-MOB-04": {"asks-again": lambda: always_with_ticket(Method.ALLOCATE)},
    "TURNC-OAUTH-01": {
        "other-token": lambda: changes_signed(
            lambda m: edited(m, change={Attr.ACCESS_TOKEN: b"mine"}, key=GRANT.mac_key)
        ),
        "own-name": lambda: changes_signed(lambda m: edited(m, change={Attr.USERNAME: b"ann"})),
    },
    "TURNC-OAUTH-02": {
        "everywhere": lambda: changes_signed(
            lambda m: edited(m, add=[(Attr.ACCESS_TOKEN, GRANT.token)], key=GRANT.mac_key),
            Method.CREATE_PERMISSION,
        ),
        "password": lambda: changes_signed(lambda m: edited(m, key=LONG_TERM_KEY)),
    },
    "TURNC-OAUTH-03": {
        "believes": lambda: hears_otherwise(
            lambda m: edited(m, key=GRANT.mac_key), Method.ALLOCATE
        ),
    },
}
