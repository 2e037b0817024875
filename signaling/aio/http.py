"""What all requests to the service have in common: signature, refusal, CORS, request id.

A response leaves in one piece with its Content-Length: the C SDK keeps only the last
of the pieces that it reads.
"""

from __future__ import annotations

import asyncio
import binascii
import logging
import os
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from aiohttp import hdrs, web
from aiohttp.typedefs import Middleware

from signaling.errors import ErrorName, ServiceError
from signaling.sigv4 import AccessKey, ReceivedRequest, verify
from transport import TransportAddress

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
"""The largest legal request has 50 tags of 384 characters, each perhaps an escape of 12 bytes."""

BODY_PATIENCE = 10.0
"""Seconds that a request's body may take to arrive."""

PREFLIGHT_SECONDS = 3600
"""How long a browser may remember that a page may call the service."""

ALLOWED_HEADERS = (
    "authorization",  # which a * would not cover
    "content-type",
    "x-amz-date",
    "x-amz-user-agent",
    "x-amz-content-sha256",
    "x-amz-security-token",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
)

_CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "x-amzn-ErrorType, x-amzn-RequestId, Date",
}

KeyLookup = Callable[[str], AccessKey | None]
Clock = Callable[[], float]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def verify_request(
    request: web.Request, *, keys: KeyLookup, region: str, hosts: tuple[str, ...], now: float
) -> bytes:
    """The body of a request that a known access key signed; ``now`` is Unix time.

    Raises:
        ServiceError: its signature does not hold, or its body does not come.
    """
    try:
        async with asyncio.timeout(BODY_PATIENCE):
            body = await request.read()
    except TimeoutError as error:
        raise ServiceError(
            ErrorName.REQUEST_TIMEOUT, "The request's body took too long."
        ) from error
    received = ReceivedRequest(
        request.method,
        request.raw_path,
        [(name, value) for name, value in request.headers.items()],
        body,
        hosts,
    )
    verify(received, keys=keys, region=region, now=now)
    return body


def local_address(request: web.BaseRequest) -> TransportAddress | None:
    """Our own address that a client came to; None if it is gone, or there is none to tell."""
    return tellable_address(request.get_extra_info("sockname"))


def tellable_address(name: object) -> TransportAddress | None:
    """A socket's name as an address for a URL: IPv4 as such at a socket that takes both.

    An address of one link says nothing without the client's own name for its interface.
    """
    match name:
        case (str(host), int(port), *_):
            address = TransportAddress.parse(host.partition("%")[0], port)
        case _:
            return None
    ip = address.ip
    if ip.version == 4:
        return address
    if ip.ipv4_mapped is not None:
        return TransportAddress(ip.ipv4_mapped, port)
    return None if ip.is_link_local else address


def json_response(body: bytes) -> web.Response:
    """A success."""
    return web.Response(body=body, content_type="application/json")


def error_response(error: ServiceError) -> web.Response:
    """A refusal as KVS clients read it: the name in a header, the sentence in the body."""
    return web.Response(
        body=msgspec.json.encode({"Message": error.message}),
        status=error.name.status,
        content_type="application/json",
        headers={"x-amzn-ErrorType": error.name.code},
    )


def api_middleware(paths: Sequence[str]) -> Middleware:
    """Make what is at ``paths``, and what is nowhere, look like the service's API.

    Other handlers of the same application are left alone: a page's own requests must
    not become readable for the pages of others.
    """
    known = frozenset(paths)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_nowhere = isinstance(request.match_info.http_exception, web.HTTPNotFound)
        if request.path not in known and not is_nowhere:
            return await handler(request)
        response = await _answer(request, handler)
        if not response.prepared:
            response.headers.update(_CORS_HEADERS)
            response.headers["x-amzn-RequestId"] = request_id()
        return response

    return middleware


def request_id() -> str:
    """A fresh ``x-amzn-RequestId``, in the form of a UUID."""
    digits = binascii.hexlify(os.urandom(16)).decode()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Run a handler; a refusal becomes an answer, and anything else is our fault."""
    exception = request.match_info.http_exception
    if request.method == hdrs.METH_OPTIONS and isinstance(exception, web.HTTPMethodNotAllowed):
        return _preflight_response(exception)
    try:
        return await handler(request)
    except ServiceError as error:
        logger.info("refused %s %s: %s", request.method, request.path, error)
        return error_response(error)
    except web.HTTPException as error:
        return _http_refusal(error)
    except Exception:
        logger.exception("failed on %s %s", request.method, request.path)
        return error_response(
            ServiceError(ErrorName.INTERNAL_FAILURE, "The service failed; its log says why.")
        )


def _preflight_response(exception: web.HTTPMethodNotAllowed) -> web.Response:
    return web.Response(
        headers={
            "Access-Control-Allow-Methods": ", ".join(sorted(exception.allowed_methods)),
            "Access-Control-Allow-Headers": ", ".join(ALLOWED_HEADERS),
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
    )


def _http_refusal(error: web.HTTPException) -> web.Response:
    """What aiohttp itself refuses, in the form that clients of the API understand."""
    match error:
        case web.HTTPNotFound():
            refused = ServiceError(ErrorName.UNKNOWN_OPERATION, "There is no such operation.")
        case web.HTTPMethodNotAllowed():
            refused = ServiceError(
                ErrorName.METHOD_NOT_ALLOWED, f"{error.method} is not how to call this operation."
            )
        case web.HTTPRequestEntityTooLarge():
            refused = ServiceError(
                ErrorName.REQUEST_TOO_LARGE, f"A request has at most {MAX_BODY_BYTES} bytes."
            )
        case _:
            refused = ServiceError(ErrorName.INVALID_ARGUMENT, error.reason)
    response = error_response(refused)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response
