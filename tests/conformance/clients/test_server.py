"""What a scripted server takes for its client's, and what it does with it."""

from __future__ import annotations

import dataclasses
import random

import pytest

from conformance.building import MessageBuilder, channel_data
from conformance.clients import Script, ScriptedServer, Settings, Stage, scripts
from conformance.clients.heard import Heard, StreamReader, Unframed
from conformance.codes import Attr, Class, Method
from conformance.outcome import Direction, Verdict, Violated
from transport import Path, TransportAddress, TransportProtocol

from .world import ELSEWHERE, SERVER

CLIENT = TransportAddress.parse("198.51.100.1", 4000)
UDP = Path(TransportProtocol.UDP, SERVER, CLIENT)
TCP = Path(TransportProtocol.TCP, SERVER, CLIENT)
BINDING = MessageBuilder(Method.BINDING, Class.REQUEST, b"n" * 12).build()
REFRESH = MessageBuilder(Method.REFRESH, Class.REQUEST, b"r" * 12).build()


async def answers_one(stage: Stage) -> None:
    stage.answer(await stage.first())


async def reads_an_address(stage: Stage) -> None:
    heard = await stage.first()
    assert heard.message is not None
    heard.message.xor_address(Attr.XOR_PEER_ADDRESS)


async def finds_fault(stage: Stage) -> None:
    await stage.first()
    raise Violated("it is wrong")


def server_of(
    play: object = answers_one,
    *,
    path: Path = UDP,
    known: frozenset[bytes] = frozenset(),
) -> ScriptedServer:
    script: Script = dataclasses.replace(scripts()[0], play=play)  # type: ignore[arg-type]  # any coroutine function
    server = ScriptedServer(
        script,
        listening=SERVER,
        elsewhere=ELSEWHERE,
        protocol=path.transport,
        random_bytes=random.Random(1).randbytes,
        settings=Settings(patience=5.0),
        known=known,
    )
    server.start(0.0)
    return server


def verdict_of(server: ScriptedServer) -> Verdict | None:
    return None if server.result is None else server.result.outcome.verdict


def test_a_request_is_answered_and_judged() -> None:
    server = server_of()

    server.receive(BINDING, UDP, 1.0)

    transmit = server.poll_transmit()
    assert transmit is not None
    assert transmit.path == UDP
    assert transmit.segments[0][:2] == b"\x01\x01"
    assert verdict_of(server) is Verdict.PASS
    assert server.result is not None
    assert [(each.at, each.direction) for each in server.result.frames] == [
        (1.0, Direction.RECEIVED),
        (1.0, Direction.SENT),
    ]
    assert server.ids == {b"n" * 12}


def test_what_an_earlier_clients_allocation_still_sends_is_overlooked() -> None:
    server = server_of()

    server.receive(REFRESH, UDP, 1.0)
    server.receive(channel_data(0x4000, b"data"), UDP, 1.0)

    assert verdict_of(server) is None
    assert server.poll_transmit() is None


def test_a_retransmission_for_an_earlier_script_is_overlooked() -> None:
    server = server_of(known=frozenset({b"n" * 12}))

    server.receive(BINDING, UDP, 1.0)

    assert verdict_of(server) is None


def test_a_client_that_does_not_come_is_skipped_when_patience_ends() -> None:
    server = server_of()

    assert server.next_timeout() == 5.0
    server.handle_timeout(4.9)
    assert verdict_of(server) is None
    server.handle_timeout(5.0)

    assert verdict_of(server) is Verdict.SKIP
    assert server.next_timeout() is None


def test_a_client_that_has_ended_is_not_waited_for() -> None:
    server = server_of()

    server.client_ended(1.0)

    assert verdict_of(server) is Verdict.SKIP


def test_what_a_script_cannot_read_is_the_clients_fault() -> None:
    server = server_of(reads_an_address)
    request = MessageBuilder(Method.BINDING, Class.REQUEST, bytes(12))

    server.receive(request.add(Attr.XOR_PEER_ADDRESS, b"short").build(), UDP, 1.0)

    assert verdict_of(server) is Verdict.FAIL


def test_a_fault_is_told_with_the_frames() -> None:
    server = server_of(finds_fault)

    server.receive(BINDING, UDP, 1.0)

    assert server.result is not None
    assert server.result.outcome.detail == "it is wrong"
    assert len(server.result.frames) == 1


def test_a_stream_is_read_byte_by_byte() -> None:
    server = server_of(path=TCP)

    server.connected(TCP, 0.5)
    for number, byte in enumerate(BINDING):
        assert verdict_of(server) is None, number
        server.receive(bytes([byte]), TCP, 1.0)

    assert verdict_of(server) is Verdict.PASS


def test_a_stream_of_something_else_is_the_clients_fault() -> None:
    server = server_of(path=TCP)

    server.connected(TCP, 0.5)
    server.receive(b"\x16\x03\x01\x00\x05hello", TCP, 1.0)

    assert verdict_of(server) is Verdict.FAIL


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x80abc", id="no-message"),
        pytest.param(b"\0\1\0\0abcdefgh", id="no-cookie"),
    ],
)
def test_a_stream_without_messages_cannot_be_framed(data: bytes) -> None:
    with pytest.raises(Unframed):
        StreamReader().push(data)


def test_messages_of_a_stream_are_parted_with_their_padding() -> None:
    reader = StreamReader()
    padded = channel_data(0x4000, b"12345") + bytes(3)

    assert reader.push(BINDING + padded + BINDING[:7]) == [BINDING, padded]
    assert reader.push(BINDING[7:]) == [BINDING]


def test_channels_beyond_those_of_rfc_8656_are_read_too() -> None:
    heard = Heard.of(0.0, UDP, channel_data(0x7FFF, b"data"))

    assert heard.channel is not None
    assert (heard.channel.number, heard.channel.data) == (0x7FFF, b"data")
