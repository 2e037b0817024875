"""AWS Signature Version 4: the canonical request and the signature over it.

Both sides share it: a client signs, a server builds the same text from what
arrived and compares. Service name is always ``kinesisvideo``.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import urllib.parse
from collections.abc import Sequence
from typing import Self

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "kinesisvideo"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()


@dataclasses.dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key: its id is public, its secret signs."""

    id: str
    secret: str = dataclasses.field(repr=False)
    session_token: str | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for: a day (``yyyymmdd``), a region, a service."""

    date: str
    region: str
    service: str = SERVICE

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"

    @classmethod
    def parse(cls, text: str) -> Self:
        """From ``date/region/service/aws4_request``.

        Raises:
            ValueError: it has another form.
        """
        parts = text.split("/")
        if len(parts) != 4 or parts[3] != "aws4_request":
            raise ValueError("a credential scope is date/region/service/aws4_request")
        return cls(parts[0], parts[1], parts[2])


def encode(text: str) -> str:
    """Percent-encode all but RFC 3986's unreserved characters."""
    return urllib.parse.quote(text, safe="-_.~")


def canonical_query(parameters: Sequence[tuple[str, str]]) -> str:
    """Sorted by encoded name, then value; order in the URL never counts."""
    return "&".join(
        f"{name}={value}"
        for name, value in sorted((encode(name), encode(value)) for name, value in parameters)
    )


def canonical_request(
    method: str,
    path: str,
    parameters: Sequence[tuple[str, str]],
    *,
    headers: Sequence[tuple[str, str]],
    payload_hash: str,
) -> str:
    """The text that both sides hash. ``headers`` are the signed ones, in their order."""
    names = ";".join(name.lower() for name, _ in headers)
    lines = "".join(f"{name.lower()}:{' '.join(value.split())}\n" for name, value in headers)
    return "\n".join((method, path or "/", canonical_query(parameters), lines, names, payload_hash))


def signature(secret: str, scope: Scope, amz_date: str, request: str) -> str:
    """The hex signature of a canonical request at ``amz_date`` (``yyyymmddThhmmssZ``)."""
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = "\n".join((ALGORITHM, amz_date, str(scope), digest))
    key = f"AWS4{secret}".encode()
    for part in (scope.date, scope.region, scope.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest()
