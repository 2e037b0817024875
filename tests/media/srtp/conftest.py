"""Both ends of a protected stream, of every profile."""

from __future__ import annotations

import pytest

from media.srtp import SrtpProfile, SrtpReceiver, SrtpSender


def material(profile: SrtpProfile) -> tuple[bytes, bytes]:
    return bytes(range(profile.key_length)), bytes(range(100, 100 + profile.salt_length))


@pytest.fixture(params=list(SrtpProfile), ids=lambda profile: profile.name)
def profile(request: pytest.FixtureRequest) -> SrtpProfile:
    assert isinstance(request.param, SrtpProfile)
    return request.param


@pytest.fixture
def sender(profile: SrtpProfile) -> SrtpSender:
    return SrtpSender(profile, *material(profile))


@pytest.fixture
def receiver(profile: SrtpProfile) -> SrtpReceiver:
    return SrtpReceiver(profile, *material(profile))
