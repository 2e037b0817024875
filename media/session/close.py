"""Closing a session: goodbye on every layer, from the top down.

RTCP BYE (RFC 3550 section 6.3.7) and DTLS close_notify (RFC 5246 section 7.2.1) need the
layer below to be there still, so ICE goes last.
"""

from __future__ import annotations

from ice import IceAgent
from transport import Transmit

from .description import DescriptionExchange
from .rtp_session import RtpSession
from .transport import SecureTransport


def close_session(
    rtp: RtpSession, secure: SecureTransport, descriptions: DescriptionExchange, now: float
) -> list[Transmit]:
    """End all parts; returns the last datagrams, which are still to be sent."""
    rtp.goodbye(now)
    secure.close(now)
    descriptions.negotiator.close()
    ice = descriptions.ice
    if ice is None:
        return []
    while (run := rtp.poll_run()) is not None:
        ice.send(run, now)
    while (datagram := secure.poll_datagram()) is not None:
        ice.send((datagram,), now)
    transmits = _take(ice)
    ice.close(now)
    return transmits + _take(ice)


def _take(ice: IceAgent) -> list[Transmit]:
    """What waits to be sent; after closing that is what deletes allocations on relays."""
    transmits = []
    while (transmit := ice.poll_transmit()) is not None:
        transmits.append(transmit)
    return transmits
