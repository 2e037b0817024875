"""One side's transport: ICE credentials, candidates, DTLS fingerprints and role."""

from __future__ import annotations

import dataclasses

from sdp.attributes.fingerprint import Fingerprint
from sdp.attributes.setup import Setup


@dataclasses.dataclass(frozen=True, slots=True)
class TransportDescription:
    """What a description says about the one transport of a session.

    ``candidates`` are raw text, ``"candidate:..."``. For a local answer ``setup`` is
    the role wanted where the offer leaves a choice; a local offer always says
    ACTPASS (RFC 8842 section 5.2). ``ice_pacing`` is in milliseconds.
    """

    ice_ufrag: str
    ice_pwd: str = dataclasses.field(repr=False)
    fingerprints: tuple[Fingerprint, ...]
    setup: Setup = Setup.ACTPASS
    candidates: tuple[str, ...] = ()
    end_of_candidates: bool = False
    ice_options: tuple[str, ...] = ("trickle", "ice2")
    ice_lite: bool = False
    ice_pacing: int | None = None
    tls_id: str | None = None
