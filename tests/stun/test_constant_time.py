"""Digests are compared in constant time: a difference tells nothing of where it is.

Both checks would fail if a digest were compared with ``==``.
"""

from __future__ import annotations

import ast
import hmac
import pathlib
import re
from collections.abc import Callable
from typing import cast

import pytest
from cryptography.hazmat.primitives.hmac import HMAC

import stun
import turn
from stun import (
    IntegrityAlgorithm,
    IntegrityKey,
    Message,
    MessageClass,
    Method,
    SecurityFeature,
    encode_message,
)
from stun.server import Nonces
from transport import TransportAddress

ALICE = TransportAddress.parse("192.0.2.1", 5000)
SECRET_NAMES = re.compile(r"(^|_)(mac|hmac|digest|signature|finalize)(_|$)")


class OnlyVerifies:
    """The state of an HMAC that compares by itself, and does not hand its value out."""

    def __init__(self, state: HMAC) -> None:
        self._state = state

    def update(self, text: bytes) -> None:
        self._state.update(text)

    def verify(self, digest: bytes) -> None:
        self._state.verify(digest)


class KeyThatOnlyVerifies(IntegrityKey):
    """A key whose digests nobody can take and compare."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        usual_sha1 = self.new_sha1
        self.new_sha1 = cast(Callable[[], HMAC], lambda: OnlyVerifies(usual_sha1()))

    @property
    def new_sha256(self) -> Callable[[], HMAC]:
        usual = super().new_sha256
        return cast(Callable[[], HMAC], lambda: OnlyVerifies(usual()))


@pytest.mark.parametrize("algorithm", [IntegrityAlgorithm.SHA1, IntegrityAlgorithm.SHA256])
@pytest.mark.requirement("stun-turn:COD-MI-08", "stun-turn:SEC-21")
def test_the_integrity_of_a_message_is_compared_by_the_hmac_itself(
    algorithm: IntegrityAlgorithm,
) -> None:
    key = IntegrityKey(b"key")
    data = encode_message(
        Method.BINDING, MessageClass.REQUEST, bytes(12), (), key=key, algorithm=algorithm
    )

    assert Message.decode(data).verify_integrity(KeyThatOnlyVerifies(b"key"))
    assert not Message.decode(data).verify_integrity(KeyThatOnlyVerifies(b"other"))


class Incomparable(bytes):
    """Bytes that must not be compared byte by byte."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared in a time that tells where the difference is")

    __hash__ = bytes.__hash__

    def __getitem__(self, key: object) -> bytes:  # type: ignore[override]  # slices alone
        return Incomparable(super().__getitem__(cast(slice, key)))


@pytest.mark.requirement("stun-turn:SEC-21", "stun-turn:SEC-12")
def test_a_nonce_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = hmac.digest

    def digest(key: bytes, text: bytes, name: str) -> bytes:
        return Incomparable(usual(key, text, name))

    nonces = Nonces(
        bytes(32),
        features=SecurityFeature.PASSWORD_ALGORITHMS,
        lifetime=600.0,
        random_bytes=bytes,
    )
    nonce = nonces.issue(ALICE, 0.0)
    monkeypatch.setattr(hmac, "digest", digest)

    assert nonces.is_valid(nonce, ALICE, 1.0)
    assert not nonces.is_valid(nonce[:-1] + "A", ALICE, 1.0)


@pytest.mark.parametrize("package", [stun, turn], ids=["stun", "turn"])
@pytest.mark.requirement("stun-turn:SEC-21")
def test_nothing_that_is_called_a_digest_is_compared_with_an_operator(package: object) -> None:
    (folder,) = package.__path__  # type: ignore[attr-defined]  # a package has one

    found = [
        f"{file.name}:{node.lineno}"
        for file in pathlib.Path(folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Compare) and any(map(_is_secret, [node.left, *node.comparators]))
    ]

    assert found == []


def _is_secret(node: ast.expr) -> bool:
    """Whether an operand is a digest by its name; its length is no secret."""
    if isinstance(node, ast.Call):
        node = node.func
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    return SECRET_NAMES.search(name) is not None
