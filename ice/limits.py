"""Every bound on what a peer can make an agent keep, with its reason."""

from __future__ import annotations

MAX_PAIRS = 100
"""Candidate pairs over all checklists (RFC 8445 section 6.1.2.5): a peer that lists the
addresses of a victim makes us send at most this many checks to it (section 19.5.1)."""

MAX_REMOTE_CANDIDATES = 100
"""Signalled candidates kept per data stream: more could never all be paired."""

MAX_HELD_CANDIDATES = 100
"""Candidates that came before the credentials of their generation."""

MAX_PEER_REFLEXIVE = 64
"""Remote candidates learned from requests, per data stream."""

MAX_PEER_REFLEXIVE_PORTS = 8
"""Of those, ports of one remote IP address seen at one base. Between two NATs with
endpoint-dependent mapping every check shows a new port, which leads to a check in return,
and so on: the pairs that can answer, as with a relay, would never have their turn."""

MAX_LOCAL_PEER_REFLEXIVE = 32
"""Local candidates learned from responses, per data stream: a peer chooses what it reports."""

MAX_EARLY_REQUESTS = 32
"""Requests that came before the remote credentials, one per path: as many as a peer has
plausible paths to us; the peer repeats what does not fit."""

MAX_TRANSACTIONS = 256
"""Checks whose answer is still accepted, cancelled ones included: two per pair and some."""

MAX_VALIDATED_PATHS = 128
"""Paths from which data is taken: every pair, and some that were pruned since."""

MAX_PAST_UFRAGS = 16
"""Remote username fragments of former generations, to know a stale candidate by."""

MAX_SERVERS = 32
"""URLs of STUN and TURN servers. The application names them, but often as some service
has told it; KVS names four."""

MAX_ADDRESSES_PER_NAME = 8
"""Of a server's name: the first of each family is used."""

MAX_REFLEXIVE = MAX_SERVERS
"""Server-reflexive candidates of one base: as many as there are servers to see it. One that
names another address at each keepalive would add one every 15 s."""

MAX_SOURCES = 128
"""Pairs of a host address and a server, each with a transaction, at Ta one after the
other: 6.4 seconds of them."""

MAX_REDIRECTIONS = 4
"""Alternate servers asked per generation, each once (RFC 8489 section 10)."""

MAX_HELD_CHECKS = MAX_PAIRS
"""Checks that wait for the permission of a TURN server: one per pair."""

MAX_RELAY_PEERS = 128
"""IP addresses that a TURN server was asked to let in, and as many that it has refused, per
allocation: those of every pair, and some of the generations before."""
