"""The addresses of names as this system knows them, without holding up the loop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Sequence
from typing import Final

from transport import IPAddress

MAX_LOOKUPS: Final = 64
"""Names that a process looks up at one time, each in a thread: ten viewers with four servers
each, and some."""

_places = threading.BoundedSemaphore(MAX_LOOKUPS)


async def look_up_addresses(host: str, *, family: int = socket.AF_UNSPEC) -> list[IPAddress]:
    """What getaddrinfo has for a name: from files, from DNS, in the order that it prefers.

    A name server that says nothing holds up neither the loop nor the end of the program.

    Raises:
        OSError: it has no address, or too many lookups are under way.
        UnicodeError: it cannot be a name.
    """
    addresses: dict[IPAddress, None] = {}
    for text in await _look_up(host, family):
        with contextlib.suppress(ValueError):
            addresses[ipaddress.ip_address(text)] = None
    return list(addresses)


async def _look_up(host: str, family: int) -> list[str]:
    loop = asyncio.get_running_loop()
    if type(loop).getaddrinfo is not asyncio.BaseEventLoop.getaddrinfo:
        # A loop that looks up names itself, in no thread.
        infos = await loop.getaddrinfo(host, None, family=family, type=socket.SOCK_DGRAM)
        return [str(sockaddr[0]) for *_, sockaddr in infos]
    if not _places.acquire(blocking=False):
        raise OSError(f"{MAX_LOOKUPS} names are being looked up")
    answer: asyncio.Future[list[str]] = loop.create_future()
    # Both the loop and the interpreter wait at their end for the threads of an executor, and
    # getaddrinfo cannot be interrupted; nobody waits for a thread that is a daemon.
    thread = threading.Thread(target=_work, args=(host, family, loop, answer), daemon=True)
    try:
        thread.start()
    except BaseException:
        _places.release()
        raise
    return await answer


def _work(
    host: str, family: int, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[list[str]]
) -> None:
    found: list[str] | OSError | UnicodeError
    try:
        infos = socket.getaddrinfo(host, None, family=family, type=socket.SOCK_DGRAM)
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
