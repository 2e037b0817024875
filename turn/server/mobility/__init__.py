"""Clients that take their allocation to another address (RFC 8016).

``Mobility`` has the procedures; ``turn.server`` has what others use.
"""
