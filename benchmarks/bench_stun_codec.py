"""STUN codec of a connectivity check, against aioice (``pip install aioice``).

Three rows: verifying a check (decode, fingerprint, integrity), the same and reading
its USERNAME, PRIORITY and role, and writing the response (XOR-MAPPED-ADDRESS,
integrity, fingerprint). aioice always reads all values, so that its first two rows
are the same work. Both sides run interleaved in one process; the ratio is the median
over the rounds.

    python -m benchmarks.bench_stun_codec
"""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable, Iterator

from aioice import stun as peer

from benchmarks.table import Row, print_rows
from stun import (
    Fingerprint,
    IceControlling,
    Message,
    MessageClass,
    Method,
    Priority,
    Username,
    XorMappedAddress,
    encode_message,
    short_term_key,
)
from transport import TransportAddress

PASSWORD = "VOkJxbRl1RmTxUk/WvJxBt"
SOURCE = TransportAddress.parse("192.0.2.1", 32853)
KEY = short_term_key(PASSWORD)
PEER_KEY = PASSWORD.encode()
TRANSACTION_ID = bytes(range(12))
USERNAME = "evtj:h6vY"
CHECK = encode_message(
    Method.BINDING,
    MessageClass.REQUEST,
    TRANSACTION_ID,
    (Username(USERNAME), Priority(0x6E0001FF), IceControlling(0x932FF9B151263B36)),
    key=KEY,
    fingerprint=True,
)


def verify_check() -> Message:
    message = Message.decode(CHECK)
    assert message.fingerprint_ok
    assert message.verify_integrity(KEY)
    return message


def read_check() -> None:
    message = verify_check()
    username = message.get(Username)
    assert username is not None
    assert username.username == USERNAME
    assert message.get(Priority) is not None
    assert message.get(IceControlling) is not None


def peer_read_check() -> None:
    message = peer.parse_message(CHECK)  # checks the fingerprint itself
    assert message.check_message_integrity(PEER_KEY)
    assert message.attributes["USERNAME"] == USERNAME
    assert "PRIORITY" in message.attributes
    assert "ICE-CONTROLLING" in message.attributes


def write_response() -> bytes:
    return encode_message(
        Method.BINDING,
        MessageClass.SUCCESS,
        TRANSACTION_ID,
        (XorMappedAddress(SOURCE),),
        key=KEY,
        fingerprint=True,
    )


def peer_write_response() -> bytes:
    message = peer.Message(
        message_method=peer.Method.BINDING,
        message_class=peer.Class.RESPONSE,
        transaction_id=TRANSACTION_ID,
    )
    message.attributes["XOR-MAPPED-ADDRESS"] = (str(SOURCE.ip), SOURCE.port)
    message.add_message_integrity(PEER_KEY)  # and FINGERPRINT
    return bytes(message)


ROWS: tuple[tuple[str, Callable[[], object], Callable[[], object], float, float], ...] = (
    ("connectivity check: parse and verify", verify_check, peer_read_check, 3.0, 4.0),
    ("connectivity check: parse, verify, read all", read_check, peer_read_check, 1.0, 2.0),
    ("connectivity check: response with integrity", write_response, peer_write_response, 8.0, 14.0),
)
"""Name, our side, aioice's, the ratio that must hold and the one to aim at. For reading all
values there is no target; it is aioice's only way."""


def rows(rounds: int) -> Iterator[Row]:
    assert write_response() == peer_write_response()
    assert Message.decode(CHECK).has(Fingerprint)
    for name, ours, theirs, must_hold, aim in ROWS:
        times = [(_seconds(ours), _seconds(theirs)) for _ in range(5 * rounds)]
        mine, other = (statistics.median(column) for column in zip(*times, strict=True))
        yield Row(
            name,
            f"{mine * 1e6:.2f} us",
            f"aioice {other * 1e6:.2f} us",
            statistics.median(theirs / ours for ours, theirs in times),
            must_hold=must_hold,
            aim=aim,
        )


def _seconds(call: Callable[[], object]) -> float:
    """For one call; the best of a few, as nothing makes a call faster than it is."""
    return min(timeit.repeat(call, number=500, repeat=5)) / 500


if __name__ == "__main__":
    print_rows(__doc__, rows)
