"""The text form of candidates (RFC 8839 section 5.1)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ice import Candidate, CandidateType, HostName
from transport import DecodeError, TransportAddress

EXAMPLE = "candidate:2 1 UDP 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998"

VECTORS = [
    pytest.param(
        EXAMPLE,
        Candidate(
            "2",
            1,
            "UDP",
            1694498815,
            TransportAddress.parse("192.0.2.3", 45664),
            CandidateType.SERVER_REFLEXIVE,
            TransportAddress.parse("203.0.113.141", 8998),
        ),
        id="rfc8839-5.1",
    ),
    pytest.param(
        "candidate:1 2 udp 2130706430 2001:db8::1 9 typ host",
        Candidate(
            "1", 2, "udp", 2130706430, TransportAddress.parse("2001:db8::1", 9), CandidateType.HOST
        ),
        id="ipv6-host",
    ),
    pytest.param(
        "candidate:1 1 udp 1 4bfa3f7c-2b0c-4d9b-a2f2-7a2f8a4f9f0e.local 50000 typ host",
        Candidate(
            "1",
            1,
            "udp",
            1,
            HostName("4bfa3f7c-2b0c-4d9b-a2f2-7a2f8a4f9f0e.local", 50000),
            CandidateType.HOST,
        ),
        id="mdns-name",
    ),
    pytest.param(
        "candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype active generation 0 ufrag abcd",
        Candidate(
            "1",
            1,
            "tcp",
            1,
            TransportAddress.parse("192.0.2.1", 9),
            CandidateType.HOST,
            None,
            (("tcptype", "active"), ("generation", "0"), ("ufrag", "abcd")),
        ),
        id="tcp-with-extensions",
    ),
    pytest.param(
        "candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr 0.0.0.0 rport 9",
        Candidate(
            "1",
            1,
            "udp",
            1,
            TransportAddress.parse("192.0.2.1", 9),
            CandidateType.SERVER_REFLEXIVE,
            TransportAddress.parse("0.0.0.0", 9),
        ),
        id="hidden-related-address",
    ),
    pytest.param(
        "candidate:1 1 udp 1 192.0.2.1 9 typ novel",
        Candidate("1", 1, "udp", 1, TransportAddress.parse("192.0.2.1", 9), "novel"),
        id="unknown-type",
    ),
]

MALFORMED = [
    pytest.param("", id="empty"),
    pytest.param("candidat:1 1 udp 1 192.0.2.1 9 typ host", id="another-attribute"),
    pytest.param("candidate:1 1 udp 1 192.0.2.1 9 typ", id="no-type"),
    pytest.param("candidate:1 1 udp 1 192.0.2.1 9 type host", id="no-typ"),
    pytest.param("candidate:é 1 udp 1 192.0.2.1 9 typ host", id="foundation-not-ice-char"),
    pytest.param(f"candidate:{'a' * 33} 1 udp 1 192.0.2.1 9 typ host", id="foundation-too-long"),
    pytest.param("candidate:1 0 udp 1 192.0.2.1 9 typ host", id="component-0"),
    pytest.param("candidate:1 257 udp 1 192.0.2.1 9 typ host", id="component-257"),
    pytest.param("candidate:1 x udp 1 192.0.2.1 9 typ host", id="component-no-number"),
    pytest.param("candidate:1 1 u(p 1 192.0.2.1 9 typ host", id="transport-no-token"),
    pytest.param("candidate:1 1 udp 0 192.0.2.1 9 typ host", id="priority-0"),
    pytest.param("candidate:1 1 udp 4294967296 192.0.2.1 9 typ host", id="priority-33-bits"),
    pytest.param("candidate:1 1 udp -1 192.0.2.1 9 typ host", id="priority-negative"),
    pytest.param("candidate:1 1 udp ² 192.0.2.1 9 typ host", id="priority-no-ascii-digit"),
    pytest.param("candidate:1 1 udp 1 192.0.2.1 65536 typ host", id="port-too-large"),
    pytest.param("candidate:1 1 udp 1 192.0.2.1 999999 typ host", id="port-too-long"),
    pytest.param("candidate:1 1 udp 1 a_b! 9 typ host", id="no-host-name"),
    pytest.param("candidate:1 1 udp 1 name 70000 typ host", id="host-name-with-a-bad-port"),
    pytest.param("candidate:1 1 udp 1 192.0.2.1 9 typ h(st", id="type-no-token"),
    pytest.param("candidate:1 1 udp 1 192.0.2.1 9 typ host generation", id="extension-no-value"),
    pytest.param("candidate:1 1 udp 1 192.0.2.1 9 typ host gen( 1", id="extension-no-token"),
    pytest.param(
        "candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr ::1 rport 70000", id="related-port"
    ),
    pytest.param("candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr ! rport 1", id="related-host"),
    pytest.param(
        "candidate:1 1 udp 1 192.0.2.1 9 typ srflx raddr ::1 rport x", id="related-port-word"
    ),
]


@pytest.mark.requirement("ice:X03")
@pytest.mark.requirement("ice:X05")
@pytest.mark.parametrize(("text", "candidate"), VECTORS)
def test_vector(text: str, candidate: Candidate) -> None:
    assert Candidate.parse(text) == candidate
    assert candidate.to_text() == text


@pytest.mark.requirement("ice:X03")
@pytest.mark.requirement("ice:F03")
@pytest.mark.requirement("ice:P08")
@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(DecodeError):
        Candidate.parse(text)


@pytest.mark.parametrize("text", [f"a={EXAMPLE}", f"{EXAMPLE}\r\n", EXAMPLE.replace("typ", "TYP")])
def test_the_ways_of_writing_a_candidate_down_are_one(text: str) -> None:
    assert Candidate.parse(text) == Candidate.parse(EXAMPLE)


def test_what_an_extension_says_is_found_by_name() -> None:
    candidate = Candidate.parse("candidate:1 1 tcp 1 192.0.2.1 9 typ host tcptype so tcptype no")

    assert candidate.extension("tcptype") == "so"
    assert candidate.extension("ufrag") is None


def test_the_transport_is_known_in_any_case() -> None:
    assert Candidate.parse(EXAMPLE).is_udp
    assert not Candidate.parse(EXAMPLE.replace("UDP", "tcp")).is_udp


def test_only_an_ip_address_is_a_transport_address() -> None:
    named = Candidate.parse("candidate:1 1 udp 1 peer.example 9 typ host")

    assert named.transport_address is None
    assert Candidate.parse(EXAMPLE).transport_address == TransportAddress.parse("192.0.2.3", 45664)


ice_chars = st.text("abcXYZ019+/", min_size=1, max_size=32)
tokens = st.text("abcdefgh-0123", min_size=1, max_size=10).filter(
    lambda word: word not in ("raddr", "rport")
)
addresses = st.one_of(
    st.builds(TransportAddress, st.ip_addresses(), st.integers(0, 0xFFFF)),
    st.builds(HostName, st.just("peer.example"), st.integers(0, 0xFFFF)),
)
visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=12)
candidates = st.builds(
    Candidate,
    ice_chars,
    st.integers(1, 256),
    st.sampled_from(["udp", "UDP", "tcp", "sctp"]),
    st.integers(1, 2**32 - 1),
    addresses,
    st.sampled_from(CandidateType),
    st.none() | addresses,
    st.lists(st.tuples(tokens, visible.filter(bool)), max_size=4).map(tuple),
)


@pytest.mark.requirement("ice:X03")
@pytest.mark.requirement("sdp-media:SDP-A01")
@given(candidates)
def test_what_is_written_reads_as_itself(candidate: Candidate) -> None:
    assert Candidate.parse(candidate.to_text()) == candidate


@given(st.text(max_size=120))
def test_no_text_raises_anything_but_decode_error(text: str) -> None:
    with contextlib.suppress(DecodeError):
        Candidate.parse(f"candidate:{text}")


@given(st.lists(st.sampled_from(["1", "udp", "::1", "typ", "host", "raddr", "rport", "", "x"])))
def test_no_words_raise_anything_but_decode_error(words: list[str]) -> None:
    with contextlib.suppress(DecodeError):
        Candidate.parse("candidate:" + " ".join(words))
