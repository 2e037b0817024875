from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transport import ByteReader
from transport.dtls import (
    HANDSHAKE_TIMEOUT,
    DtlsClosed,
    DtlsConnected,
    DtlsConnection,
    DtlsDataReceived,
    DtlsFailed,
    DtlsRole,
    SrtpProfile,
)
from transport.dtls.association import MAX_QUEUED_DATAGRAMS
from transport.dtls.flight import MAX_REPEATS
from transport.dtls.records import split_records

from .pair import (
    CLIENT_CERTIFICATE,
    CLIENT_PATH,
    SERVER_CERTIFICATE,
    SERVER_PATH,
    Pair,
    connected_pair,
    lossy,
    make_pair,
)

CLIENT, SERVER = DtlsRole.CLIENT, DtlsRole.SERVER
GCM_128, GCM_256, CM = SrtpProfile
USE_SRTP, APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 14, 16


def connected(pair: Pair, role: DtlsRole) -> DtlsConnected:
    event = pair.events[role][0]
    assert isinstance(event, DtlsConnected)
    return event


def extension_types(client_hello: bytes) -> list[int]:
    """The types of the extensions of a ClientHello (RFC 6347 section 4.2.1, RFC 5246 7.4.1.4)."""
    reader = ByteReader(client_hello, "ClientHello")
    reader.skip(13 + 12 + 2 + 32)  # headers of record and handshake, version, random
    reader.skip(reader.uint8())  # session id
    reader.skip(reader.uint8())  # cookie
    reader.skip(reader.uint16())  # cipher suites
    reader.skip(reader.uint8())  # compression methods
    reader.skip(2)
    found = []
    while reader.remaining:
        found.append(reader.uint16())
        reader.skip(reader.uint16())
    return found


@pytest.mark.requirement("sdp-media:SEC04")
@pytest.mark.parametrize("profile", SrtpProfile)
def test_both_sides_get_the_same_keys_crossed(profile: SrtpProfile) -> None:
    pair = make_pair(client_profiles=[profile])

    pair.start()
    pair.deliver()

    client, server = connected(pair, CLIENT), connected(pair, SERVER)
    assert client.profile is server.profile is profile
    assert client.keys.local_key == server.keys.remote_key
    assert client.keys.local_salt == server.keys.remote_salt
    assert client.keys.remote_key == server.keys.local_key
    assert client.keys.remote_salt == server.keys.local_salt
    assert len(client.keys.local_key) == profile.key_length
    assert len(client.keys.local_salt) == profile.salt_length
    assert client.keys.local_key != client.keys.remote_key


@pytest.mark.requirement("sdp-media:SEC03")
@pytest.mark.parametrize(
    ("client", "server", "agreed"),
    [
        pytest.param([CM, GCM_256, GCM_128], [GCM_128, GCM_256, CM], GCM_128, id="server-prefers"),
        pytest.param([CM, GCM_256], [GCM_128, GCM_256, CM], GCM_256, id="first-in-common"),
        pytest.param([GCM_128, CM], [CM], CM, id="only-the-mandatory-one"),
    ],
)
def test_the_servers_preference_decides(
    client: list[SrtpProfile], server: list[SrtpProfile], agreed: SrtpProfile
) -> None:
    pair = make_pair(client_profiles=client, server_profiles=server)

    pair.start()
    pair.deliver()

    assert connected(pair, CLIENT).profile is connected(pair, SERVER).profile is agreed


@pytest.mark.requirement("sdp-media:SEC03")
def test_a_handshake_without_a_common_profile_fails_on_both_sides() -> None:
    pair = make_pair(client_profiles=[GCM_128], server_profiles=[CM])

    pair.start()
    pair.run(until=60.0)

    for events in pair.events.values():
        assert events == [DtlsFailed("the peer agreed to no SRTP protection profile")]
    assert pair.next_timeout() is None


