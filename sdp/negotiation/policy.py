"""The choices that offer/answer leaves to an endpoint."""

from __future__ import annotations

import dataclasses
import enum


class BundlePolicy(enum.Enum):
    """How an offer names the transport of its later m= sections (RFC 8829 section 4.1.1).

    In both, one transport is all that is ever used.
    """

    SHARED = "shared"
    """Every section repeats the transport, as browsers do: peers that take no
    bundle-only section understand it."""
    BUNDLE_ONLY = "bundle-only"
    """RFC 9143 section 7.2.1: port 0 and a=bundle-only but for the first section."""


class MissingProfile(enum.Enum):
    """What an H264 format without profile-level-id means."""

    RFC6184 = "42000a"
    """Baseline at level 1 (RFC 6184 section 8.1)."""
    LIBWEBRTC = "42e01f"
    """Constrained Baseline at level 3.1, as browsers take it."""


@dataclasses.dataclass(frozen=True, slots=True)
class NegotiationPolicy:
    """How our offers bundle, and what a peer means that leaves something out."""

    bundle: BundlePolicy = BundlePolicy.SHARED
    missing_profile: MissingProfile = MissingProfile.RFC6184
