"""asyncio programs on a simulated network, on its virtual time.

``SimulatedLoop`` is an event loop for them: other people's programs, unchanged, and
the drivers of hairpin, which get their sockets from ``SimulatedSockets``::

    network = Network(seed=1)
    alice = network.host("alice", "192.0.2.1")

    async def program() -> None:
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(MyProtocol, local_addr=("192.0.2.1", 5000))
        await asyncio.sleep(3600)  # takes no time at all

    async def main() -> None:
        await cast(SimulatedLoop, asyncio.get_running_loop()).start_on(alice, program())

    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(network)) as runner:
        runner.run(main())
"""

from .endpoint import SimulatedDatagramTransport
from .loop import SimulatedLoop
from .sockets import SimulatedSocket, SimulatedSockets

__all__ = [
    "SimulatedDatagramTransport",
    "SimulatedLoop",
    "SimulatedSocket",
    "SimulatedSockets",
]
