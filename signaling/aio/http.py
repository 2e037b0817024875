"""What every request to the service has in common: its signature, and how it is refused."""

from __future__ import annotations

import binascii
import logging
import os
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from signaling.errors import ErrorName, ServiceError
from signaling.sigv4 import AccessKey, ReceivedRequest, verify

logger = logging.getLogger(__name__)

KeyLookup = Callable[[str], AccessKey | None]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def verify_request(
    request: web.Request, *, keys: KeyLookup, region: str, hosts: tuple[str, ...]
) -> str:
    """The id of the access key that signed a request.

    Raises:
        ServiceError: its signature does not hold.
    """
    received = ReceivedRequest(
        request.method,
        request.raw_path,
        [(name, value) for name, value in request.headers.items()],
        await request.read(),
        hosts,
    )
    return verify(received, keys=keys, region=region, now=time.time())


def error_response(error: ServiceError) -> web.Response:
    """A refusal as KVS clients read it: the name in a header, the sentence in the body."""
    return web.json_response(
        {"Message": error.message},
        status=error.name.status,
        headers={"x-amzn-ErrorType": error.name.code, "x-amzn-RequestId": request_id()},
    )


def request_id() -> str:
    """A fresh ``x-amzn-RequestId``."""
    return binascii.hexlify(os.urandom(16)).decode()


@web.middleware
async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn a ServiceError into an answer; anything else is our fault and is logged."""
    try:
        return await handler(request)
    except ServiceError as error:
        logger.info("refused %s %s: %s", request.method, request.path, error)
        return error_response(error)
    except web.HTTPException:
        raise
    except Exception:
        logger.exception("failed on %s %s", request.method, request.path)
        return error_response(
            ServiceError(ErrorName.INTERNAL_FAILURE, "The service failed; its log says why.")
        )
