"""Signing, for clients: by Authorization header, and by presigned URL."""

from __future__ import annotations

import datetime
import hashlib
import urllib.parse
from collections.abc import Mapping

from .canonical import (
    ALGORITHM,
    EMPTY_HASH,
    AccessKey,
    Scope,
    canonical_query,
    canonical_request,
    signature,
)

DEFAULT_EXPIRY = 299
"""Seconds a presigned URL is good for, as the JavaScript SDK asks."""

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def amz_date(now: float) -> str:
    """``yyyymmddThhmmssZ`` of a Unix time."""
    return datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def host_header(url: str) -> str:
    """The Host that an HTTP client sends for ``url``: without a default port."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    is_default = parts.port in (None, _DEFAULT_PORTS.get(parts.scheme))
    return host if is_default else f"{host}:{parts.port}"


def sign_headers(
    method: str, url: str, body: bytes, *, key: AccessKey, region: str, now: float
) -> dict[str, str]:
    """The headers to add to a JSON request: content type, date, token, Authorization."""
    date = amz_date(now)
    parts = urllib.parse.urlsplit(url)
    headers = {"content-type": "application/json", "host": host_header(url), "x-amz-date": date}
    if key.session_token is not None:
        headers["x-amz-security-token"] = key.session_token
    request = canonical_request(
        method,
        parts.path,
        urllib.parse.parse_qsl(parts.query, keep_blank_values=True),
        headers=sorted(headers.items()),
        payload_hash=hashlib.sha256(body).hexdigest(),
    )
    scope = Scope(date[:8], region)
    signed = signature(key.secret, scope, date, request)
    names = ";".join(sorted(headers))
    headers["authorization"] = (
        f"{ALGORITHM} Credential={key.id}/{scope}, SignedHeaders={names}, Signature={signed}"
    )
    return headers


def presign_url(
    url: str,
    parameters: Mapping[str, str],
    *,
    key: AccessKey,
    region: str,
    now: float,
    expires: int = DEFAULT_EXPIRY,
) -> str:
    """A WebSocket URL that whoever holds it may open within ``expires`` seconds.

    Raises:
        ValueError: ``url`` already has a query.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.query:
        raise ValueError("an endpoint to sign has no query")
    date = amz_date(now)
    scope = Scope(date[:8], region)
    query = dict(parameters)
    query |= {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{key.id}/{scope}",
        "X-Amz-Date": date,
        "X-Amz-Expires": str(expires),
        "X-Amz-SignedHeaders": "host",
    }
    if key.session_token is not None:
        query["X-Amz-Security-Token"] = key.session_token
    items = list(query.items())
    path = parts.path or "/"
    headers = [("host", host_header(url))]
    request = canonical_request("GET", path, items, headers=headers, payload_hash=EMPTY_HASH)
    items.append(("X-Amz-Signature", signature(key.secret, scope, date, request)))
    return f"{parts.scheme}://{parts.netloc}{path}?{canonical_query(items)}"
