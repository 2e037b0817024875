"""From a URI to transport addresses (RFC 8489 section 8.1, RFC 5928 section 3)."""

from __future__ import annotations

import collections
import ipaddress
import itertools
from collections.abc import Iterable, Sequence

from stun.uri import ServerUri
from transport import (
    Event,
    IPAddress,
    Path,
    RandomBytes,
    Timers,
    Transmit,
    TransportAddress,
    TransportProtocol,
)

from .events import LookupRequested, Resolved
from .limits import (
    LOOKUP_PATIENCE,
    MAX_DEPTH,
    MAX_LOOKUPS,
    MAX_RECORDS,
    MAX_TARGETS,
    RESOLUTION_DELAY,
)
from .naptr import pointers_for, rank_transports
from .records import NaptrRecord, Record, RecordType, SrvRecord
from .srv import order_services
from .target import (
    Target,
    default_port,
    direct_transports,
    service_name,
    usable_transports,
    verified_name,
)

_Question = tuple[str, RecordType]

_SPECIAL_ENDINGS = (".localhost", ".local")
"""Names that are not to be asked of DNS (RFC 6761 section 6.3, RFC 6762 section 3)."""


class Resolution:
    """Finds what to try for one URI, and is discarded with the attempt that it was made for.

    ``supported`` are the transports that the caller speaks, in the order of preference;
    ``server_name`` is a name for the certificate that came with a URI that has an IP
    address. LookupRequested is answered with ``answered``; a lookup that nobody answers
    has found nothing after a while. Resolved is the end.

    What follows from the answers is worked out anew with each of them, as far as it goes:
    what is missing then is asked for, all at a time.

    Raises:
        UnsupportedTransport: nothing among ``supported`` serves the URI.
        UnverifiableServer: no certificate could be checked.
    """

    def __init__(
        self,
        uri: ServerUri,
        *,
        supported: Sequence[TransportProtocol],
        random_bytes: RandomBytes,
        server_name: str | None = None,
    ) -> None:
        self._uri = uri
        self._usable = usable_transports(uri, supported)
        self._direct = direct_transports(uri, self._usable)
        self._server_name = verified_name(uri, server_name)
        self._random_bytes = random_bytes
        self._answers: dict[_Question, Sequence[Record]] = {}
        self._asked: dict[_Question, int] = {}
        self._questions: dict[int, _Question] = {}
        self._timers: Timers[int] = Timers()
        self._events: collections.deque[Event] = collections.deque()
        self._now = 0.0
        self._is_over = False

    def start(self, now: float) -> None:
        """Ask the first questions; a URI with an IP address has none."""
        self._go_on(now)

    def answered(self, token: int, records: Iterable[Record], now: float) -> None:
        """What DNS has, in any order; nothing stands for an error too."""
        question = self._questions.pop(token, None)
        if question is None or self._is_over:
            return
        self._timers.cancel(token)
        self._answers[question] = self._ordered(records)
        name, record_type = question
        other = self._asked.get((name, RecordType.AAAA))
        if record_type is RecordType.A and self._answers[question] and other in self._questions:
            self._timers.set(other, now + RESOLUTION_DELAY)
        self._go_on(now)

    # Machine

    def receive(self, data: bytes, path: Path, now: float) -> None:
        """It has no socket."""

    def handle_timeout(self, now: float) -> None:
        expired = list(self._timers.expired(now))
        for token in expired:
            self._answers[self._questions.pop(token)] = ()
        if expired:
            self._go_on(now)

    def next_timeout(self) -> float | None:
        return self._timers.next_timeout()

    def poll_transmit(self) -> Transmit | None:
        return None

    def poll_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    # The answers so far, and what is missing

    def _go_on(self, now: float) -> None:
        self._now = now
        targets = tuple(itertools.islice(dict.fromkeys(self._plan()), MAX_TARGETS))
        if not self._questions:
            self._is_over = True
            self._events.append(Resolved(targets))

    def _ask(self, name: str, record_type: RecordType) -> Sequence[Record]:
        """What is known; nothing, while it is being asked for."""
        question = (name.rstrip(".").lower(), record_type)
        if question not in self._asked and len(self._asked) < MAX_LOOKUPS:
            token = self._asked[question] = len(self._asked)
            self._questions[token] = question
            self._timers.set(token, self._now + LOOKUP_PATIENCE)
            self._events.append(LookupRequested(token, *question))
        return self._answers.get(question, ())

    def _is_asking(self, name: str, record_type: RecordType) -> bool:
        return self._asked.get((name.rstrip(".").lower(), record_type)) in self._questions

    def _ordered(self, records: Iterable[Record]) -> Sequence[Record]:
        """Services once and for all, for they are drawn by lot."""
        taken = list(dict.fromkeys(records))
        services = [each for each in taken if isinstance(each, SrvRecord)]
        return (order_services(services, self._random_bytes) or taken)[:MAX_RECORDS]

    # RFC 5928 section 3

    def _plan(self) -> list[Target]:
        uri, host = self._uri, self._uri.host
        if uri.address is not None:  # step 1
            return self._at([uri.address], uri.port, self._direct, host)
        if uri.has_port or _is_local(host):  # step 2
            return self._by_address(host, uri.port, self._direct)
        if uri.scheme.is_turn and uri.transport is None:  # step 4
            records = [
                record
                for record in self._ask(host, RecordType.NAPTR)
                if isinstance(record, NaptrRecord)
            ]
            if self._is_asking(host, RecordType.NAPTR):
                return []
            ranked = rank_transports(records, self._usable)
            if ranked:
                return [
                    target
                    for transport in ranked
                    for target in self._by_pointer(records, transport, depth=1)
                ]
        return [  # steps 3 and 5
            target
            for transport in self._direct
            for target in self._by_service(service_name(uri, transport), transport, fallback=host)
        ]

    def _by_pointer(
        self, records: Sequence[Record], transport: TransportProtocol, *, depth: int
    ) -> list[Target]:
        pointers = [record for record in records if isinstance(record, NaptrRecord)]
        targets: list[Target] = []
        for pointer in pointers_for(pointers, transport):
            name = pointer.replacement
            match pointer.flags.lower():
                case "s":
                    targets += self._by_service(name, transport, fallback=None)
                case "a":
                    targets += self._by_address(name, default_port(transport), (transport,))
                case "" if depth < MAX_DEPTH:
                    following = self._ask(name, RecordType.NAPTR)
                    targets += self._by_pointer(following, transport, depth=depth + 1)
                case _:
                    pass
        return targets

    def _by_service(
        self, name: str, transport: TransportProtocol, *, fallback: str | None
    ) -> list[Target]:
        """RFC 2782; without a record, the domain itself at the default port."""
        records = self._ask(name, RecordType.SRV)
        if self._is_asking(name, RecordType.SRV):
            return []
        services = [record for record in records if isinstance(record, SrvRecord)]
        if not services and fallback is not None:
            return self._by_address(fallback, default_port(transport), (transport,))
        return [
            target
            for service in services
            if service.target not in ("", ".") and service.port
            for target in self._by_address(service.target, service.port, (transport,))
        ]

    def _by_address(
        self, name: str, port: int, transports: Sequence[TransportProtocol]
    ) -> list[Target]:
        """Of both families in turn, IPv6 first (RFC 8305 section 4)."""
        host = name.rstrip(".").lower()
        families = [
            [
                record
                for record in self._ask(name, record_type)
                if isinstance(record, ipaddress.IPv4Address | ipaddress.IPv6Address)
            ]
            for record_type in (RecordType.AAAA, RecordType.A)
        ]
        addresses = [
            address
            for pair in itertools.zip_longest(*families)
            for address in pair
            if address is not None
        ]
        return self._at(addresses, port, transports, host)

    def _at(
        self,
        addresses: Sequence[IPAddress],
        port: int,
        transports: Sequence[TransportProtocol],
        host: str,
    ) -> list[Target]:
        return [
            Target(transport, TransportAddress(address, port), host, self._server_name)
            for transport in transports
            for address in addresses
        ]


def _is_local(host: str) -> bool:
    """Whether a name is one of this host or network, where DNS has no services.

    A name without a dot is from a hosts file, a search list or a container network.
    """
    name = host.rstrip(".").lower()
    return "." not in name or name.endswith(_SPECIAL_ENDINGS)
