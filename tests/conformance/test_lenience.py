"""Servers that do what the RFC leaves to them are not failed for it."""

from __future__ import annotations

import collections
import ipaddress
import itertools

import pytest

import conformance.rows
from conformance.building import xor_address
from conformance.codes import Attr, Class, Method
from conformance.outcome import Verdict
from conformance.reading import ReceivedMessage
from conformance.row import Feature, registered
from conformance.survey import Survey
from transport import TransportAddress

from .mutants import SETUPS, Mutant, Setup
from .mutants.changing import failing, is_success, parsed, with_error
from .mutants.mutant import Segments, edited
from .mutants.stuns_base import unauthorized
from .mutants.stuns_ltc import grant_instead
from .mutants.stuns_tcp import HELLO_VERIFY_REQUEST, redirect_strangers
from .mutants.turn_alloc import V4_ALONE, V6_ALONE, unsupported_dont_fragment
from .mutants.turn_alloc_ports import FEW_ALLOCATIONS, FEW_PORTS, Full
from .mutants.turn_gen import RemembersTheLast, error, instead, refused, succeeding
from .world import run_rows

assert conformance.rows  # registers them

ROWS = {row.id: row for row in registered()}
DELETING = [f"TURN-REFR-{number:02}" for number in (1, 6, 7, 8, 9)]
GARBLING = [
    row_id for row_id in ROWS if row_id.startswith(("COD-HDR-", "COD-ATTR-", "DEMUX-", "SEC-15"))
]
ALLOCATING = [row_id for row_id, row in ROWS.items() if Feature.TURN in row.needs]


def _narrow(ports: int) -> Mutant:
    """A range of so many ports."""
    return Mutant(options={"min_port": 50_000, "max_port": 49_999 + ports})


def _knows_no_pairs_of_ports(request: ReceivedMessage, response: ReceivedMessage) -> bytes:
    """As servers that have neither EVEN-PORT nor RESERVATION-TOKEN."""
    unknown = [kind for kind in (Attr.EVEN_PORT, Attr.RESERVATION_TOKEN) if kind in request.types]
    if request.method != Method.ALLOCATE or not unknown:
        return response.data
    listed = b"".join(kind.to_bytes(2, "big") for kind in unknown)
    return edited(
        response,
        request,
        drop=[Attr.ERROR_CODE],
        add=[(Attr.ERROR_CODE, error(420)), (Attr.UNKNOWN_ATTRIBUTES, listed)],
        message_class=Class.ERROR,
    )


