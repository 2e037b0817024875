"""The receive path: what a packet costs from the socket to the complete frame.

Frames of 20 packets arrive over four connections as fast as they are taken, from hairpin's
sender in a process on another core. Neither side decodes. Sockets, ICE, SRTP, order, loss
detection, reports and putting frames together are in it.

    python -m benchmarks.media.receive [--rounds 7]
"""

from __future__ import annotations

from transport.dtls import SrtpProfile

from .compare import Comparison, main_of, rows_of
from .process import Load

COMPARISONS = (
    Comparison(
        "media receive path",
        SrtpProfile.AEAD_AES_128_GCM,
        Load(connections=4, frames=500, packets=20),
        measures_sender=False,
        must_hold=2.5,
        aim=3.8,
    ),
)

rows = rows_of(COMPARISONS)

if __name__ == "__main__":
    main_of(__doc__, COMPARISONS)
