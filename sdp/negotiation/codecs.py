"""Which codecs two sides have in common, and how each is used (RFC 3264 section 6.1)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from . import h264
from .codec import NegotiatedCodec, RtpCodec
from .policy import MissingProfile
from .report import ReportEntry, Verdict

_CONFIGURATION = {
    "vp9": (("profile-id", "0"),),
    "av1": (("profile", "0"),),
    "h265": (("profile-id", "1"), ("tier-flag", "0"), ("tx-mode", "SRST")),
}
"""Parameters that must be equal, with their defaults: RFC 9628 section 6, the AV1 RTP
payload specification section 7.2, RFC 7798 section 7.1. VP8 (RFC 7741 section 6) and
Opus (RFC 7587 section 7) have none: each side declares what it wants to receive."""


@dataclasses.dataclass(frozen=True, slots=True)
class CodecPair:
    """An entry of the local list and the format of the peer that it matches."""

    local: RtpCodec
    remote: RtpCodec


def mismatch(local: RtpCodec, remote: RtpCodec, missing: MissingProfile) -> str | None:
    """Why the two cannot work together, or None."""
    if local.name.lower() != remote.name.lower():
        return "not supported here"
    if local.clock_rate != remote.clock_rate:
        return f"a clock rate of {remote.clock_rate} is not supported, {local.clock_rate} is"
    if local.channels != remote.channels:
        return f"{remote.channels} channels are not supported, {local.channels} are"
    if local.name.lower() == "h264":
        return h264.mismatch(local, remote, missing)
    for name, default in _CONFIGURATION.get(local.name.lower(), ()):
        ours, theirs = local.parameter(name) or default, remote.parameter(name) or default
        if ours.lower() != theirs.lower():
            return f"{name} {theirs} is not wanted, only {ours}"
    return None


def pair_codecs(
    local: Sequence[RtpCodec], remote: Sequence[RtpCodec], missing: MissingProfile
) -> tuple[list[CodecPair], dict[int, str]]:
    """Pairs in the remote order, and why each other remote payload type was left.

    A pair of equal payload types is made first: an answer mostly keeps the offer's
    numbers, and two local entries may match one format.
    """
    free = [codec for codec in local if not codec.is_rtx]
    pairs, reasons = [], {}
    for theirs in remote:
        by_number = sorted(free, key=lambda ours: ours.payload_type != theirs.payload_type)
        found = next((ours for ours in by_number if mismatch(ours, theirs, missing) is None), None)
        if found is not None:
            free.remove(found)
            pairs.append(CodecPair(found, theirs))
        elif theirs.payload_type is not None:
            reasons[theirs.payload_type] = _reason(local, theirs, missing)
    return pairs, reasons


def _reason(local: Sequence[RtpCodec], remote: RtpCodec, missing: MissingProfile) -> str:
    """The reason of the entry that came nearest."""
    same_name = [c for c in local if c.name.lower() == remote.name.lower()]
    reasons = [mismatch(c, remote, missing) for c in same_name]
    if not reasons:
        return "not supported here"
    unlike = [reason for reason in reasons if reason is not None]
    if len(unlike) < len(reasons):
        return "an earlier format is the same"
    return "; ".join(dict.fromkeys(unlike))


def in_local_order(pairs: Iterable[CodecPair], local: Sequence[RtpCodec]) -> list[CodecPair]:
    """By our preference (RFC 8829 section 5.3.1: codec preferences outrank the offer)."""
    places = {id(codec): place for place, codec in enumerate(local)}
    return sorted(pairs, key=lambda pair: places[id(pair.local)])


def answered_codec(pair: CodecPair, *, repaired: bool, missing: MissingProfile) -> NegotiatedCodec:
    """For the answerer: the offer's numbers both ways, our parameters for what we take."""
    local, remote = pair.local, pair.remote
    feedback = common_feedback(local, remote)
    rtx = remote.rtx_payload_type if repaired else None
    send, receive = _parameters(pair, missing, answering=True)
    return NegotiatedCodec(
        local,
        dataclasses.replace(
            remote, feedback=feedback, parameters=send, rtx_payload_type=rtx, kind=local.kind
        ),
        dataclasses.replace(
            local,
            payload_type=remote.payload_type,
            feedback=feedback,
            parameters=receive,
            rtx_payload_type=rtx,
        ),
    )


def offered_codec(
    offered: NegotiatedCodec, remote: RtpCodec, missing: MissingProfile
) -> NegotiatedCodec:
    """For the offerer: our numbers for what arrives, the answer's for what we send."""
    receive = offered.receive
    feedback = common_feedback(receive, remote)
    both_rtx = receive.rtx_payload_type is not None and remote.rtx_payload_type is not None
    send, ours = _parameters(CodecPair(receive, remote), missing, answering=False)
    return NegotiatedCodec(
        offered.local,
        dataclasses.replace(
            remote,
            kind=receive.kind,
            feedback=feedback,
            parameters=send,
            rtx_payload_type=remote.rtx_payload_type if both_rtx else None,
        ),
        dataclasses.replace(
            receive,
            feedback=feedback,
            parameters=ours,
            rtx_payload_type=receive.rtx_payload_type if both_rtx else None,
        ),
    )


def common_feedback(local: RtpCodec, remote: RtpCodec) -> tuple[str, ...]:
    """Feedback that both have, in our order (RFC 4585 section 4.2)."""
    theirs = {value.lower() for value in remote.feedback}
    return tuple(value for value in local.feedback if value.lower() in theirs)


def dropped_entries(
    index: int, remote: Sequence[RtpCodec], reasons: dict[int, str]
) -> list[ReportEntry]:
    return [
        ReportEntry(index, str(codec), Verdict.DROPPED, reasons[codec.payload_type])
        for codec in remote
        if codec.payload_type in reasons
    ]


def kept_entry(index: int, remote: RtpCodec, codec: NegotiatedCodec) -> ReportEntry:
    reason = f"we send as {codec.send.payload_type} and receive as {codec.receive.payload_type}"
    if codec.send.rtx_payload_type is not None:
        reason += f", repaired by RTX {codec.send.rtx_payload_type}"
    return ReportEntry(index, str(remote), Verdict.KEPT, reason)


Parameters = tuple[tuple[str, str], ...]


def _parameters(
    pair: CodecPair, missing: MissingProfile, *, answering: bool
) -> tuple[Parameters, Parameters]:
    """For sending: what the peer declared. For receiving: what we declare."""
    send, receive = pair.remote.parameters, pair.local.parameters
    if pair.local.name.lower() != "h264":
        return send, receive
    levels = h264.agree_on_level(pair.local, pair.remote, missing)
    if levels is None:
        return send, receive
    send = _with(send, h264.PROFILE_LEVEL_ID, str(levels.send))
    receive = _with(receive, h264.PROFILE_LEVEL_ID, str(levels.receive))
    if answering and not levels.asymmetric:
        receive = tuple((k, v) for k, v in receive if k.lower() != h264.LEVEL_ASYMMETRY)
    return send, receive


def _with(parameters: Parameters, name: str, value: str) -> Parameters:
    """The parameters with one of them set, in its place or at the end."""
    if not any(key.lower() == name for key, _ in parameters):
        return (*parameters, (name, value))
    return tuple((k, value if k.lower() == name else v) for k, v in parameters)
