"""One agent against a peer that a test plays, message by message, on a clock of its own."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

from ice import (
    Candidate,
    CandidateType,
    DropReason,
    HostAddressesRequested,
    IceAgent,
    IceConfig,
    IceCredentials,
)
from stun import (
    AnyAttribute,
    ErrorCode,
    IceControlled,
    IceControlling,
    IntegrityAlgorithm,
    IntegrityKey,
    Message,
    MessageClass,
    Method,
    Priority,
    UseCandidate,
    Username,
    XorMappedAddress,
    encode_message,
    short_term_key,
)
from transport import Event, Path, RandomBytes, TransportAddress, TransportProtocol

HERE = TransportAddress.parse("192.0.2.1", 4000)
HERE_TOO = TransportAddress.parse("192.0.2.2", 4000)
THERE = TransportAddress.parse("203.0.113.1", 5000)
THERE_TOO = TransportAddress.parse("203.0.113.2", 5000)
ELSEWHERE = TransportAddress.parse("198.51.100.9", 6000)

REMOTE = IceCredentials("remoteufrag", "remotepasswordremotepassword")
STRANGER = short_term_key("strangerstrangerstranger")
MIDDLE_TIEBREAKER = 1 << 63


def seeded(seed: int = 1) -> RandomBytes:
    return random.Random(seed).randbytes


def host(
    address: TransportAddress, *, priority: int = 2130706431, foundation: str | None = None
) -> Candidate:
    """A host candidate, by default with the foundation of its IP address."""
    name = f"{int(address.ip):x}" if foundation is None else foundation
    return Candidate(name, 1, "udp", priority, address, CandidateType.HOST)


def between(local: TransportAddress, remote: TransportAddress) -> Path:
    return Path(TransportProtocol.UDP, local, remote)


@dataclasses.dataclass(frozen=True)
class Sent:
    """One STUN message of the agent."""

    at: float
    path: Path
    message: Message
    dscp: int | None = None

    @property
    def is_request(self) -> bool:
        return self.message.message_class is MessageClass.REQUEST

    @property
    def nominates(self) -> bool:
        return self.message.has(UseCandidate)

    @property
    def error(self) -> int | None:
        error = self.message.get(ErrorCode)
        return None if error is None else error.code


class Script:
    """Plays the driver and the peer of ``agent``."""

    def __init__(
        self,
        *,
        controlling: bool = True,
        addresses: Sequence[TransportAddress] = (HERE,),
        config: IceConfig | None = None,
        seed: int = 1,
    ) -> None:
        self.agent = IceAgent(controlling=controlling, random_bytes=seeded(seed), config=config)
        self.now = 0.0
        self.sent: list[Sent] = []
        self.data: list[tuple[float, Path, bytes]] = []
        self.events: list[tuple[float, Event]] = []
        self._next_id = 0
        self.agent.gather(self.now)
        self.drain()
        for event in self.events_of(HostAddressesRequested):
            assert isinstance(event, HostAddressesRequested)
            if (event.stream, event.component) == (0, 1):
                self.agent.hosts_opened(addresses, self.now)
        self.drain()

    # The driver's part

    def drain(self) -> None:
        while (transmit := self.agent.poll_transmit()) is not None:
            for segment in transmit.segments:
                if segment[0] < 4:
                    message = Message.decode(bytes(segment))
                    self.sent.append(Sent(self.now, transmit.path, message, transmit.dscp))
                else:
                    self.data.append((self.now, transmit.path, segment))
        while (event := self.agent.poll_event()) is not None:
            self.events.append((self.now, event))

    def advance(self, until: float) -> None:
        """Let time pass, meeting every deadline exactly."""
        while (deadline := self.agent.next_timeout()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.agent.handle_timeout(self.now)
            after = self.agent.next_timeout()
            assert after is None or after > self.now
            self.drain()
        self.now = until

    def events_of(self, kind: type[Event]) -> list[Event]:
        return [event for _, event in self.events if isinstance(event, kind)]

    def requests(self) -> list[Sent]:
        return [sent for sent in self.sent if sent.is_request]

    def take_requests(self) -> list[Sent]:
        """The requests since the last call."""
        taken = self.requests()
        self.sent.clear()
        return taken

    def drops(self, reason: DropReason) -> int:
        return self.agent.stats().drops.get(reason, 0)

    # The peer's part

    def describe(
        self,
        *candidates: Candidate,
        credentials: IceCredentials = REMOTE,
        pacing_ms: int | None = None,
        lite: bool = False,
    ) -> None:
        """The peer's offer or answer."""
        for candidate in candidates:
            self.agent.add_remote_candidate(candidate, self.now)
        self.agent.set_remote_credentials(credentials, now=self.now, pacing_ms=pacing_ms, lite=lite)
        self.drain()

    def signal(self, candidate: Candidate) -> None:
        self.agent.add_remote_candidate(candidate, self.now)
        self.drain()

    def receive(self, data: bytes, path: Path) -> None:
        self.agent.receive(data, path, self.now)
        self.drain()

    def answer(
        self,
        request: Sent,
        *attributes: AnyAttribute,
        mapped: TransportAddress | None = None,
        error: int | None = None,
        key: IntegrityKey | None = None,
        path: Path | None = None,
        fingerprint: bool = True,
    ) -> None:
        """Respond to a check: with success, unless with an error."""
        body: list[AnyAttribute] = list(attributes)
        if error is None:
            body.append(XorMappedAddress(mapped or request.path.local))
        else:
            body.append(ErrorCode(error, "Because"))
        data = encode_message(
            Method.BINDING,
            MessageClass.SUCCESS if error is None else MessageClass.ERROR,
            request.message.transaction_id,
            body,
            key=short_term_key(REMOTE.password) if key is None else key,
            fingerprint=fingerprint,
        )
        self.receive(data, request.path if path is None else path)

    def request(
        self,
        path: Path,
        *extra: AnyAttribute,
        use_candidate: bool = False,
        tiebreaker: int = 0,
        claims_control: bool | None = None,
        priority: int | None = 1862270975,
        username: str | None = None,
        key: IntegrityKey | None = None,
        algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1,
        fingerprint: bool = True,
    ) -> Sent:
        """Send a check of the peer, by default a correct one; returns the response."""
        local = self.agent.local_credentials
        control = not self.agent.controlling if claims_control is None else claims_control
        body: list[AnyAttribute] = [
            Username(f"{local.ufrag}:{REMOTE.ufrag}" if username is None else username),
            (IceControlling if control else IceControlled)(tiebreaker),
            *extra,
        ]
        if priority is not None:
            body.append(Priority(priority))
        if use_candidate:
            body.append(UseCandidate())
        self._next_id += 1
        data = encode_message(
            Method.BINDING,
            MessageClass.REQUEST,
            self._next_id.to_bytes(12, "big"),
            body,
            key=short_term_key(local.password) if key is None else key,
            algorithm=algorithm,
            fingerprint=fingerprint,
        )
        before = len(self.sent)
        self.receive(data, path)
        response = self.sent[before]
        assert response.message.transaction_id == self._next_id.to_bytes(12, "big")
        return response

    def succeed(self) -> Sent:
        """Answer the next check that the agent sends, and return it."""
        request = self.next_request()
        self.answer(request)
        return request

    def next_request(self, until: float | None = None) -> Sent:
        """Let time pass until the agent sends a request."""
        self.sent.clear()
        limit = self.now + 60.0 if until is None else until
        while not self.requests():
            deadline = self.agent.next_timeout()
            assert deadline is not None, "nothing is due"
            assert deadline <= limit, "nothing was sent"
            self.advance(max(deadline, self.now))
        return self.requests()[0]

    def complete(self, *, rtt: float = 0.02) -> None:
        """Check and nominate over the first pair, whichever side controls."""
        first = self.next_request()
        self.advance(self.now + rtt)
        self.answer(first)
        if self.agent.controlling:
            nomination = self.next_request()
            assert nomination.nominates
            self.advance(self.now + rtt)
            self.answer(nomination)
        else:
            self.request(first.path, use_candidate=True)
        assert self.agent.selected_pair is not None
        self.sent.clear()
