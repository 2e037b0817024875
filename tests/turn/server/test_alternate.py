"""Sending clients to another server, whose certificate has another name (RFC 8489 section 10)."""

from __future__ import annotations

import pytest

from stun import (
    AlgorithmChoice,
    AlternateDomain,
    AlternateServer,
    IntegrityAlgorithm,
    LongTermClient,
    Message,
    Method,
)
from transport import Path, TransportAddress, TransportProtocol

from .harness import CLIENT, LISTENING, UDP_REQUEST, Client, Relay, client_on, code

ALTERNATE = TransportAddress.parse("5.5.5.7", 5349)
DOMAIN = "other.example"


def ask_with_sha256(relay: Relay, transport: TransportProtocol) -> Message:
    """What a client of RFC 8489 is answered."""
    path = Path(transport, LISTENING, TransportAddress(CLIENT.ip, 2000))
    credentials = LongTermClient(
        "alice", "alice's password", choice=AlgorithmChoice.STRONGEST
    ).request(Method.ALLOCATE, (UDP_REQUEST,))
    for number in range(2):
        (transmit,) = relay.receive(credentials.encode(bytes((number,)) * 12), path)
        response = Message.decode(transmit.segments[0])
        if not credentials.retry(response):
            break
    assert credentials.is_authenticated(response)
    assert response.integrity is IntegrityAlgorithm.SHA256
    return response


@pytest.mark.requirement("stun-turn:STUNS-ALT-03")
@pytest.mark.parametrize("transport", [TransportProtocol.TLS, TransportProtocol.DTLS])
def test_the_alternate_domain_is_told_over_tls_and_dtls(transport: TransportProtocol) -> None:
    relay = Relay()
    relay.server.drain(0.0, alternate=ALTERNATE, alternate_domain=DOMAIN)

    response = ask_with_sha256(relay, transport)

    assert code(response) == 300
    assert response.get(AlternateServer) == AlternateServer(ALTERNATE)
    assert response.get(AlternateDomain) == AlternateDomain(DOMAIN)


@pytest.mark.parametrize("transport", [TransportProtocol.UDP, TransportProtocol.TCP])
def test_where_no_certificate_is_looked_at_no_domain_is_told(transport: TransportProtocol) -> None:
    relay = Relay()
    relay.server.drain(0.0, alternate=ALTERNATE, alternate_domain=DOMAIN)

    response = ask_with_sha256(relay, transport)

    assert code(response) == 300
    assert not response.has(AlternateDomain)


def test_a_client_of_the_old_rfc_is_told_no_domain() -> None:
    relay = Relay()
    relay.server.drain(0.0, alternate=ALTERNATE, alternate_domain=DOMAIN)

    response = client_on(relay, 2000, transport=TransportProtocol.TLS).ask(
        Method.ALLOCATE, UDP_REQUEST
    )

    assert code(response) == 300
    assert not response.has(AlternateDomain)


def test_without_a_domain_of_its_own_the_alternate_server_has_ours() -> None:
    relay = Relay()
    relay.server.drain(0.0, alternate=ALTERNATE)

    assert not ask_with_sha256(relay, TransportProtocol.TLS).has(AlternateDomain)


def test_a_domain_that_is_none_is_refused() -> None:
    relay = Relay()

    with pytest.raises(ValueError, match=r"domain|name|character"):
        relay.server.drain(0.0, alternate=ALTERNATE, alternate_domain="ü" * 300)

    assert code(Client(relay).ask(Method.ALLOCATE, UDP_REQUEST)) == 0
