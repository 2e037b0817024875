"""The two ends of a protected stream, whatever its profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from transport.srtp_profile import SrtpProfile

from .cm import CmSender
from .gcm import GcmReceiver, GcmSender
from .keys import derive_session_keys


class SrtpSender:
    """Protects the packets of one direction, of any number of SSRCs.

    ``protect(header, payload)`` makes an SRTP packet of a whole RTP header (with
    CSRCs and extension) and the payload. The sequence numbers of an SSRC must go
    up, by less than 2**15 at a time: an index is never used twice, not even for
    the same bytes, as one repeated index undoes GCM (RFC 7714 section 8.4). To send
    a packet again, send the protected bytes again.

    ``protect_run(headers, payloads)`` does so at once for packets of one SSRC with
    consecutive sequence numbers, such as those of one access unit, at three quarters
    of the cost. ``protect_rtcp(data)`` protects an RTCP packet under an index of its
    own. They are the profile's own functions, so that nothing is added to the cost of
    a packet.

    Raises:
        ValueError: key or salt have not the length of the profile; by ``protect_run``,
            the headers are no run.
        struct.error: by the functions, a header is shorter than an RTP header.
        SrtpError: by the functions; nothing was protected and no index was used.
    """

    __slots__ = ("profile", "protect", "protect_rtcp", "protect_run")

    profile: SrtpProfile
    protect: Callable[[bytes, bytes], bytes]
    protect_run: Callable[[Sequence[bytes], Sequence[bytes]], list[bytes]]
    protect_rtcp: Callable[[bytes], bytes]

    def __init__(self, profile: SrtpProfile, key: bytes, salt: bytes) -> None:
        self.profile = profile
        keys = derive_session_keys(profile, key, salt)
        if profile is SrtpProfile.AES128_CM_SHA1_80:
            transform: CmSender | GcmSender = CmSender(keys)
        else:
            transform = GcmSender(keys)
        self.protect = transform.protect
        self.protect_run = transform.protect_run
        self.protect_rtcp = transform.protect_rtcp


class SrtpReceiver:
    """Checks and decrypts the packets of one direction, of any number of SSRCs.

    ``unprotect(data)`` and ``unprotect_rtcp(data)`` return the RTP or RTCP packet.
    State is kept for an SSRC only from its first packet that authenticates, and a
    packet changes it only when it authenticates.

    Raises:
        ValueError: key or salt have not the length of the profile.
        SrtpError: by the functions, for whatever bytes; the packet is to be dropped.
    """

    __slots__ = ("profile", "unprotect", "unprotect_rtcp")

    profile: SrtpProfile
    unprotect: Callable[[bytes], bytes]
    unprotect_rtcp: Callable[[bytes], bytes]

    def __init__(self, profile: SrtpProfile, key: bytes, salt: bytes) -> None:
        self.profile = profile
        if profile is SrtpProfile.AES128_CM_SHA1_80:
            from .libsrtp import LibsrtpReceiver  # the extra, needed for this profile alone

            transform: LibsrtpReceiver | GcmReceiver = LibsrtpReceiver(profile, key, salt)
        else:
            transform = GcmReceiver(derive_session_keys(profile, key, salt))
        self.unprotect = transform.unprotect
        self.unprotect_rtcp = transform.unprotect_rtcp
