"""One HTTP port: bound first, so that its address is known when the application is made."""

from __future__ import annotations

import contextlib
import socket
import ssl

from aiohttp import web

from transport import TransportAddress

from .daemon import listening_error

SHUTDOWN_PATIENCE = 0.5
"""Seconds for requests under way when the service stops."""


def bind(listen: TransportAddress) -> socket.socket:
    """A socket that listens on ``listen`` (``--listen``); port 0 takes a free one.

    On [::] it takes IPv4 too.

    Raises:
        HairpinError: the address is in use, or not of this machine.
    """
    family = socket.AF_INET6 if listen.is_ipv6 else socket.AF_INET
    try:
        return socket.create_server(
            (listen.host, listen.port),
            family=family,
            backlog=128,
            dualstack_ipv6=listen.is_ipv6 and listen.ip.is_unspecified,
        )
    except OSError as error:
        raise listening_error(listen, "--listen", error) from error


def local_address(listening: socket.socket) -> TransportAddress:
    """Where a socket that ``bind`` made listens."""
    host, port = listening.getsockname()[:2]
    return TransportAddress.parse(host, port)


async def serve(
    stack: contextlib.AsyncExitStack,
    app: web.Application,
    listening: socket.socket,
    *,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Serve ``app`` until the stack ends; with ``tls``, as HTTPS."""
    runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_PATIENCE, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.SockSite(runner, listening, ssl_context=tls).start()
