"""A control plane in memory, with a clock and randomness of the test's own."""

from __future__ import annotations

import ipaddress
import itertools
import json

from signaling.control import (
    ChannelNamespace,
    ControlPlane,
    Endpoints,
    MemoryTables,
    Outcome,
    Reached,
    ServiceQuotas,
    Tables,
    encode_response,
)
from signaling.ice_servers import IceServerIssuer
from turn.credentials import RelaySecret

NOW = 1_600_000_000.25
SPACE = ChannelNamespace("000000000000", "us-west-2")
RELAY = "turn:192.0.2.1:3478?transport=udp"
NEAR_IP = ipaddress.ip_address("10.0.0.7")
NEAR_RELAY = "turn:10.0.0.7:3478?transport=udp"
ISSUER = IceServerIssuer((RELAY,), RelaySecret(b"secret"), uris_at={NEAR_IP: (NEAR_RELAY,)})


class Caller:
    """Calls operations one after another on the same tables."""

    def __init__(self, quotas: ServiceQuotas | None = None, tables: Tables | None = None) -> None:
        self._counter = itertools.count()
        self.tables = tables or MemoryTables(b"token key")
        self.now = NOW
        self.reached: Reached | None = None
        self.plane = ControlPlane(
            SPACE,
            Endpoints("https://kvs.example:8443"),
            issuer=ISSUER,
            random_bytes=self._random_bytes,
            quotas=quotas,
        )

    def outcome(self, path: str, **members: object) -> Outcome:
        body = json.dumps(members).encode()
        return self.plane.execute(
            path, body, tables=self.tables, now=self.now, reached=self.reached
        )

    def call(self, path: str, **members: object) -> dict[str, object]:
        answer: dict[str, object] = json.loads(
            encode_response(self.outcome(path, **members).response)
        )
        return answer

    def create(self, name: str, **members: object) -> str:
        return str(self.call("/createSignalingChannel", ChannelName=name, **members)["ChannelARN"])

    def info(self, name: str) -> dict[str, object]:
        found = self.call("/describeSignalingChannel", ChannelName=name)["ChannelInfo"]
        assert isinstance(found, dict)
        return found

    def _random_bytes(self, count: int) -> bytes:
        return next(self._counter).to_bytes(count, "big")
