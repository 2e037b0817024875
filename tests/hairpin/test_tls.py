"""Files for TLS, and what may be wrong with them."""

from __future__ import annotations

import pathlib

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from hairpin.errors import HairpinError
from hairpin.tls import check_certificates, server_context

from .certificates import write_certificate


def test_a_certificate_and_its_key_make_a_context(tmp_path: pathlib.Path) -> None:
    certificate, key = write_certificate(tmp_path)

    assert server_context(str(certificate), str(key)).get_ca_certs() == []


def test_files_that_do_not_fit_are_both_named(tmp_path: pathlib.Path) -> None:
    certificate, _ = write_certificate(tmp_path, "one")
    _, other = write_certificate(tmp_path, "other")

    with pytest.raises(HairpinError, match=rf"{other} is not the key of .* {certificate}"):
        server_context(str(certificate), str(other))


def test_a_key_of_another_kind_is_told_as_another_key(tmp_path: pathlib.Path) -> None:
    certificate, _ = write_certificate(tmp_path)
    other = tmp_path / "rsa.key"
    other.write_bytes(
        rsa.generate_private_key(65537, 1024).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

    with pytest.raises(HairpinError, match=rf"{other} is not the key of .* {certificate}"):
        server_context(str(certificate), str(other))


def test_an_encrypted_key_asks_nobody_for_its_passphrase(tmp_path: pathlib.Path) -> None:
    certificate, key = write_certificate(tmp_path, passphrase=b"secret")

    with pytest.raises(HairpinError, match=f"--tls-key {key} is encrypted"):
        server_context(str(certificate), str(key))


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\x00"], ids=["empty", "text", "binary"])
def test_files_that_are_something_else_are_named(tmp_path: pathlib.Path, content: bytes) -> None:
    certificate, key = map(str, write_certificate(tmp_path))
    wrong = tmp_path / "wrong"
    wrong.write_bytes(content)

    with pytest.raises(HairpinError, match=f"--tls-cert {wrong} holds no certificate"):
        server_context(str(wrong), key)
    with pytest.raises(HairpinError, match=f"--tls-key {wrong} holds no private key"):
        server_context(certificate, str(wrong))
    with pytest.raises(HairpinError, match=f"BUNDLE {wrong} holds no certificate"):
        check_certificates(str(wrong), "BUNDLE")


def test_files_that_cannot_be_read_are_named(tmp_path: pathlib.Path) -> None:
    certificate, key = map(str, write_certificate(tmp_path))

    with pytest.raises(HairpinError, match="--tls-cert /none: No such file"):
        server_context("/none", key)
    with pytest.raises(HairpinError, match=f"--tls-key {tmp_path}: Is a directory"):
        server_context(certificate, str(tmp_path))
