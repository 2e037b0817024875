"""A zone of DNS in a test, and what was asked of it."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Mapping, Sequence

from stun import ServerUri
from stun.resolution import (
    LookupRequested,
    NaptrRecord,
    Record,
    RecordType,
    Resolution,
    Resolved,
    SrvRecord,
    Target,
)
from transport import TransportProtocol

UDP, TCP = TransportProtocol.UDP, TransportProtocol.TCP
TLS, DTLS = TransportProtocol.TLS, TransportProtocol.DTLS
ALL = (UDP, TCP, TLS, DTLS)

Zone = Mapping[str, Sequence[Record]]
"""By the question, as in "A relay.example"."""


def a(*addresses: str) -> list[Record]:
    return [ipaddress.ip_address(address) for address in addresses]


def srv(target: str, port: int, *, priority: int = 0, weight: int = 0) -> SrvRecord:
    return SrvRecord(priority, weight, port, target)


def naptr(
    order: int, preference: int, *, flags: str, service: str, replacement: str, regexp: str = ""
) -> NaptrRecord:
    return NaptrRecord(order, preference, flags, service, regexp, replacement)


class Lookups:
    """Drives a resolution, with answers of a zone."""

    def __init__(
        self,
        uri: str,
        zone: Zone,
        *,
        supported: Sequence[TransportProtocol] = ALL,
        server_name: str | None = None,
    ) -> None:
        self.resolution = Resolution(
            ServerUri.parse(uri),
            supported=supported,
            server_name=server_name,
            random_bytes=random.Random(1).randbytes,
        )
        self.now = 0.0
        self.asked: list[str] = []
        self.waiting: list[LookupRequested] = []
        self.targets: tuple[Target, ...] | None = None
        self._zone = zone
        self.resolution.start(self.now)
        self.drain()

    def drain(self) -> None:
        while (event := self.resolution.poll_event()) is not None:
            match event:
                case LookupRequested(name=name, record_type=record_type):
                    self.asked.append(f"{record_type.value} {name}")
                    self.waiting.append(event)
                case Resolved(targets=targets):
                    assert self.targets is None
                    self.targets = targets

    def answer(self, record_type: RecordType | None = None) -> None:
        """All that waits, or what waits of one type."""
        taken = [each for each in self.waiting if record_type in (None, each.record_type)]
        self.waiting = [each for each in self.waiting if each not in taken]
        for request in taken:
            records = self._zone.get(f"{request.record_type.value} {request.name}", ())
            self.resolution.answered(request.token, records, self.now)
            self.drain()

    def advance(self, until: float) -> None:
        while (deadline := self.resolution.next_timeout()) is not None and deadline <= until:
            self.now = deadline
            self.resolution.handle_timeout(deadline)
            self.drain()
        self.now = until

    def finish(self) -> list[tuple[str, str, int]]:
        """Answer everything; transport, address and port of the targets."""
        while self.waiting:
            self.answer()
        assert self.targets is not None
        return [(t.transport.value, t.address.host, t.address.port) for t in self.targets]
