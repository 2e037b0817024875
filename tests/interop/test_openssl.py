"""OpenSSL's command line against our relay over DTLS and TLS."""

from __future__ import annotations

import asyncio
import pathlib
import re

import pytest

from .certificate import Certificate
from .conftest import need
from .process import hairpin

pytestmark = [pytest.mark.interop, pytest.mark.timeout(60)]

MANY_PROTOCOLS = ",".join([*(f"some-long-protocol-{number}" for number in range(60)), "stun.turn"])
"""A ClientHello with all of them is longer than a datagram of 256 bytes holds, as one with a
key share of ML-KEM is longer than any."""


async def s_client(endpoint: str, trusted: pathlib.Path, *options: str) -> str:
    """What it says of a handshake, after which it waits for input."""
    process = await asyncio.create_subprocess_exec(
        *(need("openssl"), "s_client", "-connect", endpoint.partition("://")[2]),
        *("-CAfile", str(trusted), "-verify_return_error", *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    output = ""
    try:
        async with asyncio.timeout(30):
            while line := (await process.stdout.readline()).decode(errors="replace"):
                output += line
                if line.startswith("    Verify return code") or "Early data was" in line:
                    break
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
    return output


@pytest.mark.requirement("stun-turn:STUNS-TCP-09", "stun-turn:STUNS-TCP-11")
@pytest.mark.parametrize(
    ("transport", "options"),
    [
        pytest.param("dtls", ["-dtls1_2", "-alpn", "stun.turn"], id="dtls"),
        pytest.param(
            "dtls", ["-dtls1_2", "-mtu", "256", "-alpn", MANY_PROTOCOLS], id="dtls-in-fragments"
        ),
        pytest.param("tls", ["-tls1_2", "-alpn", "stun.turn"], id="tls-1.2"),
        pytest.param("tls", ["-tls1_3", "-alpn", "stun.turn"], id="tls-1.3"),
    ],
)
async def test_openssl_shakes_hands(
    transport: str, options: list[str], tmp_path: pathlib.Path
) -> None:
    made = Certificate.generate(tmp_path)
    async with hairpin(
        *("relay", "--listen", f"{transport}://127.0.0.1:0", "--user", "ann:secret"),
        *("--tls-cert", str(made.certificate), "--tls-key", str(made.key)),
    ) as relay:
        output = await s_client(relay.address, made.certificate, *options)

    assert "ALPN protocol: stun.turn" in output, output
    assert re.search(r"Cipher is (ECDHE-ECDSA-AES\d+-GCM|TLS_AES)", output), output


@pytest.mark.requirement("stun-turn:STUNS-TCP-08")
async def test_openssl_is_refused_dtls_1_0(tmp_path: pathlib.Path) -> None:
    made = Certificate.generate(tmp_path)
    async with hairpin(
        *("relay", "--listen", "dtls://127.0.0.1:0", "--user", "ann:secret"),
        *("--tls-cert", str(made.certificate), "--tls-key", str(made.key)),
    ) as relay:
        output = await s_client(
            relay.address, made.certificate, "-dtls1", "-cipher", "ALL:@SECLEVEL=0"
        )

    assert "Cipher is (NONE)" in output, output
