"""RTP: packets, header extensions and what a receiver counts (RFC 3550, RFC 8285).

``RtpPacket`` is one packet; ``pack_headers`` writes headers alone, for the sending
loop. ``SequenceUnwrapper`` and ``TimestampUnwrapper`` extend what wraps on the
wire; ``ReceiveStatistics`` follows one source and makes its report blocks. The
classes with a ``URI`` are the header extensions that hairpin knows.
"""

from .extension_types import (
    AbsoluteSendTime,
    AudioLevel,
    SdesMid,
    SdesRepairedRtpStreamId,
    SdesRtpStreamId,
    TransportSequenceNumber,
    audio_level,
)
from .extensions import HeaderExtension, decode_extensions, encode_extensions
from .packet import FIXED_HEADER_LENGTH, OpaqueExtension, RtpPacket, pack_header, pack_headers
from .source import initial_sequence_number, initial_timestamp, random_ssrc
from .statistics import ReceiveStatistics
from .unwrap import SequenceUnwrapper, TimestampUnwrapper

__all__ = [
    "FIXED_HEADER_LENGTH",
    "AbsoluteSendTime",
    "AudioLevel",
    "HeaderExtension",
    "OpaqueExtension",
    "ReceiveStatistics",
    "RtpPacket",
    "SdesMid",
    "SdesRepairedRtpStreamId",
    "SdesRtpStreamId",
    "SequenceUnwrapper",
    "TimestampUnwrapper",
    "TransportSequenceNumber",
    "audio_level",
    "decode_extensions",
    "encode_extensions",
    "initial_sequence_number",
    "initial_timestamp",
    "pack_header",
    "pack_headers",
    "random_ssrc",
]
