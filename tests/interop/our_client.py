"""hairpin's drivers as a client that does what scripts want: ACTION HOST PORT TRANSPORT and more.

It ends when the action has, with status 0 if that succeeded.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

import stun.aio
import turn.aio
from stun import AddressFamily
from stun.aio import Mechanism
from stun.client import StunClientError
from transport import TransportAddress, TransportProtocol
from turn.aio import Relay
from turn.client import ClientConfig, PeerRefused, TurnClientError

ACTION, HOST, PORT, TRANSPORT, USER, PASSWORD, PEER, OTHER = sys.argv[1:]
URI_PORT = f"{HOST}:{PORT}"


def address(text: str) -> TransportAddress:
    host, _, port = text.rpartition(":")
    return TransportAddress.parse(host, int(port))


PEERS = (address(PEER), address(OTHER))


async def ask(count: int, *, mechanism: Mechanism = Mechanism.LONG_TERM) -> None:
    """Binding requests, one after the other; to connect is one."""
    is_short = mechanism is Mechanism.SHORT_TERM
    credentials = (USER, PASSWORD) if is_short else (None, None)
    over = (TransportProtocol(TRANSPORT),)
    async with stun.aio.connect(
        f"stun:{URI_PORT}", *credentials, mechanism=mechanism, transports=over
    ) as client:
        for _ in range(count - 1):
            await client.binding()


async def ask_at_once() -> None:
    async with stun.aio.connect(f"stun:{URI_PORT}") as client:
        await asyncio.gather(*(client.binding() for _ in range(49)))


@contextlib.asynccontextmanager
async def relay(**settings: object) -> AsyncIterator[Relay]:
    config = ClientConfig(**settings)  # type: ignore[arg-type]  # passed on as they are
    server = f"turn:{URI_PORT}?transport={TRANSPORT}"
    async with turn.aio.connect(server, USER, PASSWORD, config=config) as made:
        yield made


async def forever(made: Relay, *, echo: bool = False) -> None:
    while True:
        peer, data = await made.receive()
        if echo:
            made.send(peer, data)


async def keep() -> None:
    async with relay() as made:
        await forever(made)


async def give_back() -> None:
    async with relay():
        await asyncio.sleep(1)


async def permit(count: int = 1, *, echo: bool = False) -> None:
    async with relay() as made:
        with contextlib.suppress(PeerRefused):  # there may be others
            await made.permit(*(peer.ip for peer in PEERS[:count]))
        await forever(made, echo=echo)


async def begin_again() -> None:
    try:
        await permit()
    except TurnClientError:
        await asyncio.sleep(1)
        await permit()


async def send_on(send: Callable[[bytes], object]) -> None:
    for number in range(3600):
        send(b"x" * (1 + number % 5))
        await asyncio.sleep(1)


async def send(*, in_channel: bool) -> None:
    async with relay() as made:
        await (made.bind_channel(PEERS[0]) if in_channel else made.permit(PEERS[0].ip))
        await send_on(lambda data: made.send(PEERS[0], data))


async def send_whole() -> None:
    async with relay(dont_fragment=True) as made:
        await made.permit(PEERS[0].ip)
        await send_on(lambda data: made.send_unfragmented(PEERS[0], data))


async def bind_channels() -> None:
    async with relay() as made:
        for peer in (*PEERS, PEERS[0]):
            await made.bind_channel(peer)
        await forever(made)


async def echo_in_channel() -> None:
    async with relay() as made:
        await made.permit(PEERS[0].ip)
        binding = asyncio.create_task(made.bind_channel(PEERS[0]))
        await forever(made, echo=True)
        await binding


async def two_families() -> None:
    async with relay(dual=True) as made:
        await asyncio.sleep(1)
        await made.release_family(AddressFamily.IPV6)
        await forever(made)


ACTIONS: Mapping[str, Callable[[], Awaitable[None]]] = {
    "request": lambda: ask(1),
    "binding": lambda: ask(1),
    "bindings": lambda: ask(2),
    "burst": ask_at_once,
    "short-term": lambda: ask(2, mechanism=Mechanism.SHORT_TERM),
    "allocate": keep,
    "allocate-again": begin_again,
    "release": give_back,
    "permit": permit,
    "permit-two": lambda: permit(2),
    "send": lambda: send(in_channel=False),
    "send-whole": send_whole,
    "channel": lambda: send(in_channel=True),
    "channels": bind_channels,
    "echo": lambda: permit(echo=True),
    "echo-channel": echo_in_channel,
    "dual": two_families,
}


async def main() -> None:
    try:
        await ACTIONS[ACTION]()
    except (StunClientError, TurnClientError) as error:
        sys.exit(str(error))


if ACTION in ACTIONS:  # or it does nothing, which is no failure
    asyncio.run(main())
