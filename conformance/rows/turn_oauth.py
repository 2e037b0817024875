"""TURN-OAUTH: access tokens in place of passwords (RFC 7635)."""

from __future__ import annotations

import base64
import dataclasses
import itertools
from collections.abc import Mapping
from typing import Final

from conformance.allocation import UDP
from conformance.building import u32
from conformance.checks import mark_attribute
from conformance.client import MAX_STALE, Attribute, Client, describe
from conformance.codes import Attr, Class, Method
from conformance.expect import expect_attribute, expect_error, expect_success, expect_value
from conformance.identity import Challenge
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.row import Feature, row
from conformance.target import TokenKey
from conformance.tokens import NONCE_BYTES, block, seal

from .needs import expect_room, expect_turn

MAC_KEY_BYTES: Final = 20
"""The length that every server supports (section 6.2)."""

OTHER_MAC_KEYS: Final = (16, 32)
"""Lengths for the rows that are about something else."""

LIFETIME: Final = 3600
SHORT: Final = 120
DELTA: Final = 5
"""Seconds by which clocks may differ (section 7)."""

LONG_AGO: Final = 2 * LIFETIME


@dataclasses.dataclass(slots=True)
class Bearer:
    """A client with an access token: it signs with the token's session key."""

    client: Client
    kid: bytes
    token: bytes
    mac_key: bytes

    async def ask(self, method: Method, *attributes: Attribute) -> ReceivedMessage:
        """The answer to a request, once more for each fresh nonce."""
        for _ in range(MAX_STALE):
            response = await self.client.demand(self._request(method, *attributes))
            if response.error_code != 438:
                break
            self.client.challenge = Challenge.of(response) or self.client.challenge
        return response

    async def allocate(self) -> ReceivedMessage:
        """The answer to an Allocate, whose allocation is gone again."""
        response = await self.ask(Method.ALLOCATE, UDP)
        await self.end(response)
        return response

    async def end(self, response: ReceivedMessage) -> None:
        """Delete what was granted, if it was."""
        if response.message_class is Class.SUCCESS:
            await self.ask(Method.REFRESH, (Attr.LIFETIME, u32(0)))

    def _request(self, method: Method, *attributes: Attribute) -> bytes:
        challenge = self.client.challenge
        assert challenge is not None
        builder = self.client.message(method, *attributes)
        builder.add(Attr.USERNAME, self.kid)
        builder.add(Attr.REALM, challenge.realm).add(Attr.NONCE, challenge.nonce)
        builder.add(Attr.ACCESS_TOKEN, self.token)
        return builder.add_integrity(self.mac_key).build()


class Tokens:
    """An authorization server of the server under test."""

    def __init__(self, probe: Probe, key: TokenKey, server_name: bytes) -> None:
        self._probe = probe
        self._key = key
        self.server_name = server_name
        self._is_base64 = False
        self._mac_key_bytes = MAC_KEY_BYTES

    def block(self, mac_key: bytes, *, age: float = 0.0, lifetime: int = LIFETIME) -> bytes:
        timestamp = self._probe.wire.unix_time() - age
        return block(mac_key, timestamp=timestamp, lifetime=lifetime)

    def seal(
        self, plain: bytes, *, server_name: bytes | None = None, nonce_length: int | None = None
    ) -> bytes:
        nonce, name = self._probe.wire.random_bytes(NONCE_BYTES), server_name or self.server_name
        return seal(self._key.key, name, plain, nonce, nonce_length=nonce_length)

    def mac_key(self) -> bytes:
        return self._probe.wire.random_bytes(self._mac_key_bytes)

    async def bearer(self, token: bytes, mac_key: bytes) -> Bearer:
        """A fresh 5-tuple with this token."""
        client = await self._probe.client()
        await client.learn_challenge()
        sent = base64.b64encode(token) if self._is_base64 else token
        return Bearer(client, self._key.kid.encode(), sent, mac_key)

    async def good(self, *, lifetime: int = LIFETIME) -> Bearer:
        """One that is to be let in."""
        mac_key = self.mac_key()
        return await self.bearer(self.seal(self.block(mac_key, lifetime=lifetime)), mac_key)

    async def first(self, *sizes: int) -> tuple[Bearer, ReceivedMessage]:
        """The answer to one that is to be let in, with a session key of one of these sizes.

        A token may travel in base64: section 6.2 can be read so. What is found to be taken
        is kept to.
        """
        refused: tuple[Bearer, ReceivedMessage] | None = None
        for self._is_base64, self._mac_key_bytes in itertools.product((False, True), sizes):
            bearer = await self.good()
            response = await bearer.allocate()
            if response.error_code != 401:
                return bearer, response
            refused = refused or (bearer, response)
        assert refused is not None
        return refused


