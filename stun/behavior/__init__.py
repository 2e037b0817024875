"""How the NAT in front of us behaves, asked of a server with two addresses (RFC 5780).

Start with ``BehaviorClient``: a machine that reaches the server from three sockets, runs the
tests it is asked for, tells of each as ``TestConcluded``, and ends with ``DiscoveryFinished``
and its ``BehaviorReport``. What cannot be told is ``Inconclusive``, with the obstacle. Answers
hold for this moment: under load a NAT may become stricter (section 2).
"""

from .client import ALL_BUT_LIFETIME, BehaviorClient
from .config import BehaviorConfig
from .procedure import ClientAddresses
from .results import (
    BehaviorReport,
    BehaviorTest,
    BindingLifetime,
    DiscoveryFinished,
    Fragments,
    Inconclusive,
    NatFiltering,
    NatHairpinning,
    NatMapping,
    Obstacle,
    Reached,
    ServerReached,
    TestConcluded,
    TestResult,
)

__all__ = [
    "ALL_BUT_LIFETIME",
    "BehaviorClient",
    "BehaviorConfig",
    "BehaviorReport",
    "BehaviorTest",
    "BindingLifetime",
    "ClientAddresses",
    "DiscoveryFinished",
    "Fragments",
    "Inconclusive",
    "NatFiltering",
    "NatHairpinning",
    "NatMapping",
    "Obstacle",
    "Reached",
    "ServerReached",
    "TestConcluded",
    "TestResult",
]
