"""``hairpin conformance`` as tests run it, and for whom."""

from __future__ import annotations

import asyncio
import dataclasses
import shlex
import sys
from collections.abc import Callable

import click
from click.testing import CliRunner

from conformance.codes import HEADER_BYTES, MAGIC_COOKIE
from hairpin.cli import cli
from tests.conformance.clients.one_request import CLIENT
from tests.conformance.loopback import success
from transport import TransportAddress

USERS = ("--user", "ann:secret", "--user", "bob:other")


@dataclasses.dataclass(frozen=True)
class Ran:
    """What a command has printed, and its exit status, as ``hairpin.cli.main`` has it."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def invoke(*arguments: str) -> Ran:
    result = CliRunner().invoke(cli, ["conformance", *arguments], standalone_mode=False)
    if isinstance(result.exception, click.ClickException):
        problem = result.exception
        return Ran(problem.exit_code, result.stdout, result.stderr + problem.format_message())
    if result.exception is not None:
        raise result.exception
    return Ran(result.return_value or 0, result.stdout, result.stderr)


async def invoke_beside(*arguments: str) -> Ran:
    """In a thread, beside a server in this one."""
    return await asyncio.to_thread(invoke, *arguments)


def uri(server: TransportAddress, more: str = "") -> str:
    return f"turn:{server}{more}"


class DyingOfGarbage:
    """A server that fails STUNS-BASE-02, and falls silent at the first garbage of SEC-15.

    That row begins when all others have ended, and then waits for the server for more than ten
    seconds. ``tell`` is called when it has begun.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._is_dead = False

    def __call__(self, data: bytes) -> bytes | None:
        if self._is_dead or not _is_message(data):
            self._is_dead = True
            self._tell()
            return None
        return success(data)


def _is_message(data: bytes) -> bool:
    cookie = MAGIC_COOKIE.to_bytes(4, "big")
    return data[4:8] == cookie and len(data) == HEADER_BYTES + int.from_bytes(data[2:4], "big")


def client_command(*silent: str) -> str:
    """For --command: a client that sends one Binding request, takes any success for its answer,
    and waits for it for as long as it has to; in these scripts it sends nothing at all."""
    words = [sys.executable, "-I", "-c", CLIENT.replace("{", "{{")]
    return " ".join([shlex.join(words), "{port} {transport} {script}", *silent])
