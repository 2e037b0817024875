"""Clients that are wrong about TURN."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.codes import Attr, Method
from transport import TransportAddress

from .actors import Manners
from .mutant import Mutant, as_method, edited
from .wrongs import Make, changes_requests, changes_signed, hears_otherwise, tries_on
from .wrongs_responses import asks_otherwise_elsewhere, changes_after, keeps_the_nonce
from .wrongs_turn import (
    as_heard,
    asks_again_for,
    asks_for_the_given_back,
    believes_long_lives,
    data_for,
    deaf_to,
    drops_empty_data,
    drops_requests,
    ends_with_its_refresh,
    followed_by_junk,
    gives_up_after,
    keeps_allocations,
    leaves_its_allocation,
    other_numbers,
    sends_before_it_may,
    takes_any_channel,
    takes_cut_datagrams,
    takes_indications,
    takes_ipv6_for_ipv4,
    takes_padding_for_data,
    unpadded,
    uses_channels_at_once,
    with_channel,
    with_peer,
)

IPV6_PEER = TransportAddress.parse("2001:db8::7", 7000)


ONLY_MD5: Mapping[int, bytes] = {Attr.PASSWORD_ALGORITHMS: bytes.fromhex("00010000")}

TURN: Mapping[str, Mapping[str, Make]] = {
    "TURNC-ALLOC-01": {
        "none": lambda: changes_requests(
            lambda m: edited(m, drop=[Attr.REQUESTED_TRANSPORT]), Method.ALLOCATE
        ),
        "reserved": lambda: changes_requests(
            lambda m: edited(m, change={Attr.REQUESTED_TRANSPORT: b"\x11\0\0\1"}), Method.ALLOCATE
        ),
        "sctp": lambda: changes_requests(
            lambda m: edited(m, change={Attr.REQUESTED_TRANSPORT: b"\x84\0\0\0"}), Method.ALLOCATE
        ),
    },
    "TURNC-ALLOC-02": {
        "both-families": lambda: changes_requests(
            lambda m: edited(m, add=[(Attr.REQUESTED_ADDRESS_FAMILY, b"\1\0\0\0")]),
            Method.ALLOCATE,
        ),
        "twice": lambda: changes_requests(
            lambda m: edited(
                m,
                drop=[Attr.ADDITIONAL_ADDRESS_FAMILY],
                add=[(Attr.REQUESTED_ADDRESS_FAMILY, b"\1\0\0\0")] * 2,
            ),
            Method.ALLOCATE,
        ),
        "additional-ipv4": lambda: changes_requests(
            lambda m: edited(m, change={Attr.ADDITIONAL_ADDRESS_FAMILY: b"\1\0\0\0"}),
            Method.ALLOCATE,
        ),
        "pair-of-ports": lambda: changes_requests(
            lambda m: edited(m, add=[(Attr.EVEN_PORT, b"\x80")]), Method.ALLOCATE
        ),
    },
    "TURNC-ALLOC-03": {
        "unannounced": lambda: changes_signed(
            lambda m: edited(m, drop=[Attr.DONT_FRAGMENT]), Method.ALLOCATE
        ),
    },
    "TURNC-ALLOC-04": {"uses-it": takes_ipv6_for_ipv4, "keeps-it": keeps_allocations},
    "TURNC-ALLOC-05": {"own-lifetime": believes_long_lives},
    "TURNC-ALLOC-06": {"forgets": lambda: Mutant(manners=Manners(forgets=True))},
    "TURNC-ALLOC-07": {"six-ports": lambda: Mutant(manners=Manners(max_ports=6))},
    "TURNC-ALLOC-08": {"tries-on": lambda: tries_on(3, signed=True)},
    "TURNC-ALLOC-09": {"with-it-again": lambda: asks_again_for(Attr.DONT_FRAGMENT)},
    "TURNC-ALLOC-11": {
        "stays": lambda: hears_otherwise(
            lambda m: as_heard(m, drop=[Attr.ALTERNATE_SERVER]), error=300
        ),
        "other-request": asks_otherwise_elsewhere,
    },
    "TURNC-ALLOC-13": {
        "first-of-the-list": lambda: hears_otherwise(
            lambda m: edited(m, change=ONLY_MD5), error=401
        )
    },
    "TURNC-ALLOC-14": {
        "nameless": lambda: changes_requests(lambda m: edited(m, drop=[Attr.SOFTWARE]))
    },
    "TURNC-LIFE-01": {"late": believes_long_lives},
    "TURNC-LIFE-02": {"leaves-it": leaves_its_allocation},
    "TURNC-LIFE-03": {"deaf": lambda: deaf_to(437, Method.REFRESH)},
    "TURNC-LIFE-04": {
        "old-nonce": keeps_the_nonce,
        "deaf": lambda: deaf_to(438, Method.REFRESH),
        "other-request": lambda: changes_after(
            438, lambda m: as_method(m, Method.ALLOCATE, drop=[Attr.LIFETIME])
        ),
    },
    "TURNC-LIFE-05": {"deaf": lambda: deaf_to(437, Method.CREATE_PERMISSION)},
    "TURNC-LIFE-06": {"given-back": asks_for_the_given_back},
    "TURNC-LIFE-07": {
        "dies": lambda: drops_requests(Method.REFRESH, when="after the first"),
        "content": ends_with_its_refresh,
    },
    "TURNC-PERM-01": {
        "none": lambda: changes_signed(
            lambda m: edited(m, drop=[Attr.XOR_PEER_ADDRESS]), Method.CREATE_PERMISSION
        ),
        "ipv6": lambda: with_peer(IPV6_PEER, Method.CREATE_PERMISSION),
    },
    "TURNC-PERM-02": {"hasty": sends_before_it_may},
    "TURNC-PERM-03": {
        "once": lambda: drops_requests(
            Method.CREATE_PERMISSION, Method.CHANNEL_BIND, when="after the first"
        ),
    },
    "TURNC-PERM-04": {
        "without-peer": lambda: takes_indications("without a peer"),
        "without-data": lambda: takes_indications("without data"),
    },
    "TURNC-PERM-05": {"takes-them": lambda: takes_indications("of strangers")},
    "TURNC-PERM-07": {"gives-up": lambda: gives_up_after(403, Method.CREATE_PERMISSION)},
    "TURNC-CHAN-01": {
        "0x7fff": lambda: with_channel(0x7FFF),
        "0x3fff": lambda: with_channel(0x3FFF),
    },
    "TURNC-CHAN-02": {"one-number": lambda: with_channel(0x4000), "two-numbers": other_numbers},
    "TURNC-CHAN-03": {"not-yet": lambda: data_for({b"early": None})},
    "TURNC-CHAN-04": {"at-once": uses_channels_at_once},
    "TURNC-CHAN-05": {"once": lambda: drops_requests(Method.CHANNEL_BIND, when="after the first")},
    "TURNC-CHAN-06": {"keeps-it": keeps_allocations},
    "TURNC-CHAN-07": {"unpadded": unpadded, "followed-by-junk": followed_by_junk},
    "TURNC-CHAN-08": {
        "any-number": takes_any_channel,
        "cut": takes_cut_datagrams,
        "padding": takes_padding_for_data,
        "no-padding": lambda: data_for({b"pad": None}),
        "nothing": drops_empty_data,
    },
    "TURNC-CHAN-09": {"ipv6": lambda: with_peer(IPV6_PEER, Method.CHANNEL_BIND)},
    "TURNC-CHAN-10": {
        "channel-data": lambda: Mutant(takes_any_source=lambda data: data[0] >= 0x40),
        "indications": lambda: Mutant(takes_any_source=lambda data: data[0] < 0x40),
    },
}
