"""How each thing that a server may offer is found out: by asking for it, once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from transport import TransportAddress

from .allocation import UDP, Allocation
from .building import any_port, one_byte
from .client import Client, describe
from .codes import FORBIDDEN, Attr, Class, Method, method_name
from .identity import USERHASH_BIT, feature_bits
from .probe import Probe
from .reading import ReceivedMessage
from .relaying import CHANNEL, pair
from .row import Feature

DISCARD: Final = 9


async def _open_binding(probe: Probe) -> str | None:
    response = await (await probe.client()).request(Method.BINDING)
    return "Binding is met with error 401" if response.error_code == 401 else None


async def _long_term(probe: Probe) -> str | None:
    if not probe.target.is_turn:
        return "the target is a stun: URI"
    client = await probe.client()
    await client.learn_challenge()
    return None


async def _turn(probe: Probe) -> str | None:
    if not probe.target.is_turn:
        return "the target is a stun: URI"
    await probe.allocate()
    return None


async def _refresh(probe: Probe) -> str | None:
    allocation = await probe.allocate()
    response = await allocation.refresh()
    if response.message_class is not Class.SUCCESS:
        return f"Refresh is met with {describe(response)}"
    await probe.give_back(allocation)
    return None


async def _permissions(probe: Probe) -> str | None:
    peer = any_port(probe.peer_ip)
    return await _owned(probe, lambda allocation: allocation.permit(peer))


async def _channels(probe: Probe) -> str | None:
    peer = TransportAddress(probe.peer_ip, DISCARD)
    return await _owned(probe, lambda allocation: allocation.bind(CHANNEL, peer))


async def _owned(
    probe: Probe, ask: Callable[[Allocation], Awaitable[ReceivedMessage]]
) -> str | None:
    """Whether an allocation's owner is granted what it asks for.

    That its peers are forbidden is another thing: see ``_peer``.
    """
    response = await ask(await probe.allocate())
    if response.message_class is Class.SUCCESS or response.error_code == FORBIDDEN:
        return None
    return f"{method_name(response.method)} is met with {describe(response)}"


async def _second_user(probe: Probe) -> str | None:
    if len(probe.target.credentials) < 2:
        return "one credential was given: name a second --user"
    await probe.allocate(client=await probe.client(user=1))
    return None


async def _peer(probe: Probe) -> str | None:
    way = await pair(probe)
    peer = way.peer.local
    response = await way.allocation.permit(peer)
    if response.message_class is not Class.SUCCESS:
        return f"a permission for {peer.ip} is met with {describe(response)}: --peer-address"
    # One way will do: that the other is broken is for rows to find out.
    if await way.send(b"out") is None and await way.back(b"back") is None:
        return f"nothing passes between {way.allocation.relayed} and {peer}: --peer-address"
    return None


async def _challenged(probe: Probe) -> Client:
    client = await probe.client()
    await client.learn_challenge()
    return client


async def _sha256(probe: Probe) -> str | None:
    challenge = (await _challenged(probe)).challenge
    if challenge is not None and challenge.uses_sha256:
        return None
    return "a 401 lists no PASSWORD-ALGORITHMS with SHA-256"


async def _userhash(probe: Probe) -> str | None:
    challenge = (await _challenged(probe)).challenge
    bits = None if challenge is None else feature_bits(challenge.nonce)
    if bits is not None and bits & USERHASH_BIT:
        return None
    return "the nonce's feature bits do not offer it"


async def _families(probe: Probe) -> str | None:
    family = (Attr.REQUESTED_ADDRESS_FAMILY, one_byte(1))
    response, _ = await probe.try_to_allocate(UDP, family)
    listed = response.get(Attr.UNKNOWN_ATTRIBUTES) or b""
    numbers = [listed[at : at + 2] for at in range(0, len(listed), 2)]
    if response.error_code == 420 and Attr.REQUESTED_ADDRESS_FAMILY.to_bytes(2, "big") in numbers:
        return "REQUESTED-ADDRESS-FAMILY is unknown to the server, as in RFC 5766"
    return None


async def _ipv6_relay(probe: Probe) -> str | None:
    await probe.allocate((Attr.REQUESTED_ADDRESS_FAMILY, one_byte(2)))
    return None


async def _even_port(probe: Probe) -> str | None:
    await probe.allocate((Attr.EVEN_PORT, b"\x00"))
    return None


async def _dont_fragment(probe: Probe) -> str | None:
    await probe.allocate((Attr.DONT_FRAGMENT, b""))
    return None


async def _stream_client(probe: Probe) -> Client:
    return await probe.client(transport=probe.target.stream)


async def _stream(probe: Probe) -> str | None:
    client = await _stream_client(probe)
    answer = await client.ask(client.message(Method.BINDING).build())
    name = probe.target.stream.value.upper()
    return None if answer is not None else f"no answer to a Binding request over {name}"


async def _tcp_relay(probe: Probe) -> str | None:
    client = await _stream_client(probe)
    transport = (Attr.REQUESTED_TRANSPORT, one_byte(6))
    response = await client.authenticated(Method.ALLOCATE, transport)
    if response.message_class is Class.SUCCESS:
        return None
    return f"Allocate with REQUESTED-TRANSPORT 6 is met with {describe(response)}"


async def _mobility(probe: Probe) -> str | None:
    allocation = await probe.allocate((Attr.MOBILITY_TICKET, b""))
    if Attr.MOBILITY_TICKET in allocation.response.types:
        return None
    return "Allocate with an empty MOBILITY-TICKET brings no ticket"


async def _third_party(probe: Probe) -> str | None:
    client = await probe.client()
    response = await client.request(Method.ALLOCATE, UDP)
    if Attr.THIRD_PARTY_AUTHORIZATION in response.types:
        return None
    return "a 401 has no THIRD-PARTY-AUTHORIZATION"


async def _behavior(probe: Probe) -> str | None:
    client = await probe.client()
    response = await client.request(Method.BINDING)
    if Attr.OTHER_ADDRESS in response.types:
        return None
    if response.message_class is Class.ERROR:
        return f"Binding is met with {describe(response)}"
    return "a Binding response has no OTHER-ADDRESS"


OF_TURN = frozenset(
    {
        Feature.SECOND_USER,
        Feature.PEER,
        Feature.REFRESH,
        Feature.PERMISSIONS,
        Feature.CHANNELS,
        Feature.FAMILIES,
        Feature.IPV6_RELAY,
        Feature.EVEN_PORT,
        Feature.DONT_FRAGMENT,
        Feature.TCP_RELAY,
        Feature.MOBILITY,
    }
)
NO_TURN = "there are no TURN allocations"

LOOKS: dict[Feature, Callable[[Probe], Awaitable[str | None]]] = {
    Feature.OPEN_BINDING: _open_binding,
    Feature.LONG_TERM: _long_term,
    Feature.TURN: _turn,
    Feature.SECOND_USER: _second_user,
    Feature.PEER: _peer,
    Feature.REFRESH: _refresh,
    Feature.PERMISSIONS: _permissions,
    Feature.CHANNELS: _channels,
    Feature.SHA256: _sha256,
    Feature.USERHASH: _userhash,
    Feature.FAMILIES: _families,
    Feature.IPV6_RELAY: _ipv6_relay,
    Feature.EVEN_PORT: _even_port,
    Feature.DONT_FRAGMENT: _dont_fragment,
    Feature.STREAM: _stream,
    Feature.TCP_RELAY: _tcp_relay,
    Feature.MOBILITY: _mobility,
    Feature.THIRD_PARTY: _third_party,
    Feature.BEHAVIOR: _behavior,
}
