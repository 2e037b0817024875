"""What an application may choose about a session."""

from __future__ import annotations

import dataclasses

from ice import IceConfig
from sdp import MediaKind, MissingProfile, NegotiationPolicy, RtpCodec, Setup
from transport.dtls import DEFAULT_PROFILES, SrtpKeys, SrtpProfile

from .codecs import DEFAULT_CODECS, DEFAULT_EXTENSIONS


@dataclasses.dataclass(frozen=True, slots=True)
class InjectedKeys:
    """SRTP keys that take the place of DTLS.

    Only simulated runs have them: OpenSSL's own clock and randomness cannot be
    repeated. The peer must hold the same with local and remote exchanged.
    """

    profile: SrtpProfile
    keys: SrtpKeys


BROWSERS = NegotiationPolicy(missing_profile=MissingProfile.LIBWEBRTC)


@dataclasses.dataclass(frozen=True, slots=True)
class SessionConfig:
    """A session's settings; the defaults suit a browser on the other side.

    ``ice`` carries servers and the relay-only policy. ``negotiation`` takes H.264 without
    profile-level-id as Constrained Baseline 3.1, like browsers: so meant are the peers that
    leave it out, and few decode the Baseline of RFC 6184 section 8.1. ``answer_setup``
    is the DTLS role taken where the offer leaves the choice: ACTIVE saves a round trip
    (RFC 8829 section 5.3.1), PASSIVE lets ``srtp_profiles`` decide against a browser,
    which prefers AES-CM. ``wall_clock_offset`` is what to add to ``now`` for seconds since
    1970; sender reports carry it. ``playout_delay`` is how long a packet that is
    missing is waited for, in seconds.

    Raises:
        ValueError: a setting is out of range.
    """

    ice: IceConfig = dataclasses.field(default_factory=IceConfig)
    codecs: tuple[RtpCodec, ...] = DEFAULT_CODECS
    extensions: tuple[tuple[MediaKind, str], ...] = DEFAULT_EXTENSIONS
    negotiation: NegotiationPolicy = BROWSERS
    answer_setup: Setup = Setup.ACTIVE
    srtp_profiles: tuple[SrtpProfile, ...] = DEFAULT_PROFILES
    injected_keys: InjectedKeys | None = None
    wall_clock_offset: float = 0.0
    playout_delay: float = 0.5

    def __post_init__(self) -> None:
        if self.answer_setup not in (Setup.ACTIVE, Setup.PASSIVE):
            raise ValueError(f"an answer is active or passive, not {self.answer_setup}")
        if self.playout_delay <= 0:
            raise ValueError("playout_delay is positive")
