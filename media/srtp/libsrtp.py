"""libsrtp behind the shapes of this package: the only importer of pylibsrtp.

It receives AES128_CM_SHA1_80, where it is faster than what Python could put together,
and serves any profile in tests, as the reference for what is our own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import NoReturn

import pylibsrtp

from transport.srtp_profile import SrtpProfile

from .errors import SrtpError, SrtpFailure
from .index import MAX_STREAMS, REPLAY_WINDOW, check_run, next_index, unpack_sequence_and_ssrc
from .keys import check_lengths

# pylibsrtp works in a buffer of 1500 bytes, of which it reserves the longest trailer.
MAX_RTP_LENGTH = 1500 - 144
MAX_RTCP_LENGTH = 1500 - 148
MAX_PROTECTED_LENGTH = 1500

_PROFILES = {
    SrtpProfile.AES128_CM_SHA1_80: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
    SrtpProfile.AEAD_AES_128_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    SrtpProfile.AEAD_AES_256_GCM: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
}

# pylibsrtp has no error codes; what is not listed here is a packet it cannot read.
_FAILURES = {
    "authentication failure": SrtpFailure.AUTHENTICATION_FAILED,
    "replay check failed (bad index)": SrtpFailure.REPLAYED,
    "replay check failed (index too old)": SrtpFailure.TOO_OLD,
    "packet index is too old to consider": SrtpFailure.TOO_OLD,
    "can't use key any more": SrtpFailure.KEY_EXHAUSTED,
}

_unpack_rtp_ssrc = struct.Struct("!8xI").unpack_from
_unpack_rtcp_ssrc = struct.Struct("!4xI").unpack_from


class LibsrtpSender:
    """Protects what we send."""

    __slots__ = ("_indexes", "_session")

    def __init__(self, profile: SrtpProfile, key: bytes, salt: bytes) -> None:
        self._session = _session(profile, key, salt, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        self._indexes: dict[int, int] = {}

    def protect(self, header: bytes, payload: bytes) -> bytes:
        sequence_number, ssrc = unpack_sequence_and_ssrc(header)
        if len(header) + len(payload) > MAX_RTP_LENGTH:
            raise SrtpError(SrtpFailure.TOO_LONG)
        index = self._next_index(ssrc, sequence_number)
        protected = _call(self._session.protect, header + payload)
        self._indexes[ssrc] = index
        return protected

    def protect_run(self, headers: Sequence[bytes], payloads: Sequence[bytes]) -> list[bytes]:
        check_run(headers, payloads)
        protect = self.protect
        return [protect(header, payload) for header, payload in zip(headers, payloads, strict=True)]

    def protect_rtcp(self, data: bytes) -> bytes:
        if len(data) < 8:
            raise SrtpError(SrtpFailure.MALFORMED)
        if len(data) > MAX_RTCP_LENGTH:
            raise SrtpError(SrtpFailure.TOO_LONG)
        return _call(self._session.protect_rtcp, data)

    def _next_index(self, ssrc: int, sequence_number: int) -> int:
        """libsrtp would let a packet pass that is late but new; the rule here is one for all."""
        last = self._indexes.get(ssrc)
        if last is None:
            if len(self._indexes) >= MAX_STREAMS:
                raise SrtpError(SrtpFailure.TOO_MANY_STREAMS)
            return sequence_number
        return next_index(sequence_number, last)


class LibsrtpReceiver:
    """Checks and decrypts what the peer sent."""

    __slots__ = ("_rtcp_ssrcs", "_session", "_ssrcs")

    def __init__(self, profile: SrtpProfile, key: bytes, salt: bytes) -> None:
        self._session = _session(profile, key, salt, pylibsrtp.Policy.SSRC_ANY_INBOUND)
        self._ssrcs: set[int] = set()
        self._rtcp_ssrcs: set[int] = set()

    def unprotect(self, data: bytes) -> bytes:
        if len(data) < 12:
            raise SrtpError(SrtpFailure.MALFORMED)
        return self._unprotect(
            self._session.unprotect, data, _unpack_rtp_ssrc(data)[0], self._ssrcs
        )

    def unprotect_rtcp(self, data: bytes) -> bytes:
        if len(data) < 8:
            raise SrtpError(SrtpFailure.MALFORMED)
        ssrc = _unpack_rtcp_ssrc(data)[0]
        return self._unprotect(self._session.unprotect_rtcp, data, ssrc, self._rtcp_ssrcs)

    @staticmethod
    def _unprotect(
        call: Callable[[bytes], bytes], data: bytes, ssrc: int, known: set[int]
    ) -> bytes:
        """libsrtp makes a stream of every SSRC that authenticates; we count them for it."""
        if len(data) > MAX_PROTECTED_LENGTH:
            raise SrtpError(SrtpFailure.TOO_LONG)
        if data[0] >> 6 != 2:
            raise SrtpError(SrtpFailure.MALFORMED)
        if ssrc not in known and len(known) >= MAX_STREAMS:
            raise SrtpError(SrtpFailure.TOO_MANY_STREAMS)
        plain = _call(call, data)
        known.add(ssrc)
        return plain


def _session(profile: SrtpProfile, key: bytes, salt: bytes, direction: int) -> pylibsrtp.Session:
    check_lengths(profile, key, salt)
    policy = pylibsrtp.Policy(
        key=bytes(key) + bytes(salt), ssrc_type=direction, srtp_profile=_PROFILES[profile]
    )
    policy.window_size = REPLAY_WINDOW
    return pylibsrtp.Session(policy)


def _call(function: Callable[[bytes], bytes], data: bytes) -> bytes:
    try:
        return function(data)
    except pylibsrtp.Error as error:
        _fail(error)


def _fail(error: pylibsrtp.Error) -> NoReturn:
    raise SrtpError(_FAILURES.get(str(error), SrtpFailure.MALFORMED)) from error