@pytest.mark.requirement("sdp-media:SEC10")
@pytest.mark.parametrize("hash_name", ["sha-1", "sha-256", "sha-384", "sha-512"])
def test_each_side_can_tell_the_others_certificate(hash_name: str) -> None:
    pair = make_pair()

    pair.start()
    pair.deliver()

    assert pair.client.peer_fingerprint(hash_name) == SERVER_CERTIFICATE.fingerprint(hash_name)
    from_event = connected(pair, SERVER).peer_fingerprint(hash_name)
    assert from_event == CLIENT_CERTIFICATE.fingerprint(hash_name)


def test_there_is_no_fingerprint_before_the_peer_shows_its_certificate() -> None:
    with pytest.raises(RuntimeError, match="not shown"):
        make_pair().client.peer_fingerprint()


def test_a_handshake_is_four_datagrams_with_the_cipher_that_webrtc_demands() -> None:
    pair = make_pair()

    pair.start()
    pair.deliver()

    assert [len(pair.sent[role]) for role in (CLIENT, SERVER)] == [2, 2]
    server_hello = next(split_records(pair.sent[SERVER][0][1]))
    session_id_length = server_hello[13 + 12 + 34]
    at = 13 + 12 + 35 + session_id_length
    assert server_hello[at : at + 2] == b"\xc0\x2b"  # TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    assert server_hello[13 + 12 : 13 + 14] == b"\xfe\xfd"  # DTLS 1.2
    assert pair.next_timeout() is None


@pytest.mark.requirement("sdp-media:SEC12")
@pytest.mark.parametrize("mtu", [300, 576, 1200])
def test_no_datagram_of_a_handshake_is_longer_than_the_mtu(mtu: int) -> None:
    pair = make_pair(mtu=mtu)

    pair.start()
    pair.deliver()

    sizes = [len(datagram) for sent in pair.sent.values() for _, datagram in sent]
    assert connected(pair, CLIENT)
    assert connected(pair, SERVER)
    assert max(sizes) <= mtu
    if mtu == 300:
        assert len(sizes) > 4


@pytest.mark.requirement("sdp-media:SEC12")
@pytest.mark.parametrize("seed", range(20))
def test_a_third_of_the_datagrams_may_be_lost(seed: int) -> None:
    pair = make_pair(network=lossy(random.Random(seed), loss=0.3))

    pair.start()
    pair.run(until=5.0)

    assert connected(pair, CLIENT).keys.local_key == connected(pair, SERVER).keys.remote_key
    # OpenSSL alone would not have repeated anything: its clock has hardly moved.
    assert pair.now < 3.0


def losing(lost: int) -> Callable[[list[bytes]], Sequence[bytes]]:
    """A network that loses one datagram, counted from the start."""
    count = -1

    def network(datagrams: list[bytes]) -> Sequence[bytes]:
        nonlocal count
        kept = []
        for datagram in datagrams:
            count += 1
            if count != lost:
                kept.append(datagram)
        return kept

    return network


@pytest.mark.parametrize("lost", range(4))
def test_whichever_datagram_is_lost_costs_a_tenth_of_a_second(lost: int) -> None:
    pair = make_pair(network=losing(lost))

    pair.start()
    pair.run(until=5.0)

    assert connected(pair, CLIENT)
    assert connected(pair, SERVER)
    assert pair.now == pytest.approx(0.1)


def test_a_peer_that_never_answers_hears_a_bounded_number_of_datagrams() -> None:
    pair = make_pair(network=lambda datagrams: [])

    pair.start()
    pair.run(until=1000.0)

    assert pair.events[CLIENT] == [DtlsFailed("no answer in 30 s")]
    assert pair.now == HANDSHAKE_TIMEOUT
    assert len(pair.sent[CLIENT]) <= 1 + MAX_REPEATS + 5  # 5 by OpenSSL: 1, 3, 7, 15, 31 s
    assert pair.next_timeout() is None


def test_a_server_waits_for_a_client_hello_without_a_limit() -> None:
    pair = make_pair()

    pair.server.start(0.0)

    assert pair.server.next_timeout() is None
    assert pair.server.poll_transmit() is None


