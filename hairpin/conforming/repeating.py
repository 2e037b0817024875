"""The command line that runs one row alone."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Collection, Sequence

from .aim import Aim

HIDDEN = "***"
"""In place of a password, where others may read it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Repeat:
    """``slow`` are the ids of rows that need --slow."""

    aim: Aim
    slow: Collection[str]

    def for_reports(self, row_id: str) -> str:
        """Without secrets: reports are sent around."""
        users = [f"{name}:{HIDDEN}" for name, _ in self.aim.users]
        return self._join(row_id, users, HIDDEN)

    def for_terminal(self, row_id: str) -> str:
        """With what was typed on this very terminal."""
        users = [f"{name}:{password}" for name, password in self.aim.users]
        return self._join(row_id, users, self.aim.secret or "")

    def _join(self, row_id: str, users: Sequence[str], secret: str) -> str:
        aim = self.aim
        words = ["hairpin", "conformance", str(aim.uri)]
        for user in users:
            words += ["--user", user]
        words += [] if aim.secret is None else ["--secret", secret]
        words += [] if aim.peer_ip is None else ["--peer-address", str(aim.peer_ip)]
        words += [] if aim.ca_file is None else ["--ca-file", aim.ca_file]
        words += ["--insecure"] if aim.is_insecure else []
        words += ["--i-operate-this-server"] if aim.is_operated else []
        words += ["--slow"] if row_id in self.slow else []
        return shlex.join([*words, "--only", row_id])
