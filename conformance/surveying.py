"""Finding out what the server offers, with as few messages as that takes."""

from __future__ import annotations

import binascii
from collections.abc import Awaitable, Callable, Mapping

from transport import DecodeError

from .allocation import UDP
from .building import one_byte
from .client import Client, describe
from .codes import COOKIE_PREFIX, Attr, Class, Method
from .outcome import NotOffered, TargetUnusable, Violated
from .probe import Probe
from .relaying import pair
from .row import Feature
from .survey import Survey
from .target import Target
from .wire import Wire

SHA256_BIT = 0x800000
USERHASH_BIT = 0x400000
"""Of the 24 security feature bits of a nonce (RFC 8489 section 18.1)."""


async def survey(target: Target, wire: Wire) -> Survey:
    """What there is.

    Raises:
        TargetUnusable: nothing at this address speaks STUN, or it refuses the credentials.
    """
    found: dict[Feature, str] = {}
    probe = Probe(target, wire, Survey())
    try:
        await _expect_stun(probe)
        for feature, look in _LOOKS.items():
            reason = await _look(look, probe) if _is_worth_it(feature, found) else NO_TURN
            if reason is not None:
                hint = target.hints.get(feature)
                found[feature] = reason if hint is None else f"{reason} ({hint})"
            elif feature is Feature.LONG_TERM:
                await _expect_good_credentials(probe)
    finally:
        await probe.close()
    return Survey(found)


async def _look(look: Callable[[Probe], Awaitable[str | None]], probe: Probe) -> str | None:
    try:
        return await look(probe)
    except (NotOffered, Violated, DecodeError) as error:
        return str(error)


def _is_worth_it(feature: Feature, missing: Mapping[Feature, str]) -> bool:
    """Not where TURN is missing: each look would wait for an answer that never comes."""
    return Feature.TURN not in missing or feature not in _OF_TURN


async def _expect_stun(probe: Probe) -> None:
    try:
        client = await probe.client()
        answer = await client.ask(client.message(Method.BINDING).build())
        if answer is not None:
            await _expect_haste(client, probe)
    except NotOffered as error:
        raise TargetUnusable(error.detail) from error
    except OSError as error:
        raise TargetUnusable(f"{probe.target.address}: {error}") from error
    if answer is not None:
        return
    if client.inbox:
        data = client.inbox[0]
        raise TargetUnusable(f"{len(data)} bytes come back that are no STUN: {data[:16].hex(' ')}")
    if client.link.has_ended:
        raise TargetUnusable("the server closes the connection at once")
    why = "nothing is there, or it is slow"
    if client.link.is_stream:
        why = "what takes connections there speaks no STUN, or it is slow"
    patience = probe.target.patience
    raise TargetUnusable(f"no answer to a Binding request in {patience:g} s: {why}")


async def _expect_haste(client: Client, probe: Probe) -> None:
    """Silence is told from an answer by waiting, so that answers have to come sooner.

    The first answer may have waited for what is done once, so that another one is asked for.
    """
    begun = probe.wire.now()
    if await client.ask(client.message(Method.BINDING).build()) is None:
        raise TargetUnusable("a second Binding request is not answered: packets are lost")
    seconds, silence = probe.wire.now() - begun, probe.target.silence
    if seconds > silence / 2:
        raise TargetUnusable(
            f"too slow: an answer takes {seconds:.1f} s, and {silence:g} s without one count as "
            "silence"
        )


async def _expect_good_credentials(probe: Probe) -> None:
    """With wrong ones nothing that matters would be tested, and little would fail."""
    for user, credential in enumerate(probe.target.credentials):
        for is_bound_to_md5 in (False, True):  # a server may be wrong about SHA-256 alone
            client = await probe.client(user=user)
            client.is_bound_to_md5 = is_bound_to_md5
            try:
                response, _ = await probe.try_to_allocate(UDP, client=client)
            except (NotOffered, Violated, DecodeError):
                return  # for the rows to judge
            if response.error_code != 401:
                break
        else:
            name = credential.username
            raise TargetUnusable(f"the server does not let {name} in (401): a wrong password?")


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


_OF_TURN = frozenset(
    {
        Feature.SECOND_USER,
        Feature.PEER,
        Feature.FAMILIES,
        Feature.IPV6_RELAY,
        Feature.EVEN_PORT,
        Feature.DONT_FRAGMENT,
        Feature.TCP_RELAY,
        Feature.MOBILITY,
    }
)
NO_TURN = "there are no TURN allocations"

_LOOKS: dict[Feature, Callable[[Probe], Awaitable[str | None]]] = {
    Feature.OPEN_BINDING: _open_binding,
    Feature.LONG_TERM: _long_term,
    Feature.TURN: _turn,
    Feature.SECOND_USER: _second_user,
    Feature.PEER: _peer,
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


def feature_bits(nonce: bytes) -> int | None:
    """The 24 security feature bits of a nonce, or None if it has none (section 9.2)."""
    prefix = COOKIE_PREFIX.encode()
    if not nonce.startswith(prefix) or len(nonce) < len(prefix) + 4:
        return None
    try:
        bits = binascii.a2b_base64(nonce[len(prefix) : len(prefix) + 4])
    except binascii.Error:
        return None
    return int.from_bytes(bits, "big") if len(bits) == 3 else None
