"""DNS records, as far as servers are found with them."""

from __future__ import annotations

import dataclasses
import enum

from transport import IPAddress


class RecordType(enum.Enum):
    """What to ask for; the value is the name of the type."""

    A = "A"
    AAAA = "AAAA"
    SRV = "SRV"
    NAPTR = "NAPTR"


@dataclasses.dataclass(frozen=True, slots=True)
class SrvRecord:
    """Where a service is (RFC 2782). ``target`` is "." if it is decidedly not there."""

    priority: int
    weight: int
    port: int
    target: str


@dataclasses.dataclass(frozen=True, slots=True)
class NaptrRecord:
    """Where to look next for a service (RFC 3403 section 4.1)."""

    order: int
    preference: int
    flags: str
    service: str
    regexp: str
    replacement: str


Record = IPAddress | SrvRecord | NaptrRecord
