"""``hairpin conformance`` of servers over TLS and DTLS."""

from __future__ import annotations

import asyncio
import pathlib
import sys
from collections.abc import Sequence

import pytest

from tests.conformance.loopback import relay, secured_at
from transport import TransportProtocol
from turn.aio import ServerCertificate

from .certificates import write_certificate
from .conforming import USERS, invoke, invoke_beside

UNTRUSTED = {
    TransportProtocol.TLS: "its certificate is not trusted: self-signed certificate",
    TransportProtocol.DTLS: "the certificate is issued by itself, and not known here",
}


@pytest.mark.parametrize("transport", UNTRUSTED, ids=str)
@pytest.mark.parametrize(
    ("trust", "is_good"),
    [
        pytest.param(["--ca-file", "tls.pem"], True, id="ca-file"),
        pytest.param(["--insecure"], True, id="insecure"),
        pytest.param([], False, id="system"),
    ],
)
@pytest.mark.long
async def test_a_server_that_is_secured_is_tested_if_its_certificate_is_good(
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    transport: TransportProtocol,
    trust: Sequence[str],
    is_good: bool,
) -> None:
    chain, key = write_certificate(tmp_path)
    monkeypatch.chdir(tmp_path)
    problem = None if is_good else UNTRUSTED[transport]

    async with relay(certificate=ServerCertificate(str(chain), str(key))) as server:
        kind = "tcp" if transport.is_reliable else "udp"
        target = f"turns:{secured_at(server, transport)}?transport={kind}"
        result = await invoke_beside(target, *USERS, "--only", "STUNS-BASE-01", *trust)

    assert result.exit_code == (0 if problem is None else 2)
    assert problem is None or problem in result.stderr


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", "speaks no TLS", id="web"),
        pytest.param(b"\x15\3\3\0\2\2\x28", "the TLS handshake fails: ", id="alert"),
    ],
)
@pytest.mark.long
async def test_where_no_handshake_is_made_the_reason_is_told(answer: bytes, problem: str) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await invoke_beside(f"turns:127.0.0.1:{port}", *USERS, "--insecure")

    assert result.exit_code == 2
    assert problem in result.stderr
    assert "_ssl.c" not in result.stderr


@pytest.mark.parametrize(
    ("transport", "hint"),
    [
        pytest.param(TransportProtocol.TLS, "name it as turn:HOST", id="tls"),
        pytest.param(TransportProtocol.TCP, "name it without transport=tcp", id="tcp"),
    ],
)
@pytest.mark.long
async def test_a_row_about_datagrams_says_how_to_name_the_target(
    tmp_path: pathlib.Path, transport: TransportProtocol, hint: str
) -> None:
    chain, key = write_certificate(tmp_path)

    async with relay(certificate=ServerCertificate(str(chain), str(key))) as server:
        scheme = "turns" if transport is TransportProtocol.TLS else "turn"
        target = f"{scheme}:{secured_at(server, transport)}?transport=tcp"
        result = await invoke_beside(target, *USERS, "--insecure", "--only", "COD-HDR-01")

    assert hint in result.stdout


def test_trust_that_cannot_be_had_is_no_verdict_on_the_server(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("")
    monkeypatch.setitem(sys.modules, "transport.dtls", None)

    without_certificate = invoke("stuns:localhost", "--ca-file", str(empty))
    without_dtls = invoke("stuns:localhost?transport=udp")

    assert (without_certificate.exit_code, without_dtls.exit_code) == (2, 2)
    assert "ca.pem: there is no certificate in it" in without_certificate.stderr
    assert "pip install 'hairpin[dtls]'" in without_dtls.stderr
