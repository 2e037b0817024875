"""What an endpoint can do with one format, and what two agreed on."""

from __future__ import annotations

import dataclasses

from sdp.kinds import MediaKind


@dataclasses.dataclass(frozen=True, slots=True)
class RtpCodec:
    """One RTP payload format with its parameters: a row of a capability list.

    ``name`` is the encoding name of a=rtpmap, compared without regard to case.
    ``payload_type`` None lets the negotiator number it; a number is a wish, which
    yields to a number that is taken. ``parameters`` are those of a=fmtp in order,
    a lone value with an empty name. ``feedback`` are a=rtcp-fb values such as
    ``"nack pli"``.

    An entry named ``rtx`` says that every codec of its kind may be repaired by
    RFC 4588 retransmission. ``rtx_payload_type`` is filled in by the negotiator.

    Raises:
        ValueError: a number is out of its range.
    """

    kind: MediaKind
    name: str
    clock_rate: int
    channels: int = 1
    payload_type: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()
    feedback: tuple[str, ...] = ()
    rtx_payload_type: int | None = None

    def __post_init__(self) -> None:
        for number in (self.payload_type, self.rtx_payload_type):
            if number is not None and not 0 <= number <= 127:
                raise ValueError(f"a payload type is from 0 to 127, not {number}")
        if self.clock_rate < 1 or self.channels < 1:
            raise ValueError("a clock rate and a number of channels are positive")

    def parameter(self, name: str) -> str | None:
        """The value of an a=fmtp parameter, its name without regard to case."""
        wanted = name.lower()
        for key, value in self.parameters:
            if key.lower() == wanted:
                return value
        return None

    @property
    def is_rtx(self) -> bool:
        return self.name.lower() == "rtx"

    def __str__(self) -> str:
        channels = f"/{self.channels}" if self.channels > 1 else ""
        number = "" if self.payload_type is None else f"{self.payload_type} "
        parameters = ";".join(f"{k}={v}" if k else v for k, v in self.parameters)
        return f"{number}{self.name}/{self.clock_rate}{channels} {parameters}".rstrip()


@dataclasses.dataclass(frozen=True, slots=True)
class NegotiatedCodec:
    """A codec that both sides have.

    ``local`` is the caller's entry unchanged. ``send`` is how to send it: the
    payload type and the parameters that the peer declared (for H264 with the
    profile-level-id that we may send at most). ``receive`` is how it arrives here:
    the numbers and parameters of our own description. Both carry the feedback
    that was agreed on and the payload type of RTX, or None.
    """

    local: RtpCodec
    send: RtpCodec
    receive: RtpCodec
