from __future__ import annotations

import pytest

from media import CodecName, MediaKind


@pytest.mark.requirement("sdp-media:RTP03")
@pytest.mark.parametrize(
    ("codec", "kind", "clock_rate"),
    [
        (CodecName.H264, MediaKind.VIDEO, 90_000),
        (CodecName.VP8, MediaKind.VIDEO, 90_000),
        (CodecName.OPUS, MediaKind.AUDIO, 48_000),
    ],
)
def test_a_codec_has_its_kind_and_clock(codec: CodecName, kind: MediaKind, clock_rate: int) -> None:
    assert (codec.kind, codec.clock_rate) == (kind, clock_rate)
