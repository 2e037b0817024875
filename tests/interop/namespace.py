"""A second network on this machine: a namespace behind a pair of virtual interfaces."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
import subprocess
from collections.abc import Iterator

import pytest

from .conftest import need


@dataclasses.dataclass(frozen=True)
class Namespace:
    """A network of two: ``gateway`` is our address there, ``inside`` that of the namespace."""

    name: str
    gateway: str
    inside: str
    network: str

    @property
    def prefix(self) -> tuple[str, ...]:
        """What makes the command that follows run inside."""
        return (need("ip"), "netns", "exec", self.name)

    def firewall(self, *rules: str) -> None:
        """Have iptables apply these rules inside."""
        for rule in rules:
            # It waits for others: they have one lock for all networks of a machine.
            command = (*self.prefix, need("iptables"), "-w", *rule.split())
            subprocess.run(command, check=True, capture_output=True)

    def wrap(self, program: str, folder: pathlib.Path) -> str:
        """An executable that is ``program`` inside the namespace."""
        script = folder / f"{pathlib.Path(program).name}-inside"
        script.write_text(f'#!/bin/sh\nexec {" ".join(self.prefix)} {program} "$@"\n')
        script.chmod(0o755)
        return str(script)


@contextlib.contextmanager
def second_network() -> Iterator[Namespace]:
    """A namespace that is gone at the end. Skips where there may be none."""
    ip = need("ip")
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root: sudo make interop")
    name = f"hp{os.getpid()}"
    # From the addresses for tests of networks (RFC 2544), which no network of this machine has.
    base = f"198.18.{os.getpid() % 256}"
    found = Namespace(name, f"{base}.1", f"{base}.2", f"{base}.0/30")
    made = subprocess.run([ip, "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"network namespaces may not be made here: {made.stderr.strip()}")
    try:
        for command in (
            f"link add {name}a type veth peer name {name}b netns {name}",
            f"addr add {found.gateway}/30 dev {name}a",
            f"link set {name}a up",
            f"-n {name} addr add {found.inside}/30 dev {name}b",
            f"-n {name} link set {name}b up",
            f"-n {name} link set lo up",
        ):
            subprocess.run([ip, *command.split()], check=True)
        yield found
    finally:
        # The pair goes at once with its end here, but the namespace only when it is empty.
        subprocess.run([ip, "link", "del", f"{name}a"], check=False, stderr=subprocess.DEVNULL)
        subprocess.run([ip, "netns", "del", name], check=True)
