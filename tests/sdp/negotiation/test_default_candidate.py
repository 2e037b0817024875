"""RFC 8839 section 4.2.1.2: the candidate that m= and c= show."""

from __future__ import annotations

import pytest

from sdp.negotiation.default_candidate import default_candidate

HOST = "candidate:1 1 udp 1 192.0.2.1 1 typ host"
HOST6 = "candidate:1 1 udp 1 2001:db8::1 2 typ host"
REFLEXIVE = "candidate:2 1 UDP 1 198.51.100.1 3 typ srflx raddr 192.0.2.1 rport 1"
RELAYED = "candidate:3 1 udp 1 203.0.113.1 4 typ relay raddr 198.51.100.1 rport 3"


@pytest.mark.parametrize(
    ("candidates", "port", "connection"),
    [
        pytest.param([], 9, "IN IP4 0.0.0.0", id="none"),
        pytest.param([HOST6, HOST], 1, "IN IP4 192.0.2.1", id="ip4-first"),
        pytest.param([HOST6], 2, "IN IP6 2001:db8::1", id="ip6"),
        pytest.param([HOST, REFLEXIVE], 3, "IN IP4 198.51.100.1", id="reflexive"),
        pytest.param([HOST, RELAYED, REFLEXIVE], 4, "IN IP4 203.0.113.1", id="relayed"),
        pytest.param(
            ["candidate:1 1 udp 1 0a1b.local 5 typ host"], 9, "IN IP4 0.0.0.0", id="hidden"
        ),
        pytest.param(["candidate:1 1 tcp 1 192.0.2.1 9 typ host"], 9, "IN IP4 0.0.0.0", id="tcp"),
        pytest.param(["candidate:1 2 udp 1 192.0.2.1 9 typ host"], 9, "IN IP4 0.0.0.0", id="rtcp"),
        pytest.param(["candidate:1 1 udp 1 127.0.0.1 7 typ host"], 9, "IN IP4 0.0.0.0", id="loop"),
        pytest.param(["candidate:1 1 udp 1 192.0.2.1 x typ host"], 9, "IN IP4 0.0.0.0", id="odd"),
        pytest.param(["candidate:1"], 9, "IN IP4 0.0.0.0", id="short"),
    ],
)
@pytest.mark.requirement("ice:X12")
def test_the_default_candidate_is_the_one_most_likely_to_work(
    candidates: list[str], port: int, connection: str
) -> None:
    found = default_candidate(candidates)

    assert (found[0], str(found[1])) == (port, connection)
