"""AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import SrtpError, SrtpFailure
from .index import (
    MAX_RTCP_INDEX,
    MAX_STREAMS,
    ReplayWindow,
    check_run,
    estimate_index,
    next_index,
    unpack_sequence_and_ssrc,
)
from .keys import SessionKeys

TAG_LENGTH = 16
RTP_OVERHEAD = TAG_LENGTH
RTCP_OVERHEAD = TAG_LENGTH + 4

_RTP_FIXED_LENGTH = 12
_RTCP_FIXED_LENGTH = 8
_E_FLAG = 0x8000_0000

_pack_word = struct.Struct("!I").pack
_unpack_word = struct.Struct("!I").unpack_from


class _SentStream:
    """One SSRC of ours: its part of the IV, and the last index used."""

    __slots__ = ("index", "iv")

    def __init__(self, iv: int, index: int) -> None:
        self.iv = iv
        self.index = index


class GcmSender:
    """Protects what we send, with session keys."""

    __slots__ = ("_rtcp", "_rtcp_index", "_rtcp_iv", "_rtp_encrypt", "_rtp_salt", "_streams")

    def __init__(self, keys: SessionKeys, *, first_rtcp_index: int = 0) -> None:
        self._rtp_encrypt = AESGCM(keys.rtp_key).encrypt
        self._rtp_salt = int.from_bytes(keys.rtp_salt, "big")
        self._rtcp = AESGCM(keys.rtcp_key)
        self._rtcp_iv = int.from_bytes(keys.rtcp_salt, "big")
        self._rtcp_index = first_rtcp_index
        self._streams: dict[int, _SentStream] = {}

    def protect(self, header: bytes, payload: bytes) -> bytes:
        sequence_number, ssrc = unpack_sequence_and_ssrc(header)
        stream = self._streams.get(ssrc)
        if stream is None:
            stream = self._open(ssrc, sequence_number)
        stream.index = index = next_index(sequence_number, stream.index)
        return header + self._rtp_encrypt((stream.iv ^ index).to_bytes(12, "big"), payload, header)

    def protect_run(self, headers: Sequence[bytes], payloads: Sequence[bytes]) -> list[bytes]:
        if not headers:
            return []
        sequence_number, ssrc = unpack_sequence_and_ssrc(headers[0])
        check_run(headers)
        stream = self._streams.get(ssrc)
        if stream is None:
            stream = self._open(ssrc, sequence_number)
        first = next_index(sequence_number, stream.index, count=len(headers))
        # Spent before any is used, and taken from here, not from the headers: whatever
        # these say, or an exception leaves behind, no index can serve twice.
        stream.index = first + len(headers) - 1
        iv, encrypt = stream.iv, self._rtp_encrypt
        return [
            header + encrypt((iv ^ index).to_bytes(12, "big"), payload, header)
            for index, header, payload in zip(
                range(first, first + len(headers)), headers, payloads, strict=True
            )
        ]

    def protect_rtcp(self, data: bytes) -> bytes:
        index = self._rtcp_index
        if len(data) < _RTCP_FIXED_LENGTH:
            raise SrtpError(SrtpFailure.MALFORMED)
        if index > MAX_RTCP_INDEX:
            raise SrtpError(SrtpFailure.KEY_EXHAUSTED)
        self._rtcp_index = index + 1
        header = data[:_RTCP_FIXED_LENGTH]
        (ssrc,) = _unpack_word(data, 4)
        trailer = _pack_word(_E_FLAG | index)
        iv = (self._rtcp_iv ^ ssrc << 48 ^ index).to_bytes(12, "big")
        cipher = self._rtcp.encrypt(iv, data[_RTCP_FIXED_LENGTH:], header + trailer)
        return header + cipher + trailer

    def _open(self, ssrc: int, sequence_number: int) -> _SentStream:
        """State for a new SSRC, whose rollover counter starts at 0."""
        if len(self._streams) >= MAX_STREAMS:
            raise SrtpError(SrtpFailure.TOO_MANY_STREAMS)
        stream = _SentStream(self._rtp_salt ^ ssrc << 48, sequence_number - 1)
        self._streams[ssrc] = stream
        return stream


class GcmReceiver:
    """Checks and decrypts what the peer sent, with session keys."""

    __slots__ = ("_rtcp", "_rtcp_salt", "_rtcp_windows", "_rtp_decrypt", "_rtp_salt", "_windows")

    def __init__(self, keys: SessionKeys) -> None:
        self._rtp_decrypt = AESGCM(keys.rtp_key).decrypt
        self._rtp_salt = int.from_bytes(keys.rtp_salt, "big")
        self._rtcp = AESGCM(keys.rtcp_key)
        self._rtcp_salt = int.from_bytes(keys.rtcp_salt, "big")
        self._windows: dict[int, ReplayWindow] = {}
        self._rtcp_windows: dict[int, ReplayWindow] = {}

    def unprotect(self, data: bytes) -> bytes:
        if len(data) < _RTP_FIXED_LENGTH + TAG_LENGTH or data[0] >> 6 != 2:
            raise SrtpError(SrtpFailure.MALFORMED)
        end = _RTP_FIXED_LENGTH + 4 * (data[0] & 0x0F)
        if data[0] & 0x10:  # of a length that is cut off, what is there is believed
            end += 4 + 4 * int.from_bytes(data[end + 2 : end + 4], "big")
        if len(data) < end + TAG_LENGTH:
            raise SrtpError(SrtpFailure.MALFORMED)
        header = data[:end]
        sequence_number, ssrc = unpack_sequence_and_ssrc(data)
        window = self._windows.get(ssrc)
        if window is None:
            window, index = self._new_window(self._windows), sequence_number
        else:
            index = estimate_index(sequence_number, window.highest)
            window.check(index)
        iv = (self._rtp_salt ^ ssrc << 48 ^ index).to_bytes(12, "big")
        try:
            payload = self._rtp_decrypt(iv, data[end:], header)
        except InvalidTag:
            raise SrtpError(SrtpFailure.AUTHENTICATION_FAILED) from None
        window.accept(index)
        self._windows[ssrc] = window
        return header + payload

    def unprotect_rtcp(self, data: bytes) -> bytes:
        if len(data) < _RTCP_FIXED_LENGTH + RTCP_OVERHEAD or data[0] >> 6 != 2:
            raise SrtpError(SrtpFailure.MALFORMED)
        (word,) = _unpack_word(data, len(data) - 4)
        (ssrc,) = _unpack_word(data, 4)
        index = word & MAX_RTCP_INDEX
        window = self._rtcp_windows.get(ssrc) or self._new_window(self._rtcp_windows)
        window.check(index)
        iv = (self._rtcp_salt ^ ssrc << 48 ^ index).to_bytes(12, "big")
        plain = self._open_rtcp(iv, data, is_encrypted=bool(word & _E_FLAG))
        window.accept(index)
        self._rtcp_windows[ssrc] = window
        return plain

    def _open_rtcp(self, iv: bytes, data: bytes, *, is_encrypted: bool) -> bytes:
        """Undo RFC 7714 section 9.2, or 9.3 for a packet that is only authenticated."""
        body, trailer = data[:-4], data[-4:]
        split = _RTCP_FIXED_LENGTH if is_encrypted else len(body) - TAG_LENGTH
        clear, cipher = body[:split], body[split:]
        try:
            return clear + self._rtcp.decrypt(iv, cipher, clear + trailer)
        except InvalidTag:
            raise SrtpError(SrtpFailure.AUTHENTICATION_FAILED) from None

    @staticmethod
    def _new_window(windows: dict[int, ReplayWindow]) -> ReplayWindow:
        """A window that joins the table only when a packet has proved its SSRC."""
        if len(windows) >= MAX_STREAMS:
            raise SrtpError(SrtpFailure.TOO_MANY_STREAMS)
        return ReplayWindow()
