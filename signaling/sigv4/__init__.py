"""AWS Signature Version 4 for the service ``kinesisvideo``, on both sides.

Clients sign with ``sign_headers`` (requests) or ``presign_url`` (WebSockets);
servers call ``verify`` with a ``ReceivedRequest``.
"""

from .canonical import AccessKey, Scope
from .sign import amz_date, host_header, presign_url, sign_headers
from .verify import ReceivedRequest, is_presigned, verify

__all__ = [
    "AccessKey",
    "ReceivedRequest",
    "Scope",
    "amz_date",
    "host_header",
    "is_presigned",
    "presign_url",
    "sign_headers",
    "verify",
]
