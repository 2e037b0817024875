from __future__ import annotations

import functools
import os

import pytest

from media.session.config import InjectedKeys, SessionConfig
from media.session.transport import (
    MAX_EARLY_DATAGRAMS,
    DtlsState,
    PeerClosed,
    Secured,
    SecureTransport,
    SecuringFailed,
)
from sdp import Fingerprint
from transport import Event, Path, TransportAddress, TransportProtocol
from transport.dtls import HANDSHAKE_TIMEOUT, DtlsCertificate, DtlsRole, SrtpKeys, SrtpProfile

HERE = TransportAddress.parse("192.0.2.1", 5000)
THERE = TransportAddress.parse("192.0.2.2", 5000)
PATH = Path(TransportProtocol.UDP, HERE, THERE)


@functools.cache
def certificate(number: int) -> DtlsCertificate:
    return DtlsCertificate.generate(os.urandom)


class Pair:
    """Two ends with nothing between them."""

    def __init__(self, client: SessionConfig | None = None) -> None:
        self.client = SecureTransport(certificate(1), client or SessionConfig())
        self.server = SecureTransport(certificate(2), SessionConfig())
        self.client_events: list[Event] = []
        self.server_events: list[Event] = []

    def negotiate(
        self,
        *,
        client_sees: tuple[Fingerprint, ...] | None = None,
        server_sees: tuple[Fingerprint, ...] | None = None,
    ) -> None:
        sees = client_sees or (self.server.local_fingerprint,)
        self.client.negotiated(DtlsRole.CLIENT, sees, 0.0)
        sees = server_sees or (self.client.local_fingerprint,)
        self.server.negotiated(DtlsRole.SERVER, sees, 0.0)

    def connect(self) -> None:
        self.client.writable(PATH, 0.0)
        self.server.writable(PATH, 0.0)
        self.exchange()

    def exchange(self) -> None:
        """Carry datagrams to and fro until both are silent."""
        busy = True
        while busy:
            busy = False
            for sender, receiver in ((self.client, self.server), (self.server, self.client)):
                while (datagram := sender.poll_datagram()) is not None:
                    busy = True
                    receiver.receive(datagram, PATH, 0.0)
        for end, events in (
            (self.client, self.client_events),
            (self.server, self.server_events),
        ):
            while (event := end.poll_event()) is not None:
                events.append(event)


def secured(events: list[Event]) -> Secured:
    (event,) = events
    assert isinstance(event, Secured)
    return event


@pytest.mark.requirement("sdp-media:SEC04")
def test_what_one_end_protects_the_other_reads() -> None:
    pair = Pair()
    pair.negotiate()
    pair.connect()
    client, server = secured(pair.client_events), secured(pair.server_events)
    header = bytes.fromhex("806000010000000000000001")

    assert server.receiver.unprotect(client.sender.protect(header, b"media")) == header + b"media"
    assert client.receiver.unprotect(server.sender.protect(header, b"media")) == header + b"media"
    assert pair.client.profile is pair.server.profile is SrtpProfile.AEAD_AES_128_GCM
    assert pair.client.state is DtlsState.CONNECTED


@pytest.mark.requirement("sdp-media:SEC10")
def test_a_certificate_that_was_not_signaled_brings_no_keys() -> None:
    pair = Pair()
    pair.negotiate(client_sees=(Fingerprint("sha-256", certificate(3).fingerprint("sha-256")),))
    pair.connect()

    (event,) = pair.client_events
    assert isinstance(event, SecuringFailed)
    assert "fingerprint" in event.reason
    assert pair.client.state is DtlsState.FAILED


@pytest.mark.requirement("sdp-media:SDP-A15")
@pytest.mark.parametrize(
    ("fingerprints", "is_good"),
    [
        pytest.param([("sha-256", 2)], True, id="sha-256"),
        pytest.param([("sha-512", 2)], True, id="sha-512"),
        pytest.param([("sha-256", 3), ("sha-256", 2)], True, id="one-of-several"),
        pytest.param([("sha-256", 2), ("sha-512", 3)], False, id="the-strongest-decides"),
        pytest.param([("sha-1", 2)], False, id="sha-1-alone"),
        pytest.param([], False, id="none"),
    ],
)
def test_the_strongest_fingerprint_decides(
    fingerprints: list[tuple[str, int]], is_good: bool
) -> None:
    pair = Pair()
    signaled = tuple(
        Fingerprint(name, certificate(number).fingerprint(name)) for name, number in fingerprints
    )
    pair.client.negotiated(DtlsRole.CLIENT, signaled, 0.0, tls_id="x" * 20)
    pair.server.negotiated(DtlsRole.SERVER, (pair.client.local_fingerprint,), 0.0)
    pair.connect()

    expected = Secured if is_good else SecuringFailed
    assert [type(event) for event in pair.client_events] == [expected]


@pytest.mark.requirement("sdp-media:SEC11")
def test_a_client_hello_that_comes_before_the_answer_waits_for_it() -> None:
    pair = Pair()
    pair.client.negotiated(DtlsRole.CLIENT, (pair.server.local_fingerprint,), 0.0)
    pair.connect()
    assert pair.client_events == []
    pair.server.negotiated(DtlsRole.SERVER, (pair.client.local_fingerprint,), 0.1)
    pair.exchange()

    secured(pair.client_events)
    secured(pair.server_events)


