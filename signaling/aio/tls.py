"""Whom a client trusts to be the service."""

from __future__ import annotations

import ssl

from signaling.errors import SignalingError


class ChannelUnreachable(SignalingError):
    """No connection to the service, or it was lost."""


def trust(ca_bundle: str | None) -> ssl.SSLContext | bool:
    """aiohttp's ``ssl`` argument: the system's authorities, and those of a PEM file.

    Raises:
        ChannelUnreachable: the file cannot be read.
    """
    if ca_bundle is None:
        return True
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cafile=ca_bundle)
    except OSError as error:  # ssl.SSLError is one
        raise ChannelUnreachable(f"cannot read the CA bundle {ca_bundle}: {error}") from error
    return context
