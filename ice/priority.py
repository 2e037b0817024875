"""Priorities of candidates and of pairs (RFC 8445 sections 5.1.2, 6.1.2.3, 7.1.1)."""

from __future__ import annotations

from .candidate import CandidateType

TYPE_PREFERENCES: dict[CandidateType, int] = {
    CandidateType.HOST: 126,
    CandidateType.PEER_REFLEXIVE: 110,
    CandidateType.SERVER_REFLEXIVE: 100,
    CandidateType.RELAYED: 0,
}
"""The values recommended in section 5.1.2.2."""

HIGHEST_LOCAL_PREFERENCE = 65535


def candidate_priority(kind: CandidateType, local_preference: int, component: int) -> int:
    """The formula of section 5.1.2.1."""
    return TYPE_PREFERENCES[kind] << 24 | local_preference << 8 | (256 - component)


def as_peer_reflexive(priority: int) -> int:
    """The PRIORITY of a check: its local candidate's, were it peer-reflexive (section 7.1.1)."""
    return (priority & 0x00FF_FFFF) | TYPE_PREFERENCES[CandidateType.PEER_REFLEXIVE] << 24


def pair_priority(controlling: int, controlled: int) -> int:
    """The formula of section 6.1.2.3, from the priorities that each side gave its candidate."""
    low, high = sorted((controlling, controlled))
    return (low << 32) + 2 * high + (controlling > controlled)
