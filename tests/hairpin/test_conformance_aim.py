"""Whom ``hairpin conformance`` aims at: addresses, credentials, and trust."""

from __future__ import annotations

import pathlib
import re
import sys

import pytest

from conformance import TargetUnusable
from hairpin.conforming.aim import Aim, find_targets, is_public, read_uri
from hairpin.errors import HairpinError
from transport import TransportAddress, TransportProtocol


async def test_with_that_word_a_public_address_is_a_target() -> None:
    aim = Aim(uri=read_uri("stun:8.8.8.8"), is_operated=True)

    assert [str(each) for each in await find_targets(aim)] == ["stun:8.8.8.8:3478"]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("8.8.8.8", True),
        ("2600::1", True),
        ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False),
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::ffff:10.0.0.1", False),
    ],
)
def test_an_address_is_public_or_not(text: str, answer: bool) -> None:
    assert is_public(TransportAddress.parse(text, 1).ip) is answer


async def test_a_name_is_resolved_and_kept_for_the_certificate() -> None:
    aim = Aim(uri=read_uri("turns:localhost"), users=(("ann", "secret"),), profile="coturn")

    targets = await find_targets(aim)

    assert {target.server_name for target in targets} == {"localhost"}
    assert {target.address.port for target in targets} == {5349}
    assert "127.0.0.1" in {target.address.host for target in targets}
    assert targets[0].hints


async def test_a_name_that_leads_nowhere_is_told() -> None:
    with pytest.raises(TargetUnusable, match=r"no-such-host\.invalid cannot be resolved"):
        await find_targets(Aim(uri=read_uri("stun:no-such-host.invalid")))


async def test_a_secret_makes_two_credentials_that_expire() -> None:
    (target,) = await find_targets(Aim(uri=read_uri("turn:127.0.0.1"), secret="s3"))

    assert [name.username.partition(":")[2] for name in target.credentials] == ["ann", "bob"]
    assert target.secret == "s3"


def test_trust_in_everything_and_in_some_certificates_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="exclude each other"):
        Aim(uri=read_uri("stuns:localhost"), ca_file="ca.pem", is_insecure=True)


def test_a_file_without_certificates_is_told(tmp_path: pathlib.Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("")

    with pytest.raises(HairpinError, match=r"--ca-file .*ca\.pem: there is no certificate in it"):
        Aim(uri=read_uri("stuns:localhost"), ca_file=str(empty)).trust()


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("turn:127.0.0.1:3479", "stun:127.0.0.1:3479"),
        ("turn:[::1]:3479?transport=tcp", "stun:[::1]:3479"),
        ("turn:localhost", "stun:localhost"),
        ("turns:localhost:5350?transport=udp", "stuns:localhost:5350?transport=udp"),
    ],
)
def test_without_credentials_the_same_server_is_named_for_what_needs_none(
    target: str, hint: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(f"(without any: {hint})")):
        Aim(uri=read_uri(target))

    assert Aim(uri=read_uri(hint)).uri.host == read_uri(target).host


def test_options_are_named_as_where_they_stand() -> None:
    with pytest.raises(ValueError, match=r"--stun-user NAME:PASSWORD.* or --stun-secret"):
        Aim(uri=read_uri("turn:localhost"), options="--stun-")


def test_without_tls_no_certificate_is_looked_at() -> None:
    Aim(uri=read_uri("stun:localhost"), ca_file="/nowhere/ca.pem").trust()


def test_where_dtls_is_not_installed_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transport.dtls", None)

    with pytest.raises(HairpinError, match=r"pip install 'hairpin\[dtls\]'"):
        Aim(uri=read_uri("stuns:localhost?transport=udp")).trust()


@pytest.mark.parametrize("kind", ["udp", "tcp", "UDP"])
async def test_a_stuns_uri_may_name_its_transport(kind: str) -> None:
    uri = read_uri(f"stuns:localhost:5349?transport={kind}")
    targets = await find_targets(Aim(uri=uri))

    wanted = TransportProtocol.TLS if kind == "tcp" else TransportProtocol.DTLS
    assert {target.transport for target in targets} == {wanted}
    assert read_uri(str(uri)) == uri
