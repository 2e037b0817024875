"""Which lookups a URI makes, and which targets come of them, in which order."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stun import ServerUri, UriScheme
from stun.resolution import (
    NaptrRecord,
    Record,
    RecordType,
    Resolution,
    UnsupportedTransport,
    UnverifiableServer,
)
from stun.resolution.limits import (
    LOOKUP_PATIENCE,
    MAX_LOOKUPS,
    MAX_TARGETS,
    RESOLUTION_DELAY,
)
from transport import TransportProtocol

from .zone import ALL, DTLS, TCP, TLS, UDP, Lookups, Zone, a, naptr, srv

# RFC 5928 section 4.1, figure 1
EXAMPLE: Zone = {
    "NAPTR example.net": [
        naptr(100, 10, flags="", service="RELAY:turn.udp", replacement="datagram.example.net."),
        naptr(
            200, 10, flags="", service="RELAY:turn.tcp:turn.tls", replacement="stream.example.net."
        ),
    ],
    "NAPTR datagram.example.net": [
        naptr(100, 10, flags="S", service="RELAY:turn.udp", replacement="_turn._udp.example.net."),
    ],
    "NAPTR stream.example.net": [
        naptr(100, 10, flags="S", service="RELAY:turn.tcp", replacement="_turn._tcp.example.net."),
        naptr(200, 10, flags="A", service="RELAY:turn.tls", replacement="a.example.net."),
    ],
    "SRV _turn._udp.example.net": [srv("a.example.net.", 3478)],
    "SRV _turn._tcp.example.net": [srv("a.example.net.", 5000)],
    "A a.example.net": a("192.0.2.1"),
    # Figure 2
    "NAPTR example.com": [
        naptr(
            100,
            10,
            flags="",
            service="RELAY:turn.udp:turn.tcp:turn.tls",
            replacement="example.net.",
        ),
    ],
}
BOTH: Zone = {
    "A relay.example": a("192.0.2.1", "192.0.2.2"),
    "AAAA relay.example": a("2001:db8::1"),
}


@pytest.mark.requirement("stun-turn:STUNC-DNS-12")
def test_the_example_of_rfc_5928_gives_its_table_2() -> None:
    lookups = Lookups("turn:example.net", EXAMPLE, supported=(TLS, TCP, UDP))

    targets = lookups.finish()

    assert targets == [
        ("udp", "192.0.2.1", 3478),
        ("tls", "192.0.2.1", 5349),
        ("tcp", "192.0.2.1", 5000),
    ]
    assert lookups.asked[:3] == [
        "NAPTR example.net",
        "NAPTR datagram.example.net",
        "NAPTR stream.example.net",
    ]
    assert lookups.targets is not None
    assert {target.server_name for target in lookups.targets} == {"example.net"}


def test_a_domain_that_is_hosted_elsewhere_has_its_certificate_checked_for_itself() -> None:
    """The remote hosting of section 4.2: one set of tags, so our preference is the order."""
    lookups = Lookups("turn:example.com", EXAMPLE, supported=(TLS, TCP, UDP))

    assert lookups.finish() == [
        ("tls", "192.0.2.1", 5349),
        ("tcp", "192.0.2.1", 5000),
        ("udp", "192.0.2.1", 3478),
    ]
    assert lookups.targets is not None
    assert {target.server_name for target in lookups.targets} == {"example.com"}


@pytest.mark.requirement("stun-turn:STUNC-DNS-12")
def test_without_naptr_records_each_transport_has_its_srv_and_without_that_its_addresses() -> None:
    zone = {
        **BOTH,
        "SRV _turn._tcp.relay.example": [srv("a.example.", 4000)],
        "A a.example": a("192.0.2.9"),
    }
    lookups = Lookups("turn:relay.example", zone, supported=(TCP, UDP))

    targets = lookups.finish()

    assert targets == [
        ("tcp", "192.0.2.9", 4000),
        ("udp", "2001:db8::1", 3478),
        ("udp", "192.0.2.1", 3478),
        ("udp", "192.0.2.2", 3478),
    ]
    assert lookups.asked == [
        "NAPTR relay.example",
        "SRV _turn._tcp.relay.example",
        "SRV _turn._udp.relay.example",
        "AAAA a.example",
        "A a.example",
        "AAAA relay.example",
        "A relay.example",
    ]


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(
            naptr(1, 1, flags="s", service="SIP+D2U", replacement="_sip._udp.x."), id="no-relay"
        ),
        pytest.param(
            naptr(1, 1, flags="s", service="RELAY:turn.sctp", replacement="x."), id="no-transport"
        ),
        pytest.param(
            naptr(1, 1, flags="s", service="RELAY:turn.udp", replacement="x.", regexp="!.*!x!"),
            id="not-straightforward",
        ),
        pytest.param(
            naptr(1, 1, flags="s", service="RELAY:turn.udp", replacement="."), id="no-replacement"
        ),
    ],
)
def test_naptr_records_that_are_not_for_us_are_none(record: NaptrRecord) -> None:
    zone = {**BOTH, "NAPTR relay.example": [record]}
    lookups = Lookups("turn:relay.example", zone, supported=(UDP,))

    assert lookups.finish()[0] == ("udp", "2001:db8::1", 3478)


def test_tags_of_naptr_records_are_read_in_any_case() -> None:
    zone = {
        **BOTH,
        "NAPTR relay.example": [
            naptr(1, 1, flags="A", service="relay:TURN.DTLS", replacement="Relay.Example.")
        ],
    }

    assert Lookups("turns:relay.example", zone).finish()[0] == ("dtls", "2001:db8::1", 5349)


def test_naptr_records_that_point_at_each_other_end_in_nothing() -> None:
    record = naptr(1, 1, flags="", service="RELAY:turn.udp", replacement="b.example.")
    back = naptr(1, 1, flags="", service="RELAY:turn.udp", replacement="a.example.")
    zone = {"NAPTR a.example": [record], "NAPTR b.example": [back]}

    assert Lookups("turn:a.example", zone).finish() == []


@pytest.mark.requirement("stun-turn:STUNC-DNS-11")
@pytest.mark.parametrize(
    ("uri", "service", "transport", "port"),
    [
        ("turn:relay.example?transport=udp", "_turn._udp", "udp", 3478),
        ("turn:relay.example?transport=tcp", "_turn._tcp", "tcp", 3478),
        ("turns:relay.example?transport=tcp", "_turns._tcp", "tls", 5349),
        ("turns:relay.example?transport=udp", "_turns._udp", "dtls", 5349),
    ],
)
def test_a_turn_uri_with_a_transport_is_looked_up_by_srv(
    uri: str, service: str, transport: str, port: int
) -> None:
    found = Lookups(uri, {f"SRV {service}.relay.example": [srv("relay.example.", 4711)], **BOTH})
    missing = Lookups(uri, BOTH)

    assert found.finish()[0] == (transport, "2001:db8::1", 4711)
    assert missing.finish()[0] == (transport, "2001:db8::1", port)
    assert missing.asked == [
        f"SRV {service}.relay.example",
        "AAAA relay.example",
        "A relay.example",
    ]


@pytest.mark.requirement("stun-turn:STUNC-DNS-05")
@pytest.mark.parametrize(
    ("uri", "supported", "service", "transport", "port"),
    [
        ("stun:relay.example", UDP, "_stun._udp", "udp", 3478),
        ("stun:relay.example", TCP, "_stun._tcp", "tcp", 3478),
        ("stuns:relay.example", TLS, "_stuns._tcp", "tls", 5349),
        ("stuns:relay.example", DTLS, "_stuns._udp", "dtls", 5349),
    ],
)
def test_a_stun_uri_without_a_port_is_looked_up_by_srv(
    uri: str, supported: TransportProtocol, service: str, transport: str, port: int
) -> None:
    zone = {
        **BOTH,
        f"SRV {service}.relay.example": [
            srv("second.example.", 2, priority=20),
            srv("first.example.", 1, priority=10),
        ],
        "A first.example": a("192.0.2.11"),
        "A second.example": a("192.0.2.12"),
    }
    found = Lookups(uri, zone, supported=(supported,))
    missing = Lookups(uri, BOTH, supported=(supported,))

    assert found.finish() == [(transport, "192.0.2.11", 1), (transport, "192.0.2.12", 2)]
    assert found.asked[0] == f"SRV {service}.relay.example"
    assert missing.finish()[0] == (transport, "2001:db8::1", port)


@pytest.mark.requirement("stun-turn:STUNC-DNS-07")
def test_both_families_are_tried_in_turn() -> None:
    lookups = Lookups("stun:relay.example:3478", BOTH, supported=(UDP,))

    assert [address for _, address, _ in lookups.finish()] == [
        "2001:db8::1",
        "192.0.2.1",
        "192.0.2.2",
    ]


@pytest.mark.requirement("stun-turn:STUNC-DNS-10")
@pytest.mark.parametrize("uri", ["turn:relay.example:3478", "stun:relay.example:3478"])
def test_a_domain_with_a_port_is_asked_for_its_addresses_alone(uri: str) -> None:
    lookups = Lookups(uri, BOTH, supported=(TCP, UDP))

    targets = lookups.finish()

    assert lookups.asked == ["AAAA relay.example", "A relay.example"]
    assert [transport for transport, *_ in targets] == ["tcp"] * 3 + ["udp"] * 3


@pytest.mark.requirement("stun-turn:STUNC-DNS-09")
@pytest.mark.parametrize(
    ("uri", "targets"),
    [
        ("turn:192.0.2.1", [("udp", "192.0.2.1", 3478), ("tcp", "192.0.2.1", 3478)]),
        ("turn:[2001:db8::1]:9?transport=tcp", [("tcp", "2001:db8::1", 9)]),
        ("turns:192.0.2.1", [("tls", "192.0.2.1", 5349), ("dtls", "192.0.2.1", 5349)]),
        ("turns:192.0.2.1?transport=udp", [("dtls", "192.0.2.1", 5349)]),
        ("stun:192.0.2.1", [("udp", "192.0.2.1", 3478), ("tcp", "192.0.2.1", 3478)]),
    ],
)
def test_an_ip_address_is_a_target_without_any_question(
    uri: str, targets: list[tuple[str, str, int]]
) -> None:
    lookups = Lookups(uri, {}, server_name="relay.example")

    assert lookups.finish() == targets
    assert lookups.asked == []


@pytest.mark.parametrize("host", ["localhost", "relay.localhost", "relay", "printer.local"])
def test_a_name_of_this_host_or_network_is_not_asked_of_dns_for_services(host: str) -> None:
    lookups = Lookups(f"turn:{host}", {f"A {host}": a("127.0.0.1")})

    assert lookups.finish() == [("udp", "127.0.0.1", 3478), ("tcp", "127.0.0.1", 3478)]
    assert lookups.asked == [f"AAAA {host}", f"A {host}"]


@pytest.mark.requirement("stun-turn:STUNC-DNS-08")
@pytest.mark.parametrize(
    ("uri", "supported", "usable"),
    [
        ("turn:r.example?transport=udp", (TCP, TLS, DTLS), None),
        ("turn:r.example?transport=udp", (TCP, UDP), "udp"),
        ("turn:r.example?transport=tcp", (UDP, TLS, DTLS), None),
        ("turn:r.example?transport=tcp", (UDP, TCP), "tcp"),
        ("turns:r.example?transport=tcp", (UDP, TCP, DTLS), None),
        ("turns:r.example?transport=tcp", (TLS,), "tls"),
        ("turns:r.example?transport=udp", (UDP, TCP, TLS), None),
        ("turns:r.example?transport=udp", (DTLS,), "dtls"),
        ("turns:r.example", (UDP, TCP), None),
        ("turns:r.example", (UDP, TLS), "tls"),
        ("turns:r.example", (UDP, DTLS), "dtls"),
        ("turn:r.example?transport=sctp", ALL, None),
        ("turn:r.example", (), None),
        ("turn:r.example:1", (TLS, DTLS), None),
        ("stun:r.example", (TLS, DTLS), None),
        ("stuns:r.example", (UDP, TCP), None),
    ],
)
def test_what_cannot_be_spoken_is_refused_before_anything_is_asked(
    uri: str, supported: tuple[TransportProtocol, ...], usable: str | None
) -> None:
    zone = {"A r.example": a("192.0.2.1")}
    if usable is None:
        with pytest.raises(UnsupportedTransport):
            Lookups(uri, zone, supported=supported)
    else:
        assert [each for each, *_ in Lookups(uri, zone, supported=supported).finish()] == [usable]


@pytest.mark.requirement("stun-turn:STUNC-DNS-14")
def test_a_secure_uri_with_an_ip_address_needs_a_name_that_came_with_it() -> None:
    with pytest.raises(UnverifiableServer):
        Lookups("turns:192.0.2.1", {})

    named = Lookups("turns:192.0.2.1?transport=tcp", {}, server_name="relay.example")
    named.finish()
    assert named.targets is not None
    assert [target.server_name for target in named.targets] == ["relay.example"]

    # Of stuns: RFC 8489 section 8.1 says that it MUST be rejected; parsing does it already.
    uri = ServerUri(UriScheme.STUNS, "192.0.2.1", 5349)
    with pytest.raises(UnverifiableServer):
        Resolution(uri, supported=ALL, random_bytes=bytes, server_name="stun.example")


@pytest.mark.requirement("stun-turn:STUNC-DNS-15")
def test_nothing_but_what_the_uri_names_is_ever_asked_for() -> None:
    """No anycast address, no service discovery in the local network (RFC 8155)."""
    lookups = Lookups("turn:relay.example", {})

    assert lookups.finish() == []
    assert all(question.endswith("relay.example") for question in lookups.asked)


def test_a_service_that_is_decidedly_not_there_is_not_looked_for_at_the_domain() -> None:
    zone = {**BOTH, "SRV _turn._udp.relay.example": [srv(".", 0)]}
    lookups = Lookups("turn:relay.example?transport=udp", zone)

    assert lookups.finish() == []
    assert lookups.asked == ["SRV _turn._udp.relay.example"]


# Answers that do not come


def test_the_addresses_of_ipv4_wait_50_ms_for_those_of_ipv6() -> None:
    lookups = Lookups("stun:relay.example:3478", BOTH, supported=(UDP,))
    lookups.advance(1.0)
    lookups.answer(RecordType.A)

    lookups.advance(1.0 + RESOLUTION_DELAY - 0.001)
    assert lookups.targets is None
    lookups.advance(1.0 + RESOLUTION_DELAY)
    assert lookups.targets is not None
    assert [target.address.host for target in lookups.targets] == ["192.0.2.1", "192.0.2.2"]

    lookups.answer()
    assert lookups.resolution.poll_event() is None


def test_a_lookup_that_nobody_answers_has_found_nothing_after_3_seconds() -> None:
    lookups = Lookups("stun:relay.example", BOTH, supported=(UDP,))

    lookups.advance(LOOKUP_PATIENCE - 0.001)
    assert lookups.asked == ["SRV _stun._udp.relay.example"]
    lookups.advance(LOOKUP_PATIENCE)

    assert lookups.asked[1:] == ["AAAA relay.example", "A relay.example"]
    assert lookups.resolution.next_timeout() == 2 * LOOKUP_PATIENCE
    lookups.advance(2 * LOOKUP_PATIENCE)
    assert lookups.targets == ()


def test_a_host_that_many_records_name_is_asked_for_once() -> None:
    zone: Zone = {
        "SRV _turn._udp.relay.example": [srv("A.example.", port) for port in (1, 2, 3)],
        "A a.example": a("192.0.2.1"),
    }
    lookups = Lookups("turn:relay.example?transport=udp", zone)

    assert len(lookups.finish()) == 3
    assert lookups.asked.count("A a.example") == 1


def test_what_dns_can_make_of_a_uri_is_bounded() -> None:
    zone: dict[str, Sequence[Record]] = {
        "NAPTR relay.example": [
            naptr(1, n, flags="s", service="RELAY:turn.udp:turn.tcp", replacement=f"s{n}.example.")
            for n in range(40)
        ]
    }
    for n in range(40):
        zone[f"SRV s{n}.example"] = [srv(f"h{n}-{m}.example.", 1 + m) for m in range(40)]
        for m in range(40):
            zone[f"A h{n}-{m}.example"] = [*a("192.0.2.1", f"10.0.{n}.{m}")]
    lookups = Lookups("turn:relay.example", zone)

    assert len(lookups.finish()) <= MAX_TARGETS
    assert len(lookups.asked) <= MAX_LOOKUPS


records = st.one_of(
    st.ip_addresses(),
    st.builds(
        srv,
        st.sampled_from(["a.example.", "b.example.", "."]),
        st.integers(0, 0xFFFF),
        priority=st.integers(0, 3),
        weight=st.integers(0, 3),
    ),
    st.builds(
        naptr,
        st.integers(0, 3),
        st.integers(0, 3),
        flags=st.sampled_from(["", "s", "a", "u"]),
        service=st.sampled_from(["RELAY:turn.udp", "RELAY:turn.tls:turn.tcp", "x", ":"]),
        replacement=st.sampled_from(["a.example.", "b.example.", ".", ""]),
    ),
)


@given(
    st.lists(st.lists(records, max_size=4), max_size=12), st.sampled_from(["turn", "turns", "stun"])
)
def test_whatever_dns_answers_there_is_an_end(answers: list[list[Record]], scheme: str) -> None:
    lookups = Lookups(f"{scheme}:a.example", {})
    for answer in answers:
        if not lookups.waiting:
            break
        request = lookups.waiting.pop(0)
        lookups.resolution.answered(request.token, answer, 0.0)
        lookups.drain()
    lookups.finish()

    assert lookups.resolution.next_timeout() is None