@row(
    "TURN-OAUTH-01",
    "The STUN server also includes the additional STUN attribute THIRD-PARTY-AUTHORIZATION. This "
    "attribute value contains the STUN server name.",
)
async def a_challenge_names_the_server(probe: Probe) -> None:
    expect_turn(probe)
    response = await (await probe.client()).request(Method.ALLOCATE, UDP)
    key = probe.target.token_key
    if key is None and Attr.THIRD_PARTY_AUTHORIZATION not in response.types:
        raise NotOffered("a 401 has no THIRD-PARTY-AUTHORIZATION, and no token key was given")
    expect_error(response, 401, to="Allocate without credentials")
    name = expect_attribute(response, Attr.THIRD_PARTY_AUTHORIZATION)
    if not name:
        mark = mark_attribute(response, Attr.THIRD_PARTY_AUTHORIZATION)
        raise Violated("THIRD-PARTY-AUTHORIZATION is empty", mark)
    if key is not None and key.server_name is not None:
        found = name.decode(errors="replace")
        expect_value(response, Attr.THIRD_PARTY_AUTHORIZATION, key.server_name, found)


@row(
    "TURN-OAUTH-02",
    "If all the checks pass, the STUN server continues to process the request. Any response "
    "generated by the server MUST include the MESSAGE-INTEGRITY attribute, computed using the "
    "mac_key.",
    Feature.THIRD_PARTY,
)
async def a_token_opens_the_door(probe: Probe) -> None:
    bearer, response = await (await _tokens(probe)).first(MAC_KEY_BYTES)
    expect_room(response)
    expect_success(response, to="Allocate with an access token")
    mac_key = bearer.mac_key
    if not response.has_integrity(mac_key) and not response.has_integrity_sha256(mac_key):
        mark = mark_attribute(response, Attr.MESSAGE_INTEGRITY) or Mark(response.data, 0, 2)
        raise Violated("the response is not signed with the token's session key", mark)


@row(
    "TURN-OAUTH-03",
    "If the authenticated decrypt operation returns FAIL, then the STUN server rejects the "
    "request with an error response 401 (Unauthorized); likewise unless lifetime + Delta > "
    "abs(RDnew - TS), and if the message integrity computed with the mac_key does not match.",
    Feature.THIRD_PARTY,
)
async def wrong_tokens_are_refused(probe: Probe) -> None:
    tokens = await _let_in(probe)
    mac_key = tokens.mac_key()
    good = tokens.seal(tokens.block(mac_key))
    cases: Mapping[str, tuple[bytes, bytes]] = {
        "that was changed": (good[:-1] + bytes([good[-1] ^ 1]), mac_key),
        "for another server": (
            tokens.seal(tokens.block(mac_key), server_name=b"other." + tokens.server_name),
            mac_key,
        ),
        "that has expired": (tokens.seal(tokens.block(mac_key, age=LONG_AGO)), mac_key),
        "of the future": (tokens.seal(tokens.block(mac_key, age=-LONG_AGO)), mac_key),
        "and another session key": (good, tokens.mac_key()),
    }
    for name, (token, key) in cases.items():
        response = await (await tokens.bearer(token, key)).allocate()
        expect_error(response, 401, to=f"Allocate with a token {name}")


@row(
    "TURN-OAUTH-04",
    "If a STUN server receives an ACCESS-TOKEN attribute unexpectedly (because it had not "
    "previously sent out a THIRD-PARTY-AUTHORIZATION), it will respond with an error code of 420 "
    "(Unknown Attribute).",
    Feature.TURN,
)
async def a_token_that_nobody_asked_for_is_unknown(probe: Probe) -> None:
    client = await probe.client()
    challenge = await client.request(Method.ALLOCATE, UDP)
    if Attr.THIRD_PARTY_AUTHORIZATION in challenge.types:
        raise NotOffered("the server takes tokens: a 401 has THIRD-PARTY-AUTHORIZATION")
    token: Attribute = (Attr.ACCESS_TOKEN, bytes(64))
    response, _ = await probe.try_to_allocate(UDP, token, client=client)
    expect_room(response)
    expect_error(response, 420, to="Allocate with ACCESS-TOKEN")
    listed = expect_attribute(response, Attr.UNKNOWN_ATTRIBUTES)
    if Attr.ACCESS_TOKEN.to_bytes(2, "big") not in (listed[:2], listed[2:4]):
        mark = mark_attribute(response, Attr.UNKNOWN_ATTRIBUTES)
        raise Violated("UNKNOWN-ATTRIBUTES does not list ACCESS-TOKEN", mark)


