"""Master and viewer clients of a signaling channel's WebSocket."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Self

import aiohttp

from signaling.errors import ServiceError, SignalingError
from signaling.messages import (
    Action,
    ClientMessage,
    ServiceEvent,
    decode_event,
    encode_client_message,
)
from signaling.payload import (
    Description,
    DescriptionType,
    RemoteCandidate,
    encode_candidate,
    encode_description,
)
from signaling.sigv4 import AccessKey, presign_url

from .tls import ChannelUnreachable, trust

logger = logging.getLogger(__name__)

PING_INTERVAL = 10.0
"""Seconds of silence before a ping, as the C SDK pings."""


CLOSE_PATIENCE = 1.0
"""Seconds for the service to answer our closing: whoever is told to stop has two in all."""


class ConnectRefused(SignalingError):
    """The service refused the handshake: ``status`` is HTTP's, ``code`` the error's name."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"the signaling service refused the connection: {code} ({status})")
        self.status = status
        self.code = code


class SignalingConnection:
    """One open WebSocket of a channel: ``async for event in connection``, and ``send``.

    Use as an asynchronous context manager. Iteration ends when the service closes.
    ``ca_bundle`` is a PEM file of the authorities to trust beside the system's.

    Raises:
        ConnectRefused: on entering, the service said no.
        ChannelUnreachable: on entering, nothing answered; on sending, the line is cut.
    """

    def __init__(self, url: str, *, ca_bundle: str | None = None) -> None:
        self._url = url
        self._ca_bundle = ca_bundle
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def __aenter__(self) -> Self:
        trusted = trust(self._ca_bundle)
        self._session = aiohttp.ClientSession()
        try:
            self._socket = await self._session.ws_connect(
                self._url,
                heartbeat=PING_INTERVAL,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_PATIENCE),
                ssl=trusted,
            )
        except aiohttp.WSServerHandshakeError as error:
            await self._session.close()
            headers: Mapping[str, str] = error.headers or {}
            code = headers.get("x-amzn-ErrorType", error.message)
            raise ConnectRefused(error.status, code) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            await self._session.close()
            raise ChannelUnreachable(f"no signaling service answers: {error}") from error
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()

    async def __aiter__(self) -> AsyncIterator[ServiceEvent]:
        assert self._socket is not None, "enter the connection first"
        while (text := await self._next_text(self._socket)) is not None:
            try:
                yield decode_event(text)
            except ServiceError as error:
                logger.warning("dropped a message of the service: %s", error)

    async def _next_text(self, socket: aiohttp.ClientWebSocketResponse) -> str | None:
        """None when the line is cut, which answering a ping may be the first to notice."""
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    return str(message.data)
        except (aiohttp.ClientError, ConnectionError) as error:
            logger.debug("the signaling connection is gone: %s", error)
        return None

    async def send(self, message: ClientMessage) -> None:
        """Send one message to the channel's other side."""
        assert self._socket is not None, "enter the connection first"
        try:
            await self._socket.send_str(encode_client_message(message))
        except (aiohttp.ClientError, ConnectionError, RuntimeError) as error:
            raise ChannelUnreachable(f"the signaling connection is gone: {error}") from error

    async def send_description(
        self, description: Description, *, recipient: str | None = None
    ) -> None:
        """Send an offer or an answer; a master names the viewer."""
        is_offer = description.type is DescriptionType.OFFER
        action = Action.SDP_OFFER if is_offer else Action.SDP_ANSWER
        await self.send(ClientMessage(action, encode_description(description), recipient))

    async def send_candidate(
        self, candidate: RemoteCandidate, *, recipient: str | None = None
    ) -> None:
        """Send one ICE candidate; a master names the viewer."""
        payload = encode_candidate(candidate)
        await self.send(ClientMessage(Action.ICE_CANDIDATE, payload, recipient))


def master_url(endpoint: str, channel_arn: str, *, key: AccessKey, region: str) -> str:
    """A presigned URL of the master's WebSocket endpoint."""
    parameters = {"X-Amz-ChannelARN": channel_arn}
    return presign_url(endpoint, parameters, key=key, region=region, now=time.time())


def viewer_url(
    endpoint: str, channel_arn: str, client_id: str, *, key: AccessKey, region: str
) -> str:
    """A presigned URL of a viewer's WebSocket endpoint."""
    parameters = {"X-Amz-ChannelARN": channel_arn, "X-Amz-ClientId": client_id}
    return presign_url(endpoint, parameters, key=key, region=region, now=time.time())
