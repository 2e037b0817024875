"""What the procedures of one client share."""

from __future__ import annotations

import collections
import copy

from stun import (
    AlgorithmChoice,
    AnyAttribute,
    Due,
    LongTermClient,
    Message,
    MobilityTicket,
    RtoCache,
    Software,
)
from transport import (
    CloseRequested,
    Event,
    IPAddress,
    Path,
    RandomBytes,
    Timers,
    Transmit,
    TransportAddress,
    TransportProtocol,
)

from .config import ClientConfig, ServerMemory
from .drops import Drops
from .events import AllocationLost, AllocationReleased, FailureReason, ServerReached
from .state import ClientState


class ClientSession:
    """The path, the credentials, the queues and the timers of one client."""

    __slots__ = (
        "config",
        "credentials",
        "dont_fragment",
        "drops",
        "events",
        "is_abandoned",
        "is_preset",
        "memory",
        "next_path",
        "old_path",
        "path",
        "random_bytes",
        "relayed_addresses",
        "state",
        "ticket",
        "timers",
        "transmits",
        "username_and_password",
    )

    def __init__(
        self,
        path: Path,
        *,
        username: str | None,
        password: str | None,
        random_bytes: RandomBytes,
        config: ClientConfig,
        memory: ServerMemory,
    ) -> None:
        self.path = path
        self.next_path: Path | None = None
        """Where the allocation moves to, until the server has confirmed it."""
        self.old_path: Path | None = None
        """Where it was before, from which data may still come."""
        self.ticket = b""
        """The newest that moves the allocation; empty for none."""
        self.config = config
        self.memory = memory
        self.random_bytes = random_bytes
        self.state = ClientState.NEW
        self.relayed_addresses: tuple[TransportAddress, ...] = ()
        self.dont_fragment = config.dont_fragment
        """Whether DONT-FRAGMENT is asked for, and then whether the server obeys it."""
        self.transmits: collections.deque[Transmit] = collections.deque()
        self.events: collections.deque[Event] = collections.deque()
        self.timers: Timers[Due] = Timers()
        self.drops = Drops()
        self.username_and_password = (username, password)
        self.is_preset = False
        self.is_abandoned = False
        """Nobody wants the allocation that is being asked for any more."""
        self.credentials = self._new_credentials()

    @property
    def rto(self) -> RtoCache:
        return self.memory.rto

    @property
    def can_send(self) -> bool:
        """Whether requests have an end that anybody waits for."""
        return self.state is not ClientState.CLOSED

    def challenged(self, response: Message) -> None:
        """The server wants credentials, or a newer nonce: it is there, and others may know."""
        self.memory.learn(self.path.remote, response)
        if self.is_abandoned:
            self.released()
        elif self.state is ClientState.ALLOCATING:
            self.events.append(ServerReached())

    def use_memory(self) -> None:
        """Start with the realm and nonce that another client was given, if there are any.

        Not where a 401 is to tell whether access tokens are taken.
        """
        if self.config.third_party_auth:
            return
        challenge = self.memory.recall(self.path.remote)
        self.is_preset = challenge is not None and self.credentials.take_challenge(challenge)

    def start_over(self) -> None:
        """What was remembered is refused: begin without credentials, as if new."""
        self.memory.forget(self.path.remote)
        self.is_preset = False
        self.credentials = self._new_credentials()

    def further_credentials(self) -> LongTermClient:
        """For another stream to the server, which gives each address a nonce of its own.

        They begin with the nonce that there is: some servers take it, and coturn closes a
        stream on which a ConnectionBind comes without credentials.
        """
        return copy.copy(self.credentials)

    def common_attributes(self) -> tuple[AnyAttribute, ...]:
        """What Allocate and Refresh both carry (RFC 8656 section 5)."""
        software = self.config.software
        return () if software is None else (Software(software),)

    def reaches(self, ip: IPAddress) -> bool:
        """Whether there is a relayed transport address of its family."""
        return any(each.ip.version == ip.version for each in self.relayed_addresses)

    def is_ours(self, path: Path) -> bool:
        """Whether the server may send to us on this path."""
        return path == self.path or path in (self.next_path, self.old_path)

    def take_ticket(self, response: Message) -> None:
        """Keep the ticket of a success response, the newest of all; none is none."""
        self.ticket = response.raw_value(MobilityTicket.TYPE) or b""

    def check_family(self, address: TransportAddress) -> None:
        """A peer is of the family of a relayed transport address (sections 10.1 and 12.1).

        Raises:
            ValueError: it is not.
        """
        if self.relayed_addresses and not self.reaches(address.ip):
            ours = " and ".join(map(str, self.relayed_addresses))
            raise ValueError(f"{ours} cannot reach a peer of another family: {address}")

    def close(self) -> None:
        """There is no allocation, and nothing more to do."""
        was_connected = self.state not in (ClientState.NEW, ClientState.CONNECTING)
        self.state = ClientState.CLOSED
        self.stop_timers()
        if was_connected and self.path.transport is not TransportProtocol.UDP:
            self.events.append(CloseRequested(self.path))

    def stop_timers(self) -> None:
        """There is nothing to wait for any more."""
        self.timers = Timers()

    def lose(self, reason: FailureReason, code: int | None = None) -> None:
        """The allocation is gone without our wish."""
        self.events.append(AllocationLost(reason, code))
        self.close()

    def released(self) -> None:
        """What was left of the allocation is deleted, as far as one can tell."""
        self.events.append(AllocationReleased())
        self.close()

    def _new_credentials(self) -> LongTermClient:
        username, password = self.username_and_password
        # RFC 8656 section 6 binds a client that knows both to SHA-256.
        return LongTermClient(
            username,
            password,
            choice=AlgorithmChoice.STRONGEST,
            takes_tokens=self.config.third_party_auth,
        )
