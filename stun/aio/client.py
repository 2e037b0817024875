"""A STUN client for users of this package alone."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import enum
import os
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from stun import (
    AddressFamily,
    AnyAttribute,
    LongTermClient,
    Message,
    Method,
    RtoCache,
    ServerUri,
    ShortTermClient,
    StunFramer,
)
from stun.client import (
    ClientClosed,
    ClientConfig,
    Credentials,
    FailureReason,
    RequestError,
    RequestFailed,
    RequestSucceeded,
    ServerReached,
    ServerSelection,
    StunClient,
    error_of,
)
from stun.resolution import Target
from transport import Event, Path, RandomBytes, TransportAddress, TransportProtocol
from transport.aio import (
    ClientTls,
    DatagramSocket,
    KernelSockets,
    MachineDriver,
    SocketFactory,
)

from .opening import open_way
from .resolver import Resolver, resolve
from .search import Search

ALPN: Final = "stun.nat-discovery"
"""What TLS and DTLS are offered for (RFC 7443)."""

TRANSPORTS: Final = (TransportProtocol.UDP, TransportProtocol.TLS, TransportProtocol.DTLS)
"""What ``connect`` tries by itself. TCP has to be asked for: it has another mapped address."""


class Mechanism(enum.Enum):
    """How a username and a password are used (RFC 8489 section 9)."""

    LONG_TERM = "long-term"
    SHORT_TERM = "short-term"


@dataclasses.dataclass(frozen=True, slots=True)
class Binding:
    """What a Binding response says.

    ``mapped`` is our address as the server sees it. ``round_trip_time`` is None where the
    request had to be sent again.
    """

    mapped: TransportAddress
    path: Path
    round_trip_time: float | None
    response: Message


class Client:
    """Requests to one server. Made by ``connect``."""

    def __init__(
        self,
        client: StunClient,
        *,
        sock: DatagramSocket | None = None,
        tls: ssl.SSLContext | ClientTls | None = None,
        on_reached: Callable[[], None] | None = None,
    ) -> None:
        self.client = client
        self._on_reached = on_reached
        self._ends: dict[int, asyncio.Future[RequestSucceeded]] = {}
        self._driver = MachineDriver(client, self._on_event, framer=StunFramer, tls=tls)
        if sock is not None:
            self._driver.add_socket(sock)

    @property
    def path(self) -> Path:
        """To the server."""
        return self.client.path

    async def binding(self, *attributes: AnyAttribute) -> Binding:
        """Ask for our mapped address, anew each time.

        Raises:
            RequestError: the server has refused, is silent, or is unreachable.
            ClientClosed: ``aclose`` was called.
        """
        done = await self._request(Method.BINDING, attributes)
        assert done.mapped is not None  # no Binding succeeds without
        return Binding(done.mapped, done.path, done.round_trip_time, done.response)

    async def request(self, method: int, attributes: Sequence[AnyAttribute] = ()) -> Message:
        """Send any request; the success response.

        Raises:
            RequestError: the server has refused, is silent, or is unreachable.
            ClientClosed: ``aclose`` was called.
            ValueError: an attribute cannot be encoded.
        """
        return (await self._request(method, attributes)).response

    def indicate(self, method: int, *attributes: AnyAttribute) -> None:
        """Send an indication: nobody tells whether it has arrived.

        Raises:
            ClientClosed: ``aclose`` was called.
            ValueError: an attribute cannot be encoded.
        """
        self._driver.call(lambda now: self.client.indicate(method, attributes))

    async def aclose(self) -> None:
        """Close the socket or connection; twice is as good as once."""
        self._driver.call(self.client.close)
        for end in self._ends.values():
            if not end.done():
                end.set_exception(ClientClosed("the client is closed"))
        await self._driver.aclose()

    async def _request(self, method: int, attributes: Sequence[AnyAttribute]) -> RequestSucceeded:
        def send(now: float) -> int:
            token = self.client.request(now, method=method, attributes=attributes)
            self._ends[token] = asyncio.get_running_loop().create_future()
            return token

        token = self._driver.call(send)
        try:
            return await self._ends[token]
        finally:
            del self._ends[token]

    def _on_event(self, event: Event) -> None:
        match event:
            case RequestSucceeded(token=token):
                if (end := self._ends.get(token)) and not end.done():
                    end.set_result(event)
            case RequestFailed(token=token):
                if (end := self._ends.get(token)) and not end.done():
                    end.set_exception(error_of(event))
            case ServerReached() if self._on_reached is not None:
                self._on_reached()
            case _:
                pass


@contextlib.asynccontextmanager
async def connect(
    server: str | ServerUri,
    username: str | None = None,
    password: str | None = None,
    *,
    mechanism: Mechanism = Mechanism.LONG_TERM,
    transports: Sequence[TransportProtocol] = TRANSPORTS,
    family: AddressFamily | None = None,
    server_name: str | None = None,
    config: ClientConfig | None = None,
    tls: ssl.SSLContext | ClientTls | None = None,
    ca: str | None = None,
    rto: RtoCache | None = None,
    sockets: SocketFactory | None = None,
    resolver: Resolver | None = None,
    random_bytes: RandomBytes = os.urandom,
) -> AsyncIterator[Client]:
    """A STUN server that answers, of those that a URI of RFC 7064 stands for::

        async with connect("stun:stun.example.org") as client:
            binding = await client.binding()
            print(binding.mapped)

    DNS says which servers there are, a Binding request which of them answers first: addresses
    of both families, or of ``family`` alone, are tried beside each other, and where it sends
    us (300). ``transports`` are those to use, in the order of preference. For ``stuns:`` the
    system's certificate authorities are trusted, or those in the file ``ca``, or ``tls`` says.

    Raises:
        RequestError: no server has answered as it should.
        ResolutionError: the URI leads to no server.
        DecodeError: ``server`` is no URI of RFC 7064.
    """
    uri = ServerUri.parse(server) if isinstance(server, str) else server
    opener = _Opener(
        username=username,
        password=password,
        mechanism=mechanism,
        config=config or ClientConfig(),
        tls=tls or ClientTls(ca=ca, alpn=(ALPN,)),
        rto=rto or RtoCache(),
        sockets=sockets or KernelSockets(),
        random_bytes=random_bytes,
    )
    targets = await resolve(
        uri,
        supported=transports,
        server_name=server_name,
        family=family,
        resolver=resolver,
        random_bytes=random_bytes,
    )
    client = await opener.open(targets)
    try:
        yield client
    finally:
        await client.aclose()


class _Opener:
    """Makes a client for each target that is tried."""

    def __init__(
        self,
        *,
        username: str | None,
        password: str | None,
        mechanism: Mechanism,
        config: ClientConfig,
        tls: ssl.SSLContext | ClientTls,
        rto: RtoCache,
        sockets: SocketFactory,
        random_bytes: RandomBytes,
    ) -> None:
        self._username = username
        self._password = password
        self._mechanism = mechanism
        self._config = config
        self._tls = tls
        self._rto = rto
        self._sockets = sockets
        self._random_bytes = random_bytes
        self._credentials()  # which tells at once if they cannot be used

    async def open(self, targets: Sequence[Target]) -> Client:
        """
        Raises:
            RequestError: no server has answered as it should.
        """
        selection = ServerSelection(targets)

        async def attempt(number: int, target: Target) -> Client | None:
            try:
                return await self._try(target, lambda: search.reached(number))
            except RequestError as error:
                failure = error.failure
            search.call(lambda now: selection.request_failed(number, failure, now))
            return None

        search = Search(selection, attempt)
        try:
            client = await search.run()
        finally:
            await search.aclose()
        if client is None:
            assert selection.failure is not None  # nothing is exhausted without a failure
            raise error_of(selection.failure)
        return client

    async def _try(self, target: Target, on_reached: Callable[[], None]) -> Client:
        """
        Raises:
            RequestError: the target does not answer as it should.
        """
        try:
            path, sock = await open_way(target, self._sockets)
        except OSError as error:
            failed = RequestFailed(0, FailureReason.UNREACHABLE, phrase=str(error))
            raise error_of(failed) from error
        machine = StunClient(
            path,
            random_bytes=self._random_bytes,
            credentials=self._credentials(),
            config=dataclasses.replace(self._config, server_name=target.server_name),
            rto=self._rto,
        )
        async with contextlib.AsyncExitStack() as unless_it_answers:
            client = Client(machine, sock=sock, tls=self._tls, on_reached=on_reached)
            unless_it_answers.push_async_callback(client.aclose)
            await client.binding()
            unless_it_answers.pop_all()
        return client

    def _credentials(self) -> Credentials | None:
        if self._username is None or self._password is None:
            return None
        if self._mechanism is Mechanism.SHORT_TERM:
            return ShortTermClient(self._username, self._password)
        return LongTermClient(self._username, self._password)
