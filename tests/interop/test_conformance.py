"""``hairpin conformance`` against our own relay in all its set-ups, and against two others'.

What other servers do not do is theirs to publish: of them a few rows are asserted that no TURN
server can live without, and that a run comes to its end.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import dataclasses
import pathlib
from collections.abc import AsyncIterator, Mapping
from ipaddress import ip_address, ip_network

import pytest

from conformance import registered
from conformance.target import TokenKey
from transport import TransportAddress, TransportProtocol
from turn import CredentialVerifier
from turn.aio import Endpoint, RelayServer
from turn.server import ServerConfig

from .certificate import Certificate
from .conforming import USERS, Done, Lines, ask, at, conform, relay
from .conftest import need
from .coturn import coturn
from .ports import free_port
from .process import running

pytestmark = [pytest.mark.interop, pytest.mark.timeout(900)]

SECRET = "shared"
TOKEN_KEY = TokenKey("kid", bytes(range(32)), "relay.example")
EVERYTHING = (
    *(f"--enable={name}" for name in ("tcp-relay", "nat-discovery", "mobility")),
    *("--enable=classic-stun", "--enable=third-party-auth"),
    f"--oauth-key=kid:{base64.b64encode(TOKEN_KEY.key).decode()}",
    f"--oauth-server-name={TOKEN_KEY.server_name}",
    *("--relay-address=127.0.0.1", "--relay-address=::1", "--allow-peer=::1/128"),
)
OF_ANY_SERVER = (
    "STUNS-BASE-01",
    "STUNS-BASE-02",
    "STUNS-BASE-03",
    "TURN-GEN-02",
    "TURN-ALLOC-01",
    "TURN-ALLOC-24",
    "TURN-PERM-01",
    "TURN-SEND-04",
    "TURN-DATA-02",
    "TURN-CHAN-01",
)
ERLANG = pathlib.Path("/usr/lib/erlang/lib")
SCRIPT = pathlib.Path(__file__).parent / "stun_server.escript"


@dataclasses.dataclass(frozen=True)
class Own:
    """What was seen of our relay: whole runs by transport, and rows in other set-ups."""

    whole: Mapping[str, Done]
    parts: tuple[Lines, ...]

    def shown(self) -> set[str]:
        every = (*(done.lines for done in self.whole.values()), *self.parts)
        return {row_id for lines in every for row_id, line in lines.items() if line.is_shown}

    def failed(self) -> dict[str, str]:
        every = (*(done.lines for done in self.whole.values()), *self.parts)
        return {
            row_id: line.detail
            for lines in every
            for row_id, line in lines.items()
            if line.verdict == "FAIL"
        }


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Own:
    folder = tmp_path_factory.mktemp("own")
    for each in ("tls", "dtls"):
        (folder / each).mkdir()
    return asyncio.run(_test_our_relay(folder))


def test_every_row_about_servers_was_seen_in_one_set_up_of_our_relay(own: Own) -> None:
    wanted = {row.id for row in registered() if not row.slow}

    assert own.failed() == {}
    assert wanted - own.shown() == set()


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls", "dtls"])
def test_our_relay_fails_no_row_and_what_is_skipped_has_a_reason(own: Own, transport: str) -> None:
    done = own.whole[transport]

    assert done.status == 0, done.said
    _expect_a_whole_run(done)


async def test_coturn_is_tested_to_the_end(tmp_path: pathlib.Path) -> None:
    users = [f"--user={name}:{password}" for name, password in USERS.items()]
    async with coturn(tmp_path, *users) as server:
        done = await conform(server.uri, report=tmp_path / "report.json")

    _expect_a_turn_server(done)


async def test_erlangs_stun_is_tested_to_the_end(tmp_path: pathlib.Path) -> None:
    port = free_port()
    known = [word for user in USERS.items() for word in user]
    async with running(*_erlangs_stun(), str(port), "relay.example", *known):
        done = await conform(f"turn:127.0.0.1:{port}", report=tmp_path / "report.json")

    _expect_a_turn_server(done)


def _erlangs_stun() -> tuple[str, str]:
    escript = need("escript")
    if not any(ERLANG.glob("p1_stun-*")):
        need("erlang-p1-stun")
    return escript, str(SCRIPT)


def _expect_a_turn_server(done: Done) -> None:
    assert done.status in (0, 1), done.said
    assert {each: done.lines[each].verdict for each in OF_ANY_SERVER} == dict.fromkeys(
        OF_ANY_SERVER, "PASS"
    )
    _expect_a_whole_run(done)


def _expect_a_whole_run(done: Done) -> None:
    """Each row that is no slow one had its say, and no fault of ours kept it from that."""
    assert set(done.lines) >= {row.id for row in registered() if not row.slow}
    assert [
        (row_id, line.detail)
        for row_id, line in done.lines.items()
        if line.verdict == "SKIP"
        and (not line.detail or "a fault of" in line.detail or "not done" in line.detail)
    ] == []


async def _test_our_relay(folder: pathlib.Path) -> Own:
    over = ("udp", "tcp", "tls", "dtls")
    whole = (_over_udp(folder), _over_tcp(folder), _over_tls(folder), _over_dtls(folder))
    runs = await asyncio.gather(*whole)
    parts = await asyncio.gather(
        _with_everything(), _over_ipv6_alone(), _with_few_ports(), _with_a_secret(), _by_library()
    )
    return Own(dict(zip(over, runs, strict=True)), parts)


async def _over_udp(folder: pathlib.Path) -> Done:
    async with relay() as port:
        return await conform(f"turn:127.0.0.1:{port}", report=folder / "udp.json")


async def _over_tcp(folder: pathlib.Path) -> Done:
    async with relay() as port:
        target = f"turn:127.0.0.1:{port}?transport=tcp"
        return await conform(target, report=folder / "tcp.json")


async def _over_tls(folder: pathlib.Path) -> Done:
    async with _secured(folder / "tls") as (port, certificate):
        target = f"turns:127.0.0.1:{port}?transport=tcp"
        return await conform(target, "--ca-file", certificate, report=folder / "tls.json")


async def _over_dtls(folder: pathlib.Path) -> Done:
    async with _secured(folder / "dtls", "--enable=tcp-relay") as (port, certificate):
        target = f"turns:127.0.0.1:{port}?transport=udp"
        return await conform(target, "--ca-file", certificate, report=folder / "dtls.json")


@contextlib.asynccontextmanager
async def _secured(folder: pathlib.Path, *options: str) -> AsyncIterator[tuple[int, str]]:
    """TLS and DTLS at one port, and the certificate."""
    made, port = Certificate.generate(folder), free_port()
    listening = [f"--listen={kind}://127.0.0.1:{port}" for kind in ("tls", "dtls")]
    files = (f"--tls-cert={made.certificate}", f"--tls-key={made.key}")
    async with relay(*listening, *files, *options):
        yield port, str(made.certificate)


async def _with_everything() -> Lines:
    """Each extension, relayed addresses of both families, an address to answer from besides."""
    alternate = f"--alternate-address=127.0.0.2:{free_port('127.0.0.2')}"
    async with relay(*EVERYTHING, alternate) as port:
        return await ask(
            at("127.0.0.1", port, token_key=TOKEN_KEY),
            *(
                "COD-ADDR-07",
                "STUNS-BASE-13",
                "STUNS-BASE-14",
                "NATB",
                "TURN-ALLOC-15",
                "TURN-ALLOC-29",
            ),
            *("TURN-REFR-05", "TURN-REFR-06", "TURN-TCP", "TURN-MOB", "TURN-OAUTH", "SEC-05"),
        )


async def _over_ipv6_alone() -> Lines:
    async with relay(host="::1") as port:
        return await ask(at("::1", port), "COD-ADDR-05", "TURN-ALLOC-11", "TURN-SEND")


async def _with_few_ports() -> Lines:
    """Ports that no other program's sockets are given."""
    async with relay("--min-port=12000", "--max-port=12007") as port:
        return await ask(at("127.0.0.1", port), "TURN-ALLOC-13", "TURN-ALLOC-28")


async def _with_a_secret() -> Lines:
    """The quota is that of credentials that a secret makes."""
    async with relay("--secret", SECRET) as port:
        target = at("127.0.0.1", port, secret=SECRET)
        return await ask(target, "STUNS-LTC-20", "TURN-ALLOC-17", "SEC-16", "SEC-24")


async def _by_library() -> Lines:
    """What no option of the command sets up: hidden usernames, and clients sent elsewhere."""
    port = free_port()
    address = TransportAddress.parse("127.0.0.1", port)
    config = ServerConfig(
        realm="library",
        credentials=CredentialVerifier(USERS),
        listening=(address,),
        relay_addresses=(ip_address("127.0.0.1"),),
        allow_peers=(ip_network("127.0.0.1/32"),),
        offers_userhash=True,
    )
    tcp = Endpoint(TransportProtocol.TCP, address)
    target = at("127.0.0.1", port)
    async with RelayServer.open(config, endpoints=[tcp]) as server:
        hidden = await ask(target, "COD-TXT-03", "STUNS-LTC-16")
        await server.drain(0.0, alternate=TransportAddress.parse("127.0.0.1", 3478))
        return {**hidden, **await ask(target, "COD-ADDR-06", "STUNS-ALT")}
