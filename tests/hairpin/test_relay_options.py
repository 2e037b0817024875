"""What ``hairpin relay`` says of options that make no sense."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

import pytest
from click.testing import CliRunner, Result

from hairpin.cli import cli
from hairpin.errors import HairpinError
from hairpin.relay_daemon import EXTENSIONS, RelayOptions
from transport import TransportAddress
from transport.aio import KernelSockets

from .certificates import write_certificate

LISTEN = ("--listen", "udp://127.0.0.1:0")
USER = ("--user", "ann:secret")
TOKEN_KEY = "north:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
TOKENS = ("--enable", "third-party-auth", "--oauth-key", TOKEN_KEY)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["relay", *arguments])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--listen", "127.0.0.1:1"], "is not udp://, tcp://", id="no-scheme"),
        pytest.param(["--listen", "sctp://127.0.0.1:1"], "is not udp://, tcp://", id="sctp"),
        pytest.param(["--listen", "udp://relay:1"], "IP address of this machine", id="name"),
        pytest.param(["--listen", "udp://127.0.0.1:"], "is not HOST:PORT", id="no-port"),
        pytest.param(["--user", "ann"], "a user is NAME:PASSWORD", id="no-password"),
        pytest.param(["--user", ":secret"], "a user is NAME:PASSWORD", id="no-name"),
        pytest.param(["--relay-address", "here"], "does not appear to be", id="relay-address"),
        pytest.param(["--allow-peer", "10.0.0.1/8"], "has host bits set", id="host-bits"),
        pytest.param(["--deny-peer-port", "smtp"], "is not a port", id="port-name"),
        pytest.param(["--deny-peer-port", "9-1"], "the first one first", id="ports"),
        pytest.param(["--min-port", "80"], "is not in the range", id="well-known-port"),
        pytest.param(["--drain", "-1"], "is not in the range", id="negative-drain"),
        pytest.param(["--enable", "magic"], "is not one of 'tcp-relay'", id="extension"),
        pytest.param(["--oauth-key", "nonsense"], "a token key is KID:BASE64", id="no-kid"),
        pytest.param(["--oauth-key", "north::9"], "a token key is KID:BASE64", id="no-key"),
        pytest.param(["--oauth-key", "north:YQ=="], "16 or 32 bytes, not 1", id="short-key"),
        pytest.param(["--oauth-key", "north:?"], "'north' is not base64", id="no-base64"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(arguments: Sequence[str], message: str) -> None:
    result = invoke(*arguments)

    assert result.exit_code == 2
    assert arguments[0] in result.output
    assert message in " ".join(result.output.split())


def test_a_password_that_is_misplaced_is_not_repeated() -> None:
    assert "hunter2" not in invoke("--user", "hunter2").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "give it --user NAME:PASSWORD or --secret SECRET", id="nobody"),
        pytest.param([*USER, "--user", "ann:other"], "--user is given twice for ann", id="twice"),
        pytest.param(["--secret", ""], "an empty secret", id="empty-secret"),
        pytest.param(["--user", "ann:a\tb"], "control characters", id="password"),
        pytest.param([*USER, "--realm", ""], "a realm has from 1", id="no-realm"),
        pytest.param([*USER, "--realm", "a\tb"], "the realm cannot be used", id="realm"),
        pytest.param(
            [*USER, "--min-port", "50001", "--max-port", "50000"], "no range", id="port-range"
        ),
        pytest.param(
            [*USER, "--relay-address", "192.0.2.77"], "choose another with --relay-address", id="ip"
        ),
        pytest.param(
            [*USER, "--listen", "udp://192.0.2.77:1"],
            "choose another with --listen",
            id="not-ours",
        ),
        pytest.param(
            [*USER, "--listen", "tcp://192.0.2.77:1"],
            "192.0.2.77:1 is not an address of this machine",
            id="not-ours-tcp",
        ),
        pytest.param(
            [*USER, "--listen", "tls://127.0.0.1:0"],
            "tls://127.0.0.1:0 needs a certificate: --tls-cert FILE --tls-key FILE",
            id="tls-without-a-certificate",
        ),
        pytest.param(
            [*USER, "--listen", "dtls://127.0.0.1"],
            "dtls://127.0.0.1:5349 needs a certificate",
            id="dtls-without-a-certificate",
        ),
        pytest.param(
            [*USER, "--enable", "third-party-auth"], "--oauth-key KID:BASE64", id="no-token-key"
        ),
        pytest.param(["--oauth-key", TOKEN_KEY], "--enable third-party-auth", id="not-enabled"),
        pytest.param([*TOKENS, "--oauth-key", TOKEN_KEY], "two token keys", id="token-key-twice"),
        pytest.param(
            [*TOKENS, "--oauth-server-name", "n" * 40], "40 bytes together", id="server-name"
        ),
        pytest.param([*USER, "--tls-key", "x"], "--tls-key go together", id="half-a-certificate"),
        pytest.param(
            [*USER, "--tls-cert", "/none", "--tls-key", "/none"],
            "--tls-cert /none: No such file",
            id="no-such-certificate",
        ),
    ],
)
def test_what_cannot_be_started_is_one_line(arguments: Sequence[str], message: str) -> None:
    result = invoke(*LISTEN, *arguments)

    assert isinstance(result.exception, HairpinError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)


def test_a_certificate_that_no_listener_shows_is_a_mistake(tmp_path: pathlib.Path) -> None:
    certificate, key = map(str, write_certificate(tmp_path))

    result = invoke(*LISTEN, *USER, "--tls-cert", certificate, "--tls-key", key)

    assert isinstance(result.exception, HairpinError)
    assert "--tls-cert is for tls:// and dtls://" in str(result.exception)


def test_several_extensions_may_be_enabled() -> None:
    enabled = [word for name in EXTENSIONS for word in ("--enable", name)]

    result = invoke(*LISTEN, *enabled)

    assert isinstance(result.exception, HairpinError)
    assert "nobody could use this relay" in str(result.exception)


def test_a_busy_port_is_named_with_the_flag_that_changes_it() -> None:
    with KernelSockets().bind(TransportAddress.parse("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = invoke(*LISTEN, "--listen", f"udp://127.0.0.1:{port}", *USER)

    assert isinstance(result.exception, HairpinError)
    assert f"127.0.0.1:{port} is in use" in str(result.exception)
    assert "--listen" in str(result.exception)


def test_secrets_of_the_command_line_do_not_show() -> None:
    options = RelayOptions(
        listen=(),
        realm="hairpin",
        user=(("ann", "hidden"),),
        secret=("hidden",),
        relay_address=(),
        allow_peer=(),
        min_port=1,
        max_port=2,
    )

    assert "hidden" not in repr(options)
