"""STUNS-ALT: sending clients to another server (RFC 8489 sections 10 and 14.8)."""

from __future__ import annotations

from conformance.allocation import UDP, delete_granted
from conformance.checks import mark_attribute
from conformance.client import Client, describe
from conformance.codes import Attr, Method
from conformance.expect import expect_attribute
from conformance.outcome import NotOffered, Violated
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row

from .needs import expect_turn


@row(
    "COD-ADDR-06",
    "ALTERNATE-SERVER is encoded in the same way as MAPPED-ADDRESS.",
    Feature.LONG_TERM,
)
async def the_alternate_server_is_not_xored(probe: Probe) -> None:
    _, response = await _redirected(probe)
    alternate = response.address(Attr.ALTERNATE_SERVER)
    if alternate is None or alternate.port == 0 or alternate.ip.is_multicast:
        mark = mark_attribute(response, Attr.ALTERNATE_SERVER)
        raise Violated(f"ALTERNATE-SERVER is {alternate}", mark)
    xored = response.xor_address(Attr.ALTERNATE_SERVER)
    if xored is not None and xored.ip == probe.target.address.ip:
        mark = mark_attribute(response, Attr.ALTERNATE_SERVER)
        raise Violated("ALTERNATE-SERVER makes sense only if it is XORed", mark)


@row(
    "STUNS-ALT-01",
    "The server MUST include at least one ALTERNATE-SERVER attribute in the error response, "
    "which MUST contain an IP address of the same address family as the source IP address of the "
    "request message; one of the other family comes after it.",
    Feature.LONG_TERM,
)
async def the_first_alternate_is_of_the_clients_family(probe: Probe) -> None:
    client, response = await _redirected(probe)
    value = expect_attribute(response, Attr.ALTERNATE_SERVER)
    wanted = 2 if client.local.is_ipv6 else 1
    if value[1] != wanted:
        mark = mark_attribute(response, Attr.ALTERNATE_SERVER)
        raise Violated(f"the first ALTERNATE-SERVER is of family {value[1]}", mark)


@row(
    "STUNS-ALT-02",
    "This error response MUST only be sent if the request included either a USERNAME or USERHASH "
    "attribute and a valid MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attribute. It MUST be "
    "protected with the MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 attribute.",
)
async def strangers_are_not_redirected(probe: Probe) -> None:
    expect_turn(probe)
    stranger = await probe.client()
    response = await stranger.request(Method.ALLOCATE, UDP)
    if response.error_code == 300:
        mark = mark_attribute(response, Attr.ERROR_CODE)
        raise Violated("300 for a request without credentials", mark)
    # What redirects nobody shows nothing.
    client, answer = await _redirected(probe)
    if client.integrity_kind not in answer.types:
        raise Violated("300 without integrity", mark_attribute(answer, Attr.ERROR_CODE))


async def _redirected(probe: Probe) -> tuple[Client, ReceivedMessage]:
    client = await probe.client()
    response = await client.authenticated(Method.ALLOCATE, UDP)
    await delete_granted(client, response)
    if response.error_code != 300:
        raise NotOffered(f"Allocate is not redirected, but met with {describe(response)}")
    return client, response
