"""AEAD_AES_128_GCM and AEAD_AES_256_GCM (RFC 7714)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from operator import add

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .errors import SrtpError, SrtpFailure
from .index import (
    MAX_RTCP_INDEX,
    ReplayWindow,
    SentIndexes,
    check_run,
    header_length,
    unpack_sequence_and_ssrc,
    window_of,
)
from .keys import SessionKeys

TAG_LENGTH = 16
RTP_OVERHEAD = TAG_LENGTH
RTCP_OVERHEAD = TAG_LENGTH + 4

_RTCP_FIXED_LENGTH = 8
_E_FLAG = 0x8000_0000

_pack_word = struct.Struct("!I").pack
_unpack_word = struct.Struct("!I").unpack_from


class GcmSender:
    """Protects what we send, with session keys."""

    __slots__ = ("_rtcp", "_rtcp_index", "_rtcp_iv", "_rtp_encrypt", "_rtp_salt", "_sent")

    def __init__(self, keys: SessionKeys, *, first_rtcp_index: int = 0) -> None:
        self._rtp_encrypt = AESGCM(keys.rtp_key).encrypt
        self._rtp_salt = int.from_bytes(keys.rtp_salt, "big")
        self._rtcp = AESGCM(keys.rtcp_key)
        self._rtcp_iv = int.from_bytes(keys.rtcp_salt, "big")
        self._rtcp_index = first_rtcp_index
        self._sent = SentIndexes()

    def protect(self, header: bytes, payload: bytes) -> bytes:
        sequence_number, ssrc = unpack_sequence_and_ssrc(header)
        index = self._sent.take(ssrc, sequence_number)
        iv = (self._rtp_salt ^ ssrc << 48 ^ index).to_bytes(12, "big")
        return header + self._rtp_encrypt(iv, payload, header)

    def protect_run(self, headers: Sequence[bytes], payloads: Sequence[bytes]) -> list[bytes]:
        check_run(headers, payloads)
        if not headers:
            return []
        sequence_number, ssrc = unpack_sequence_and_ssrc(headers[0])
        first = self._sent.take(ssrc, sequence_number, count=len(headers))
        iv = self._rtp_salt ^ ssrc << 48
        ivs = [(iv ^ index).to_bytes(12, "big") for index in range(first, first + len(headers))]
        # Maps, as they cost a fifth less than a loop (bench_protect_a_run).
        return list(map(add, headers, map(self._rtp_encrypt, ivs, payloads, headers)))

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
        end = header_length(data, TAG_LENGTH)
        header = data[:end]
        sequence_number, ssrc = unpack_sequence_and_ssrc(data)
        window = self._windows.get(ssrc) or window_of(self._windows, ssrc)
        index = window.locate(sequence_number)
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
        window = window_of(self._rtcp_windows, ssrc)
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
