"""Interactive Connectivity Establishment (RFC 8445) as a machine without I/O.

Start with ``IceAgent``: it finds the path between two hosts and keeps it. One agent
serves all data streams of a session. ``Candidate`` is one ``a=candidate`` line,
``IceConfig`` what an application may choose, and the events say what happened:

    agent = IceAgent(controlling=True, random_bytes=os.urandom)
    agent.gather(now)                      # -> HostAddressesRequested
    agent.hosts_opened(addresses, now)     # -> LocalCandidateGathered ...
    agent.set_remote_credentials(IceCredentials(ufrag, password), now=now)
    agent.add_remote_candidate(Candidate.parse(line), now)
    agent.send([b"data"], now)             # once PairValidated was seen

``ice.aio`` opens the sockets and drives an agent with asyncio. Also here: trickle
(RFC 8838), patience (RFC 8863), consent (RFC 7675), IPv4/IPv6 fairness (RFC 8421), and
server-reflexive and relayed candidates from the servers of ``IceConfig``.
"""

from .agent import IceAgent
from .candidate import Candidate, CandidateType, HostName
from .checklist import ValidPair
from .config import IceConfig, IcePolicy, IceServer
from .credentials import IceCredentials
from .drops import DropReason
from .errors import IceError, IceStateError, RestartRequired
from .events import (
    ConsentExpired,
    DatagramReceived,
    GatheringCompleted,
    HostAddressesRequested,
    IceStateChanged,
    LocalCandidateGathered,
    PairSelected,
    PairValidated,
    ResolveRequested,
    RoleChanged,
)
from .pacing import SharedPacer
from .pair import CandidatePair, PairState
from .state import IceState
from .stats import IceStats, PairStats

__all__ = [
    "IceAgent",
    "IceConfig",
    "IceCredentials",
    "IceServer",
    "IcePolicy",
    "IceState",
    "Candidate",
    "CandidateType",
    "HostName",
    "ValidPair",
    "CandidatePair",
    "PairState",
    "SharedPacer",
    "IceStats",
    "PairStats",
    "DropReason",
    "HostAddressesRequested",
    "ResolveRequested",
    "LocalCandidateGathered",
    "GatheringCompleted",
    "PairValidated",
    "PairSelected",
    "IceStateChanged",
    "ConsentExpired",
    "RoleChanged",
    "DatagramReceived",
    "IceError",
    "IceStateError",
    "RestartRequired",
]