def test_a_handshake_that_stops_half_way_fails_on_the_server_too() -> None:
    pair = make_pair(network=losing(2))
    pair.start()
    pair.deliver()

    deadlines = 0
    while (deadline := pair.server.next_timeout()) is not None:
        pair.server.handle_timeout(deadline)
        deadlines += 1
        assert deadlines < 10_000

    assert pair.server.poll_event() == DtlsFailed("no answer in 30 s")


@pytest.mark.long  # records that came before their time are asked for again after 1 s, by OpenSSL
@pytest.mark.requirement("sdp-media:SEC12")
def test_datagrams_in_the_wrong_order_still_make_a_handshake() -> None:
    pair = make_pair(network=lambda datagrams: datagrams[::-1], mtu=300)
    pair.now = time.monotonic()

    pair.start()
    pair.deliver()
    while (deadline := pair.next_timeout()) is not None:
        time.sleep(max(0.0, deadline - time.monotonic()))
        pair.run(until=deadline)

    assert connected(pair, CLIENT).keys.local_key == connected(pair, SERVER).keys.remote_key


@pytest.mark.requirement("sdp-media:SEC12")
def test_datagrams_that_come_twice_change_nothing() -> None:
    pair = make_pair(network=lambda datagrams: [d for d in datagrams for _ in range(2)])

    pair.start()
    pair.deliver()
    pair.client.send(b"once")
    pair.deliver()

    assert pair.events[SERVER][1:] == [DtlsDataReceived(b"once")]


@settings(max_examples=25)
@given(st.lists(st.binary(max_size=200), max_size=5))
def test_garbage_changes_nothing(garbage: list[bytes]) -> None:
    pair = connected_pair()
    for data in garbage:
        # An alert or a record in the clear may look like anything but a real one.
        pair.client.receive(b"\x16\xfe\xfd\x00\x01" + data, CLIENT_PATH, 0.0)
        pair.client.receive(data, CLIENT_PATH, 0.0)

    pair.client.send(b"still here")
    pair.deliver()

    assert pair.events[CLIENT] == []
    assert pair.events[SERVER] == [DtlsDataReceived(b"still here")]


def test_garbage_during_the_handshake_changes_nothing() -> None:
    pair = make_pair(network=lambda datagrams: [*[b"\x16" + bytes(40)] * 3, *datagrams])

    pair.start()
    pair.deliver()

    assert connected(pair, CLIENT)
    assert connected(pair, SERVER)


def test_a_forged_record_is_dropped_and_a_repeated_one_too() -> None:
    pair = connected_pair()
    pair.client.send(b"hello")
    transmit = pair.client.poll_transmit()
    assert transmit is not None
    datagram = transmit.segments[0]
    forged = datagram[:-1] + bytes([datagram[-1] ^ 1])

    for data in (forged, datagram, datagram):
        pair.server.receive(data, SERVER_PATH, 0.0)
    pair.deliver()

    assert pair.events[SERVER] == [DtlsDataReceived(b"hello")]


def test_application_data_keeps_its_records_apart_both_ways() -> None:
    pair = connected_pair()

    for message in (b"a", b"bb", bytes(1163)):
        assert pair.client.send(message)
    assert pair.server.send(b"back")
    pair.deliver()

    received = [e.data for e in pair.events[SERVER] if isinstance(e, DtlsDataReceived)]
    assert received == [b"a", b"bb", bytes(1163)]
    assert pair.events[CLIENT] == [DtlsDataReceived(b"back")]
    assert max(len(datagram) for _, datagram in pair.sent[CLIENT]) == 1200


@pytest.mark.parametrize("data", [b"", bytes(1164)], ids=["empty", "over-the-mtu"])
def test_data_that_makes_no_single_datagram_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="1 to 1163 bytes"):
        connected_pair().client.send(data)


def test_data_that_nobody_fetches_is_dropped_beyond_a_bound() -> None:
    pair = connected_pair()

    taken = [pair.client.send(b"x") for _ in range(MAX_QUEUED_DATAGRAMS + 2)]
    pair.deliver()

    assert taken == [True] * MAX_QUEUED_DATAGRAMS + [False] * 2
    assert len(pair.events[SERVER]) == MAX_QUEUED_DATAGRAMS


