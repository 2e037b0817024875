"""Which scripts are played to a client, what its operator is told, and how it is started."""

from __future__ import annotations

import asyncio
import dataclasses
import pathlib
import re
import shlex
import shutil
from collections.abc import Callable, Mapping, Sequence

from conformance import Credential, load
from conformance.aio import ClientCommand, ClientServer, Listener
from conformance.clients import Script, Settings, scripts
from conformance.outcome import RowResult
from hairpin.conforming.repeating import HIDDEN
from hairpin.daemon import announce
from hairpin.errors import HairpinError
from transport import TransportAddress
from turn.aio import Endpoint

PATIENCE = 120.0
"""Seconds that a person has to start the client."""

COMMAND_PATIENCE = 15.0
"""Seconds that a command has for its first message."""

COMMAND_JOBS = 4
"""Scripts at once: they wait most of the time, and a client's timers are judged, which a busy
machine delays."""

MAX_JOBS = 16


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ClientPlan:
    """Which scripts, where, and for whom. ``command`` is a template; see ``fill``."""

    scripts: tuple[Script, ...]
    listen: tuple[Endpoint, ...]
    user: tuple[str, str]
    realm: str
    peer: TransportAddress
    other: TransportAddress
    command: str | None = None
    status_tells: bool = False
    patience: float | None = None
    jobs: int | None = None

    @property
    def client(self) -> str:
        """What a report calls the client under test."""
        words = shlex.split(self.command or "")
        names = [pathlib.PurePath(each).name for each in words]
        if names and INTERPRETER.match(names[0]):
            files = (each for each in names[1:] if FILE_NAME.fullmatch(each))
            return next(files, names[0])
        return names[0] if names else "a client"

    @property
    def at_once(self) -> int:
        """How many scripts are played beside each other; the command has to be told where."""
        if self.command is None or PORT not in self.command:
            return 1
        return min(self.jobs or COMMAND_JOBS, len(self.scripts))

    @property
    def settings(self) -> Settings:
        patience = COMMAND_PATIENCE if self.command is not None else PATIENCE
        return Settings(
            user=Credential(*self.user),
            realm=self.realm,
            peer=self.peer,
            other=self.other,
            patience=self.patience or patience,
            is_watched=self.command is not None,
        )

    def repeat(self, script_id: str) -> str:
        """The command line that plays one script alone, without the password."""
        words = ["hairpin", "conformance", "client", "--script", script_id]
        for each in self.listen:
            words += ["--listen", str(each)]
        words += ["--user", f"{self.user[0]}:{HIDDEN}"]
        words += [] if self.command is None else ["--command", self.command]
        words += ["--status-tells"] if self.status_tells else []
        words += ["--slow"] if any(s.slow for s in self.scripts if s.id == script_id) else []
        return shlex.join(words)


def choose_scripts(prefixes: Sequence[str], *, slow: bool) -> tuple[Script, ...]:
    """Scripts whose ids begin with one of the prefixes, all without any; slow ones if asked for.

    Raises:
        ValueError: there are none, or a prefix is that of no script.
    """
    found: dict[str, Script] = {}
    for prefix in prefixes or [""]:
        wanted = prefix.upper()
        exact = [each for each in scripts() if each.id == wanted]
        matching = exact or [each for each in scripts() if each.id.startswith(wanted)]
        if not matching:
            raise ValueError(f"{prefix}: {_why_none(wanted)}")
        found.update((each.id, each) for each in matching)
    chosen = tuple(each for each in scripts() if each.id in found and (slow or not each.slow))
    if not chosen:
        raise ValueError("what is named is slow: add --slow")
    return chosen


def _why_none(prefix: str) -> str:
    known = [row.id for group in load("stun-turn") for row in group.rows]
    if any(row_id.startswith(prefix) for row_id in known):
        return "there is no script for that row (hairpin conformance list)"
    groups = ", ".join(sorted({each.id.rpartition("-")[0] for each in scripts()}))
    return f"no script begins so; there are {groups}"


def words_of(script: Script, plan: ClientPlan, listener: Listener) -> dict[str, str]:
    """What stands for the names in a command, and in what a person is told."""
    user, password = plan.user
    at = listener.listening
    return {
        "host": at.host,
        "port": str(at.port),
        "transport": listener.protocol.value,
        "user": user,
        "password": password,
        "realm": plan.realm,
        "peer": str(plan.peer),
        "peer_host": plan.peer.host,
        "peer_port": str(plan.peer.port),
        "other": str(plan.other),
        "action": script.action.value,
        "script": script.id,
        "kid": plan.settings.grant.kid,
        "token": plan.settings.grant.token.hex(),
        "mac_key": plan.settings.grant.mac_key.hex(),
    }


