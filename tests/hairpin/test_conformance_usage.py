"""What ``hairpin conformance`` says of a command line that makes no sense."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from .conforming import invoke


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([], "Missing argument 'TARGET'", id="nothing"),
        pytest.param(["lst"], "'lst' is no target", id="no-uri"),
        pytest.param(["turn:x?transport=sctp"], "'sctp' is not known", id="transport"),
        pytest.param(["turn:127.0.0.1"], "a TURN server wants credentials", id="no-user"),
        pytest.param(["turn:127.0.0.1", "--user", "ann"], "NAME:PASSWORD", id="no-password"),
        pytest.param(["stuns:x?transport=sctp"], "'sctp' is not known", id="stuns-transport"),
        pytest.param(["stun:x?transport=udp"], "is no target", id="stun-transport"),
        pytest.param(["stun:x", "--only", "FOO"], "no row begins so; there are COD-", id="prefix"),
        pytest.param(
            ["stun:x", "--only", "STUNC-UDP-01"], "client --script STUNC-UDP-01", id="client"
        ),
        pytest.param(["stun:x", "--only", "COD-TXT-02"], "not shown", id="not-shown"),
        pytest.param(["stun:x", "--peer-address", "192.0.2.9"], "no such address", id="peer"),
        pytest.param(
            ["stun:x", "--profile", "foo"], "not one of 'coturn', 'hairpin'", id="profile"
        ),
        pytest.param(["stun:x", "--json", "/nowhere/a.json"], "no folder /nowhere", id="folder"),
        pytest.param(["stun:x", "--html", "/"], "/ is a folder, not a file", id="is-folder"),
        pytest.param(["stun:x", "--json", "a", "--html", "./a"], "both write to", id="one-file"),
        pytest.param(
            ["stun:x", "--junit", "-", "--json", "-"], "both write to standard output", id="stdout"
        ),
        pytest.param(
            ["turn:x", "--user", "ann:a", "--user", "ann:b"], "a different user", id="same-user"
        ),
        pytest.param(
            ["turn:x", "--user", "a:a", "--user", "b:b", "--user", "c:c"],
            "--user: no row needs more than 2",
            id="three-users",
        ),
        pytest.param(
            ["turn:x", "--user", "a:a", "--secret", "s"], "--user and --secret exclude", id="secret"
        ),
        pytest.param(["stun:x", "--oauth-key", "nonsense"], "is KID:BASE64", id="no-key"),
        pytest.param(["stun:x", "--oauth-key", "kid:"], "is KID:BASE64", id="empty-key"),
        pytest.param(["stun:x", "--oauth-key", "kid:YQ=="], "16 or 32 bytes, not 1", id="short"),
        pytest.param(["stun:x", "--rate", "0"], "is not in the range", id="rate"),
        pytest.param(["compare", "/nowhere", "/nowhere"], "No such file", id="no-file"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_told(arguments: Sequence[str], message: str) -> None:
    result = invoke(*arguments)

    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_a_name_for_tokens_without_their_key_is_a_usage_error() -> None:
    result = invoke("--oauth-server-name", "relay.example", "stun:127.0.0.1")

    assert result.exit_code == 2
    assert "--oauth-server-name needs --oauth-key" in result.stderr
