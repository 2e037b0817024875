"""Clients that are wrong about STUN: for each script, those that break just its row."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Mapping

from conformance.codes import Attr, Method
from conformance.reading import ReceivedMessage
from stun.exchanges import TransactionTiming

from .actors import Manners
from .mutant import (
    LONG_TERM_KEY,
    SHA256_KEY,
    Mutant,
    Sent,
    edited,
    is_signed,
    read,
    request_of,
    response_of,
)

Make = Callable[[], Mutant]
SHA256 = Attr.MESSAGE_INTEGRITY_SHA256
SHA1 = Attr.MESSAGE_INTEGRITY


def new_id(message_id: bytes, number: int) -> bytes:
    return bytes([message_id[0] ^ 0x80]) + message_id[1:10] + number.to_bytes(2, "big")


def sends_again(after: float) -> Mutant:
    """What it sends first goes out once more."""
    seen: set[bytes] = set()

    def sends(data: bytes, now: float) -> Sent:
        message = read(data)
        if message is None or message.transaction_id in seen:
            return [(0.0, data)]
        seen.add(message.transaction_id)
        return [(0.0, data), (after, data)]

    return Mutant(sends)


def at_times(*times: float) -> Mutant:
    """Copies leave at these times, whatever the RFC says."""
    seen: set[bytes] = set()

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        if message.transaction_id in seen:
            return []
        seen.add(message.transaction_id)
        return [(at, data) for at in times]

    return Mutant(sends)


def changes_copies(change: Callable[[bytes, int], bytes]) -> Mutant:
    """From the second on they are others."""
    counts: dict[bytes, int] = {}

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        number = counts[message.transaction_id] = counts.get(message.transaction_id, 0) + 1
        return [(0.0, data if number == 1 else change(data, number))]

    return Mutant(sends)


def other_id(data: bytes, number: int) -> bytes:
    message = request_of(data)
    assert message is not None
    return edited(message, transaction_id=new_id(message.transaction_id, number))


def with_software(data: bytes, number: int) -> bytes:
    message = request_of(data)
    assert message is not None
    return edited(message, add=[(Attr.SOFTWARE, b"copy %d" % number)])


def changes_requests(change: Callable[..., bytes | None], *methods: int) -> Mutant:
    """Requests of these methods go out changed, or not at all."""

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data, *methods)
        changed = data if message is None else change(message)
        return [] if changed is None else [(0.0, changed)]

    return Mutant(sends)


def changes_signed(change: Callable[..., bytes], *methods: int) -> Mutant:
    return changes_requests(lambda m: change(m) if is_signed(m) else m.data, *methods)


def hears_otherwise(
    change: Callable[..., bytes | None], *methods: int, error: int | None = None
) -> Mutant:
    """Responses are heard changed, or not at all."""

    def hears(data: bytes) -> list[bytes]:
        message = response_of(data, *methods, error=error)
        changed = data if message is None else change(message)
        return [] if changed is None else [changed]

    return Mutant(hears=hears)


def counted_ids() -> Mutant:
    """Transaction ids are numbers."""
    numbers, real = itertools.count(), dict[bytes, bytes]()
    known: dict[bytes, bytes] = {}

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        ours = message.transaction_id
        if ours not in known:
            known[ours] = next(numbers).to_bytes(12, "big")
            real[known[ours]] = ours
        return [(0.0, edited(message, transaction_id=known[ours]))]

    def hears(data: bytes) -> list[bytes]:
        return [data[:8] + real.get(data[8:20], data[8:20]) + data[20:]]

    return Mutant(sends, hears)


def floods() -> Mutant:
    """It has many more transactions at once."""

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        others = [edited(message, transaction_id=new_id(message.transaction_id, n)) for n in (1, 2)]
        return [(0.0, data), *((0.1, each) for each in others)]

    return Mutant(sends)


def reuses_the_id() -> Mutant:
    first: list[bytes] = []

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None:
            return [(0.0, data)]
        first.append(message.transaction_id)
        return [(0.0, edited(message, transaction_id=first[0]))]

    return Mutant(sends)


def takes_any_id() -> Mutant:
    last: list[bytes] = []

    def sends(data: bytes, now: float) -> Sent:
        last.append(data[8:20])
        return [(0.0, data)]

    def hears(data: bytes) -> list[bytes]:
        return [data[:8] + last[-1] + data[20:]]

    return Mutant(sends, hears)


def dies_of_junk() -> Mutant:
    dead: list[bool] = []

    def hears(data: bytes) -> list[bytes]:
        if read(data) is None:
            dead.append(True)
        return [] if dead else [data]

    return Mutant(lambda data, now: [] if dead else [(0.0, data)], hears)


def tries_on(count: int, *, signed: bool) -> Mutant:
    """A request is followed by others like it."""
    done: set[bytes] = set()

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None or is_signed(message) != signed or message.transaction_id in done:
            return [(0.0, data)]
        done.add(message.transaction_id)
        more = [
            (float(n), edited(message, transaction_id=new_id(message.transaction_id, n)))
            for n in range(1, count)
        ]
        return [(0.0, data), *more]

    return Mutant(sends, manners=Manners(is_mute=True))


def without_unknown(message: ReceivedMessage) -> bytes:
    return edited(message, drop=[0x7FFE], key=LONG_TERM_KEY)


def signs_again(message: ReceivedMessage, *, sign: int = SHA1, key: bytes = b"secret") -> bytes:
    """As if the response had been proven with what the client uses."""
    return edited(message, sign=[sign], key=key)


def proves(*methods: int, error: int | None = None) -> Mutant:
    """It takes for proven what is not."""
    return hears_otherwise(lambda m: signs_again(m, key=LONG_TERM_KEY), *methods, error=error)


def with_another_nonce(nonce: bytes, *, error: int | None = 401) -> Mutant:
    """It overlooks what the nonce says."""
    return hears_otherwise(lambda m: edited(m, change={Attr.NONCE: nonce}), error=error)


def keeps_the_nonce() -> Mutant:
    first: list[bytes] = []

    def change(message: ReceivedMessage) -> bytes:
        nonce = message.get(Attr.NONCE)
        first.append(nonce or b"")
        return edited(message, change={Attr.NONCE: first[0]})

    return changes_signed(change)


def with_the_list(message: ReceivedMessage) -> bytes:
    """As if the algorithms of before were still there."""
    if Attr.PASSWORD_ALGORITHMS in message.types:
        return message.data
    return edited(message, add=[(Attr.PASSWORD_ALGORITHMS, bytes.fromhex("0002000000010000"))])


def gives_up_at(code: int) -> Mutant:
    """It is silent from this error on."""
    refused: list[bool] = []

    def hears(data: bytes) -> list[bytes]:
        if response_of(data, error=code) is not None:
            refused.append(True)
        return [] if refused else [data]

    return Mutant(lambda data, now: [] if refused else [(0.0, data)], hears)


def never_tires() -> Mutant:
    """Each 438 is answered with another request at once."""
    last: list[bytes] = []
    numbers = itertools.count(1)

    def sends(data: bytes, now: float) -> Sent:
        last.append(data)
        return [(0.0, data)]

    def hears(data: bytes) -> list[bytes]:
        stale, request = response_of(data, error=438), request_of(last[-1])
        if stale is not None and request is not None:
            again = new_id(request.transaction_id, next(numbers))
            mutant.replies.append((0.01, edited(request, transaction_id=again)))
            return []
        return [data]

    mutant = Mutant(sends, hears)
    return mutant


def with_the_last_alternate(message: ReceivedMessage) -> bytes:
    last = message.get_all(Attr.ALTERNATE_SERVER)[-1]
    return edited(
        message,
        drop=[Attr.ALTERNATE_SERVER],
        add=[(Attr.ALTERNATE_SERVER, last)],
        key=LONG_TERM_KEY,
    )


def forgets_credentials(message: ReceivedMessage) -> bytes:
    kinds = [Attr.USERNAME, Attr.REALM, Attr.NONCE, Attr.MESSAGE_INTEGRITY]
    return edited(message, drop=kinds)


STUN: Mapping[str, Mapping[str, Make]] = {
    "COD-HDR-07": {"numbers": counted_ids},
    "STUNC-UDP-01": {"after-200-ms": lambda: sends_again(0.2)},
    "STUNC-UDP-02": {
        "no-backoff": lambda: at_times(0, 0.5, 1, 1.5, 2, 2.5, 3),
        "triples": lambda: at_times(0, 0.5, 2, 6.5),
    },
    "STUNC-UDP-03": {"three": lambda: at_times(0, 0.5, 1.5)},
    "STUNC-UDP-04": {"hasty": lambda: Mutant(manners=Manners(timing=TransactionTiming(rm=4)))},
    "STUNC-UDP-07": {
        "another-id": lambda: changes_copies(other_id),
        "counts-its-copies": lambda: changes_copies(with_software),
    },
    "STUNC-UDP-08": {"same-id": reuses_the_id},
    "STUNC-UDP-09": {"overlooks-icmp": lambda: Mutant(ignores_icmp=True)},
    "STUNC-UDP-10": {"floods": floods},
    "STUNC-UDP-11": {"repeats": lambda: sends_again(0.5)},
    "STUNC-UDP-12": {
        "any-source": lambda: Mutant(takes_any_source=True),
        "any-id": takes_any_id,
    },
    "STUNC-TCP-01": {"repeats": lambda: sends_again(0.5)},
    "STUNC-TCP-02": {"hasty": lambda: Mutant(manners=Manners(timing=TransactionTiming(ti=10.0)))},
    "STUNC-TCP-03": {"overlooks-resets": lambda: Mutant(ignores_resets=True)},
    "STUNC-TCP-04": {"segments": lambda: Mutant(takes_segments_whole=True)},
    "STUNC-TCP-05": {"closes": lambda: Mutant(closes_after=3.0)},
    "STUNC-TCP-06": {"gives-up": lambda: Mutant(never_reconnects=True)},
    "STUNC-TCP-08": {
        "old": lambda: Mutant(
            lambda data, now: [(0.0, data.replace(b"\x03\x04\x03\x03", b"\x03\x04\x03\x01"))]
        ),
        "rc4": lambda: Mutant(lambda data, now: [(0.0, data.replace(b"\x13\x01", b"\x00\x05", 1))]),
    },
    "STUNC-RX-01": {"overlooks": lambda: hears_otherwise(without_unknown)},
    "STUNC-RX-02": {"content": lambda: Mutant(manners=Manners(tells_success=True))},
    "STUNC-RX-03": {"content": lambda: Mutant(manners=Manners(tells_success=True))},
    "STUNC-RX-04": {
        "overlooks": lambda: hears_otherwise(lambda m: edited(m, drop=[0x7FFE]), error=401),
        "deaf": lambda: hears_otherwise(lambda m: None if 0x7FFE in m.types else m.data, error=401),
    },
    "STUNC-RX-05": {"deaf": lambda: hears_otherwise(lambda m: None, error=600)},
    "STUNC-RX-06": {"tries-on": lambda: tries_on(20, signed=False)},
    "STUNC-RX-08": {"dies": dies_of_junk},
    "STUNC-STC-01": {
        "password": lambda: changes_requests(lambda m: edited(m, add=[(Attr.SOFTWARE, b"secret")])),
        "nobody": lambda: changes_requests(lambda m: edited(m, change={Attr.USERNAME: b"nobody"})),
        "wrong-key": lambda: changes_requests(lambda m: edited(m, key=b"wrong")),
    },
    "STUNC-STC-02": {"any": lambda: hears_otherwise(signs_again)},
    "STUNC-STC-03": {
        "trusts": lambda: hears_otherwise(lambda m: signs_again(m, sign=SHA256)),
    },
    "STUNC-STC-04": {"waits": lambda: hears_otherwise(lambda m: None)},
    "STUNC-STC-05": {
        "both": lambda: changes_requests(lambda m: edited(m, sign=[SHA1, SHA256])),
    },
    "STUNC-LTC-01": {
        "name": lambda: changes_requests(
            lambda m: m.data if is_signed(m) else edited(m, add=[(Attr.USERNAME, b"ann")])
        ),
    },
    "STUNC-LTC-02": {
        "cut-nonce": lambda: changes_signed(
            lambda m: edited(m, change={Attr.NONCE: m.get(Attr.NONCE)[:64]})
        ),
        "no-realm": lambda: changes_signed(
            lambda m: edited(m, drop=[Attr.REALM], key=LONG_TERM_KEY)
        ),
        "nobody": lambda: changes_signed(lambda m: edited(m, change={Attr.USERNAME: b"bob"})),
        "wrong-key": lambda: changes_signed(lambda m: edited(m, key=b"wrong")),
        "gives-up": lambda: gives_up_at(401),
        "deaf-to-long-nonces": lambda: hears_otherwise(
            lambda m: None if len(m.get(Attr.NONCE) or b"") > 100 else m.data, error=401
        ),
    },
    "STUNC-LTC-03": {"tries-on": lambda: tries_on(3, signed=True)},
    "STUNC-LTC-04": {
        "old-nonce": keeps_the_nonce,
        "gives-up": lambda: gives_up_at(438),
        "deaf": lambda: hears_otherwise(lambda m: None, error=438),
    },
    "STUNC-LTC-05": {"never-tires": never_tires},
    "STUNC-LTC-06": {"remembers": lambda: hears_otherwise(with_the_list, error=438)},
    "STUNC-LTC-07": {
        "md5": lambda: changes_signed(
            lambda m: edited(m, change={Attr.PASSWORD_ALGORITHM: bytes.fromhex("00010000")})
        ),
        "wrong-key": lambda: changes_signed(lambda m: edited(m, key=b"wrong")),
        "shortened": lambda: changes_signed(
            lambda m: edited(m, change={Attr.PASSWORD_ALGORITHMS: bytes.fromhex("00020000")})
        ),
    },
    "STUNC-LTC-08": {
        "overlooks": lambda: hears_otherwise(
            lambda m: edited(m, change={Attr.PASSWORD_ALGORITHMS: bytes.fromhex("00010000")}),
            error=401,
        ),
    },
    "STUNC-LTC-09": {"name": lambda: with_another_nonce(b"obMatJos2AAAAabcdef")},
    "STUNC-LTC-10": {
        "overlooks": lambda: hears_otherwise(
            lambda m: edited(m, drop=[Attr.NONCE], key=SHA256_KEY)
        ),
    },
    "STUNC-LTC-11": {"believes": lambda: proves(error=400)},
    "STUNC-LTC-12": {"believes": lambda: proves(Method.ALLOCATE)},
    "STUNC-LTC-13": {
        "both": lambda: changes_requests(
            lambda m: edited(m, sign=[SHA1, SHA256]) if is_signed(m) else m.data
        ),
    },
    "STUNC-LTC-14": {
        "begins-anew": lambda: changes_requests(forgets_credentials, Method.CREATE_PERMISSION),
    },
    "STUNC-LTC-15": {"believes": lambda: proves(error=300)},
    "STUNC-ALT-01": {
        "other-user": lambda: renamed_elsewhere(),
    },
    "STUNC-ALT-03": {"circles": lambda: Mutant(manners=Manners(goes_in_circles=True))},
    "STUNC-ALT-04": {
        "last": lambda: dataclasses.replace(
            hears_otherwise(with_the_last_alternate, error=300),
            manners=Manners(goes_in_circles=True),
        ),
    },
}


def renamed_elsewhere() -> Mutant:
    """After a redirection it is somebody else."""
    sent_away: list[bool] = []

    def hears(data: bytes) -> list[bytes]:
        if response_of(data, error=300) is not None:
            sent_away.append(True)
        return [data]

    def sends(data: bytes, now: float) -> Sent:
        message = request_of(data)
        if message is None or not sent_away or not is_signed(message):
            return [(0.0, data)]
        return [(0.0, edited(message, change={Attr.USERNAME: b"bob"}))]

    return Mutant(sends, hears)
