"""SEC: requests that a server leads to itself, or answers elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from conformance.building import MessageBuilder, dtls_client_hello
from conformance.codes import Class, Method
from conformance.denied import Relays, relays
from conformance.outcome import Outcome, Violated, seen
from conformance.probe import Probe
from conformance.relayed import Relayed
from conformance.row import Feature, row
from transport import TransportProtocol

from .discovery import is_reflected, offers, open_socket
from .stuns_tcp import HANDSHAKE


@row(
    "SEC-07",
    "The server's own listening address is no peer: requests would run in circles.",
    Feature.TURN,
    Feature.PEER,
)
async def the_server_is_not_reached_through_itself(probe: Probe) -> Outcome | None:
    through, server = await relays(probe), probe.target.address
    allocation = through.toward(server.ip)
    await allocation.permit(server)
    name, request, is_answer = _knock(probe)
    await allocation.send(server, request)
    message = await allocation.client.next_message(probe.target.silence)
    relayed = None if message is None else Relayed.read(message)
    if relayed is None or not is_answer(relayed.data):
        return await _whether_allocations_reach_each_other(probe, through)
    if probe.peer_ip == server.ip:
        return seen(
            f"{name} to the server is answered through the server itself; its IP address is one "
            "that peers may have"
        )
    raise Violated(f"{server} answers {name} that comes through itself", relayed.mark)


@row(
    "SEC-10",
    "A server that does not offer NAT behavior discovery reflects nothing: RESPONSE-PORT and "
    "CHANGE-REQUEST are not obeyed.",
)
async def nothing_is_reflected_unless_that_is_offered(probe: Probe) -> Outcome | None:
    socket, other = await open_socket(probe), await probe.socket()
    found = await offers(probe)
    if not found:
        await probe.is_alive()
        return None
    if any("in responses" in each for each in found):
        return seen(f"the server offers RFC 5780: {', '.join(found)}")
    reflects = await is_reflected(probe, socket, other)
    where = f"to another port ({other.local.port})" if reflects else "from another port"
    raise Violated(f"RFC 5780 is not offered, but a response comes {where}")


def _knock(probe: Probe) -> tuple[str, bytes, Callable[[bytes], bool]]:
    """What the server answers to whoever asks, in words and bytes, and what tells the answer."""
    if probe.target.transport is TransportProtocol.DTLS:
        hello = dtls_client_hello(probe.wire.random_bytes(32))
        return "a ClientHello", hello, lambda data: data[:1] == bytes([HANDSHAKE])
    request = MessageBuilder(Method.BINDING, Class.REQUEST, probe.wire.random_bytes(12)).build()
    return "a Binding request", request, lambda data: data[8:20] == request[8:20]


async def _whether_allocations_reach_each_other(probe: Probe, through: Relays) -> Outcome | None:
    """Two clients that can only relay may well: live relayed transport addresses are peers."""
    one, other = through.toward(probe.peer_ip), await probe.allocate()
    await one.permit(other.relayed)
    await other.permit(one.relayed)
    await one.send(other.relayed, b"from one to the other")
    message = await other.client.next_message(probe.target.silence)
    if message is not None and _payload(message) == b"from one to the other":
        return None
    await probe.is_alive()
    return seen("the server is not reached through itself; nor are allocations by each other")


def _payload(message: bytes) -> bytes | None:
    relayed = Relayed.read(message)
    return None if relayed is None else relayed.data
