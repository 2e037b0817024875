"""The command line that runs one row alone."""

from __future__ import annotations

import base64
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
        return self._join(row_id, users, HIDDEN, HIDDEN)

    def for_terminal(self, row_id: str) -> str:
        """With what was typed on this very terminal."""
        users = [f"{name}:{password}" for name, password in self.aim.users]
        key = self.aim.token_key
        encoded = "" if key is None else base64.b64encode(key.key).decode()
        return self._join(row_id, users, self.aim.secret or "", encoded)

    def _join(self, row_id: str, users: Sequence[str], secret: str, token_key: str) -> str:
        aim = self.aim
        words = ["hairpin", "conformance", str(aim.uri)]
        for user in users:
            words += ["--user", user]
        words += [] if aim.secret is None else ["--secret", secret]
        if aim.token_key is not None:
            words += ["--oauth-key", f"{aim.token_key.kid}:{token_key}"]
            name = aim.token_key.server_name
            words += [] if name is None else ["--oauth-server-name", name]
        words += [] if aim.peer_ip is None else ["--peer-address", str(aim.peer_ip)]
        words += [] if aim.ca_file is None else ["--ca-file", aim.ca_file]
        words += ["--insecure"] if aim.is_insecure else []
        words += ["--i-operate-this-server"] if aim.is_operated else []
        words += ["--slow"] if row_id in self.slow else []
        return shlex.join([*words, "--only", row_id])