def test_a_client_hello_is_answered_once_ice_can_carry_the_answer() -> None:
    """The peer's check came first, our own is still to succeed."""
    pair = Pair()
    pair.negotiate()
    pair.client.writable(PATH, 0.0)
    hello = pair.client.poll_datagram()
    assert hello is not None

    pair.server.receive(hello, PATH, 0.01)
    assert pair.server.poll_datagram() is None

    pair.server.writable(PATH, 0.02)
    assert pair.server.poll_datagram() is not None


def test_what_comes_early_is_bounded() -> None:
    pair = Pair()
    for _ in range(MAX_EARLY_DATAGRAMS + 5):
        pair.server.receive(b"\x16\xfe\xfd" + bytes(20), PATH, 0.0)
    pair.negotiate()
    pair.connect()

    secured(pair.server_events)


@pytest.mark.requirement("sdp-media:SEC13")
def test_close_notify_tells_the_peer() -> None:
    pair = Pair()
    pair.negotiate()
    pair.connect()
    pair.client.close(1.0)
    pair.exchange()

    assert pair.server_events[1:] == [PeerClosed()]
    assert pair.client.state is pair.server.state is DtlsState.CLOSED


@pytest.mark.requirement("sdp-media:SDP-A17")
def test_the_same_fingerprint_keeps_the_association_and_another_begins_a_new_one() -> None:
    pair = Pair()
    pair.negotiate()
    pair.connect()
    pair.negotiate()
    pair.exchange()
    assert len(pair.client_events) == 1

    other = SecureTransport(certificate(4), SessionConfig())
    other.negotiated(DtlsRole.SERVER, (pair.client.local_fingerprint,), 2.0)
    other.writable(PATH, 2.0)
    pair.server, pair.server_events = other, []
    pair.client.negotiated(DtlsRole.CLIENT, (other.local_fingerprint,), 2.0)
    pair.exchange()

    assert [type(event) for event in pair.client_events] == [Secured, Secured]


@pytest.mark.requirement("sdp-media:SDP-A16")
def test_roles_that_change_begin_a_new_association() -> None:
    pair = Pair()
    pair.negotiate()
    pair.connect()
    pair.client.negotiated(DtlsRole.SERVER, (pair.server.local_fingerprint,), 2.0)
    pair.server.negotiated(DtlsRole.CLIENT, (pair.client.local_fingerprint,), 2.0)
    pair.exchange()

    assert [type(event) for event in pair.client_events] == [Secured, Secured]
    assert [type(event) for event in pair.server_events] == [Secured, Secured]


def test_an_association_that_was_discarded_begins_anew_when_there_is_a_path() -> None:
    pair = Pair()
    pair.negotiate()
    pair.connect()
    for end in (pair.client, pair.server):
        end.discard()
    pair.negotiate()
    pair.exchange()
    assert pair.client.state is DtlsState.NEW
    pair.connect()

    assert [type(event) for event in pair.client_events] == [Secured, Secured]


@pytest.mark.requirement("sdp-media:SEC13")
def test_nothing_revives_what_was_closed() -> None:
    pair = Pair()
    pair.negotiate()
    pair.connect()
    pair.client.close(1.0)
    pair.client.discard()
    pair.negotiate()

    assert pair.client.state is DtlsState.CLOSED


def test_a_peer_that_never_shakes_hands_is_given_up() -> None:
    pair = Pair()
    pair.server.negotiated(DtlsRole.SERVER, (pair.client.local_fingerprint,), 0.0)
    pair.server.writable(PATH, 5.0)

    assert pair.server.next_timeout() == 5.0 + HANDSHAKE_TIMEOUT
    pair.server.handle_timeout(5.0 + HANDSHAKE_TIMEOUT)
    assert pair.server.poll_event() == SecuringFailed("no DTLS handshake in 30 s")
    assert pair.server.next_timeout() is None


@pytest.mark.requirement("sdp-media:SEC03")
def test_the_servers_order_of_profiles_decides() -> None:
    pair = Pair(SessionConfig(srtp_profiles=(SrtpProfile.AES128_CM_SHA1_80,)))
    pair.negotiate()
    pair.connect()

    assert pair.server.profile is SrtpProfile.AES128_CM_SHA1_80


def test_injected_keys_take_the_place_of_dtls() -> None:
    keys = SrtpKeys(bytes(16), bytes(12), bytes(16), bytes(12))
    config = SessionConfig(injected_keys=InjectedKeys(SrtpProfile.AEAD_AES_128_GCM, keys))
    end = SecureTransport(None, config)
    end.negotiated(DtlsRole.CLIENT, (end.local_fingerprint,), 0.0)
    end.writable(PATH, 0.0)

    assert isinstance(end.poll_event(), Secured)
    assert end.poll_datagram() is None
    assert end.next_timeout() is None


def test_without_a_certificate_there_is_no_session() -> None:
    with pytest.raises(ValueError, match="certificate"):
        SecureTransport(None, SessionConfig())
