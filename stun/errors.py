"""Errors of the stun package; DecodeError comes from transport."""

from __future__ import annotations


class StunError(Exception):
    """Base of every error that the stun package raises itself."""


class OpaqueStringError(StunError, ValueError):
    """A username, realm or password holds what RFC 8265 section 4.2 does not allow."""
