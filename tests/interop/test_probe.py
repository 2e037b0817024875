"""``hairpin probe`` against coturn and our relay, and coturn's own discovery against ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import pathlib
import re
import sys
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from .certificate import Certificate
from .conftest import need
from .coturn import PASSWORD, USER, coturn
from .nat_lab import nat_lab
from .process import communicate, hairpin

pytestmark = [pytest.mark.interop, pytest.mark.timeout(180)]

TWO = ("127.0.0.1", "127.0.0.2")
ANN = ("--user", f"{USER}:{PASSWORD}")
WITHIN = 60.0
"""Seconds for a run of coturn's clients."""
HAIRPIN = (sys.executable, "-c", "from hairpin.cli import main; main()")


async def probe(*arguments: str, status: int, prefix: Sequence[str] = ()) -> dict[str, Any]:
    """The report, of a command that ended with this status."""
    process = await asyncio.create_subprocess_exec(
        *(*prefix, *HAIRPIN, "probe", *arguments, "--json", "-"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode == status, (output.decode(), errors.decode())
    document: dict[str, Any] = json.loads(output)
    return document


def of(report: dict[str, Any], step: str) -> dict[str, Any]:
    """The first finding of a step."""
    found: dict[str, Any] = next(each for each in report["findings"] if each["step"] == step)
    return found


async def run(program: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *(need(program), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await communicate(process, within=WITHIN)
    return output.decode(errors="replace")


@contextlib.asynccontextmanager
async def our_relay(
    folder: pathlib.Path, *options: str
) -> AsyncIterator[tuple[dict[str, int], Certificate]]:
    """Our relay on every transport; the port of each, and its certificate."""
    certificate = Certificate.generate(folder)
    async with hairpin(
        *("relay", "--listen", "udp://127.0.0.1:0", "--listen", "tcp://127.0.0.1:0"),
        *("--listen", "tls://127.0.0.1:0", "--listen", "dtls://127.0.0.1:0", *ANN),
        *("--tls-cert", str(certificate.certificate), "--tls-key", str(certificate.key)),
        *("--enable", "nat-discovery", "--alternate-address", "127.0.0.2:0", *options),
    ) as command:
        found = re.findall(r"(\w+)://127\.0\.0\.1:(\d+)", command.address)
        yield {scheme: int(port) for scheme, port in found}, certificate


# Servers that work


@pytest.mark.parametrize(
    ("uri", "is_secure"),
    [
        pytest.param("turn:127.0.0.1:{}?transport=udp", False, id="udp"),
        pytest.param("turn:127.0.0.1:{}?transport=tcp", False, id="tcp"),
        pytest.param("turns:localhost:{}?transport=tcp", True, id="tls"),
        pytest.param("turns:localhost:{}?transport=udp", True, id="dtls"),
    ],
)
async def test_coturn_works_from_end_to_end(
    tmp_path: pathlib.Path, uri: str, *, is_secure: bool
) -> None:
    async with coturn(tmp_path, addresses=TWO) as server:
        ca = ("--ca", server.certificate) if is_secure else ()
        port = server.secured if is_secure else server.port
        report = await probe(uri.format(port), *ANN, *ca, status=0)

    assert report["worked"] is True
    assert of(report, "allocation")["data"]["software"].startswith("Coturn")
    assert of(report, "relay")["data"]["back"]["received"] == 50
    if uri.endswith("{}?transport=udp") and not is_secure:
        nat = of(report, "nat")["data"]
        assert (nat["mapping"], nat["filtering"]) == ("no NAT", "endpoint-independent")
        assert nat["fragments"] == "pass in both directions"


@pytest.mark.parametrize(
    ("scheme", "uri"),
    [
        ("udp", "turn:127.0.0.1:{}?transport=udp"),
        ("tcp", "turn:127.0.0.1:{}?transport=tcp"),
        ("tls", "turns:localhost:{}?transport=tcp"),
        ("dtls", "turns:localhost:{}?transport=udp"),
    ],
    ids=["udp", "tcp", "tls", "dtls"],
)
async def test_our_relay_works_from_end_to_end(
    tmp_path: pathlib.Path, scheme: str, uri: str
) -> None:
    async with our_relay(tmp_path) as (ports, certificate):
        ca = ("--ca", str(certificate.certificate)) if "turns" in uri else ()
        report = await probe(uri.format(ports[scheme]), *ANN, *ca, status=0)

    assert "SHA-256" in of(report, "allocation")["data"]["features"]
    assert of(report, "relay")["data"]["there"]["received"] == 50


# Servers, and networks, that do not


async def test_a_wrong_password_is_named_at_coturn(tmp_path: pathlib.Path) -> None:
    async with coturn(tmp_path) as server:
        report = await probe(f"{server.uri}?transport=udp", "--user", "ann:wrong", status=1)

    assert report["causes"] == ["wrong-password"]


async def test_denied_peers_are_named_at_coturn(tmp_path: pathlib.Path) -> None:
    denied = ("10.0.0.0-10.255.255.255", "127.0.0.0-127.255.255.255")
    async with coturn(tmp_path, *(f"--denied-peer-ip={each}" for each in denied)) as server:
        report = await probe(f"{server.uri}?transport=udp", *ANN, "--peer", "10.1.2.3", status=1)

    assert report["causes"] == ["peer-denied"]
    assert of(report, "relay")["status"] == "failed"
    assert of(report, "peer")["status"] == "failed"


async def test_a_wrong_certificate_is_named_at_coturn(tmp_path: pathlib.Path) -> None:
    async with coturn(tmp_path) as server:
        report = await probe(f"turns:localhost:{server.secured}?transport=tcp", *ANN, status=1)

    assert report["causes"] == ["certificate-wrong"]


async def test_coturn_as_a_stun_server_alone_has_no_turn(tmp_path: pathlib.Path) -> None:
    async with coturn(tmp_path, "--stun-only") as server:
        report = await probe(f"{server.uri}?transport=udp", *ANN, status=1)

    assert report["causes"] == ["no-turn"]


# Behind routers


@pytest.mark.parametrize(
    ("kind", "mapping", "filtering"),
    [
        ("open", "no NAT", "endpoint-independent"),
        ("full-cone", "endpoint-independent", "endpoint-independent"),
        ("restricted", "endpoint-independent", "address-dependent"),
        ("port-restricted", "endpoint-independent", "address-and-port-dependent"),
        ("symmetric", "address-and-port-dependent", "address-and-port-dependent"),
    ],
)
@pytest.mark.requirement("stun-turn:STUNC-NAT-02", "stun-turn:STUNC-NAT-03", "stun-turn:NATB-12")
async def test_the_nats_of_netfilter_are_told_apart(
    kind: str, mapping: str, filtering: str
) -> None:
    with nat_lab(kind) as lab:
        async with hairpin(
            *("relay", "--listen", f"udp://{lab.server}:3478", *ANN),
            *("--enable", "nat-discovery", "--alternate-address", f"{lab.alternate}:3479"),
            prefix=lab.at_server,
        ):
            report = await probe(
                f"turn:{lab.server}?transport=udp", *ANN, status=0, prefix=lab.at_client
            )

    nat = of(report, "nat")["data"]
    assert (nat["mapping"], nat["filtering"]) == (mapping, filtering)
    mapped = of(report, "transport")["data"]["mapped"].rpartition(":")[0]
    assert mapped == (lab.client if kind == "open" else lab.outside)


@pytest.mark.slow  # a minute of waiting; netsim shows the same in none
@pytest.mark.requirement("stun-turn:STUNC-NAT-04")
async def test_the_lifetime_of_netfilters_bindings_is_found() -> None:
    with nat_lab("port-restricted", udp_timeout=6) as lab:
        async with hairpin(
            *("relay", "--listen", f"udp://{lab.server}:3478", *ANN),
            *("--enable", "nat-discovery", "--alternate-address", f"{lab.alternate}:3479"),
            prefix=lab.at_server,
        ):
            report = await probe(
                *(f"stun:{lab.server}", "--binding-lifetime", "15"),
                status=0,
                prefix=lab.at_client,
            )

    lifetime = of(report, "nat")["data"]["binding_lifetime"]
    # Netfilter looks for what has expired at its leisure.
    assert 5 <= lifetime["at_least"] < lifetime["below"] <= 8


@pytest.mark.parametrize("server", ["coturn", "ours"])
@pytest.mark.requirement("stun-turn:STUNC-NAT-01")
async def test_blocked_udp_is_named_and_the_rest_goes_over_tcp(
    server: str, tmp_path: pathlib.Path
) -> None:
    with nat_lab("without-udp") as lab:
        async with contextlib.AsyncExitStack() as stack:
            if server == "coturn":
                addresses = (lab.server, lab.alternate)
                started = coturn(tmp_path, addresses=addresses, prefix=lab.at_server)
                port = (await stack.enter_async_context(started)).port
            else:
                port = 3478
                await stack.enter_async_context(
                    hairpin(
                        *("relay", "--listen", f"udp://{lab.server}:3478", *ANN),
                        *("--listen", f"tcp://{lab.server}:3478"),
                        prefix=lab.at_server,
                    )
                )
            report = await probe(f"turn:{lab.server}:{port}", *ANN, status=1, prefix=lab.at_client)

    assert report["causes"] == ["udp-blocked"]
    over_udp, over_tcp = (each for each in report["findings"] if each["step"] == "transport")
    assert (over_udp["status"], over_udp["cause"]) == ("failed", "udp-blocked")
    assert (over_tcp["status"], over_tcp["data"]["transport"]) == ("ok", "tcp")
    assert of(report, "relay")["status"] == "ok"


async def test_a_server_that_nothing_reaches_is_silent() -> None:
    with nat_lab("cut-off") as lab:
        report = await probe(
            f"turn:{lab.server}?transport=udp", *ANN, status=1, prefix=lab.at_client
        )

    assert report["causes"] == ["server-silent"]


# coturn's clients at our relay


@pytest.mark.requirement("stun-turn:NATB-02", "stun-turn:NATB-03", "stun-turn:NATB-04")
async def test_stunclient_is_answered_from_the_other_address(tmp_path: pathlib.Path) -> None:
    async with our_relay(tmp_path) as (ports, _):
        output = await run("turnutils_stunclient", "-f", "-p", str(ports["udp"]), "127.0.0.1")

    assert output.count("UDP reflexive addr: 127.0.0.1:") == 3, output
    assert re.search(r"RFC 5780 response 2\n.*Response origin: : 127\.0\.0\.2:", output), output


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-f"], "NAT with Endpoint Independent Filtering!"),
        (["-m"], "NAT with Endpoint Independent Mapping!"),
        (["-f", "-P"], "NAT with Endpoint Independent Filtering!"),
        (["-t", "-T", "1"], "RFC 5780 response 2"),
    ],
    ids=["filtering", "mapping", "filtering-padded", "lifetime"],
)
@pytest.mark.requirement("stun-turn:NATB-01", "stun-turn:NATB-04", "stun-turn:NATB-06")
async def test_natdiscovery_comes_to_its_verdict(
    tmp_path: pathlib.Path, options: Sequence[str], said: str
) -> None:
    async with our_relay(tmp_path) as (ports, _):
        output = await run("turnutils_natdiscovery", *options, "-p", str(ports["udp"]), "127.0.0.1")

    assert said in output
    assert "No ALG: Mapped == XOR-Mapped" in output
