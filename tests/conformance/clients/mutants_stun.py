"""Clients that are wrong about STUN: for each script, those that break just its row."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from conformance.codes import Attr, Method
from stun.exchanges import TransactionTiming

from .actors import Manners
from .mutant import LONG_TERM_KEY, SHA256_KEY, Mutant, edited, is_signed
from .wrongs import (
    BINDING,
    SHA1,
    SHA256,
    Make,
    at_times,
    changes_copies,
    changes_requests,
    changes_signed,
    counted_ids,
    dies_of_junk,
    floods,
    hears_otherwise,
    ids_of_high_bits,
    other_id,
    reuses_the_id,
    sends_again,
    takes_any_id,
    tries_on,
    with_compression,
    with_software,
)
from .wrongs_responses import (
    asks_otherwise_elsewhere,
    changes_after,
    content_with,
    forgets_credentials,
    gives_up_at,
    keeps_the_nonce,
    never_tires,
    proves,
    signs_again,
    with_another_nonce,
    with_the_last_alternate,
    with_the_list,
    without_unknown,
)

STUN: Mapping[str, Mapping[str, Make]] = {
    "COD-HDR-07": {"numbers": counted_ids, "high-bits": ids_of_high_bits},
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
    "STUNC-UDP-09": {
        "overlooks-icmp": lambda: Mutant(ignores_icmp=True),
        "content": lambda: Mutant(manners=Manners(tells_success=True)),
        "late": lambda: Mutant(
            ignores_icmp=True, manners=Manners(timing=TransactionTiming(rc=3, rm=6))
        ),
    },
    "STUNC-UDP-10": {"floods": floods},
    "STUNC-UDP-11": {"repeats": lambda: sends_again(0.5)},
    "STUNC-UDP-12": {
        "any-source": lambda: Mutant(takes_any_source=lambda data: True),
        "any-id": takes_any_id,
    },
    "STUNC-TCP-01": {"repeats": lambda: sends_again(0.5)},
    "STUNC-TCP-02": {"hasty": lambda: Mutant(manners=Manners(timing=TransactionTiming(ti=10.0)))},
    "STUNC-TCP-03": {
        "overlooks-resets": lambda: Mutant(ignores_resets=True),
        "content": lambda: Mutant(manners=Manners(tells_success=True)),
    },
    "STUNC-TCP-04": {
        "segments": lambda: Mutant(takes_segments_whole=True),
        "two-at-once": lambda: Mutant(takes_one_message_a_segment=True),
    },
    "STUNC-TCP-05": {"closes": lambda: Mutant(closes_after=3.0)},
    "STUNC-TCP-06": {"gives-up": lambda: Mutant(never_reconnects=True)},
    "STUNC-TCP-08": {
        "old": lambda: Mutant(
            lambda data, now: [(0.0, data.replace(b"\x03\x04\x03\x03", b"\x03\x04\x03\x01"))]
        ),
        "rc4": lambda: Mutant(lambda data, now: [(0.0, data.replace(b"\x13\x01", b"\x00\x05", 1))]),
        "compression": lambda: Mutant(lambda data, now: [(0.0, with_compression(data))]),
        "no-tls": lambda: Mutant(lambda data, now: [(0.0, BINDING)]),
    },
    "STUNC-RX-01": {"overlooks": lambda: hears_otherwise(without_unknown)},
    "STUNC-RX-02": {"content": lambda: Mutant(manners=Manners(tells_success=True))},
    "STUNC-RX-03": {"content": lambda: Mutant(manners=Manners(tells_success=True))},
    "STUNC-RX-04": {
        "overlooks": lambda: hears_otherwise(lambda m: edited(m, drop=[0x7FFE]), error=401),
        "deaf": lambda: hears_otherwise(lambda m: None if 0x7FFE in m.types else m.data, error=401),
        "content": lambda: content_with(401),
    },
    "STUNC-RX-05": {
        "deaf": lambda: hears_otherwise(lambda m: None, error=600),
        "content": lambda: Mutant(manners=Manners(tells_success=True)),
    },
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
    "STUNC-STC-04": {
        "waits": lambda: hears_otherwise(lambda m: None),
        "content": lambda: content_with(None),
        "trusts": lambda: hears_otherwise(lambda m: signs_again(m, sign=SHA256)),
    },
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
        "no-realm": lambda: changes_after(
            438, lambda m: edited(m, drop=[Attr.REALM], key=LONG_TERM_KEY)
        ),
        "wrong-key": lambda: changes_after(438, lambda m: edited(m, key=b"wrong")),
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
    "STUNC-LTC-09": {
        "name": lambda: with_another_nonce(b"obMatJos2AAAAabcdef"),
        "wrong-hash": lambda: changes_signed(
            lambda m: edited(m, change={Attr.USERHASH: bytes(32)})
        ),
    },
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
        "other-user": lambda: changes_after(
            300, lambda m: edited(m, change={Attr.USERNAME: b"bob"})
        ),
        "other-request": asks_otherwise_elsewhere,
    },
    "STUNC-ALT-03": {"circles": lambda: Mutant(manners=Manners(goes_in_circles=True))},
    "STUNC-ALT-04": {
        "last": lambda: dataclasses.replace(
            hears_otherwise(with_the_last_alternate, error=300),
            manners=Manners(goes_in_circles=True),
        ),
    },
}
