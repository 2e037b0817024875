"""What the signaling service refuses, by the names that KVS clients know.

The names and HTTP statuses are those of the Kinesis Video Streams API models; the
same error has another status at a WebSocket handshake than on the control plane.
"""

from __future__ import annotations

import enum
from typing import Self


class SignalingError(Exception):
    """Base of every error that the signaling package raises."""


class ErrorName(enum.Enum):
    """The ``x-amzn-ErrorType`` of an answer, and its HTTP status."""

    INVALID_ARGUMENT = ("InvalidArgumentException", 400)
    CLIENT_LIMIT_EXCEEDED = ("ClientLimitExceededException", 400)
    ACCOUNT_CHANNEL_LIMIT_EXCEEDED = ("AccountChannelLimitExceededException", 400)
    RESOURCE_IN_USE = ("ResourceInUseException", 400)
    RESOURCE_NOT_FOUND = ("ResourceNotFoundException", 404)
    VERSION_MISMATCH = ("VersionMismatchException", 400)
    TAGS_PER_RESOURCE_EXCEEDED = ("TagsPerResourceExceededLimitException", 400)
    ACCESS_DENIED = ("AccessDeniedException", 401)
    CONNECT_ACCESS_DENIED = ("AccessDeniedException", 403)
    NOT_AUTHORIZED = ("NotAuthorizedException", 401)
    INVALID_CLIENT = ("InvalidClientException", 400)
    SESSION_EXPIRED = ("SessionExpiredException", 400)
    NO_DATA_RETENTION = ("NoDataRetentionException", 400)
    UNRECOGNIZED_CLIENT = ("UnrecognizedClientException", 403)
    INVALID_SIGNATURE = ("InvalidSignatureException", 403)
    INCOMPLETE_SIGNATURE = ("IncompleteSignatureException", 403)
    MISSING_AUTHENTICATION_TOKEN = ("MissingAuthenticationTokenException", 403)
    SERIALIZATION = ("SerializationException", 400)
    UNKNOWN_OPERATION = ("UnknownOperationException", 404)
    METHOD_NOT_ALLOWED = ("MethodNotAllowedException", 405)
    REQUEST_TIMEOUT = ("RequestTimeoutException", 408)
    REQUEST_TOO_LARGE = ("RequestEntityTooLargeException", 413)
    SERVICE_UNAVAILABLE = ("ServiceUnavailableException", 503)
    INTERNAL_FAILURE = ("InternalFailure", 500)

    def __init__(self, code: str, status: int) -> None:
        self.code = code
        self.status = status

    @classmethod
    def find(cls, code: str, status: int) -> Self | None:
        """The error of this code; the status tells those apart that share one."""
        alike = [name for name in cls if name.code == code]
        return next((name for name in alike if name.status == status), next(iter(alike), None))


class ServiceError(SignalingError):
    """A request that the service refuses: a name, its HTTP status, a sentence."""

    def __init__(self, name: ErrorName, message: str) -> None:
        super().__init__(f"{name.code}: {message}")
        self.name = name
        self.message = message
