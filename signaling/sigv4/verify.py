"""Verifying, for servers: whose request it is, or which error it gets.

The verifier rebuilds the canonical request from exactly the headers that the
client says it signed, over the raw target as it arrived: official clients sign
different sets, and one of them signs ``user-agent``.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import hmac
import re
import urllib.parse
from collections.abc import Callable, Sequence

from signaling.errors import ErrorName, ServiceError

from .canonical import ALGORITHM, SERVICE, AccessKey, Scope, canonical_request, encode
from .canonical import signature as compute_signature

MAX_SKEW = 300.0
"""Seconds that a client's clock may be off (the SDKs correct theirs from five minutes on)."""

MAX_EXPIRES = 604_800
"""The longest life of a presigned URL, which the C SDK asks for."""

UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"

_AUTHORIZATION = re.compile(
    rf"{ALGORITHM}\s+Credential=(?P<credential>[^,\s]+),\s*"
    r"SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[^,\s]+)\Z"
)

KeyLookup = Callable[[str], AccessKey | None]


@dataclasses.dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request as it arrived: the raw target, all headers in order.

    ``hosts`` are the names that the client may have signed beside its Host header:
    the public one when a proxy stands in between.
    """

    method: str
    target: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    hosts: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class _Claim:
    """What a request says of its own signature."""

    key_id: str
    scope: Scope
    amz_date: str
    signed_headers: tuple[str, ...]
    signature: str
    parameters: tuple[tuple[str, str], ...]
    payload_hash: str


def is_presigned(request: ReceivedRequest) -> bool:
    """Whether the signature is in the query."""
    return "X-Amz-Signature=" in request.target.partition("?")[2]


def verify(request: ReceivedRequest, *, keys: KeyLookup, region: str, now: float) -> str:
    """Return the id of the access key that signed ``request``. ``now`` is Unix time.

    Raises:
        ServiceError: there is no signature, or it does not hold; the message says why.
    """
    claim = _presigned_claim(request, now) if is_presigned(request) else _header_claim(request, now)
    key = keys(claim.key_id)
    if key is None:
        raise ServiceError(
            ErrorName.UNRECOGNIZED_CLIENT, "The security token included in the request is invalid."
        )
    _check_scope(claim, region)
    if not any(
        hmac.compare_digest(
            compute_signature(key.secret, claim.scope, claim.amz_date, text), claim.signature
        )
        for text in _canonical_requests(request, claim)
    ):
        raise ServiceError(
            ErrorName.INVALID_SIGNATURE,
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
        )
    return key.id


def _header_claim(request: ReceivedRequest, now: float) -> _Claim:
    authorization = _header(request, "authorization")
    if authorization is None:
        raise ServiceError(ErrorName.MISSING_AUTHENTICATION_TOKEN, "Missing Authentication Token")
    match = _AUTHORIZATION.match(authorization.strip())
    date = _header(request, "x-amz-date")
    if match is None or date is None:
        raise ServiceError(
            ErrorName.INCOMPLETE_SIGNATURE,
            "Authorization needs Credential, SignedHeaders and Signature, and X-Amz-Date a date.",
        )
    moment = _moment(date)
    if now - moment > MAX_SKEW:
        raise _expired(date, now)
    _check_not_early(date, moment, now)
    _, _, query = request.target.partition("?")
    parameters = tuple(urllib.parse.parse_qsl(query, keep_blank_values=True))
    declared = _header(request, "x-amz-content-sha256")
    unsigned = declared == UNSIGNED_PAYLOAD
    payload_hash = UNSIGNED_PAYLOAD if unsigned else hashlib.sha256(request.body).hexdigest()
    return _claim(
        match["credential"],
        date,
        signed_headers=match["headers"],
        signature=match["signature"],
        parameters=parameters,
        payload_hash=payload_hash,
    )


def _presigned_claim(request: ReceivedRequest, now: float) -> _Claim:
    _, _, query = request.target.partition("?")
    pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
    found = dict(reversed(pairs))
    try:
        date = found["X-Amz-Date"]
        expires = int(found["X-Amz-Expires"])
        is_known = found["X-Amz-Algorithm"] == ALGORITHM
        credential, headers = found["X-Amz-Credential"], found["X-Amz-SignedHeaders"]
    except (KeyError, ValueError) as error:
        raise ServiceError(
            ErrorName.INCOMPLETE_SIGNATURE,
            "A presigned URL needs X-Amz-Algorithm, -Credential, -Date, -Expires, -SignedHeaders.",
        ) from error
    if not is_known or not 1 <= expires <= MAX_EXPIRES:
        raise ServiceError(
            ErrorName.INCOMPLETE_SIGNATURE,
            f"X-Amz-Algorithm must be {ALGORITHM}, X-Amz-Expires from 1 to {MAX_EXPIRES}.",
        )
    moment = _moment(date)
    if now > moment + expires:
        raise _expired(date, now)
    _check_not_early(date, moment, now)
    return _claim(
        credential,
        date,
        signed_headers=headers,
        signature=found["X-Amz-Signature"],
        parameters=tuple(pair for pair in pairs if pair[0] != "X-Amz-Signature"),
        payload_hash=hashlib.sha256(request.body).hexdigest(),
    )


def _claim(
    credential: str,
    date: str,
    *,
    signed_headers: str,
    signature: str,
    parameters: tuple[tuple[str, str], ...],
    payload_hash: str,
) -> _Claim:
    key_id, _, scope_text = credential.partition("/")
    names = tuple(name.lower() for name in signed_headers.split(";"))
    try:
        scope = Scope.parse(scope_text)
    except ValueError as error:
        raise ServiceError(ErrorName.INCOMPLETE_SIGNATURE, f"Credential: {error}") from error
    if "host" not in names:
        raise ServiceError(ErrorName.INVALID_SIGNATURE, "Host must be a signed header.")
    return _Claim(key_id, scope, date, names, signature, parameters, payload_hash)


def _check_scope(claim: _Claim, region: str) -> None:
    if claim.scope.date != claim.amz_date[:8]:
        problem = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date."
    elif claim.scope.region != region:
        problem = f"Credential should be scoped to a valid region, not '{claim.scope.region}'."
    elif claim.scope.service != SERVICE:
        problem = f"Credential should be scoped to correct service: '{SERVICE}'."
    else:
        return
    raise ServiceError(ErrorName.INVALID_SIGNATURE, problem)


def _canonical_requests(request: ReceivedRequest, claim: _Claim) -> list[str]:
    """The texts the client may have hashed: per host name, path encoded once or as sent."""
    path = request.target.partition("?")[0] or "/"
    paths = dict.fromkeys((path, encode(path).replace("%2F", "/")))
    own_host = _header(request, "host")
    hosts = dict.fromkeys((*((own_host,) if own_host else ()), *request.hosts))
    return [
        canonical_request(
            request.method,
            path,
            claim.parameters,
            headers=[
                (name, host if name == "host" else _header(request, name) or "")
                for name in claim.signed_headers
            ],
            payload_hash=claim.payload_hash,
        )
        for host in hosts
        for path in paths
    ]


def _header(request: ReceivedRequest, name: str) -> str | None:
    values = [value for key, value in request.headers if key.lower() == name]
    return ",".join(values) if values else None


def _moment(date: str) -> float:
    try:
        parsed = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ")
    except ValueError as error:
        raise ServiceError(
            ErrorName.INCOMPLETE_SIGNATURE, "X-Amz-Date must be yyyymmddThhmmssZ."
        ) from error
    return parsed.replace(tzinfo=datetime.UTC).timestamp()


# The C SDK finds out that its clock is wrong by these very words in a 403.
def _expired(date: str, now: float) -> ServiceError:
    return ServiceError(
        ErrorName.INVALID_SIGNATURE, f"Signature expired: {date} is now earlier than {_text(now)}."
    )


def _check_not_early(date: str, moment: float, now: float) -> None:
    if moment - now > MAX_SKEW:
        raise ServiceError(
            ErrorName.INVALID_SIGNATURE,
            f"Signature not yet current: {date} is still later than {_text(now)}.",
        )


def _text(now: float) -> str:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
