"""What a client is given by an authorization server (RFC 7635 section 10, appendix B)."""

from __future__ import annotations

import dataclasses

from .attributes import AccessToken, Username
from .integrity import IntegrityAlgorithm


@dataclasses.dataclass(frozen=True, slots=True)
class AccessGrant:
    """An access token, and the name and the key that go with it.

    ``kid`` stands in USERNAME, ``token`` in ACCESS-TOKEN; ``mac_key`` signs, with the
    ``algorithm`` that the authorization server named. ``lifetime`` is in seconds, from
    when the client got it.

    Raises:
        ValueError: something is empty or too long, or there are two algorithms.
    """

    kid: str
    token: bytes = dataclasses.field(repr=False)
    mac_key: bytes = dataclasses.field(repr=False)
    lifetime: int
    algorithm: IntegrityAlgorithm = IntegrityAlgorithm.SHA1

    def __post_init__(self) -> None:
        Username(self.kid).encode(b"")
        AccessToken(self.token)
        if not self.kid or not self.token or not self.mac_key or self.lifetime <= 0:
            raise ValueError("a grant has a kid, a token, its key and a lifetime")
        if self.algorithm is IntegrityAlgorithm.BOTH:
            raise ValueError("a grant names one algorithm")
