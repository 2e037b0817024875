"""TURN-TCP: bytes between peers and clients (RFC 6062 section 5.5)."""

from __future__ import annotations

import hashlib
from typing import Final

from conformance.building import u32
from conformance.client import Client
from conformance.codes import Attr, Class, Method
from conformance.link import StreamPort
from conformance.outcome import Mark, NotOffered, Outcome, Violated, seen, skipped
from conformance.probe import Probe
from conformance.row import Feature, row

from .tcp_needs import Read, allocate_tcp, bound, expect_bytes, joined, pending

PAYLOAD_BYTES: Final = 100_000
FLOOD_BYTES: Final = 64 << 20
"""More than the kernels of both sides have room for: at most some 20 MiB."""

FLOOD_CHUNK: Final = 1 << 16
FLOOD_SECONDS: Final = 30.0
STALLED_AFTER: Final = 3.0
"""Seconds in which a connection takes nothing that show that it is stopped."""


@row(
    "TURN-TCP-16",
    "Data received on the client connection MUST be sent as-is to the associated peer data "
    "connection, and the other way round; this includes data that was received before the "
    "ConnectionBind request was received.",
    Feature.TCP_RELAY,
)
async def bytes_are_passed_on_as_they_are(probe: Probe) -> None:
    allocation = await allocate_tcp(probe)
    connection_id, peer = await pending(probe, allocation)
    # It looks like messages, and is none.
    early = allocation.client.message(Method.BINDING).build() + b"\x40\x00\x00\x02hi"
    await peer.send(early)
    await probe.wire.sleep(probe.target.silence)
    data = await bound(probe, allocation, connection_id)
    patience, read = probe.target.patience, data.link.receive_bytes
    await expect_bytes(read, early, patience, why="what a peer sends before the bind")
    request = data.message(Method.BINDING).build()
    await data.send(request)
    await expect_bytes(peer.receive, request, patience, why="a client's STUN request as data")
    payload = probe.wire.random_bytes(PAYLOAD_BYTES)
    await data.send(payload)
    await expect_bytes(peer.receive, payload, patience, why=f"{PAYLOAD_BYTES} bytes of a client")
    await peer.send(payload)
    await expect_bytes(read, payload, patience, why=f"{PAYLOAD_BYTES} bytes of a peer")


@row(
    "TURN-TCP-17",
    "When a client data connection is closed, the server MUST close the corresponding peer data "
    "connection, and the other way round. If the allocation expires, the data connection MUST be "
    "closed.",
    Feature.TCP_RELAY,
    Feature.REFRESH,
)
async def one_end_closes_the_other(probe: Probe) -> None:
    allocation, patience = await allocate_tcp(probe), probe.target.patience
    by_client, by_peer, by_expiry = [await joined(probe, allocation) for _ in range(3)]
    by_client.data.link.close()
    await _expect_end(by_client.peer.receive, patience, why="the client has closed, and the peer")
    by_peer.peer.close()
    read = by_peer.data.link.receive_bytes
    await _expect_end(read, patience, why="the peer has closed, and the client")
    deletion = await allocation.refresh((Attr.LIFETIME, u32(0)))
    if deletion.message_class is not Class.SUCCESS:
        raise NotOffered("the allocation cannot be deleted")
    read = by_expiry.data.link.receive_bytes
    await _expect_end(read, patience, why="the allocation is gone, and the client")
    await _expect_end(by_expiry.peer.receive, patience, why="the allocation is gone, and the peer")


async def _expect_end(read: Read, patience: float, *, why: str) -> None:
    received = await read(patience)
    if received is None:
        raise Violated(f"{why} is still connected after {patience:g} s")
    if received:
        raise Violated(f"{why} receives more", Mark(received, 0, len(received)))


@row(
    "TURN-TCP-19",
    "If the relay process is no longer able to write data to the destination of the relayed data, "
    "the relay process stops reading data from the source (RFC 6062 section 3).",
    Feature.TCP_RELAY,
    alone=True,
)
async def a_client_that_does_not_read_stops_its_peer(probe: Probe) -> Outcome | None:
    pair = await joined(probe, await allocate_tcp(probe))
    flood = _Flood(pair.peer)
    begun = probe.wire.now()
    while await flood.goes_on():
        if flood.sent >= FLOOD_BYTES:
            raise Violated(f"{flood.sent >> 20} MiB are taken while the client reads nothing")
        if probe.wire.now() - begun > FLOOD_SECONDS:
            return skipped(f"{flood.sent >> 20} MiB in {FLOOD_SECONDS:g} s: too slow to tell")
    return await _drained(pair.data, flood, probe.target.patience)


class _Flood:
    """Bytes of a peer, as many as are taken; all are different, so that order shows."""

    def __init__(self, peer: StreamPort) -> None:
        self._peer = peer
        self.sent = 0
        self.digest = hashlib.sha256()

    async def goes_on(self) -> bool:
        """Send one chunk; whether the next would be taken soon."""
        chunk = (self.sent.to_bytes(8, "big") * (FLOOD_CHUNK // 8))[:FLOOD_CHUNK]
        self.sent += len(chunk)
        self.digest.update(chunk)
        return await self._peer.offer(chunk, STALLED_AFTER)


async def _drained(client: Client, flood: _Flood, patience: float) -> Outcome | None:
    """Once the client reads, all comes that was held back."""
    digest, received = hashlib.sha256(), 0
    while received < flood.sent:
        chunk = await client.link.receive_bytes(patience)
        if not chunk:
            return seen(f"the peer is stopped; then {received} of {flood.sent} bytes come")
        digest.update(chunk)
        received += len(chunk)
    if digest.digest() != flood.digest.digest():
        raise Violated(f"the peer is stopped; then {received} bytes come, which are others")
    return None
