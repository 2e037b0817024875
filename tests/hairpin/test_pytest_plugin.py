"""The rows of the catalogue, as tests of somebody who writes a server."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator

import pytest

import hairpin.conforming.running
import hairpin.conforming.selecting
import hairpin.conforming.terminal
from conformance.building import MessageBuilder
from conformance.codes import Attr, Class, Method
from tests.conformance.loopback import CLOSED, answering, relay, success
from transport import TransportAddress
from turn.tokens import TokenKey, TokenVerifier

from .conforming import DyingOfGarbage

# pytester forgets modules that it has seen imported; rows are registered once.
assert hairpin.conforming.running
assert hairpin.conforming.selecting
assert hairpin.conforming.terminal

pytest_plugins = ("pytester",)
pytestmark = pytest.mark.long  # a pytest in a pytest, and a server in a thread beside it

PLUGIN = ("-p", "hairpin.pytest_plugin", "-p", "no:cacheprovider", "-p", "no:asyncio")

TOKEN_KEY = "north:a2tra2tra2tra2tra2traw=="
USERS = ("--stun-user", "ann:secret", "--stun-user", "bob:other")


class _Beside:
    """A server with an event loop of its own, in a thread."""

    def __init__(self, server: contextlib.AbstractAsyncContextManager[TransportAddress]) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._is_up = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._main(),))
        self.address = CLOSED

    async def _main(self) -> None:
        async with self._server as self.address:
            self._is_up.set()
            await self._stop.wait()

    def __enter__(self) -> str:
        self._thread.start()
        self._is_up.wait()
        return str(self.address)

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


@contextlib.asynccontextmanager
async def _relay_address(tokens: TokenVerifier | None = None) -> AsyncIterator[TransportAddress]:
    async with relay(third_party_auth=tokens) as server:
        yield server.addresses[0]


def _with_a_wrong_fingerprint(data: bytes) -> bytes:
    builder = MessageBuilder(Method.BINDING, Class.SUCCESS, data[8:20])
    return builder.add(Attr.FINGERPRINT, bytes(4)).build()


def test_each_row_is_a_test(pytester: pytest.Pytester) -> None:
    with _Beside(_relay_address()) as server:
        result = pytester.runpytest_inprocess(
            *PLUGIN,
            *("--stun-target", f"turn:{server}", *USERS),
            *("--stun-only", "STUNS-BASE-0", "-v", "-k", "not STUNS-BASE-09"),
        )

    result.assert_outcomes(passed=9, deselected=1)
    result.stdout.fnmatch_lines(["running 8 rows against turn:*", "*STUNS-BASE-01 PASSED*"])


def test_a_row_that_fails_shows_its_bytes(pytester: pytest.Pytester) -> None:
    with _Beside(answering(success)) as server:
        result = pytester.runpytest_inprocess(
            *PLUGIN, "--stun-target", f"stun:{server}", "--stun-only", "STUNS-BASE-02"
        )

    result.assert_outcomes(passed=1, failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "*seen: XOR-MAPPED-ADDRESS is missing*",
            "*Binding success response*",
            "*-k STUNS-BASE-02*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_what_no_answer_may_do_is_a_test_of_its_own(pytester: pytest.Pytester) -> None:
    with _Beside(answering(_with_a_wrong_fingerprint)) as server:
        result = pytester.runpytest_inprocess(
            *PLUGIN, "--stun-target", f"stun:{server}", "--stun-only", "STUNS-BASE-01"
        )

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*COD-FP-01*", "*FAILED*every-answer*"])


def test_a_row_that_is_not_offered_is_skipped_with_the_reason(pytester: pytest.Pytester) -> None:
    with _Beside(answering(success)) as server:
        result = pytester.runpytest_inprocess(
            *PLUGIN, "--stun-target", f"stun:{server}", "--stun-only", "STUNS-BASE-04", "-rs"
        )

    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*not offered: long-term credentials*"])


def test_a_server_that_cannot_be_tested_ends_it_all(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(
        *PLUGIN, "--stun-target", f"turn:{CLOSED}?transport=tcp", "--stun-user", "a:b"
    )

    assert result.ret == 2
    result.stdout.fnmatch_lines(["*cannot be tested: no tcp connection*refused*"])


def test_trust_that_cannot_be_had_ends_it_all(pytester: pytest.Pytester) -> None:
    empty = pytester.makefile(".pem", "")

    result = pytester.runpytest_inprocess(
        *PLUGIN, "--stun-target", "stuns:localhost", "--stun-ca-file", str(empty)
    )

    assert result.ret == 2
    result.stdout.fnmatch_lines(["*cannot be tested: --stun-ca-file*no certificate in it*"])


@pytest.mark.parametrize(
    ("name", "passed", "failed"),
    [
        pytest.param((), 3, 0, id="what-it-says"),
        pytest.param(("--stun-oauth-server-name", "relay.example"), 3, 0, id="its-name"),
        pytest.param(("--stun-oauth-server-name", "other.example"), 1, 2, id="another-name"),
    ],
)
def test_tokens_are_made_with_the_key_for_the_server_that_is_named(
    pytester: pytest.Pytester, name: tuple[str, ...], passed: int, failed: int
) -> None:
    verifier = TokenVerifier("relay.example", [TokenKey.parse(TOKEN_KEY)])

    with _Beside(_relay_address(verifier)) as server:
        result = pytester.runpytest_inprocess(
            *PLUGIN,
            *("--stun-target", f"turn:{server}", *USERS, "--stun-oauth-key", TOKEN_KEY, *name),
            *("--stun-only", "TURN-OAUTH-01", "--stun-only", "TURN-OAUTH-02"),
        )

    result.assert_outcomes(passed=passed, failed=failed)


def test_after_ctrl_c_what_is_known_is_told_and_the_rest_is_skipped(
    pytester: pytest.Pytester,
) -> None:
    own: pathlib.Path = pytester.makepyfile("def test_of_their_own(): assert False")
    has_begun = threading.Event()
    with _Beside(answering(DyingOfGarbage(has_begun.set))) as server:
        only = ("--stun-only", "STUNS-BASE-02", "--stun-only", "SEC-15")
        command = (sys.executable, "-m", "pytest", *PLUGIN, "-rs", str(own))
        process = pytester.popen(
            [*command, "--stun-target", f"stun:{server}", *only],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        assert has_begun.wait(50)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate()
        stdout = output.decode()

    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "seen: XOR-MAPPED-ADDRESS is missing" in stdout
    assert "1 failed, 2 skipped" in stdout
    assert "not run: interrupted" in stdout
    assert "Traceback" not in stdout


def test_rows_can_be_listed_without_a_server(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(
        *PLUGIN, "--stun-target", f"turn:{CLOSED}", "--stun-user", "a:b", "--collect-only", "-q"
    )

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["*STUNS-BASE-01", "*every-answer"])


def test_without_a_row_there_is_nothing_to_say_of_answers(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(
        *PLUGIN, "--stun-target", f"stun:{CLOSED}", "-k", "every-answer"
    )

    assert result.parseoutcomes()["skipped"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--stun-target", "x"], "'x' is no target", id="target"),
        pytest.param(["--stun-target", "turn:x"], "wants credentials", id="no-user"),
        pytest.param(["--stun-target", "turn:x", "--stun-user", "a"], "NAME:PASSWORD", id="user"),
        pytest.param(["--stun-target", "turn:x"], "--stun-user NAME:PASSWORD", id="option"),
        pytest.param(
            ["--stun-target", "stun:x", "--stun-only", "FOO"],
            "--stun-only FOO: no row",
            id="prefix",
        ),
        pytest.param(
            ["--stun-target", "stun:x", "--stun-oauth-key", "x"],
            "--stun-oauth-key: a token key is KID:BASE64",
            id="token-key",
        ),
        pytest.param(
            ["--stun-target", "stun:x", "--stun-oauth-server-name", "x"],
            "--stun-oauth-server-name needs --stun-oauth-key",
            id="server-name",
        ),
    ],
)
def test_options_that_make_no_sense_are_told(
    pytester: pytest.Pytester, arguments: list[str], message: str
) -> None:
    result = pytester.runpytest_inprocess(*PLUGIN, *arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{message}*"])


def test_without_a_target_nothing_is_added(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(*PLUGIN)

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
