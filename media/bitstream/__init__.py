"""Reading what encoders wrote, as far as sending it needs: no decoding.

``annexb`` splits and joins H.264 NAL units, ``avcc``, ``sps`` and ``slices`` say what
is in them, ``parameter_sets`` puts SPS and PPS before every IDR picture; ``vp8`` and
``opus`` read the first bytes of a frame and of a packet.
"""

from .annexb import (
    NalType,
    is_annex_b,
    join_annex_b,
    nal_type,
    split_annex_b,
    split_length_prefixed,
)
from .avcc import AvcDecoderConfiguration
from .opus import OpusPacketHead
from .parameter_sets import ParameterSets
from .slices import SliceHeader, SliceType
from .sps import PictureParameterSet, SequenceParameterSet
from .vp8 import Vp8FrameHeader, is_vp8_keyframe

__all__ = [
    "AvcDecoderConfiguration",
    "NalType",
    "OpusPacketHead",
    "ParameterSets",
    "PictureParameterSet",
    "SequenceParameterSet",
    "SliceHeader",
    "SliceType",
    "Vp8FrameHeader",
    "is_annex_b",
    "is_vp8_keyframe",
    "join_annex_b",
    "nal_type",
    "split_annex_b",
    "split_length_prefixed",
]
