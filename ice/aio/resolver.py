"""The names of servers, looked up without holding up the loop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
import threading
from collections.abc import Sequence

from ice import ResolveRequested
from ice.limits import MAX_LOOKUPS
from transport import IPAddress

logger = logging.getLogger(__name__)

_places = threading.BoundedSemaphore(MAX_LOOKUPS)


async def resolve(request: ResolveRequested) -> list[IPAddress]:
    """The addresses of a name in the order that the system prefers; [] if it has none.

    A name server that says nothing holds up neither the loop nor the end of the program.
    """
    try:
        found = await _look_up(request.host)
    except (OSError, UnicodeError) as error:  # UnicodeError: a label that is no DNS label
        logger.warning("the server %s has no address: %s", request.host, error)
        return []
    addresses: list[IPAddress] = []
    for text in found:
        with contextlib.suppress(ValueError):
            addresses.append(ipaddress.ip_address(text))
    return addresses


async def _look_up(host: str) -> list[str]:
    """
    Raises:
        OSError: it has no address, or too many lookups are under way.
        UnicodeError: it cannot be a name.
    """
    loop = asyncio.get_running_loop()
    if type(loop).getaddrinfo is not asyncio.BaseEventLoop.getaddrinfo:
        # A loop that looks up names itself, in no thread.
        infos = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        return [str(sockaddr[0]) for *_, sockaddr in infos]
    if not _places.acquire(blocking=False):
        raise OSError(f"{MAX_LOOKUPS} names are being looked up")
    answer: asyncio.Future[list[str]] = loop.create_future()
    # Both the loop and the interpreter wait at their end for the threads of an executor, and
    # getaddrinfo cannot be interrupted; nobody waits for a thread that is a daemon.
    thread = threading.Thread(target=_work, args=(host, loop, answer), daemon=True)
    try:
        thread.start()
    except BaseException:
        _places.release()
        raise
    return await answer


def _work(host: str, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[list[str]]) -> None:
    found: list[str] | OSError | UnicodeError
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        found = [str(sockaddr[0]) for *_, sockaddr in infos]
    except (OSError, UnicodeError) as error:
        found = error
    finally:
        _places.release()
    with contextlib.suppress(RuntimeError):  # the loop is closed by now
        loop.call_soon_threadsafe(_answer, answer, found)


def _answer(
    answer: asyncio.Future[list[str]], found: Sequence[str] | OSError | UnicodeError
) -> None:
    if answer.done():  # who asked has been cancelled
        return
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(list(found))
