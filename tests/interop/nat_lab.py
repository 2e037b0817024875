"""A server, a NAT of netfilter and a client behind it, each in a network namespace."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import subprocess
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import pytest

from .conftest import need

NETWORKS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "open": (),
        "full-cone": (
            "-t nat -A POSTROUTING -o wan -j MASQUERADE",
            "-t nat -A PREROUTING -i wan -p udp -j DNAT --to-destination {client}",
        ),
        # Who was sent to is known beforehand here: the server's first address.
        "restricted": (
            "-t nat -A POSTROUTING -o wan -j MASQUERADE",
            "-t nat -A PREROUTING -i wan -p udp -s {server} -j DNAT --to-destination {client}",
        ),
        "port-restricted": ("-t nat -A POSTROUTING -o wan -j MASQUERADE",),
        "symmetric": ("-t nat -A POSTROUTING -o wan -j MASQUERADE --random-fully",),
        "without-udp": (
            "-t nat -A POSTROUTING -o wan -j MASQUERADE",
            "-A FORWARD -p udp -j DROP",
        ),
        "cut-off": ("-A FORWARD -j DROP",),
    }
)
"""Rules of iptables by the name of what they make of the router."""


@dataclasses.dataclass(frozen=True)
class Lab:
    """Prefixes that run a command on either side, and the addresses there."""

    at_server: tuple[str, ...]
    at_client: tuple[str, ...]
    server: str
    alternate: str
    outside: str
    client: str


@contextlib.contextmanager
def nat_lab(kind: str, *, udp_timeout: int = 30) -> Iterator[Lab]:
    """The namespaces, until the end. Skips where there may be none."""
    ip, iptables = need("ip"), need("iptables")
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root: sudo make interop")
    number = os.getpid() % 250
    names = [f"hp{os.getpid()}{side}" for side in ("s", "n", "c")]
    server, nat, client = names
    # From the addresses for tests of networks (RFC 2544), which no network has.
    first, second, router_ip = (f"198.19.{number}.{host}" for host in (1, 2, 254))
    lab = Lab(
        at_server=(ip, "netns", "exec", server),
        at_client=(ip, "netns", "exec", client),
        server=first,
        alternate=second,
        outside=router_ip,
        client=f"10.99.{number}.2",
    )
    gateway = f"10.99.{number}.1"
    try:
        for name in names:
            _run(ip, "netns", "add", name)
            _run(ip, *f"-n {name} link set lo up".split())
        for command in (
            f"-n {server} link add wan type veth peer name wan netns {nat}",
            f"-n {client} link add lan type veth peer name lan netns {nat}",
            f"-n {server} addr add {lab.server}/24 dev wan",
            f"-n {server} addr add {lab.alternate}/24 dev wan",
            f"-n {nat} addr add {lab.outside}/24 dev wan",
            f"-n {nat} addr add {gateway}/24 dev lan",
            f"-n {client} addr add {lab.client}/24 dev lan",
            f"-n {server} link set wan up",
            f"-n {nat} link set wan up",
            f"-n {nat} link set lan up",
            f"-n {client} link set lan up",
            f"-n {client} route add default via {gateway}",
            # Swallows what goes to private peers, as an internet does.
            f"-n {server} route add default via {lab.outside}",
        ):
            _run(ip, *command.split())
        router = (ip, "netns", "exec", nat)
        # It waits for others: they have one lock for all networks of a machine.
        firewall = (*router, iptables, "-w")
        for setting in (
            "net.ipv4.ip_forward=1",
            f"net.netfilter.nf_conntrack_udp_timeout={udp_timeout}",
            f"net.netfilter.nf_conntrack_udp_timeout_stream={udp_timeout}",
        ):
            _run(*router, "sysctl", "-q", "-w", setting)
        # Without this the router itself would answer what it cannot place, and remember it.
        _run(*firewall, *["-A", "INPUT", "-i", "wan", "-j", "DROP"])
        for rule in NETWORKS[kind]:
            text = rule.format(client=lab.client, server=lab.server)
            _run(*firewall, *text.split())
        yield lab
    finally:
        for name in names:
            subprocess.run([ip, "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{' '.join(command)}: {done.stderr.strip()}")
