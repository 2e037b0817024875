"""Payload formats: access units into RTP payloads and back (RFC 6184, 7741, 7587).

A packetizer cuts the units of one stream once, for all that receive them; start with
``packetizer_for`` and ``depacketizer_for``. Video units are cut into fragments of equal
size, so that one system call can send a run of them.
"""

from .formats import depacketizer_for, packetizer_for
from .fragment import (
    Depacketizer,
    DepacketizerStats,
    DropReason,
    Fragment,
    Packetizer,
    PayloadTooLarge,
    cut_equally,
)
from .h264 import H264Depacketizer, H264Packetizer, H264SingleNalPacketizer
from .opus import OpusDepacketizer, OpusPacketizer
from .vp8 import (
    Vp8Depacketizer,
    Vp8Descriptor,
    Vp8Packetizer,
    with_picture_id,
    with_picture_ids_shifted,
)

__all__ = [
    "Depacketizer",
    "DepacketizerStats",
    "DropReason",
    "Fragment",
    "H264Depacketizer",
    "H264Packetizer",
    "H264SingleNalPacketizer",
    "OpusDepacketizer",
    "OpusPacketizer",
    "Packetizer",
    "PayloadTooLarge",
    "Vp8Depacketizer",
    "Vp8Descriptor",
    "Vp8Packetizer",
    "cut_equally",
    "depacketizer_for",
    "packetizer_for",
    "with_picture_id",
    "with_picture_ids_shifted",
]
