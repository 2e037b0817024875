"""Descriptions that real programs wrote, and where more may lie."""

from __future__ import annotations

import os
import pathlib

DATA = pathlib.Path(__file__).parent / "data"

_BESIDE = pathlib.Path(__file__).parents[3] / "shared" / "samples" / "sdp"
_MORE = pathlib.Path(os.environ.get("HAIRPIN_SDP_SAMPLES", str(_BESIDE)))

CAPTURED = sorted(DATA.glob("*.sdp"))
"""Recorded for this project: Chromium, the KVS clients, aiortc."""

ALL = CAPTURED + (sorted(_MORE.rglob("*.sdp")) if _MORE.is_dir() else [])
"""With the documents of a folder that other people own, where there is one."""


def read(name: str) -> str:
    """A captured description, its line endings as they were."""
    return (DATA / name).read_bytes().decode()
