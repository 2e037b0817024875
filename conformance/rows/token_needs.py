"""What rows about access tokens need: tokens, and clients that have them (RFC 7635)."""

from __future__ import annotations

import base64
import dataclasses
import itertools
from typing import Final

from conformance.allocation import UDP, clear_up
from conformance.building import u32
from conformance.client import MAX_STALE, Attribute, Client, describe
from conformance.codes import Attr, Class, Method
from conformance.identity import Challenge
from conformance.outcome import NotOffered
from conformance.probe import Probe
from conformance.reading import ReceivedMessage
from conformance.target import TokenKey
from conformance.tokens import NONCE_BYTES, block, seal

MAC_KEY_BYTES: Final = 20
"""The length that every server supports (section 6.2)."""

OTHER_MAC_KEYS: Final = (16, 32)
"""Lengths for the rows that are about something else."""

LIFETIME: Final = 3600


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
        """Delete what was granted, if it was, where Refresh does that."""
        if response.message_class is Class.SUCCESS:
            await clear_up(self.client, self.ask(Method.REFRESH, (Attr.LIFETIME, u32(0))))

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


async def tokens_for(probe: Probe) -> Tokens:
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


async def let_in(probe: Probe) -> Tokens:
    """A server that takes right tokens.

    Raises:
        NotOffered: it does not.
    """
    tokens = await tokens_for(probe)
    _, response = await tokens.first(MAC_KEY_BYTES, *OTHER_MAC_KEYS)
    if response.message_class is not Class.SUCCESS:
        raise NotOffered(f"Allocate with a right token is met with {describe(response)}")
    return tokens
