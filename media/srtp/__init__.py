"""SRTP and SRTCP (RFC 3711, RFC 7714): keeps media secret and whole on the way.

``SrtpSender`` protects, ``SrtpReceiver`` checks and decrypts; both take a
``SrtpProfile`` with the master key and salt of their direction, as DTLS hands them
out (RFC 5764 section 4.2). The AEAD profiles need ``cryptography`` alone;
receiving AES128_CM_SHA1_80 needs pylibsrtp (extra ``media``).
"""

from transport.srtp_profile import SrtpProfile

from .context import SrtpReceiver, SrtpSender
from .errors import SrtpError, SrtpFailure

__all__ = ["SrtpError", "SrtpFailure", "SrtpProfile", "SrtpReceiver", "SrtpSender"]
