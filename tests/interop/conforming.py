"""``hairpin conformance`` as users call it, and rows run against set-ups of our relay."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import pathlib
import sys
from collections.abc import AsyncIterator, Mapping

import msgspec

import conformance.rows
from conformance import Credential, Survey, Target, registered
from conformance.aio import run
from conformance.target import TokenKey
from transport import TransportAddress

from .ports import free_port
from .process import communicate, hairpin

assert conformance.rows  # imported for the rows that it registers

USERS = {"ann": "secret", "bob": "other"}
AS_USERS = tuple(word for name in USERS for word in ("--user", f"{name}:{USERS[name]}"))
WITHIN = 400.0
"""Seconds for a run: a whole one takes a minute at most where nothing else is run."""


@dataclasses.dataclass(frozen=True)
class Line:
    """What a run says of one row."""

    verdict: str
    detail: str

    @property
    def is_shown(self) -> bool:
        """The row has been done: it passed, or what the RFC leaves open was seen."""
        return self.verdict in ("PASS", "INFO")


Lines = Mapping[str, Line]


@dataclasses.dataclass(frozen=True)
class Done:
    """A run of the command that came to its end."""

    status: int
    lines: Lines
    said: str


class _Row(msgspec.Struct):
    id: str
    verdict: str
    detail: str = ""


class _Document(msgspec.Struct):
    rows: list[_Row]


async def conform(target: str, *options: str, report: pathlib.Path) -> Done:
    """Run ``hairpin conformance TARGET OPTIONS`` for two users, to its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from hairpin.cli import main; main()"),
        *("conformance", target, *AS_USERS, *options, "--json", str(report)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await communicate(process, within=WITHIN)
    assert process.returncode is not None
    return Done(process.returncode, _read(report, said.decode()), said.decode())


def _read(report: pathlib.Path, said: str) -> Lines:
    assert report.exists(), said
    document = msgspec.json.decode(report.read_bytes(), type=_Document)
    return {row.id: Line(row.verdict, row.detail) for row in document.rows}


async def ask(target: Target, *prefixes: str, surveyed: Survey | None = None) -> Lines:
    """Run the rows whose ids begin so, but for slow ones, in this process."""
    rows = [row for row in registered() if row.id.startswith(prefixes) and not row.slow]
    report = await run(target, rows=rows, surveyed=surveyed)
    return {
        each.row_id: Line(each.outcome.verdict.value, each.outcome.detail)
        for each in report.results
    }


def at(
    host: str, port: int, *, token_key: TokenKey | None = None, secret: str | None = None
) -> Target:
    """A server of these users."""
    return Target(
        address=TransportAddress.parse(host, port),
        credentials=tuple(Credential(*user) for user in USERS.items()),
        token_key=token_key,
        secret=secret,
    )


@contextlib.asynccontextmanager
async def relay(*options: str, host: str = "127.0.0.1", users: bool = True) -> AsyncIterator[int]:
    """``hairpin relay`` over UDP and TCP, with peers at its own address alone; its port."""
    port = free_port()
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    listening = ("--listen", f"udp://{place}", "--listen", f"tcp://{place}")
    allowed = ("--allow-peer", f"{host}/{128 if ':' in host else 32}")
    known = AS_USERS if users else ()
    async with hairpin("relay", *listening, *allowed, *known, *options):
        yield port
