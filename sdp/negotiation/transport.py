"""One side's transport: ICE credentials, candidates, DTLS fingerprints and role."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from sdp.attributes.fingerprint import Fingerprint, strongest
from sdp.attributes.ice import (
    CANDIDATE,
    END_OF_CANDIDATES,
    ICE_LITE,
    IceOptions,
    IcePacing,
    IcePwd,
    IceUfrag,
)
from sdp.attributes.setup import Setup, answered
from sdp.attributes.tls_id import TlsId
from sdp.document import SessionDescription
from sdp.errors import DescriptionRefused
from sdp.limits import MAX_REMOTE_CANDIDATES
from sdp.section import A, MediaDescription

from .bundle import Bundle


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

    def has_credentials_of(self, other: TransportDescription) -> bool:
        return (self.ice_ufrag, self.ice_pwd) == (other.ice_ufrag, other.ice_pwd)

    def continues(self, other: TransportDescription) -> bool:
        """Whether it is the DTLS association of an earlier description.

        RFC 8842 section 5.1: a new fingerprint or a new tls-id makes a new one.
        """
        return set(self.fingerprints) == set(other.fingerprints) and self.tls_id == other.tls_id


def read_transport(document: SessionDescription, bundle: Bundle) -> TransportDescription | None:
    """The transport of a peer's description, from its tagged section.

    What that section lacks is taken from another of the group, then from the session.

    Raises:
        DescriptionRefused: something mandatory is missing (RFC 8829 section 5.8.3).
        SdpError: an attribute is malformed.
    """
    if bundle.tagged is None:
        return None
    tagged = bundle.tagged
    sections = [document.media[tagged]]
    sections += [document.media[i] for i in bundle.sharing if i != tagged]

    def needed(kind: type[A], name: str) -> A:
        found = _first(document, sections, kind)
        if found is None:
            raise DescriptionRefused(tagged, f"a={name} is missing")
        return found

    fingerprints = _fingerprints(document, sections)
    if not fingerprints:
        raise DescriptionRefused(tagged, "a=fingerprint is missing")
    if not strongest(fingerprints):
        raise DescriptionRefused(tagged, "no fingerprint has a hash function that may be used")
    options = _first(document, sections, IceOptions)
    pacing = _first(document, sections, IcePacing)
    tls_id = _first(document, sections, TlsId)
    return TransportDescription(
        ice_ufrag=needed(IceUfrag, "ice-ufrag").value,
        ice_pwd=needed(IcePwd, "ice-pwd").value,
        fingerprints=fingerprints,
        setup=_setup(document, sections, tagged),
        candidates=_candidates(sections),
        end_of_candidates=any(
            s.has(END_OF_CANDIDATES) for s in (document.media[tagged], document.session)
        ),
        ice_options=() if options is None else options.tokens,
        ice_lite=document.session.has(ICE_LITE),
        ice_pacing=None if pacing is None else pacing.milliseconds,
        tls_id=None if tls_id is None else tls_id.value,
    )


def answered_role(offered: Setup, preferred: Setup, continued: Setup | None, tagged: int) -> Setup:
    """Our role in an answer; an association that goes on keeps it (RFC 8842 section 5.5).

    Raises:
        DescriptionRefused: the offer leaves no role.
    """
    role = answered(offered, preferred if continued is None else continued)
    if role is None:
        raise DescriptionRefused(tagged, "a=setup:holdconn leaves no DTLS role")
    return role


def offered_role(answer: Setup, tagged: int) -> Setup:
    """The offerer's role, from the answer (RFC 8842 section 5.4).

    Raises:
        DescriptionRefused: the answer is neither active nor passive.
    """
    if answer not in (Setup.ACTIVE, Setup.PASSIVE):
        raise DescriptionRefused(tagged, f"a=setup:{answer} in an answer decides nothing")
    return answer.reversed


def _first(
    document: SessionDescription, sections: Iterable[MediaDescription], kind: type[A]
) -> A | None:
    for section in (*sections, document.session):
        if (found := section.get(kind)) is not None:
            return found
    return None


def _fingerprints(
    document: SessionDescription, sections: Iterable[MediaDescription]
) -> tuple[Fingerprint, ...]:
    for section in (*sections, document.session):
        if found := section.get_all(Fingerprint):
            return tuple(found)
    return ()


def _setup(
    document: SessionDescription, sections: Iterable[MediaDescription], tagged: int
) -> Setup:
    for section in (*sections, document.session):
        if (text := section.value("setup")) is not None:
            return Setup.parse(text)
    raise DescriptionRefused(tagged, "a=setup is missing")


def _candidates(sections: Iterable[MediaDescription]) -> tuple[str, ...]:
    """Those of the first section that has any, which is the tagged one. An offer may
    carry others in the rest: of transports that bundling leaves unused."""
    for section in sections:
        if values := section.values(CANDIDATE):
            found = dict.fromkeys(f"{CANDIDATE}:{value}" for value in values)
            return tuple(found)[:MAX_REMOTE_CANDIDATES]
    return ()
