"""What tests of hairpin, and of programs that use it, run on a simulated network.

``simulate_relay`` and ``simulate_stun_server`` put our own servers on a ``netsim`` host.
"""

from .netsim_hosts import SimulatedRelay, simulate_relay, simulate_stun_server

__all__ = ["SimulatedRelay", "simulate_relay", "simulate_stun_server"]
