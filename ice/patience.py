"""Patiently awaiting connectivity: when giving up is allowed (RFC 8863 section 4)."""

from __future__ import annotations

PAC_TIMEOUT = 39.5
"""Seconds: the longest life of a STUN transaction with the default RTO, Rc and Rm."""
