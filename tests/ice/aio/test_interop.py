"""Against aioice, an agent written by others (RFC 5245, aggressive nomination)."""

import asyncio

import aioice
import pytest

from ice import Candidate, IceCredentials
from ice.aio import IceConnection

pytestmark = pytest.mark.interop


@pytest.mark.requirement("ice:N09")
@pytest.mark.parametrize("controlling", [True, False], ids=["controlling", "controlled"])
async def test_we_exchange_datagrams_with_aioice(controlling: bool) -> None:
    theirs = aioice.Connection(ice_controlling=not controlling)
    async with IceConnection(controlling=controlling) as ours:
        await asyncio.gather(ours.gather(), theirs.gather_candidates())
        theirs.remote_username = ours.local_credentials.ufrag
        theirs.remote_password = ours.local_credentials.password
        for candidate in ours.local_candidates:
            text = candidate.to_text().removeprefix("candidate:")
            await theirs.add_remote_candidate(aioice.Candidate.from_sdp(text))
        await theirs.add_remote_candidate(None)
        ours.set_remote(IceCredentials(theirs.local_username, theirs.local_password))
        for other in theirs.local_candidates:
            ours.add_remote_candidate(Candidate.parse(f"candidate:{other.to_sdp()}"))

        async with asyncio.timeout(30.0):
            await asyncio.gather(ours.connect(), theirs.connect())
            ours.send(b"\x80ours")
            assert await theirs.recv() == b"\x80ours"
            await theirs.send(b"\x80theirs")
            assert await ours.receive() == b"\x80theirs"
        await theirs.close()
