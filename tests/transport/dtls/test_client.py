"""DTLS clients of servers with issued certificates."""

from __future__ import annotations

import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from transport import Path
from transport.dtls import (
    ClientConnected,
    DtlsClients,
    DtlsEstablished,
    DtlsFailed,
    DtlsIdentity,
    DtlsServer,
    DtlsTrust,
)

from .issued import (
    ANCHORS,
    FAR_AHEAD,
    KEY,
    LONG_AGO,
    NAME,
    SELF_ISSUED,
    Key,
    certificate,
    der,
    key_pem,
    pem,
    subject,
)
from .served import CLIENT, SERVER, UDP, World, there

AUTHORITY_KEY = ec.generate_private_key(ec.SECP256R1())
AUTHORITY = certificate(AUTHORITY_KEY, common_name="authority", dns=[], is_authority=True)
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def served_with(identity: DtlsIdentity) -> World:
    world = World()
    world.server = DtlsServer(identity, random_bytes=lambda size: bytes(size))
    return world


def issued(key: Key, *, until: datetime.datetime = FAR_AHEAD) -> DtlsIdentity:
    """By the authority."""
    made = certificate(key, issuer=(subject("authority"), AUTHORITY_KEY), until=until)
    return DtlsIdentity((made,), key)


@pytest.mark.requirement("stun-turn:STUNC-TCP-07")
@pytest.mark.parametrize("key", [KEY, RSA_KEY], ids=["ecdsa", "rsa"])
def test_a_certificate_of_a_known_authority_is_good(key: Key) -> None:
    world = served_with(issued(key))
    client = world.client(trust=DtlsTrust((der(AUTHORITY),)))

    world.deliver(client)

    assert client.events == [DtlsEstablished(None)]


def test_a_chain_leads_to_the_authority() -> None:
    middle_key = ec.generate_private_key(ec.SECP256R1())
    middle = certificate(
        middle_key,
        issuer=(subject("authority"), AUTHORITY_KEY),
        common_name="middle",
        dns=[],
        is_authority=True,
    )
    leaf = certificate(KEY, issuer=(subject("middle"), middle_key))
    world = served_with(DtlsIdentity.from_pem(pem(leaf, middle), key_pem(KEY)))
    client = world.client(trust=DtlsTrust.from_pem(pem(SELF_ISSUED, AUTHORITY)))

    world.deliver(client)

    assert client.events == [DtlsEstablished(None)]


@pytest.mark.requirement("stun-turn:STUNC-TCP-07")
@pytest.mark.parametrize(
    ("identity", "trust", "name", "reason"),
    [
        pytest.param(issued(KEY), DtlsTrust(ANCHORS), NAME, "nobody that is known", id="unknown"),
        pytest.param(issued(KEY), DtlsTrust(), NAME, "nobody that is known", id="system"),
        pytest.param(
            issued(KEY, until=LONG_AGO + datetime.timedelta(days=1)),
            DtlsTrust((der(AUTHORITY),)),
            NAME,
            "the certificate is out of date",
            id="expired",
        ),
        pytest.param(
            issued(KEY),
            DtlsTrust((der(AUTHORITY),)),
            "other.example",
            "for another name than other.example",
            id="name",
        ),
        pytest.param(
            issued(KEY), DtlsTrust((der(AUTHORITY),)), "192.0.2.2", "for another name", id="ip"
        ),
    ],
)
def test_a_certificate_that_is_not_good_ends_the_handshake(
    identity: DtlsIdentity, trust: DtlsTrust, name: str, reason: str
) -> None:
    world = served_with(identity)
    client = world.client(name=name, trust=trust)

    world.deliver(client)

    (failed,) = client.events
    assert isinstance(failed, DtlsFailed)
    assert reason in failed.reason
    assert world.events == []
    assert len(world.server) == 0  # it was told


@pytest.mark.parametrize(
    ("trust", "name"),
    [
        pytest.param(DtlsTrust((der(AUTHORITY),), checks_name=False), "other.example", id="name"),
        pytest.param(DtlsTrust(ANCHORS, checks_chain=False), "other.example", id="all"),
    ],
)
def test_who_checks_less_takes_more(trust: DtlsTrust, name: str) -> None:
    world = served_with(issued(KEY))
    client = world.client(name=name, trust=trust)

    world.deliver(client)

    assert world.events == [ClientConnected(there())]


def test_an_unreachable_server_is_given_up_during_the_handshake_alone() -> None:
    world = World()
    waiting, connected = world.client(), world.connected()
    path = Path(UDP, CLIENT, SERVER)

    for client in (waiting, connected):
        client.machine.unreachable(path, 0.0)
        world.deliver(client)

    assert waiting.events == [DtlsFailed("nobody takes datagrams there")]
    assert connected.events == [DtlsEstablished(None)]


def test_a_silent_server_is_given_up_in_time() -> None:
    clients = DtlsClients(DtlsTrust(ANCHORS))
    client = clients.associate(Path(UDP, CLIENT, SERVER), NAME, handshake_timeout=5.0)
    client.start(0.0)
    client.handle_timeout(4.9)
    assert client.poll_event() is None

    client.handle_timeout(5.0)

    assert client.poll_event() == DtlsFailed("no answer in 5 s")


@pytest.mark.parametrize(
    ("chain", "key", "problem"),
    [
        pytest.param(b"", key_pem(KEY), "PEM", id="no-certificate"),
        pytest.param(pem(SELF_ISSUED), b"", "PEM", id="no-key"),
        pytest.param(pem(SELF_ISSUED), key_pem(RSA_KEY), "not that of", id="another-key"),
    ],
)
def test_files_that_make_no_identity_are_refused(chain: bytes, key: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        DtlsIdentity.from_pem(chain, key)


@pytest.mark.parametrize("anchors", [b"", b"hello"], ids=["empty", "text"])
def test_no_certificate_is_no_trust(anchors: bytes) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        DtlsTrust.from_pem(anchors)
    with pytest.raises(ValueError, match="no certificate"):
        DtlsClients(DtlsTrust((anchors,)))


@pytest.mark.requirement("stun-turn:STUNC-TCP-09")
def test_a_hello_names_the_server_and_the_protocols() -> None:
    world = World()
    (hello,) = world.sent_by(world.client(protocols=["stun.turn"]))

    assert NAME.encode() in hello
    assert b"\x09stun.turn" in hello
