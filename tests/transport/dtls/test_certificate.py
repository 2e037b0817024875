from __future__ import annotations

import hashlib
import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from transport.dtls import FINGERPRINT_HASHES, DtlsCertificate

CERTIFICATE = DtlsCertificate.generate(random.Random(1).randbytes)


@pytest.mark.requirement("sdp-media:SEC10")
def test_a_certificate_is_p256_and_signed_by_its_own_key() -> None:
    certificate = CERTIFICATE.certificate
    public_key = certificate.public_key()

    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    assert isinstance(public_key.curve, ec.SECP256R1)
    certificate.verify_directly_issued_by(certificate)


def test_a_certificate_does_not_tell_when_it_was_made() -> None:
    certificate = CERTIFICATE.certificate

    assert certificate.not_valid_before_utc.year == 1970
    assert certificate.not_valid_after_utc.year == 2049


def test_two_certificates_have_nothing_in_common() -> None:
    other = DtlsCertificate.generate(random.Random(2).randbytes)

    assert other.certificate.serial_number != CERTIFICATE.certificate.serial_number
    assert other.key.private_numbers() != CERTIFICATE.key.private_numbers()
    assert other.fingerprint() != CERTIFICATE.fingerprint()


@pytest.mark.parametrize("byte", [0x00, 0xFF])
def test_any_randomness_makes_a_key(byte: int) -> None:
    certificate = DtlsCertificate.generate(lambda size: bytes([byte]) * size)

    assert certificate.certificate.serial_number > 0


@pytest.mark.parametrize("hash_name", FINGERPRINT_HASHES)
def test_a_fingerprint_is_the_hash_of_the_der_in_upper_case_hex(hash_name: str) -> None:
    der = CERTIFICATE.certificate.public_bytes(Encoding.DER)
    digest = hashlib.new(hash_name.replace("-", ""), der).digest()

    expected = ":".join(f"{byte:02X}" for byte in digest)
    assert CERTIFICATE.fingerprint(hash_name) == expected
    assert CERTIFICATE.fingerprint(hash_name.upper()) == expected


@pytest.mark.parametrize("hash_name", ["md5", "md2", "sha256", ""])
def test_a_broken_or_unknown_hash_makes_no_fingerprint(hash_name: str) -> None:
    with pytest.raises(ValueError, match="no fingerprint"):
        CERTIFICATE.fingerprint(hash_name)
