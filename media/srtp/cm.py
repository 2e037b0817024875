"""AES128_CM_HMAC_SHA1_80: counter mode and a tag of 80 bits (RFC 3711 section 4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.hmac import HMAC

from .errors import SrtpError, SrtpFailure
from .index import (
    MAX_RTCP_INDEX,
    SentIndexes,
    check_run,
    unpack_sequence_and_ssrc,
)
from .keys import SessionKeys

TAG_LENGTH = 10
_RTCP_FIXED_LENGTH = 8
_E_FLAG = 0x8000_0000

_pack_word = struct.Struct("!I").pack
_unpack_word = struct.Struct("!I").unpack_from


class CmSender:
    """Protects what we send, with session keys.

    The AES key and the HMAC state are prepared once: 2.6 microseconds for 1200 bytes in a
    run, where libsrtp behind pylibsrtp takes 3.2 (bench_protect_a_run). For receiving,
    which has no runs, libsrtp's 2.8 were not reached.
    """

    __slots__ = ("_rtcp_cipher", "_rtcp_index", "_rtp_cipher", "_sent")

    def __init__(self, keys: SessionKeys, *, first_rtcp_index: int = 0) -> None:
        self._rtp_cipher = _rtp_cipher(keys)
        self._rtcp_cipher = _rtcp_cipher(keys)
        self._rtcp_index = first_rtcp_index
        self._sent = SentIndexes()

    def protect(self, header: bytes, payload: bytes) -> bytes:
        sequence_number, ssrc = unpack_sequence_and_ssrc(header)
        index = self._sent.take(ssrc, sequence_number)
        body = header + self._rtp_cipher.encrypt(ssrc, index, payload)
        return body + self._rtp_cipher.tag(body, _pack_word(index >> 16))

    def protect_run(self, headers: Sequence[bytes], payloads: Sequence[bytes]) -> list[bytes]:
        check_run(headers, payloads)
        if not headers:
            return []
        sequence_number, ssrc = unpack_sequence_and_ssrc(headers[0])
        first = self._sent.take(ssrc, sequence_number, count=len(headers))
        indexes = range(first, first + len(headers))
        cipher = self._rtp_cipher
        stream = cipher.salt ^ ssrc << 64
        counters = [(stream ^ index << 16).to_bytes(16, "big") for index in indexes]
        set_counter, encrypt, new_hmac = cipher.set_counter, cipher.update, cipher.new_hmac
        protected = []
        for counter, rollover, header, payload in zip(
            counters, [_pack_word(index >> 16) for index in indexes], headers, payloads, strict=True
        ):
            set_counter(counter)
            body = header + encrypt(payload)
            state = new_hmac()
            state.update(body)
            state.update(rollover)
            protected.append(body + state.finalize()[:TAG_LENGTH])
        return protected

    def protect_rtcp(self, data: bytes) -> bytes:
        index = self._rtcp_index
        if len(data) < _RTCP_FIXED_LENGTH:
            raise SrtpError(SrtpFailure.MALFORMED)
        if index > MAX_RTCP_INDEX:
            raise SrtpError(SrtpFailure.KEY_EXHAUSTED)
        self._rtcp_index = index + 1
        (ssrc,) = _unpack_word(data, 4)
        cipher = self._rtcp_cipher.encrypt(ssrc, index, data[_RTCP_FIXED_LENGTH:])
        body = data[:_RTCP_FIXED_LENGTH] + cipher + _pack_word(_E_FLAG | index)
        return body + self._rtcp_cipher.tag(body)


class _Cipher:
    """The key stream and the tags of SRTP, or of SRTCP, in one direction."""

    __slots__ = ("new_hmac", "salt", "set_counter", "update")

    def __init__(self, key: bytes, salt: bytes, authentication_key: bytes) -> None:
        context: CipherContext = Cipher(AES(key), CTR(bytes(16))).encryptor()
        self.set_counter = context.reset_nonce
        self.update = context.update
        self.new_hmac = HMAC(authentication_key, SHA1()).copy
        self.salt = int.from_bytes(salt, "big") << 16

    def encrypt(self, ssrc: int, index: int, data: bytes) -> bytes:
        """Encrypt (RFC 3711 section 4.1.1)."""
        self.set_counter((self.salt ^ ssrc << 64 ^ index << 16).to_bytes(16, "big"))
        return self.update(data)

    def tag(self, data: bytes, rollover_counter: bytes = b"") -> bytes:
        """Section 4.2: of SRTP the rollover counter is authenticated, but not sent."""
        state = self.new_hmac()
        state.update(data)
        state.update(rollover_counter)
        return state.finalize()[:TAG_LENGTH]


def _rtp_cipher(keys: SessionKeys) -> _Cipher:
    return _Cipher(keys.rtp_key, keys.rtp_salt, keys.rtp_authentication_key)


def _rtcp_cipher(keys: SessionKeys) -> _Cipher:
    return _Cipher(keys.rtcp_key, keys.rtcp_salt, keys.rtcp_authentication_key)