@row(
    "TURN-OAUTH-05",
    "The lifetime provided by the TURN server in the Allocate and Refresh responses MUST be less "
    "than or equal to the lifetime of the token.",
    Feature.THIRD_PARTY,
)
async def an_allocation_lives_no_longer_than_its_token(probe: Probe) -> Outcome | None:
    tokens = await _let_in(probe)
    bearer = await tokens.good(lifetime=SHORT)
    wanted: Attribute = (Attr.LIFETIME, u32(LIFETIME))
    allocated = await bearer.ask(Method.ALLOCATE, UDP, wanted)
    if allocated.message_class is not Class.SUCCESS:
        raise NotOffered(f"Allocate with a token of {SHORT} s is met with {describe(allocated)}")
    refreshed = await bearer.ask(Method.REFRESH, wanted)
    await bearer.end(allocated)
    granted = 0
    for name, response in (("Allocate", allocated), ("Refresh", refreshed)):
        if response.message_class is Class.SUCCESS:
            seconds = int.from_bytes(expect_attribute(response, Attr.LIFETIME), "big")
            granted = max(granted, seconds)
            if seconds > SHORT + DELTA:
                mark = mark_attribute(response, Attr.LIFETIME)
                raise Violated(f"{name} grants {seconds} s to a token of {SHORT} s", mark)
    if granted > SHORT:
        return seen(f"{granted} s for a token of {SHORT} s: the formula of section 9 gives them")
    return None


@row(
    "TURN-OAUTH-06",
    "Lengths in a token are held against what is there.",
    Feature.THIRD_PARTY,
)
async def lengths_in_tokens_are_not_believed(probe: Probe) -> None:
    tokens = await _let_in(probe)
    mac_key = tokens.mac_key()
    good, plain = tokens.seal(tokens.block(mac_key)), tokens.block(mac_key)
    cases: Mapping[str, bytes] = {
        "no bytes": b"",
        "one byte": good[:1],
        "a nonce alone": good[: 2 + NONCE_BYTES],
        "half of it": good[: len(good) // 2],
        "a nonce of 65535 bytes": tokens.seal(plain, nonce_length=0xFFFF),
        "a nonce of no bytes": tokens.seal(plain, nonce_length=0),
        "a session key of 65535 bytes": tokens.seal(b"\xff\xff" + plain[2:]),
        "a session key that is not all there": tokens.seal(plain[:10]),
        "a session key of 700 bytes": tokens.seal(tokens.block(bytes(700))),
    }
    for name, token in cases.items():
        response = await (await tokens.bearer(token, mac_key)).allocate()
        if response.message_class is Class.SUCCESS:
            raise Violated(f"a token with {name} is taken", Mark(response.data, 0, 2))
    await probe.is_alive()
    expect_success(await (await tokens.good()).allocate(), to="Allocate with a good token after")


async def _tokens(probe: Probe) -> Tokens:
    """Raises:
    NotOffered: no key for tokens was given.
    """
    key = probe.target.token_key
    if key is None:
        raise NotOffered("no key was given to make access tokens with")
    response = await (await probe.client()).request(Method.ALLOCATE, UDP)
    name = response.get(Attr.THIRD_PARTY_AUTHORIZATION)
    if key.server_name is not None:
        name = key.server_name.encode()
    if not name:
        raise NotOffered("a 401 has no THIRD-PARTY-AUTHORIZATION")
    return Tokens(probe, key, name)


async def _let_in(probe: Probe) -> Tokens:
    """A server that takes right tokens.

    Raises:
        NotOffered: it does not.
    """
    tokens = await _tokens(probe)
    _, response = await tokens.first(MAC_KEY_BYTES, *OTHER_MAC_KEYS)
    if response.message_class is not Class.SUCCESS:
        raise NotOffered(f"Allocate with a right token is met with {describe(response)}")
    return tokens