@pytest.mark.requirement("sdp-media:SEC13")
@pytest.mark.parametrize("closing", DtlsRole)
def test_close_notify_ends_the_association_on_both_sides(closing: DtlsRole) -> None:
    pair = connected_pair()
    machine = pair.client if closing is CLIENT else pair.server

    machine.close(0.0)
    pair.deliver()

    assert pair.events == {CLIENT: [DtlsClosed()], SERVER: [DtlsClosed()]}
    assert pair.next_timeout() is None
    with pytest.raises(RuntimeError, match="not connected"):
        pair.client.send(b"x")


def test_closing_twice_or_before_the_start_is_quiet() -> None:
    pair = make_pair()

    pair.client.close(0.0)
    pair.client.close(0.0)
    pair.start()
    pair.deliver()

    assert pair.events[CLIENT] == [DtlsClosed()]
    assert pair.sent[CLIENT] == []


def test_closing_in_the_handshake_stops_its_timers() -> None:
    pair = make_pair()
    pair.client.start(0.0)

    pair.client.close(0.05)

    assert pair.client.next_timeout() is None
    assert pair.client.poll_event() == DtlsClosed()


def test_an_alert_fails_the_handshake_with_its_name() -> None:
    pair = make_pair()
    pair.client.start(0.0)
    handshake_failure = bytes.fromhex("15fefd000000000000000000020228")

    pair.client.receive(handshake_failure, CLIENT_PATH, 0.0)

    event = pair.client.poll_event()
    assert isinstance(event, DtlsFailed)
    assert "handshake failure" in event.reason
    assert pair.client.next_timeout() is None


def test_a_client_hello_names_no_application_protocol() -> None:
    """A departure from RFC 8835 section 3.5, which wants ALPN (RFC 8833)."""
    pair = make_pair()
    pair.start()
    transmit = pair.client.poll_transmit()
    assert transmit is not None

    found = extension_types(transmit.segments[0])

    assert USE_SRTP in found
    assert APPLICATION_LAYER_PROTOCOL_NEGOTIATION not in found


@pytest.mark.requirement("sdp-media:SEC10")
def test_a_client_hello_of_dtls_1_0_is_refused() -> None:
    pair = make_pair()
    pair.start()
    transmit = pair.client.poll_transmit()
    assert transmit is not None
    hello = bytearray(transmit.segments[0])
    hello[13 + 12 : 13 + 14] = b"\xfe\xff"  # client_version

    pair.server.receive(bytes(hello), SERVER_PATH, 0.0)

    event = pair.server.poll_event()
    assert isinstance(event, DtlsFailed)
    assert "version" in event.reason or "protocol" in event.reason
    alert = pair.server.poll_transmit()
    assert alert is not None
    assert alert.segments[0][0] == 21


def test_a_machine_that_was_not_started_hears_nothing() -> None:
    pair = make_pair()
    pair.client.start(0.0)

    pair.deliver()

    assert pair.events == {CLIENT: [], SERVER: []}
    assert pair.sent[SERVER] == []


def test_starting_twice_sends_one_client_hello() -> None:
    pair = make_pair()
    pair.client.start(0.0)

    pair.client.start(0.0)

    assert pair.client.poll_transmit() is not None
    assert pair.client.poll_transmit() is None


def test_an_early_timeout_does_nothing() -> None:
    pair = make_pair()
    pair.client.start(0.0)
    pair.client.poll_transmit()
    deadline = pair.client.next_timeout()

    pair.client.handle_timeout(0.05)

    assert pair.client.poll_transmit() is None
    assert pair.client.next_timeout() == deadline == pytest.approx(0.1)


def test_at_least_one_profile_must_be_offered() -> None:
    with pytest.raises(ValueError, match="at least one"):
        DtlsConnection(CLIENT_CERTIFICATE, CLIENT, CLIENT_PATH, srtp_profiles=())
