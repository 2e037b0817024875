"""Where media comes from, without I/O: what a source offers, and its timeline.

``SourceDescription`` says which streams a source can give and why one cannot be passed
through; ``GopCache`` holds what a joining viewer starts with. ``media.aio.player``
opens files and plays them.
"""

from .gop_cache import MAX_GOP_BYTES, MAX_GOP_SECONDS, GopCache

__all__ = ["MAX_GOP_BYTES", "MAX_GOP_SECONDS", "GopCache"]
