"""Why a URI leads to no server."""

from __future__ import annotations

from stun.errors import StunError


class ResolutionError(StunError):
    """Base of them all."""


class UnsupportedTransport(ResolutionError, ValueError):
    """The URI asks for a transport that is not known, or not among the supported ones."""


class UnverifiableServer(ResolutionError, ValueError):
    """A secure URI with an IP address, and no name to check the certificate against."""


class NoServerFound(ResolutionError):
    """DNS has no address for what the URI names."""