def check_command(command: str) -> None:
    """Raises:
    ValueError: it cannot be filled in, or nothing can be started by it.
    """
    try:
        words = fill(command, dict.fromkeys(NAMES, "x"))
    except (KeyError, IndexError, ValueError) as error:
        known = ", ".join(f"{{{name}}}" for name in NAMES)
        raise ValueError(f"--command {command!r}: {error}; there are {known}") from error
    if not words or not words[0]:
        raise ValueError("--command is empty")
    is_filled_in = shlex.split(command)[0] != words[0]
    if not is_filled_in and shutil.which(words[0]) is None:
        raise ValueError(f"--command: {words[0]}: there is no such program that may be started")


PORT = "{port}"
INTERPRETER = re.compile(r"(python|node|perl|ruby|java|bash|sh|env)[\d.]*$")
FILE_NAME = re.compile(r"\w[\w-]*\.\w+")
NAMES = (
    "host",
    "port",
    "transport",
    "user",
    "password",
    "realm",
    "peer",
    "peer_host",
    "peer_port",
    "other",
    "action",
    "script",
    "kid",
    "token",
    "mac_key",
)


def fill(command: str, words: Mapping[str, str]) -> list[str]:
    """The words of a command line, each with its names filled in."""
    return [word.format(**words) for word in shlex.split(command)]


def instruction(script: Script, plan: ClientPlan, listener: Listener) -> str:
    """What a person has the client do."""
    words = words_of(script, plan, listener)
    text = script.action.text.format(**words)
    where = f"{listener.protocol.value}://{listener.listening}"
    user = f", as {plan.user[0]} with password {plan.user[1]}"
    return f"{script.id}: have the client {text}; the server is {where}{user}"


async def play_all(plan: ClientPlan, on_result: Callable[[RowResult], None]) -> None:
    """Play the scripts of a plan, some beside each other; each result is told as it comes.

    When this is cancelled all clients that run are ended.

    Raises:
        HairpinError: an address cannot be listened on, or the command cannot be started.
    """
    players: list[Playing] = []
    try:
        for number in range(plan.at_once):
            players.append(Playing(plan, plan.listen if number == 0 else _anywhere(plan.listen)))
        pending = iter(plan.scripts)

        async def work(player: Playing) -> None:
            for script in pending:
                on_result(await player.play(script))

        try:
            async with asyncio.TaskGroup() as group:
                for player in players:
                    group.create_task(work(player))
        except* HairpinError as errors:
            raise errors.exceptions[0] from None
    finally:
        for player in players:
            player.close()


def _anywhere(listen: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    """The same hosts and transports, with ports that the system chooses."""
    return tuple(Endpoint(each.transport, TransportAddress(each.address.ip, 0)) for each in listen)


class Playing:
    """Scripts for one client, one after the other."""

    def __init__(self, plan: ClientPlan, listen: Sequence[Endpoint]) -> None:
        """Raises:
        HairpinError: an address cannot be listened on.
        """
        self._plan = plan
        listeners = [_listen(each) for each in listen]
        self._server = ClientServer(listeners, settings=plan.settings, start=self._start)

    async def play(self, script: Script) -> RowResult:
        """Raises:
        HairpinError: the command cannot be started.
        """
        try:
            return await self._server.play(script)
        except OSError as error:
            what = "" if error.filename is None else f"{error.filename}: "
            raise HairpinError(f"--command: {what}{error.strerror or error}") from error

    def close(self) -> None:
        self._server.close()

    def _start(self, script: Script, listener: Listener) -> asyncio.Task[ClientCommand] | None:
        plan = self._plan
        if plan.command is None:
            announce(instruction(script, plan, listener))
            return None
        words = fill(plan.command, words_of(script, plan, listener))
        return asyncio.create_task(ClientCommand.start(words, status_tells=plan.status_tells))


def _listen(endpoint: Endpoint) -> Listener:
    try:
        return Listener(endpoint.transport, endpoint.address)
    except OSError as error:
        raise HairpinError(f"--listen {endpoint}: {error.strerror or error}") from error
