"""STUN over real sockets, with asyncio.

``discover_behavior`` examines the NAT between this host and a server (RFC 5780).
"""

from .behavior import discover_behavior, local_ip_towards

__all__ = ["discover_behavior", "local_ip_towards"]
