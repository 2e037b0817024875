"""Fan-out to ten viewers: what a packet sent costs, header, SRTP and system call included.

Frames of 40 packets of nearly 1200 bytes, as key frames have them, are sent to ten
connections, with history, header extensions and receiver reports, as fast as the viewers
take them. With frames of 20 the ratio is a tenth to a fifth lower. The viewers are hairpin's for
both sides, in a process on another core; to keep up, nine of them do no more than count.

    python -m benchmarks.media.fan_out [--rounds 7]
"""

from __future__ import annotations

from transport.dtls import SrtpProfile

from .compare import Comparison, main_of, rows_of
from .process import Load

VIEWERS = 10
LOAD = Load(connections=VIEWERS, frames=150, packets=40, window=6, is_counted=True)

COMPARISONS = (
    Comparison(
        "media fan-out to 10 viewers, AES-GCM",
        SrtpProfile.AEAD_AES_128_GCM,
        LOAD,
        measures_sender=True,
        must_hold=4.0,
        aim=8.5,
    ),
    Comparison(
        "media fan-out to 10 viewers, AES-CM",
        SrtpProfile.AES128_CM_SHA1_80,
        LOAD,
        measures_sender=True,
        must_hold=4.0,
        aim=5.0,
    ),
)

rows = rows_of(COMPARISONS)

if __name__ == "__main__":
    main_of(__doc__, COMPARISONS)
