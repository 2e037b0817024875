"""STUN codec of a connectivity check, against aioice (``pip install aioice``).

Three rows: verifying a check (decode, fingerprint, integrity), the same and reading
its USERNAME, PRIORITY and role, and writing the response (XOR-MAPPED-ADDRESS,
integrity, fingerprint). aioice always reads all values, so that its first two rows
are the same work. Both sides run interleaved in one process; the ratio is the median
over the rounds.

    python -m benchmarks.bench_stun_codec
"""

from __future__ import annotations

import argparse
import statistics
import timeit
from collections.abc import Callable

from aioice import stun as peer

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


def compare(
    name: str, ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> None:
    calls = 2000
    times: list[tuple[float, float]] = []
    for _ in range(rounds):
        mine = timeit.timeit(ours, number=calls) / calls
        times.append((mine, timeit.timeit(theirs, number=calls) / calls))
    mine = statistics.median(time for time, _ in times)
    other = statistics.median(time for _, time in times)
    ratio = statistics.median(theirs / ours for ours, theirs in times)
    print(
        f"{name:<16} hairpin {mine * 1e6:6.2f} us ({1 / mine:9,.0f}/s)   "
        f"aioice {other * 1e6:6.2f} us ({1 / other:9,.0f}/s)   {ratio:5.1f}x faster"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    assert write_response() == peer_write_response()
    assert Message.decode(CHECK).has(Fingerprint)
    compare("verify a check", verify_check, peer_read_check, rounds)
    compare("verify and read", read_check, peer_read_check, rounds)
    compare("write a response", write_response, peer_write_response, rounds)


if __name__ == "__main__":
    main()
