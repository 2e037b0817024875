"""One pacer for all agents of an event loop (RFC 8445 section 14.2)."""

from __future__ import annotations

import asyncio
import weakref

from ice import SharedPacer

_pacers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, SharedPacer] = (
    weakref.WeakKeyDictionary()
)


def shared_pacer() -> SharedPacer:
    """The pacer of the running loop, for every agent that lives on it.

    Loops have clocks of their own, so that agents on two loops do not wait for each other.
    """
    return _pacers.setdefault(asyncio.get_running_loop(), SharedPacer())
