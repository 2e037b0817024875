"""Which TLS a server speaks (RFC 8489 section 6.2.3), in memory."""

from __future__ import annotations

import pathlib
import ssl

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.transport.dtls.issued import NAME, certificate, key_pem, pem
from transport.aio import server_context

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RSA_CERTIFICATE = certificate(RSA_KEY, is_authority=True)


@pytest.fixture
def server(tmp_path: pathlib.Path) -> ssl.SSLContext:
    files = tmp_path / "chain.pem", tmp_path / "key.pem"
    files[0].write_bytes(pem(RSA_CERTIFICATE))
    files[1].write_bytes(key_pem(RSA_KEY))
    return server_context(*map(str, files))


def client(ciphers: str, *, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> ssl.SSLContext:
    """One that speaks this version alone."""
    context = ssl.create_default_context(cadata=pem(RSA_CERTIFICATE).decode())
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    return context


def shake_hands(one: ssl.SSLContext, other: ssl.SSLContext) -> ssl.SSLObject:
    """The client's side of a connection.

    Raises:
        ssl.SSLError: they agree on nothing.
    """
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        one.wrap_bio(to_client, to_server, server_hostname=NAME),
        other.wrap_bio(to_server, to_client, server_side=True),
    )
    waiting = True
    while waiting:
        waiting = False
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                waiting = True
    return sides[0]


@pytest.mark.requirement("stun-turn:STUNS-TCP-08")
@pytest.mark.parametrize(
    "cipher", ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE+CHACHA20"]
)
def test_tls_1_2_has_forward_secrecy_and_authenticated_encryption(
    server: ssl.SSLContext, cipher: str
) -> None:
    connection = shake_hands(client(cipher), server)

    assert connection.version() == "TLSv1.2"
    assert connection.compression() is None


@pytest.mark.requirement("stun-turn:STUNS-TCP-08")
@pytest.mark.parametrize(
    "cipher",
    [
        pytest.param("AES128-GCM-SHA256", id="no-forward-secrecy"),
        pytest.param("ECDHE-RSA-AES128-SHA", id="no-authenticated-encryption"),
        pytest.param("aNULL:@SECLEVEL=0", id="no-certificate"),
        pytest.param("DHE-RSA-AES128-GCM-SHA256", id="finite-field"),
    ],
)
def test_no_other_cipher_is_agreed_on(server: ssl.SSLContext, cipher: str) -> None:
    with pytest.raises(ssl.SSLError):
        shake_hands(client(cipher), server)


@pytest.mark.requirement("stun-turn:STUNS-TCP-08")
def test_tls_1_3_is_spoken(server: ssl.SSLContext) -> None:
    connection = shake_hands(client("ALL", version=ssl.TLSVersion.TLSv1_3), server)

    assert connection.version() == "TLSv1.3"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.requirement("stun-turn:STUNS-TCP-08")
@pytest.mark.parametrize("name", ["TLSv1", "TLSv1_1"])
def test_no_older_version_is_spoken(server: ssl.SSLContext, name: str) -> None:
    old = client("ALL:@SECLEVEL=0", version=ssl.TLSVersion[name])

    with pytest.raises(ssl.SSLError):
        shake_hands(old, server)


@pytest.mark.requirement("stun-turn:STUNS-TCP-11")
@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        pytest.param(["stun.nat-discovery", "stun.turn"], {"stun.turn", "stun.nat-discovery"}),
        pytest.param(["stun.turn"], {"stun.turn"}),
        pytest.param(["h2"], {None}),
    ],
    ids=["both", "one", "another"],
)
def test_what_a_client_calls_it_is_accepted(
    server: ssl.SSLContext, offered: list[str], chosen: set[str | None]
) -> None:
    context = client("ALL")
    context.set_alpn_protocols(offered)

    assert shake_hands(context, server).selected_alpn_protocol() in chosen
