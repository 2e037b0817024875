"""A pytest plugin for who writes a STUN or TURN server: one test per row of the catalogue.

    pytest --stun-target turn:127.0.0.1:3478 --stun-user ann:secret --stun-user bob:other

The rows are run beside each other before the first test, which is what makes them quick; each
test then tells what its row came to. INFO passes, and is in the test's properties. What a
server may not do in any answer is a test of its own, ``every-answer``. After Ctrl-C the rows
that were done are told, the others are skipped, and no other test is run.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from conformance import Report, Row
    from conformance.report import Entry
    from conformance.target import TokenKey

    from .conforming.aim import Aim

OPTIONS: Final = "--stun-"
"""What their names begin with."""

NOT_TESTED: Final = 2
"""Exit status where the server could not be tested."""

EVERY_ANSWER: Final = "every-answer"
INTERRUPTED: Final = "not run: interrupted"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("stun", "conformance of a STUN or TURN server")
    group.addoption(
        "--stun-target",
        metavar="URI",
        help="turn:host:port, stun:..., turns:host?transport=udp ...",
    )
    group.addoption(
        "--stun-user", action="append", default=[], metavar="NAME:PASSWORD", help="twice, better"
    )
    group.addoption("--stun-secret", metavar="S", help="for time-limited credentials instead")
    group.addoption("--stun-oauth-key", metavar="KID:BASE64", help="that access tokens are of")
    group.addoption("--stun-oauth-server-name", metavar="NAME", help="in the access tokens")
    group.addoption("--stun-peer-address", metavar="IP", help="that the server may relay to")
    group.addoption("--stun-only", action="append", default=[], metavar="PREFIX", help="of row ids")
    group.addoption("--stun-slow", action="store_true", help="also rows that take minutes")
    group.addoption("--stun-ca-file", metavar="FILE", help="certificates to trust")
    group.addoption("--stun-insecure", action="store_true", help="take any certificate")
    group.addoption(
        "--i-operate-this-server", action="store_true", help="needed for public addresses"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stun_target: a row run against --stun-target")
    if config.getoption("--stun-target"):
        config.pluginmanager.register(_Rows(config), "hairpin-conformance-rows")


class _Failed(Exception):
    """A row that the server does not meet; the text is what a user reads."""


@dataclasses.dataclass
class _Run:
    """What a session has run: the rows that were asked for, and what was found."""

    asked: frozenset[str] = frozenset()
    found: dict[str, Entry] = dataclasses.field(default_factory=dict)
    suspects: tuple[str, ...] = ()
    """Rows that were under way when the server stopped answering."""

    is_interrupted: bool = False
    """Rows are missing: Ctrl-C came before them."""


class _Rows:
    """Adds a test for each row to what was collected, and runs them."""

    def __init__(self, config: pytest.Config) -> None:
        from .conforming.selecting import choose_rows

        try:
            self._aim = _aim(config)
            prefixes, slow = config.getoption("--stun-only"), config.getoption("--stun-slow")
            self._chosen: Sequence[Row] = choose_rows(prefixes, slow=slow, options=OPTIONS)
        except ValueError as error:
            raise pytest.UsageError(str(error)) from error
        self._run = _Run()

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        names = [row.id for row in self._chosen]
        items.extend(_RowItem.from_parent(session, name=name, run=self._run) for name in names)
        items.append(_AnswersItem.from_parent(session, name=EVERY_ANSWER, run=self._run))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        wanted = {item.name for item in session.items if isinstance(item, _RowItem)}
        rows = [row for row in self._chosen if row.id in wanted]
        if rows and not session.config.option.collectonly:
            from conformance.report import entries

            self._run.asked = frozenset(row.id for row in rows)
            report = _report(self._aim, rows, session.config)
            self._run.found = {entry.requirement.id: entry for entry in entries(report)}
            self._run.suspects = report.suspects
            self._run.is_interrupted = not report.is_complete
        if not self._run.is_interrupted:
            return (yield)
        session.items[:] = [item for item in session.items if isinstance(item, _Item)]
        yield
        return pytest.exit("interrupted", returncode=pytest.ExitCode.INTERRUPTED)


class _Item(pytest.Item):
    """A test that tells what the run has found."""

    def __init__(self, name: str, parent: pytest.Session, run: _Run) -> None:
        super().__init__(name, parent)
        self.run = run
        self.add_marker("stun_target")

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        if isinstance(excinfo.value, _Failed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[str, None, str]:
        return "stun", None, self.name


class _RowItem(_Item):
    """What one row came to."""

    def runtest(self) -> None:
        from conformance import Verdict

        entry = self.run.found.get(self.name)
        if entry is None:
            pytest.skip(INTERRUPTED)
        self.user_properties.append(("verdict", entry.verdict.value))
        self.user_properties.append(("seen", entry.detail))
        if entry.verdict is Verdict.FAIL:
            raise _Failed(_tell([entry]))
        if entry.verdict is Verdict.SKIP and self.name in self.run.suspects:
            raise _Failed(entry.detail)
        if entry.verdict is Verdict.SKIP:
            pytest.skip(entry.detail)


class _AnswersItem(_Item):
    """What rows have met in answers that is the business of no row that was asked for."""

    def runtest(self) -> None:
        if not self.run.asked:
            pytest.skip("no row was run")
        failed = [entry for name, entry in self.run.found.items() if name not in self.run.asked]
        if failed:
            raise _Failed(_tell(failed))
        if self.run.is_interrupted:
            pytest.skip(INTERRUPTED)


def _aim(config: pytest.Config) -> Aim:
    from .conforming.aim import Aim, read_uri

    users = []
    for user in config.getoption("--stun-user"):
        name, _, password = user.partition(":")
        if not name or not password:
            raise ValueError("--stun-user is NAME:PASSWORD")
        users.append((name, password))
    peer = config.getoption("--stun-peer-address")
    return Aim(
        uri=read_uri(config.getoption("--stun-target")),
        users=tuple(users),
        secret=config.getoption("--stun-secret"),
        peer_ip=None if peer is None else ipaddress.ip_address(peer),
        ca_file=config.getoption("--stun-ca-file"),
        is_insecure=config.getoption("--stun-insecure"),
        is_operated=config.getoption("--i-operate-this-server"),
        token_key=_token_key(config),
        options=OPTIONS,
    )


def _token_key(config: pytest.Config) -> TokenKey | None:
    from .authorization import read_token_key
    from .conforming.aim import sealing_key

    text = config.getoption("--stun-oauth-key")
    try:
        key = None if text is None else read_token_key(text)
    except ValueError as error:
        raise ValueError(f"--stun-oauth-key: {error}") from error
    return sealing_key(key, config.getoption("--stun-oauth-server-name"), options=OPTIONS)


def _report(aim: Aim, rows: Sequence[Row], config: pytest.Config) -> Report:
    import asyncio

    from conformance import TargetUnusable
    from conformance.describing_values import counted

    from .conforming.running import Plan, run_plan
    from .errors import HairpinError

    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"running {counted(len(rows), 'row')} against {aim.uri}")
    plan = Plan(rows=tuple(rows))
    try:
        return asyncio.run(run_plan(aim, plan, on_begin=_ignore, on_result=_ignore))
    except (TargetUnusable, HairpinError) as error:
        pytest.exit(f"{aim.uri} cannot be tested: {error}", returncode=NOT_TESTED)


def _ignore(*_: object) -> None:
    """What nobody watches."""


def _tell(failed: Iterable[Entry]) -> str:
    """Failures with their bytes, as on a terminal."""
    import io

    from rich.console import Console

    from .conforming.terminal import LOG_WIDTH, show_failure

    written = io.StringIO()
    console = Console(file=written, width=LOG_WIDTH, highlight=False)
    for entry in failed:
        again = f"pytest with the same options, and -k {entry.requirement.id}"
        show_failure(entry, console, again)
    return written.getvalue()
