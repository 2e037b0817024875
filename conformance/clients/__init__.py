"""Scripts for clients under test: a server that does one thing to a client, and judges.

``ScriptedServer`` is the machine; each ``Script`` is a coroutine function over a ``Stage``,
which hears what the client sends, answers it as a right server does or otherwise, and raises
Violated where the client does not do what its row of the catalogue requires.
``conformance.aio.ClientServer`` runs them on real sockets.
"""

from . import (
    scripts_alloc,
    scripts_alloc_errors,
    scripts_alt,
    scripts_chan,
    scripts_chan_data,
    scripts_life,
    scripts_ltc,
    scripts_ltc_algorithms,
    scripts_mob,
    scripts_oauth,
    scripts_perm,
    scripts_rx,
    scripts_stc,
    scripts_tcp,
    scripts_turn_tcp,
    scripts_udp,
    scripts_udp_retransmissions,
)
from .events import PortClosed, PortOpened
from .script import Action, Over, Script, script, scripts
from .server import ScriptedServer
from .settings import Grant, Settings
from .stage import Stage
from .target import ClientTarget

__all__ = [
    "Action",
    "ClientTarget",
    "Grant",
    "Over",
    "PortClosed",
    "PortOpened",
    "Script",
    "ScriptedServer",
    "Settings",
    "Stage",
    "script",
    "scripts",
    "scripts_alloc",
    "scripts_alloc_errors",
    "scripts_alt",
    "scripts_chan",
    "scripts_chan_data",
    "scripts_life",
    "scripts_ltc",
    "scripts_ltc_algorithms",
    "scripts_mob",
    "scripts_oauth",
    "scripts_perm",
    "scripts_rx",
    "scripts_stc",
    "scripts_tcp",
    "scripts_turn_tcp",
    "scripts_udp",
    "scripts_udp_retransmissions",
]
