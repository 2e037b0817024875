"""What an Allocate request for TCP may not ask for (RFC 6062 section 5.1)."""

from __future__ import annotations

from stun import DontFragment, EvenPort, IpProtocol, Message, ReservationToken
from stun import ErrorNumber as Error
from transport import Path
from turn.server.config import ServerConfig
from turn.server.request import Refused


def check_protocol(protocol: int, message: Message, path: Path, config: ServerConfig) -> None:
    """Hold REQUESTED-TRANSPORT against what is offered, and what goes with TCP.

    Raises:
        Refused: with the error to answer.
    """
    if protocol == IpProtocol.UDP:
        return
    if protocol != IpProtocol.TCP or not config.tcp_relay:
        raise Refused(Error.UNSUPPORTED_TRANSPORT_PROTOCOL)
    if not path.transport.is_reliable:
        raise Refused(Error.BAD_REQUEST)
    if any(message.has(each) for each in (DontFragment, EvenPort, ReservationToken)):
        raise Refused(Error.BAD_REQUEST)
