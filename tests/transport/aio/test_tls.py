"""The contexts of TLS clients."""

from __future__ import annotations

import pathlib
import ssl

import pytest

from transport.aio import ClientTls

from .test_streams import make_certificate


@pytest.mark.requirement("stun-turn:STUNC-TCP-08")
def test_nothing_old_or_without_forward_secrecy_is_offered() -> None:
    context = ClientTls().context()
    ciphers = context.get_ciphers()

    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_COMPRESSION
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert all(each["kea"] in ("kx-ecdhe", "kx-dhe", "kx-any") for each in ciphers)
    assert all(each["aead"] for each in ciphers)
    # RFC 8489 section 6.2.3
    names = {each["name"] for each in ciphers}
    assert {"ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256"} <= names


def test_a_file_is_trusted_in_place_of_the_systems_authorities(tmp_path: pathlib.Path) -> None:
    certificate, _ = make_certificate(tmp_path)

    context = ClientTls(ca=str(certificate)).context()

    assert context.cert_store_stats()["x509"] == 1


def test_a_file_that_makes_no_sense_is_an_error(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "none.pem"
    file.write_text("nothing of the kind")

    with pytest.raises(ssl.SSLError):
        ClientTls(ca=str(file)).context()


def test_whether_a_certificate_was_revoked_is_not_asked() -> None:
    flags = ClientTls().context().verify_flags

    assert not flags & (ssl.VERIFY_CRL_CHECK_LEAF | ssl.VERIFY_CRL_CHECK_CHAIN)
