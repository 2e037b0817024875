"""A report with one row of each verdict, as a run would have made it."""

from __future__ import annotations

from conformance.building import MessageBuilder, xor_address
from conformance.codes import Attr, Class, Method
from conformance.outcome import Direction, Frame, Mark, Outcome, RowResult, Verdict
from conformance.report import Report
from conformance.row import Feature
from conformance.survey import Survey
from conformance.target import Credential, Target
from transport import TransportAddress

SERVER = TransportAddress.parse("192.0.2.1", 3478)
HARNESS = TransportAddress.parse("192.0.2.2", 50000)
SERVER6 = TransportAddress.parse("2001:db8::1", 3478)
HARNESS6 = TransportAddress.parse("2001:db8::2", 50000)
BEGUN = 1_790_000_000.0
HOSTILE = "<script>alert(1)</script>\x00\x1b[31m\"'&"
TRANSACTION_ID = bytes(range(12))

REQUEST = MessageBuilder(Method.ALLOCATE, Class.REQUEST, TRANSACTION_ID).build()
ANSWER = (
    MessageBuilder(Method.ALLOCATE, Class.SUCCESS, TRANSACTION_ID)
    .add(Attr.XOR_RELAYED_ADDRESS, xor_address(SERVER, TRANSACTION_ID))
    .add(Attr.LIFETIME, (600).to_bytes(4, "big"))
    .add(Attr.SOFTWARE, HOSTILE.encode())
    .build()
)
LIFETIME_AT = 32
"""Where LIFETIME begins in the answer."""


def sent(data: bytes, at: float = 0.0, *, is_stream: bool = False) -> Frame:
    return Frame(at, Direction.SENT, HARNESS, SERVER, data, is_stream)


def received(data: bytes, at: float = 0.001, *, is_stream: bool = False) -> Frame:
    return Frame(at, Direction.RECEIVED, HARNESS, SERVER, data, is_stream)


FAILED = RowResult(
    "TURN-ALLOC-01",
    Outcome(Verdict.FAIL, f"LIFETIME {HOSTILE}", Mark(ANSWER, LIFETIME_AT, LIFETIME_AT + 8)),
    (sent(REQUEST), received(ANSWER)),
    0.25,
)
PASSED = RowResult(
    "COD-HDR-01",
    Outcome(Verdict.PASS),
    (
        sent(REQUEST + REQUEST, 0.1, is_stream=True),
        received(ANSWER, 0.2, is_stream=True),
        Frame(0.3, Direction.SENT, HARNESS6, SERVER6, b"\x40\x00\x00\x03abc"),
    ),
)
SKIPPED = RowResult("COD-HDR-02", Outcome(Verdict.SKIP, "not offered: mobility"))
INFORMED = RowResult(
    "STUNS-BASE-06", Outcome(Verdict.INFO, "SOFTWARE is not sent"), (sent(REQUEST, 1.0),)
)

REPORT = Report(
    Target(address=SERVER, credentials=(Credential("ann", "hunter2"),), secret="hunter3"),
    Survey({Feature.MOBILITY: "Allocate brings no ticket"}),
    (PASSED, SKIPPED, INFORMED, FAILED),
    BEGUN,
)
