"""STUNC-TCP: a client over TCP and TLS (RFC 8489 sections 6.2.2 and 6.2.3)."""

from __future__ import annotations

from typing import Final

from conformance.codes import Method
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen

from .client_hello import ClientHello
from .heard import Heard, is_request, whole
from .script import Action, Over, script
from .scripts_ltc import LATER
from .showing import waits
from .stage import Stage

TI: Final = 39.5
TOLERANCE: Final = 0.1
TI_SLACK: Final = TI * TOLERANCE

TLS_1_2: Final = 0x0303
OLD_VERSIONS: Final = {0x0300: "SSL 3.0", 0x0301: "TLS 1.0", 0x0302: "TLS 1.1"}
WEAK_SUITES: Final = frozenset(
    {
        *range(0x0001, 0x001C),  # NULL, RC4, RC2, DES, export, and 3DES
        0x002C,
        0x002D,
        0x002E,
        0x003B,
        0x008A,
        0x008B,
        *range(0x00B0, 0x00B2),
        0xC001,
        0xC002,
        0xC003,
        0xC006,
        0xC007,
        0xC008,
        0xC00B,
        0xC00C,
        0xC00D,
        0xC010,
        0xC011,
        0xC012,
    }
)
"""Cipher suites with NULL, RC4, DES or 3DES."""


@script(
    "STUNC-TCP-01",
    "Reliability of STUN over TCP and TLS-over-TCP is handled by TCP itself, and there are no "
    "retransmissions at the STUN protocol level.",
    Action.REQUEST,
    over=Over.STREAM,
)
async def nothing_is_retransmitted(stage: Stage) -> None:
    first = await stage.first()
    for each in await stage.collect(10.0):
        if each.path == first.path and each.transaction_id == first.transaction_id:
            raise Violated("the request is sent again", whole(each))
    if stage.ended is not None or stage.is_closed(first.path):
        raise NotOffered("the client does not wait for an answer: what it does then is not seen")


@script(
    "STUNC-TCP-02",
    "If the client has not received a response by Ti seconds after it sent the request message, "
    "it considers the transaction to have timed out. Ti SHOULD be 39.5 s by default.",
    Action.REQUEST,
    over=Over.STREAM,
)
async def a_transaction_lasts_39_5_seconds(stage: Stage) -> None:
    first = await stage.first()
    ended = await stage.told_end(TI * (1 + TOLERANCE) + 1)
    waited = ended.at - first.at
    if abs(waited - TI) > TI * TOLERANCE:
        raise Violated(f"the client gives up after {waited:.1f} s, not {TI} s")


@script(
    "STUNC-TCP-03",
    "If the TCP connection cannot be made or is lost, the transactions in progress have failed.",
    Action.REQUEST,
    over=Over.STREAM,
    timed=True,
)
async def a_reset_fails_what_is_in_progress(stage: Stage) -> Outcome | None:
    first = await stage.first()
    await waits(stage, first)
    begun = stage.now
    stage.reset(first.path)
    ended = await stage.end(3.0)
    if ended is None and any(each.opened >= begun for each in stage.streams):
        return seen("the client tries another connection")
    ended = await stage.told_end(TI)
    if ended.succeeded:
        raise Violated("the client says that it has succeeded")
    waited = ended.at - begun
    if waited <= 3.0:
        return None
    raise Violated(f"the client learns {waited:.1f} s after the reset that it has failed")


@script(
    "STUNC-TCP-04",
    "When STUN is multiplexed over a stream, messages are found by the length of their header.",
    Action.PERMIT,
    over=Over.STREAM,
)
async def messages_are_found_in_the_stream(stage: Stage) -> None:
    first = await stage.first(Method.ALLOCATE)
    if first.is_signed:
        raise NotOffered("the client begins with credentials: it knows the server")
    challenge = stage.right.challenge(first)
    for byte in challenge:
        stage.send(bytes([byte]), first.path)
        await stage.pause(0.002)
    signed = is_request(Method.ALLOCATE)
    request = await stage.seek(signed, stage.settings.pause)
    if request is None:
        stage.send(challenge, first.path)
        if await stage.seek(signed, stage.settings.pause) is None:
            raise NotOffered("the client does not come back with credentials")
        raise Violated("a response that comes byte by byte is not understood")
    success = stage.right.success(request)
    stage.send(success + stage.right.data(stage.settings.peer, b"early"), request.path)
    if await stage.seek(_uses_an_allocation, stage.settings.pause) is not None:
        return
    stage.send(success, request.path)
    if await stage.seek(_uses_an_allocation, stage.settings.pause) is None:
        raise NotOffered("the client does nothing with its allocation")
    raise Violated("a response in front of another message is not understood")


