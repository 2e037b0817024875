"""The rows that can be run, a module for each group of the catalogue.

Importing this package registers them: see ``conformance.row``.
"""

from . import (
    cod_attr,
    cod_hdr,
    cod_integrity,
    cod_values,
    natb,
    sec_peers,
    stuns_alt,
    stuns_base,
    stuns_ltc,
    stuns_tcp,
    turn_alloc,
    turn_alloc_families,
    turn_alloc_ports,
    turn_alloc_quota,
    turn_gen,
    turn_mob,
    turn_perm,
    turn_perm_lifetime,
    turn_refr,
    turn_tcp,
    turn_tcp_data,
)

__all__ = [
    "cod_attr",
    "cod_hdr",
    "cod_integrity",
    "cod_values",
    "natb",
    "sec_peers",
    "stuns_alt",
    "stuns_base",
    "stuns_ltc",
    "stuns_tcp",
    "turn_alloc",
    "turn_alloc_families",
    "turn_alloc_ports",
    "turn_alloc_quota",
    "turn_gen",
    "turn_mob",
    "turn_perm",
    "turn_perm_lifetime",
    "turn_refr",
    "turn_tcp",
    "turn_tcp_data",
]
