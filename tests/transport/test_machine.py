from __future__ import annotations

import pytest

from transport import Path, Transmit, TransportAddress, TransportProtocol

LOCAL = TransportAddress.parse("192.0.2.1", 1)
REMOTE = TransportAddress.parse("192.0.2.2", 2)


@pytest.mark.parametrize(
    ("protocol", "is_reliable"),
    [
        (TransportProtocol.UDP, False),
        (TransportProtocol.DTLS, False),
        (TransportProtocol.TCP, True),
        (TransportProtocol.TLS, True),
    ],
)
def test_streams_are_reliable_and_datagrams_are_not(
    protocol: TransportProtocol, is_reliable: bool
) -> None:
    assert protocol.is_reliable is is_reliable


def test_equal_paths_serve_as_one_key() -> None:
    paths = {Path(protocol, LOCAL, REMOTE) for protocol in TransportProtocol} | {
        Path(TransportProtocol.UDP, LOCAL, REMOTE)
    }

    assert len(paths) == len(TransportProtocol)


def test_a_transmit_leaves_the_code_point_to_the_socket() -> None:
    assert Transmit(Path(TransportProtocol.UDP, LOCAL, REMOTE), (b"x",)).dscp is None