def _uses_an_allocation(heard: Heard) -> bool:
    return heard.is_signed and heard.method in LATER


@script(
    "STUNC-TCP-05",
    "The client SHOULD keep the connection open as long as it uses an address that it has "
    "learned or been given over it.",
    Action.PERMIT,
    over=Over.STREAM,
)
async def the_connection_stays_open(stage: Stage) -> None:
    request = await stage.begin(Method.ALLOCATE)
    stage.succeed(request)
    later = await stage.play(10.0)
    if stage.ended is not None or any(each.is_deletion for each in later):
        raise NotOffered("the client gives its allocation up")
    if request.path not in {each.path for each in later if _uses_an_allocation(each)}:
        raise NotOffered("the client does nothing with its allocation")
    if stage.is_closed(request.path):
        raise Violated("the client closes the connection of its allocation")


@script(
    "STUNC-TCP-06",
    "If an existing connection turns out to be dead, the client SHOULD reset it, and try over "
    "a new one.",
    Action.BINDINGS,
    over=Over.STREAM,
)
async def a_dead_connection_is_replaced(stage: Stage) -> None:
    first = await stage.first(Method.BINDING)
    stage.answer(first)
    second = await stage.hear(stage.settings.pause)
    if second is None or second.path != first.path:
        raise NotOffered("the client does not ask twice on one connection")
    found = await stage.seek(lambda heard: heard.path != first.path, 60.0)
    if found is None and stage.ended is not None and stage.ended.at - second.at < TI - TI_SLACK:
        raise NotOffered("the client ends before a transaction does")
    if found is None:
        raise Violated("the connection is silent, and no other is tried")


async def _hello(stage: Stage) -> tuple[Heard, ClientHello]:
    heard = await stage.hear(stage.settings.patience)
    data = b"" if heard is None else heard.data
    while heard is not None and not ClientHello.is_whole(data):
        heard = await stage.hear(2.0)
        data += b"" if heard is None else heard.data
    if not stage.heard:
        raise NotOffered("the client sends nothing")
    if stage.heard[0].data[:1] != b"\x16":
        raise Violated("the connection does not begin with a TLS handshake", whole(stage.heard[0]))
    return stage.heard[0], ClientHello.parse(data)


@script(
    "STUNC-TCP-08",
    "Implementations MUST deactivate TLS-level compression, MUST support TLS 1.2, and do not "
    "use what RFC 9325 forbids (SSL, TLS 1.0 and 1.1, NULL, RC4, DES).",
    Action.REQUEST,
    over=Over.TLS,
)
async def the_client_hello_is_of_today(stage: Stage) -> None:
    heard, hello = await _hello(stage)
    mark = Mark(heard.data, 0, min(len(heard.data), 64))
    if hello.compressions != b"\0":
        raise Violated("TLS compression is offered", mark)
    if old := [each for each in sorted(hello.versions) if each < TLS_1_2]:
        names = ", ".join(OLD_VERSIONS.get(each, f"0x{each:04X}") for each in old)
        raise Violated(f"versions before TLS 1.2 are offered: {names}", mark)
    weak = sorted(WEAK_SUITES & set(hello.suites))
    if weak:
        listed = ", ".join(f"0x{each:04X}" for each in weak)
        raise Violated(f"forbidden cipher suites are offered: {listed}", mark)


@script(
    "STUNC-TCP-09",
    "The ALPN identifier stun.turn or stun.nat-discovery may be offered (RFC 7443).",
    Action.REQUEST,
    over=Over.TLS,
)
async def which_protocol_is_named(stage: Stage) -> Outcome:
    _, hello = await _hello(stage)
    names = ", ".join(each.decode(errors="replace") for each in hello.protocols)
    return seen(f"ALPN: {names or 'none'}")
