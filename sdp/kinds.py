"""The media that hairpin negotiates, and the kinds of description."""

from __future__ import annotations

import enum


class MediaKind(enum.StrEnum):
    """A media type of an m= line (RFC 8866 section 5.14) that carries RTP here."""

    AUDIO = "audio"
    VIDEO = "video"


class SdpType(enum.StrEnum):
    """What a description is in offer/answer (RFC 8829 section 4.1.8)."""

    OFFER = "offer"
    PRANSWER = "pranswer"
    ANSWER = "answer"