def _drops_what_is_malformed(_: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
    return None if response.error_code == 400 else response.data


class _FewPermissions:
    """508 to who asks for more than ten permissions."""

    def __init__(self) -> None:
        self._permitted: collections.defaultdict[bytes | None, set[bytes]]
        self._permitted = collections.defaultdict(set)

    def __call__(self, request: ReceivedMessage, response: ReceivedMessage) -> bytes:
        if request.method != Method.CREATE_PERMISSION or response.error_code is not None:
            return response.data
        mine = self._permitted[request.get(Attr.NONCE)]  # each 5-tuple has its own
        asked = mine | {each[4:] for each in request.get_all(Attr.XOR_PEER_ADDRESS)}
        if len(asked) <= 10:
            mine |= asked
            return response.data
        add = [(Attr.ERROR_CODE, error(508))]
        return edited(response, request, message_class=Class.ERROR, add=add)


def test_a_server_with_few_permissions_is_taken_for_what_it_is() -> None:
    anywhere = ipaddress.ip_network("192.0.0.0/8", strict=False)
    server = Mutant(_FewPermissions(), options={"allow_peers": (anywhere,)})

    report = run_rows([ROWS["TURN-PERM-12"]], server, surveyed=Survey())

    assert [each.outcome.verdict for each in report.results] == [Verdict.PASS]


def _up_to(size: int) -> Mutant:
    """Relays no more bytes in one datagram: larger ones get lost."""

    def drop(data: bytes) -> bytes | None:
        return data if len(data) <= size else None

    return Mutant(relay=drop, hear=drop)


def _behind_a_nat() -> Mutant:
    """As it looks where a NAT has another port for each address of the server, and lets nothing
    in from where nothing was sent to."""
    ports = itertools.count(30_000)

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        if Attr.CHANGE_REQUEST in request.types:
            return None
        mapped = TransportAddress.parse("192.0.2.2", next(ports))
        value = xor_address(mapped, response.transaction_id)
        return edited(response, request, change={Attr.XOR_MAPPED_ADDRESS: value})

    return Mutant(answer)


class _Banning:
    """Is silent to everybody after a hundred Allocate requests of a header alone."""

    def __init__(self) -> None:
        self._left = 100

    def __call__(self, data: bytes) -> bytes | None:
        self._left -= len(data) == 20 and data[:2] == b"\x00\x03"
        return data if self._left > 0 else None


def _greet(data: bytes) -> bytes | None:
    return HELLO_VERIFY_REQUEST if data[:1] == b"\x16" else None


def _of_rfc_5766() -> Mutant:
    """Knows IPv4 alone, and no attributes about families."""

    def take(data: bytes) -> bytes:
        message = parsed(data)
        if message is None or Attr.ADDITIONAL_ADDRESS_FAMILY not in message.types:
            return data
        if Attr.NONCE not in message.types:
            return data
        return edited(message, message, drop=[Attr.ADDITIONAL_ADDRESS_FAMILY])

    def answer(request: ReceivedMessage, response: ReceivedMessage) -> bytes | None:
        is_asked = Attr.REQUESTED_ADDRESS_FAMILY in request.types
        if is_asked and Attr.NONCE in request.types and response.error_code not in (401, 438):
            refusal = ReceivedMessage.parse(failing(420)(request, response) or b"")
            add = [(Attr.UNKNOWN_ATTRIBUTES, b"\x00\x17")]
            return edited(refusal, request, drop=[Attr.XOR_MAPPED_ADDRESS], add=add)
        if response.error_code == 443:
            return failing(400)(request, response)
        return response.data

    return Mutant(answer, take=take, options=V4_ALONE)


@pytest.mark.long  # every row that is not slow
def test_a_server_of_rfc_5766_is_failed_for_nothing_that_came_later() -> None:
    rows = [row for row in ROWS.values() if not row.slow and row.id not in SETUPS]

    report = run_rows(rows, _of_rfc_5766())

    verdicts = {each.row_id: each.outcome.verdict for each in report.results}
    assert [row_id for row_id, each in verdicts.items() if each is Verdict.FAIL] == []
    assert list(verdicts.values()).count(Verdict.PASS) > 100


@pytest.mark.parametrize("code", [300, 486, 508])
@pytest.mark.parametrize("row_id", ALLOCATING)
def test_a_server_without_room_is_not_failed(row_id: str, code: int) -> None:
    full = refused(code, lambda _: True)

    report = run_rows([ROWS[row_id]], full, setup=SETUPS.get(row_id), surveyed=Survey())

    assert {each.outcome.verdict for each in report.results} & {Verdict.FAIL} == set()


@pytest.mark.parametrize("way", [Setup(tcp=True), Setup(dtls=True)], ids=["TCP", "DTLS"])
@pytest.mark.parametrize("row_id", DELETING)
def test_a_server_that_closes_a_connection_with_its_allocation_is_not_failed(
    row_id: str, way: Setup
) -> None:
    closing = Mutant(segments=Segments.CLOSES_AFTER_DELETION)

    report = run_rows([ROWS[row_id]], closing, setup=way, surveyed=Survey())

    assert {each.outcome.verdict for each in report.results} & {Verdict.FAIL} == set()


@pytest.mark.parametrize("way", [Setup(tcp=True), Setup(dtls=True)], ids=["TCP", "DTLS"])
@pytest.mark.parametrize("row_id", ["TURN-REFR-07", "TURN-REFR-08"])
def test_a_server_that_closes_one_of_two_connections_without_allocations_is_not_failed(
    row_id: str, way: Setup
) -> None:
    late = Mutant(segments=Segments.ENDS_FIRST_LATE)

    report = run_rows([ROWS[row_id]], late, setup=way, surveyed=Survey())

    assert {each.outcome.verdict for each in report.results} & {Verdict.FAIL} == set()


@pytest.mark.parametrize("row_id", GARBLING)
def test_a_server_that_ends_an_association_at_garbage_is_not_failed(row_id: str) -> None:
    strict = Mutant(segments=Segments.ENDS_AT_GARBAGE)

    report = run_rows([ROWS[row_id]], strict, setup=Setup(dtls=True), surveyed=Survey())

    verdicts = {each.row_id: each.outcome.verdict for each in report.results}
    assert set(verdicts.values()) & {Verdict.FAIL} == set()
    assert verdicts.get("SEC-15") in (None, Verdict.INFO)  # most of it was not received


def test_a_server_without_tcp_allocations_need_not_refuse_them_over_dtls_as_rfc_6062_has_it() -> (
    None
):
    surveyed = Survey({Feature.TCP_RELAY: "seen"})

    report = run_rows([ROWS["TURN-TCP-02"]], setup=Setup(dtls=True), surveyed=surveyed)

    outcome = report.results[0].outcome
    assert outcome.verdict is Verdict.SKIP
    assert outcome.detail == "not offered: TCP allocations (RFC 6062); seen"


@pytest.mark.parametrize(
    ("row_id", "server", "verdict"),
    [
        pytest.param("COD-ADDR-02", Mutant(_drops_what_is_malformed), Verdict.INFO, id="drops"),
        pytest.param("TURN-GEN-06", Mutant(RemembersTheLast()), Verdict.INFO, id="one-request"),
        pytest.param("COD-ATTR-13", Mutant(_drops_what_is_malformed), Verdict.INFO, id="drops"),
        pytest.param("COD-ATTR-13", Mutant(instead(443, 400)), Verdict.INFO, id="says-443"),
        pytest.param("STUNS-LTC-04", grant_instead(438), Verdict.INFO, id="any-nonce"),
        pytest.param(
            "TURN-ALLOC-06", Mutant(_knows_no_pairs_of_ports), Verdict.SKIP, id="no-pairs"
        ),
        pytest.param(
            "TURN-ALLOC-07", Mutant(_knows_no_pairs_of_ports), Verdict.SKIP, id="no-pairs"
        ),
        pytest.param(
            "TURN-ALLOC-12", Mutant(_knows_no_pairs_of_ports), Verdict.SKIP, id="no-pairs"
        ),
        pytest.param("TURN-GEN-01", Mutant(options=V6_ALONE), Verdict.SKIP, id="ipv6-alone"),
        pytest.param("TURN-GEN-02", Mutant(options=V6_ALONE), Verdict.SKIP, id="ipv6-alone"),
        pytest.param("TURN-GEN-02", Mutant(succeeding(401)), Verdict.INFO, id="open"),
        pytest.param("TURN-ALLOC-01", Mutant(succeeding(401)), Verdict.INFO, id="open"),
        pytest.param(
            "TURN-ALLOC-04", Mutant(options={"tcp_relay": True}), Verdict.PASS, id="400-to-tcp"
        ),
        pytest.param(
            "TURN-ALLOC-05", unsupported_dont_fragment(b"\x00\x1a"), Verdict.PASS, id="unknown"
        ),
        pytest.param("TURN-ALLOC-09", Mutant(options=V4_ALONE), Verdict.PASS, id="ipv4-alone"),
        pytest.param("TURN-ALLOC-09", Mutant(options=V6_ALONE), Verdict.PASS, id="ipv6-alone"),
        pytest.param("TURN-ALLOC-11", Mutant(options=V4_ALONE), Verdict.SKIP, id="ipv4-alone"),
        pytest.param("TURN-ALLOC-15", Mutant(options=V4_ALONE), Verdict.SKIP, id="ipv4-alone"),
        pytest.param(
            "TURN-ALLOC-13", Mutant(options={"max_port": 65_535}), Verdict.SKIP, id="many-ports"
        ),
        pytest.param(
            "TURN-ALLOC-17",
            Mutant(Full(Method.ALLOCATE), options=FEW_ALLOCATIONS),
            Verdict.INFO,
            id="remembers",
        ),
        pytest.param(
            "TURN-ALLOC-21", Mutant(options={"min_port": 1024}), Verdict.INFO, id="all-ports"
        ),
        pytest.param("TURN-ALLOC-22", _narrow(40), Verdict.PASS, id="used-up-at-random"),
        pytest.param("TURN-ALLOC-22", _narrow(400), Verdict.PASS, id="narrow"),
        pytest.param("TURN-ALLOC-22", _narrow(20), Verdict.SKIP, id="too-few"),
        pytest.param(
            "TURN-ALLOC-23", Mutant(options={"max_lifetime": 600}), Verdict.PASS, id="short"
        ),
        pytest.param(
            "TURN-ALLOC-23",
            Mutant(options={"default_lifetime": 300, "max_lifetime": 300}),
            Verdict.INFO,
            id="shorter",
        ),
        pytest.param(
            "TURN-ALLOC-23",
            Mutant(options={"default_lifetime": 300}),
            Verdict.INFO,
            id="less-by-default",
        ),
        pytest.param(
            "TURN-ALLOC-23",
            Mutant(options={"default_lifetime": 2400}),
            Verdict.INFO,
            id="more-by-default",
        ),
        pytest.param(
            "TURN-ALLOC-29",
            with_error(is_success(Method.CHANNEL_BIND), 403),
            Verdict.SKIP,
            id="no-channels",
        ),
        pytest.param("TURN-SEND-05", _up_to(1500), Verdict.INFO, id="up-to-1500"),
        pytest.param("TURN-SEND-05", _up_to(60_000), Verdict.INFO, id="up-to-60000"),
        pytest.param("TURN-CDATA-01", _up_to(1500), Verdict.INFO, id="up-to-1500"),
        pytest.param("TURN-CDATA-01", _up_to(60_000), Verdict.INFO, id="up-to-60000"),
        pytest.param("TURN-DATA-01", _up_to(1500), Verdict.INFO, id="up-to-1500"),
        pytest.param("TURN-DATA-01", _up_to(60_000), Verdict.INFO, id="up-to-60000"),
        pytest.param(
            "TURN-TCP-07", with_error(is_success(Method.CONNECT), 400), Verdict.SKIP, id="no-peers"
        ),
        pytest.param(
            "TURN-TCP-11", with_error(is_success(Method.CONNECT), 447), Verdict.SKIP, id="firewall"
        ),
        pytest.param(
            "TURN-MOB-08", with_error(is_success(Method.REFRESH), 400), Verdict.SKIP, id="no-moves"
        ),
        pytest.param(
            "TURN-PERM-01",
            with_error(is_success(Method.CREATE_PERMISSION), 400),
            Verdict.SKIP,
            id="no-permissions",
        ),
        pytest.param("NATB-02", _behind_a_nat(), Verdict.SKIP, id="behind-a-nat"),
        pytest.param("NATB-03", _behind_a_nat(), Verdict.SKIP, id="behind-a-nat"),
        pytest.param("NATB-04", _behind_a_nat(), Verdict.SKIP, id="behind-a-nat"),
        pytest.param("SEC-09", Mutant(take=_Banning()), Verdict.SKIP, id="bans"),
        pytest.param(
            "SEC-13",
            Mutant(take=lambda _: None, reply=_greet),
            Verdict.PASS,
            id="dtls-alone",
        ),
        pytest.param(
            "STUNS-TCP-09",
            Mutant(reply=lambda data: b"hello" if data[:1] == b"\x16" else None),
            Verdict.SKIP,
            id="no-dtls",
        ),
        pytest.param(
            "TURN-ALLOC-23", Mutant(options={"max_lifetime": 7200}), Verdict.INFO, id="long"
        ),
        pytest.param(
            "TURN-ALLOC-25", Mutant(options={"max_allocations": 1}), Verdict.SKIP, id="one-alone"
        ),
        pytest.param(
            "TURN-ALLOC-28",
            Mutant(Full(Method.ALLOCATE), options=FEW_PORTS),
            Verdict.INFO,
            id="remembers",
        ),
    ],
)
def test_what_the_rfc_leaves_open_is_not_failed(
    row_id: str, server: Mutant, verdict: Verdict
) -> None:
    setup = SETUPS.get(row_id)

    report = run_rows([ROWS[row_id]], server, setup=setup, surveyed=Survey())

    outcomes = {each.row_id: each.outcome for each in report.results}
    assert outcomes[row_id].verdict is verdict, outcomes[row_id].detail


def test_who_redirects_nobody_is_not_praised_for_that() -> None:
    report = run_rows([ROWS["STUNS-ALT-02"]], surveyed=Survey())

    assert [each.outcome.verdict for each in report.results] == [Verdict.SKIP]


def test_who_redirects_strangers_is_failed_though_there_is_no_challenge_to_be_had() -> None:
    row, setup = ROWS["STUNS-ALT-02"], SETUPS["STUNS-ALT-02"]
    survey = Survey({Feature.LONG_TERM: "300", Feature.TURN: "300"})

    report = run_rows([row], Mutant(redirect_strangers), setup=setup, surveyed=survey)

    assert [each.outcome.verdict for each in report.results] == [Verdict.FAIL]


def test_a_server_that_wants_credentials_for_binding_is_failed_for_that_alone() -> None:
    about = ("COD-", "STUNS-BASE-", "STUNS-TCP-", "NATB-", "TURN-TCP-14")
    chosen = [row for row_id, row in ROWS.items() if row_id.startswith(about)]

    report = run_rows(chosen, Mutant(unauthorized))

    failed = {each.row_id for each in report.results if each.outcome.verdict is Verdict.FAIL}
    assert failed == {"STUNS-BASE-01", "STUNS-BASE-04"}
