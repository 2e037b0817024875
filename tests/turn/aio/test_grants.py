"""Access tokens on loopback (RFC 7635), with our own server."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import time

import pytest

from stun import AccessGrant
from turn import CredentialVerifier
from turn.aio import RelayServer, connect
from turn.client import AllocationError, FailureReason
from turn.server import ServerConfig
from turn.tokens import TokenContents, TokenKey, TokenVerifier, grant_access

from .test_client import LOOPBACK, PASSWORD, USER, config, uri

SERVER_NAME = "turn1.example"
KEY = TokenKey("spring", bytes(range(32)))


def settings() -> ServerConfig:
    return dataclasses.replace(config(), third_party_auth=TokenVerifier(SERVER_NAME, [KEY]))


async def authorize(server_name: str) -> AccessGrant:
    """An authorization server."""
    contents = TokenContents(os.urandom(20), time.time(), 3600)
    return grant_access(KEY, server_name, contents, nonce=os.urandom(12))


@pytest.mark.requirement("stun-turn:TURN-OAUTH-02", "stun-turn:TURNC-OAUTH-01")
async def test_a_token_opens_a_relay_without_a_password() -> None:
    tokens_alone = dataclasses.replace(settings(), credentials=CredentialVerifier())
    async with (
        RelayServer.open(tokens_alone) as server,
        connect(uri(server.addresses[0]), grants=authorize) as relay,
    ):
        await relay.permit(LOOPBACK)

        (snapshot,) = server.allocations()
        assert snapshot.username == KEY.kid


async def test_who_has_no_token_uses_a_password() -> None:
    async def nobody(_: str) -> None:
        return None

    async with (
        RelayServer.open(settings()) as server,
        connect(uri(server.addresses[0]), USER, PASSWORD, grants=nobody),
    ):
        assert server.allocations()[0].username == USER


async def test_an_authorization_server_that_fails_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(_: str) -> AccessGrant:
        raise OSError("the authorization server is down")

    async with RelayServer.open(settings()) as server:
        with pytest.raises(AllocationError) as error:
            async with connect(uri(server.addresses[0]), grants=broken):
                pass

    assert error.value.failure.reason is FailureReason.UNAUTHENTICATED
    assert "no access token for turn1.example" in caplog.text


async def test_closing_does_not_wait_for_a_token() -> None:
    asked = asyncio.Event()

    async def slow(_: str) -> AccessGrant:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("it never comes")

    async with RelayServer.open(settings()) as server:

        async def use() -> None:
            async with connect(uri(server.addresses[0]), grants=slow):
                pass

        task = asyncio.create_task(use())
        async with asyncio.timeout(15.0):
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
