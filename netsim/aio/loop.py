"""An asyncio event loop whose clock is that of a simulated network.

It is asyncio's own SelectorEventLoop with a selector that, instead of waiting,
lets the network go on until something happens for the loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import ipaddress
import selectors
import socket
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Literal, NoReturn, TypeVar, TypeVarTuple, cast

from netsim.errors import SimulationError
from netsim.host import Host
from netsim.network import Network
from transport import IPAddress, TransportAddress

from .endpoint import SimulatedDatagramTransport
from .sockets import open_socket

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
P = TypeVar("P", bound=asyncio.BaseProtocol)

Address = tuple[str, int] | str
Ipv4Info = tuple[
    Literal[socket.AddressFamily.AF_INET], socket.SocketKind, int, str, tuple[str, int]
]
Ipv6Info = tuple[
    Literal[socket.AddressFamily.AF_INET6],
    socket.SocketKind,
    int,
    str,
    tuple[str, int, int, int] | tuple[int, bytes],
]
"""The last kind of address is that of a Python without IPv6; it does not occur here."""

_current_host: contextvars.ContextVar[Host] = contextvars.ContextVar("current_host")


class _NetworkSelector(selectors.SelectSelector):
    """Lets virtual time pass where another selector would wait for file descriptors."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network
        self._is_woken = False

    def wake(self) -> None:
        """The loop has something to do: stop where the network is."""
        self._is_woken = True

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._is_woken = False
        until = None if timeout is None else self._network.now + max(timeout, 0.0)
        happened = self._network.advance(until, lambda: self._is_woken)
        if not happened and timeout is None:
            raise SimulationError(f"every task waits for ever at {self._network.now} s")
        return []


class SimulatedLoop(asyncio.SelectorEventLoop):
    """Runs asyncio programs on the hosts of a network, on its virtual time.

    ``start_on`` starts a program on a host: the UDP endpoints of that task, and of the
    tasks it starts, are the host's. ``names`` is the DNS: IP addresses by name.
    There are no TCP connections. What is meant for a thread runs at once, in no time.
    """

    def __init__(
        self, network: Network, *, names: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        self._network = network
        self._names = {name: tuple(ips) for name, ips in (names or {}).items()}
        self._clock = _NetworkSelector(network)
        super().__init__(self._clock)

    def time(self) -> float:
        return self._network.now

    def start_on(self, host: Host, program: Coroutine[object, object, T]) -> asyncio.Task[T]:
        """Start a program on a host."""
        context = contextvars.copy_context()
        context.run(_current_host.set, host)
        return self.create_task(program, context=context)

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        self._clock.wake()
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        self._clock.wake()
        return super().call_at(when, callback, *args, context=context)

    async def getaddrinfo(
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Ipv4Info | Ipv6Info]:
        """Look a name up among ``names``; IP addresses stand for themselves.

        Raises:
            socket.gaierror: there is no such name, or none of that family.
        """
        text = host.decode() if isinstance(host, bytes) else host or "127.0.0.1"
        addresses = [TransportAddress(ip, int(port or 0)) for ip in self._resolve(text)]
        kind = socket.SOCK_STREAM if type == socket.SOCK_STREAM else socket.SOCK_DGRAM
        found = [_info(each, kind, proto) for each in addresses]
        matching = [info for info in found if family in (0, info[0])]
        if not matching:
            raise socket.gaierror(socket.EAI_NONAME, f"no address for {text}")
        return matching

    async def create_datagram_endpoint(
        self,
        protocol_factory: Callable[[], P],
        local_addr: Address | None = None,
        remote_addr: Address | None = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        allow_broadcast: bool | None = None,
        sock: socket.socket | None = None,
    ) -> tuple[asyncio.DatagramTransport, P]:
        """A UDP endpoint on the host that the task was started on.

        Raises:
            OSError: the host does not have the address, or the port is taken.
            SimulationError: the task was started on no host, or brings a socket along.
        """
        host = _current_host.get(None)
        if host is None or sock is not None:
            raise SimulationError("UDP endpoints are for programs started by start_on()")
        remote = None if remote_addr is None else await self._address(remote_addr, family)
        if local_addr is not None:
            local = await self._address(local_addr, family)
        else:
            is_ipv6 = family == socket.AF_INET6 or (remote is not None and remote.is_ipv6)
            local = TransportAddress.parse("::" if is_ipv6 else "0.0.0.0", 0)
        protocol = protocol_factory()
        simulated = open_socket(host, local, self)
        datagrams = cast(asyncio.DatagramProtocol, protocol)
        transport = SimulatedDatagramTransport(simulated, datagrams, remote, self)
        await asyncio.sleep(0)  # connection_made() comes before the caller goes on
        return transport, protocol

    async def create_connection(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: netsim has UDP only."""
        raise SimulationError("netsim has no TCP connections")

    async def create_server(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: netsim has UDP only."""
        raise SimulationError("netsim has no TCP connections")

    def run_in_executor(
        self, executor: object, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Call ``func`` at once: a thread would take real time."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    async def _address(self, address: Address, family: int) -> TransportAddress:
        if isinstance(address, str):
            raise SimulationError(f"{address!r} is no address of a UDP endpoint")
        infos = await self.getaddrinfo(address[0], address[1], family=family)
        return TransportAddress.parse(str(infos[0][4][0]), address[1])

    def _resolve(self, host: str) -> list[IPAddress]:
        try:
            return [ipaddress.ip_address(ip) for ip in self._names.get(host, (host,))]
        except ValueError:
            return []


def _info(address: TransportAddress, kind: socket.SocketKind, proto: int) -> Ipv4Info | Ipv6Info:
    if address.is_ipv6:
        return (socket.AF_INET6, kind, proto, "", (address.host, address.port, 0, 0))
    return (socket.AF_INET, kind, proto, "", (address.host, address.port))
