"""What can go wrong in a simulation, as opposed to in the simulated network."""

from __future__ import annotations


class SimulationError(Exception):
    """Base of every error that the netsim package raises."""


class AddressInUse(SimulationError):
    """The transport address, or every port of the IP address, is taken on this host."""


class NotOwned(SimulationError):
    """A machine sent from, or unbound, a transport address that was never its own."""


class MachineStuck(SimulationError):
    """A machine breaks the contract: it spins without time going on.

    ``name`` is the process whose machine it is.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"machine {name!r}: {problem}")
        self.name = name
        self.problem = problem


class TooManyEvents(SimulationError):
    """A run reached its limit of events; ``owner`` caused the last of them."""

    def __init__(self, limit: int, now: float, owner: str) -> None:
        super().__init__(f"{limit} events up to {now:.6f} s, the last of them for {owner!r}")
        self.limit = limit
        self.owner = owner


class NeverHappened(SimulationError):
    """What a run waited for had not come about when its time was over."""
