"""TCP allocations (RFC 6062): what it takes beside the allocations of RFC 8656.

One file for each of its procedures; ``turn.server`` has what others use.
"""
