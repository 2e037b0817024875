"""DTLS associations with servers on loopback: right ones, and some that cannot be tested."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import pathlib
from collections.abc import AsyncIterator

import pytest

import conformance.rows
from conformance import Credential, Survey, Target, TargetUnusable, registered
from conformance.aio import AsyncioWire, Limits, Report, Trust, run
from conformance.building import MessageBuilder
from conformance.codes import Class, Method
from conformance.link import MAX_RECORD
from conformance.outcome import NotOffered, Verdict
from conformance.probe import Probe
from tests.turn.aio.over import write_certificate
from transport import Event, TransportAddress, TransportProtocol
from turn.aio import RelayServer
from turn.server import AllocationEnded

from .loopback import CLOSED, LOOPBACK, USERS, answering, relay, secured_at

assert conformance.rows  # registers them

TLS, DTLS = TransportProtocol.TLS, TransportProtocol.DTLS
QUICK = Limits(per_second=10_000)
BINDING = MessageBuilder(Method.BINDING, Class.REQUEST, bytes(12)).build()
ROWS = {row.id: row for row in registered()}
OVER_DTLS = (
    "STUNS-BASE-01",
    "STUNS-BASE-02",
    "STUNS-BASE-12",
    "STUNS-TCP-09",
    "TURN-ALLOC-24",
    "TURN-SEND-04",
    "TURN-DATA-01",
    "TURN-CDATA-01",
    "SEC-13",
)


@dataclasses.dataclass(frozen=True)
class Secured:
    """Our relay, and whom to trust to believe it."""

    server: RelayServer
    trust: Trust

    def target(self, transport: TransportProtocol = DTLS) -> Target:
        return target(secured_at(self.server, transport), transport)


def target(address: TransportAddress, transport: TransportProtocol = DTLS) -> Target:
    return Target(
        address=address,
        transport=transport,
        credentials=tuple(Credential(*user) for user in USERS.items()),
        patience=0.5,
        silence=0.05,
    )


@pytest.fixture
async def secured(tmp_path: pathlib.Path) -> AsyncIterator[Secured]:
    certificate = write_certificate(tmp_path)
    async with relay(certificate=certificate) as server:
        yield Secured(server, Trust(certificate.chain))


@contextlib.asynccontextmanager
async def wire(trust: Trust | None = None) -> AsyncIterator[AsyncioWire]:
    made = AsyncioWire(per_second=10_000, trust=trust)
    try:
        yield made
    finally:
        await made.aclose()


async def report_of(tested: Target, trust: Trust | None, *row_ids: str) -> Report:
    rows = [ROWS[each] for each in row_ids]
    async with wire(trust) as network:
        return await run(tested, rows=rows, limits=QUICK, wire=network, surveyed=Survey())


async def why_unusable(tested: Target, trust: Trust | None = None) -> str:
    async with wire(trust) as network:
        with pytest.raises(TargetUnusable) as caught:
            await run(tested, rows=[], limits=QUICK, wire=network)
    return str(caught.value)


@pytest.mark.long  # some of it shows that there is silence
async def test_our_relay_does_over_dtls_what_the_rows_want(secured: Secured) -> None:
    report = await report_of(secured.target(), secured.trust, *OVER_DTLS)

    failed = [each for each in report.results if each.outcome.verdict is not Verdict.PASS]
    assert failed == []
    assert len(report.results) == len(OVER_DTLS)


async def test_what_is_reported_are_the_messages_in_the_records(secured: Secured) -> None:
    report = await report_of(secured.target(), secured.trust, "STUNS-BASE-01")

    sent, received = report.results[0].frames
    assert (sent.data[:2], received.data[:2]) == (b"\0\1", b"\1\1")
    assert sent.remote == received.remote == secured_at(secured.server, DTLS)


@pytest.mark.parametrize("transport", [TLS, DTLS], ids=str)
async def test_alpn_is_offered_and_what_is_agreed_on_is_told(
    secured: Secured, transport: TransportProtocol
) -> None:
    report = await report_of(secured.target(transport), secured.trust, "STUNS-TCP-11")

    outcome = report.results[0].outcome
    assert outcome.verdict is Verdict.INFO
    assert outcome.detail == "stun.turn is agreed on, stun.nat-discovery is agreed on"


async def test_without_trust_in_its_certificate_a_server_is_not_tested(secured: Secured) -> None:
    tested = secured.target()

    problem = await why_unusable(tested)

    assert problem == (
        f"no DTLS association with {tested.address}: the certificate is issued by itself, and "
        "not known here"
    )


async def test_a_certificate_of_another_server_is_told(secured: Secured) -> None:
    tested = dataclasses.replace(secured.target(), server_name="relay.example")

    problem = await why_unusable(tested, secured.trust)

    assert problem.endswith("the certificate is for another name than relay.example")


async def test_a_name_that_no_server_can_have_is_told(secured: Secured) -> None:
    tested = dataclasses.replace(secured.target(), server_name="x" * 300)

    assert "no DTLS association" in await why_unusable(tested, secured.trust)


async def test_a_port_where_nobody_is_is_told() -> None:
    problem = await why_unusable(target(CLOSED), Trust(is_insecure=True))

    assert problem.endswith("nobody takes datagrams there")


async def test_who_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.aio.wire.CONNECT_PATIENCE", 0.1)
    async with answering(lambda _: None) as server:
        problem = await why_unusable(target(server), Trust(is_insecure=True))

    assert problem.endswith("no answer in 0.1 s")


async def test_a_file_without_certificates_is_told(tmp_path: pathlib.Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_text("")

    problem = await why_unusable(target(CLOSED), Trust(str(empty)))

    assert problem.endswith("no certificate in PEM form")


async def test_the_end_of_an_association_is_seen(secured: Secured) -> None:
    async with wire(secured.trust) as network:
        tested = secured.target()
        link = await network.open_association(tested.address, local=LOOPBACK)
        await link.send(BINDING)
        answer = await link.receive(5)
        waiting = asyncio.ensure_future(link.receive(5))
        await secured.server.aclose()

        assert answer is not None
        assert answer[:2] == b"\1\1"
        assert await waiting == b""
        assert await link.receive(5) == b""
        await link.send(BINDING)  # lost without a word
        link.close()


async def test_a_server_that_goes_away_is_no_silence(secured: Secured) -> None:
    async with wire(secured.trust) as network:
        probe = Probe(secured.target(), network, Survey())
        client = await probe.client()
        await secured.server.aclose()

        assert await client.ask(client.message(Method.BINDING).build()) is None
        assert client.link.has_ended
        await probe.close()


async def test_a_server_that_a_row_has_ended_is_told(secured: Secured) -> None:
    async def ends(probe: Probe) -> None:
        await secured.server.aclose()
        await probe.is_alive()

    deadly = dataclasses.replace(ROWS["SEC-15"], run=ends)
    async with wire(secured.trust) as network:
        report = await run(
            secured.target(),
            rows=[deadly, ROWS["SEC-17"]],
            limits=Limits(per_second=10_000, lost_after=0.1),
            wire=network,
            surveyed=Survey(),
        )

    assert report.suspects == ("SEC-15",)
    assert {each.outcome.verdict for each in report.results} == {Verdict.SKIP}


async def test_where_nothing_comes_in_time_that_is_none(secured: Secured) -> None:
    async with wire(secured.trust) as network:
        link = await network.open_association(secured.target().address, local=LOOPBACK)

        assert await link.receive(0.01) is None
        link.close()


async def test_an_association_may_begin_at_a_port_that_is_named(secured: Secured) -> None:
    async with wire(secured.trust) as network:
        first = await network.open_association(secured.target().address, local=LOOPBACK)
        local = first.local
        first.close()
        second = await network.open_association(secured.target().address, local=local)

        assert second.local == local
        second.close()


@pytest.mark.parametrize("size", [0, MAX_RECORD + 1])
async def test_what_no_record_holds_is_no_verdict(secured: Secured, size: int) -> None:
    async with wire(secured.trust) as network:
        probe = Probe(secured.target(), network, Survey())
        client = await probe.client()

        with pytest.raises(NotOffered, match="a record of DTLS holds 1 to 16384 bytes"):
            await client.send(bytes(size))
        await probe.close()
        assert probe.record.frames == []


@pytest.mark.parametrize(
    ("tested", "text"),
    [
        (target(CLOSED), "turns:127.0.0.1:9?transport=udp"),
        (dataclasses.replace(target(CLOSED), is_turn=False), "stuns:127.0.0.1:9?transport=udp"),
        (dataclasses.replace(target(CLOSED, TLS), is_turn=False), "stuns:127.0.0.1:9"),
    ],
)
def test_a_target_says_what_it_is_reached_over(tested: Target, text: str) -> None:
    assert str(tested) == text


@pytest.mark.parametrize(
    ("transport", "stream"),
    [
        (TransportProtocol.UDP, TransportProtocol.TCP),
        (TransportProtocol.TCP, TransportProtocol.TCP),
        (TLS, TLS),
        (DTLS, TLS),
    ],
)
def test_streams_are_as_secured_as_the_target(
    transport: TransportProtocol, stream: TransportProtocol
) -> None:
    assert target(CLOSED, transport).stream is stream


async def test_a_server_is_told_of_the_end_of_an_association(tmp_path: pathlib.Path) -> None:
    certificate, ended = write_certificate(tmp_path), asyncio.Event()

    def on_event(event: Event) -> None:
        if isinstance(event, AllocationEnded):
            ended.set()

    async with (
        relay(on_event, certificate=certificate) as server,
        wire(Trust(certificate.chain)) as network,
    ):
        probe = Probe(target(secured_at(server, DTLS)), network, Survey())
        allocation = await probe.allocate()
        allocation.client.link.close()

        await asyncio.wait_for(ended.wait(), 5)
