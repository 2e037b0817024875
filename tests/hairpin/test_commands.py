"""``channel``, ``key`` and ``master`` against a service that ``hairpin serve`` brought up."""

from __future__ import annotations

import contextlib
import json
import pathlib
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from hairpin.cli import main
from tests.media.clips import h264_mp4

from .test_daemon import FAR

pytestmark = pytest.mark.long  # A service of its own has to start, once for all of them.

SERVE = (
    *(sys.executable, "-c", "from hairpin.cli import main; main()", "serve"),
    *("--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0"),
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The first key of a service, as it is left for a shell to source."""
    data = tmp_path_factory.mktemp("serve") / "data"
    with subprocess.Popen(
        [*SERVE, "--data", str(data)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline().startswith(b"ready http://127.0.0.1:")
            words = shlex.split((data / "first-key.env").read_text())
            assert (data / "first-key.env").stat().st_mode & 0o077 == 0
            yield dict(word.split("=", 1) for word in words if word != "export")
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(FAR) == 0


@pytest.fixture
def run(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Runner:
    return Runner(environment, monkeypatch, capsys)


class Runner:
    """Runs commands in this process, with the variables of a user's shell."""

    def __init__(
        self,
        environment: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        self.environment = dict(environment)
        monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)

    def __call__(self, *arguments: str, status: int = 0) -> str:
        """What a command printed, on standard error if it is to fail."""
        self._monkeypatch.setattr(sys, "argv", ["hairpin", *arguments])
        for name, value in self.environment.items():
            self._monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as exited:
            main()
        output = self._capsys.readouterr()
        assert exited.value.code == status, output.err
        return output.err if status else output.out


def test_channels_are_made_listed_described_and_deleted(run: Runner) -> None:
    arn = run("channel", "create", "porch", "--message-ttl", "30").strip()
    other = json.loads(run("channel", "create", "attic", "--json"))["ChannelARN"]

    assert arn.startswith("arn:aws:kinesisvideo:us-west-2:000000000000:channel/porch/")
    assert run("channel", "list") == f"attic\t60 s\t{other}\nporch\t30 s\t{arn}\n"
    (listed,) = json.loads(run("channel", "list", "--prefix", "po", "--json"))
    assert (listed["ChannelARN"], listed["ChannelName"]) == (arn, "porch")
    assert json.loads(run("channel", "describe", "porch", "--json")) == listed
    assert f"ARN\t{arn}\nMessage TTL\t30 s\n" in run("channel", "describe", "porch")
    for name in ("porch", "attic"):
        assert run("channel", "delete", name) == ""
    assert run("channel", "list") == ""


def test_a_key_that_was_made_may_be_used_until_it_is_revoked(run: Runner) -> None:
    made = json.loads(run("key", "create", "--json"))
    key_id = made["AccessKeyId"]
    plain = run("key", "create").split("\t")
    listed = run("key", "list")

    assert key_id in listed
    assert made["SecretAccessKey"] not in listed + run("key", "list", "--json")
    first = dict(run.environment)
    run.environment |= {
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
    }
    assert run("channel", "list") == ""
    run.environment = first
    for each in (key_id, plain[0]):
        run("key", "revoke", each)
    run.environment |= {"AWS_ACCESS_KEY_ID": key_id}
    assert "UnrecognizedClientException" in run("channel", "list", status=1)


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        pytest.param(
            ["channel", "list"],
            {"AWS_SECRET_ACCESS_KEY": "wrong"},
            "InvalidSignatureException",
            id="wrong-secret",
        ),
        pytest.param(
            ["channel", "list"],
            {"AWS_ACCESS_KEY_ID": "AKIAWRONG"},
            "UnrecognizedClientException",
            id="wrong-key",
        ),
        pytest.param(
            ["key", "list", "--region", "eu-west-1"], {}, "valid region", id="wrong-region"
        ),
        pytest.param(
            ["channel", "describe", "none"], {}, "ResourceNotFoundException", id="describe"
        ),
        pytest.param(["channel", "delete", "none"], {}, "ResourceNotFoundException", id="delete"),
        pytest.param(["channel", "create", "no spaces"], {}, "InvalidArgumentException", id="name"),
        pytest.param(["key", "revoke", "none"], {}, "ResourceNotFoundException", id="revoke"),
        pytest.param(
            ["master", "--channel", "none", "--source", "clip.mp4"],
            {},
            "ResourceNotFoundException",
            id="master",
        ),
        pytest.param(
            ["master", "--channel", "none", "--source", "clip.mp4"],
            {"AWS_SECRET_ACCESS_KEY": "wrong"},
            "InvalidSignatureException",
            id="master-wrong-secret",
        ),
    ],
)
def test_what_the_service_refuses_is_one_line(
    run: Runner,
    tmp_path: pathlib.Path,
    *,
    arguments: list[str],
    changes: dict[str, str],
    message: str,
) -> None:
    run.environment |= changes
    h264_mp4(tmp_path / "clip.mp4", frames=5, audio=False)
    with contextlib.chdir(tmp_path):
        *said, last = run(*arguments, status=1).splitlines()

    assert last.startswith(f"hairpin: {run.environment['AWS_ENDPOINT_URL']} refused: ")
    assert message in last
    assert not [line for line in said if not line.startswith("source ")]
