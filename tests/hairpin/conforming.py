"""``hairpin conformance`` as tests run it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable

import click
from click.testing import CliRunner

from hairpin.cli import cli
from tests.conformance.loopback import success
from transport import TransportAddress

USERS = ("--user", "ann:secret", "--user", "bob:other")

WITH_AN_EMPTY_ATTRIBUTE = 24
"""Bytes of a request that STUNS-BASE-08 sends, and STUNS-BASE-02 does not."""


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


class AskedInVain:
    """A server that never answers STUNS-BASE-08, and fails STUNS-BASE-02.

    ``tell`` is called when the row has asked three times, and waits.
    """

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._times = 0

    def __call__(self, data: bytes) -> bytes | None:
        if len(data) != WITH_AN_EMPTY_ATTRIBUTE:
            return success(data)
        self._times += 1
        if self._times == 3:
            self._tell()
        return None
