"""Servers that break one requirement each, a module for each group of rows.

A group's module has ``MUTANTS``: for each row what breaks it, by a name that says how;
``OPEN``: rows without mutants or with a right server that is not simply right, and why; and
``SETUPS`` for rows that want a server set up in another way. ``TOLD`` has, for rows in ``OPEN``,
servers that nothing is wrong with, and what is told of each.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping

from . import (
    cod_attr,
    cod_hdr,
    cod_values,
    natb,
    sec,
    sec_peers,
    stuns_base,
    stuns_dtls,
    stuns_ltc,
    stuns_tcp,
    turn_alloc,
    turn_alloc_ports,
    turn_cdata,
    turn_chan,
    turn_chan_lifetime,
    turn_data,
    turn_gen,
    turn_ip,
    turn_mob,
    turn_oauth,
    turn_perm,
    turn_refr,
    turn_send,
    turn_tcp_alloc,
    turn_tcp_connect,
    turn_tcp_data,
)
from .mutant import Mutant, Setup
from .told import TOLD, Told

_GROUPS = (
    cod_attr,
    cod_hdr,
    cod_values,
    natb,
    sec,
    sec_peers,
    stuns_base,
    stuns_dtls,
    stuns_ltc,
    stuns_tcp,
    turn_alloc,
    turn_alloc_ports,
    turn_cdata,
    turn_chan,
    turn_chan_lifetime,
    turn_data,
    turn_gen,
    turn_ip,
    turn_mob,
    turn_oauth,
    turn_perm,
    turn_refr,
    turn_send,
    turn_tcp_alloc,
    turn_tcp_connect,
    turn_tcp_data,
)

MUTANTS: Mapping[str, Mapping[str, Mutant]] = ChainMap(*(each.MUTANTS for each in _GROUPS))

OPEN: Mapping[str, str] = ChainMap(*(each.OPEN for each in _GROUPS))
"""Rows that end as INFO, and why: whatever the server does, the RFC allows it."""

SETUPS: Mapping[str, Setup] = ChainMap(*(each.SETUPS for each in _GROUPS))

__all__ = ["MUTANTS", "OPEN", "SETUPS", "TOLD", "Mutant", "Setup", "Told"]
