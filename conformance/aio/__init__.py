"""Runs rows with asyncio against a server on a real (or simulated) network.

Start with ``run``::

    from conformance import Target
    from conformance.aio import run

    report = await run(Target(address=address, credentials=(Credential("ann", "secret"),)))
"""

from conformance.report import Report

from .client_command import ClientCommand
from .client_listener import Listener
from .client_server import ClientServer
from .runner import Limits, run
from .trust import Trust
from .wire import AsyncioWire

__all__ = [
    "AsyncioWire",
    "ClientCommand",
    "ClientServer",
    "Limits",
    "Listener",
    "Report",
    "Trust",
    "run",
]
