"""Offers and answers of a session: from SDP to ICE and DTLS, and back (RFC 8829)."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ice import Candidate, IceAgent, IceCredentials, SharedPacer
from sdp import (
    CandidateMessage,
    NegotiatedMedia,
    Negotiator,
    SdpType,
    Setup,
    SignalingState,
    TransportDescription,
)
from transport import DecodeError, RandomBytes
from transport.dtls import DtlsRole

from .config import SessionConfig
from .transport import SecureTransport


@dataclasses.dataclass(frozen=True, slots=True)
class LocalDescription:
    """A description of ours that is in force, with the candidates gathered so far.

    Its repr leaves the text out, which holds the ICE password.
    """

    type: SdpType
    sdp: str = dataclasses.field(repr=False)


class DescriptionExchange:
    """Carries what was negotiated to the ICE agent and the DTLS association.

    The agent comes to be with the first description, as its first role depends on who
    offers (RFC 8445 section 6.1.1).
    """

    def __init__(
        self,
        random_bytes: RandomBytes,
        config: SessionConfig,
        secure: SecureTransport,
        *,
        cname: str,
        pacer: SharedPacer | None,
    ) -> None:
        self.negotiator = Negotiator(
            random_bytes,
            codecs=config.codecs,
            extensions=config.extensions,
            cname=cname,
            policy=config.negotiation,
        )
        self.ice: IceAgent | None = None
        self._random_bytes = random_bytes
        self._pacer = pacer
        self._config = config
        self._secure = secure
        self._remote_credentials: IceCredentials | None = None
        self._local: LocalDescription | None = None
        self._candidates: list[str] = []
        self._candidates_ended = False
        self._is_gathering = False
        self.has_ended = False
        """All sections were rejected, and the transport went with them."""

    def restart_ice(self, now: float) -> None:
        """Begin a new ICE generation; the next description carries it."""
        if self.ice is not None:
            self._restart(self.ice, now)

    def create_offer(self) -> str:
        return self.negotiator.create_offer(self._transport(self._agent(controlling=True)))

    def create_answer(self) -> str:
        transport = self._transport(self._agent(controlling=False))
        return self.negotiator.create_answer(
            dataclasses.replace(transport, setup=self._config.answer_setup)
        )

    def set_local(self, kind: SdpType, text: str, now: float) -> None:
        self.negotiator.set_local(kind, text)
        self._local = LocalDescription(kind, text)
        agent = self._agent(controlling=kind is SdpType.OFFER)
        if not self._is_gathering:
            self._is_gathering = True
            agent.gather(now)
        self._apply_remote(agent, now)

    def set_remote(self, kind: SdpType, text: str, now: float) -> None:
        self.negotiator.set_remote(kind, text)
        agent = self._agent(controlling=kind is not SdpType.OFFER)
        remote = self.negotiator.remote_transport
        if kind is SdpType.OFFER and remote is not None and self._is_renewed_by(remote):
            self._restart(agent, now)
        if self.negotiator.signaling_state is SignalingState.STABLE:
            self._apply_remote(agent, now)

    def _is_renewed_by(self, remote: TransportDescription) -> bool:
        """Whether an offer restarts ICE, or comes after a transport that has ended."""
        known = self._remote_credentials
        return self.has_ended or (known is not None and _credentials(remote) != known)

    def add_candidate(self, message: CandidateMessage, now: float) -> None:
        """Take a candidate of the peer; before its description it waits.

        Raises:
            DecodeError: the text is no candidate.
        """
        if message.candidate:
            Candidate.parse(message.candidate)
        self.negotiator.add_remote_candidate(message)
        if self.ice is not None and self._remote_credentials is not None:
            self._apply_candidates(self.ice, now)

    def gathered(self, candidate: str) -> CandidateMessage | None:
        """Remember a local candidate ("" = the end) and address it to the peer.

        None for one that a slow server found after the end of candidates was conveyed
        (RFC 8838 section 13): the peer will learn it from our checks.
        """
        if self._candidates_ended:
            return None
        if candidate:
            self._candidates.append(candidate)
        else:
            self._candidates_ended = True
        return self.negotiator.candidate_message(candidate)

    @property
    def local(self) -> LocalDescription | None:
        if self._local is None:
            return None
        lines = [f"a={candidate}" for candidate in self._candidates]
        if self._candidates_ended:
            lines.append("a=end-of-candidates")
        index = self.negotiator.candidate_message("").index or 0
        return LocalDescription(
            self._local.type, insert_into_section(self._local.sdp, index, lines)
        )

    @property
    def media(self) -> tuple[NegotiatedMedia, ...]:
        return self.negotiator.media

    @property
    def is_stable(self) -> bool:
        return self.negotiator.signaling_state is SignalingState.STABLE

    def _agent(self, *, controlling: bool) -> IceAgent:
        if self.ice is None:
            self.ice = IceAgent(
                controlling=controlling,
                random_bytes=self._random_bytes,
                config=self._config.ice,
                pacer=self._pacer,
            )
        return self.ice

    def _restart(self, agent: IceAgent, now: float) -> None:
        agent.restart(now)
        self._candidates.clear()
        self._candidates_ended = False
        self.has_ended = False

    def _transport(self, agent: IceAgent) -> TransportDescription:
        credentials = agent.local_credentials
        return TransportDescription(
            ice_ufrag=credentials.ufrag,
            ice_pwd=credentials.password,
            fingerprints=(self._secure.local_fingerprint,),
            candidates=tuple(self._candidates),
            end_of_candidates=self._candidates_ended,
            ice_pacing=agent.pacing_ms,
        )

    def _apply_remote(self, agent: IceAgent, now: float) -> None:
        """Give ICE and DTLS what the peer's description says of its transport."""
        remote = self.negotiator.remote_transport
        if remote is None:
            if self.is_stable and self._remote_credentials is not None:
                self._end_transport()
            return
        credentials = _credentials(remote)
        if credentials != self._remote_credentials:
            self._remote_credentials = credentials
            agent.set_remote_credentials(
                credentials,
                now=now,
                ice_options=remote.ice_options,
                lite=remote.ice_lite,
                pacing_ms=remote.ice_pacing,
            )
        self._apply_candidates(agent, now)
        role = self.negotiator.dtls_role
        if self.is_stable and role is not None:
            self._secure.negotiated(
                DtlsRole.CLIENT if role is Setup.ACTIVE else DtlsRole.SERVER,
                remote.fingerprints,
                now,
                tls_id=remote.tls_id,
            )

    def _end_transport(self) -> None:
        """RFC 8829 section 5.11: the next description that needs one begins a new one."""
        self.has_ended = True
        self._remote_credentials = None
        self._secure.discard()

    def _apply_candidates(self, agent: IceAgent, now: float) -> None:
        for text in self.negotiator.take_remote_candidates():
            if not text:
                agent.remote_end_of_candidates(now)
                continue
            try:
                candidate = Candidate.parse(text)
            except DecodeError:
                continue  # RFC 8839 section 5.1: what cannot be read is left out
            agent.add_remote_candidate(candidate, now)


def insert_into_section(text: str, index: int, lines: Sequence[str]) -> str:
    """Put lines at the end of an m= section, leaving every other byte as it is."""
    if not lines:
        return text
    existing = text.splitlines()
    starts = [number for number, line in enumerate(existing) if line.startswith("m=")]
    if index >= len(starts):
        return text
    end = starts[index + 1] if index + 1 < len(starts) else len(existing)
    section = existing[starts[index] : end]
    added = [line for line in lines if line not in section]
    return "".join(f"{line}\r\n" for line in (*existing[:end], *added, *existing[end:]))


def _credentials(remote: TransportDescription) -> IceCredentials:
    return IceCredentials(remote.ice_ufrag, remote.ice_pwd)
