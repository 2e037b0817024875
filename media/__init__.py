"""RTP media over WebRTC: packets, reports, protection, payload formats, sessions.

Start with ``AccessUnit``: what an encoder puts out and a decoder takes in. Below
it each folder is one piece, usable alone: ``media.rtp`` (packets, header
extensions, reception statistics), ``media.rtcp`` (reports and feedback),
``media.srtp`` (protection; extra ``media`` for AES-CM). Nothing heavy is imported
here; a folder that needs an extra says so when it is imported.
"""

from .units import AccessUnit, CodecName, MediaKind

__all__ = ["AccessUnit", "CodecName", "MediaKind"]
