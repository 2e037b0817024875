"""The table of all operations, and the one call that runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from signaling.errors import ErrorName, ServiceError
from signaling.ice_servers import IceServerIssuer

from .access_keys import ACCESS_KEY_OPERATIONS
from .addresses import Endpoints, Reached
from .channels import CHANNEL_OPERATIONS
from .endpoints import ENDPOINT_OPERATIONS
from .ice_config import ICE_CONFIG_OPERATIONS
from .media_storage import MEDIA_STORAGE_OPERATIONS
from .operation import Context, Outcome, Service
from .quotas import RateLimiter, ServiceQuotas
from .tables import ChannelNamespace, Tables
from .tags import TAG_OPERATIONS

_OPERATIONS: Mapping[str, Callable[[bytes, Context], Outcome]] = {
    operation.path: operation
    for operation in (
        *CHANNEL_OPERATIONS,
        *TAG_OPERATIONS,
        *ENDPOINT_OPERATIONS,
        *MEDIA_STORAGE_OPERATIONS,
        *ICE_CONFIG_OPERATIONS,
        *ACCESS_KEY_OPERATIONS,
    )
}

OPERATION_PATHS = tuple(_OPERATIONS)
"""Where operations are POSTed to; all other paths are unknown operations."""


class ControlPlane:
    """The operations of one service, without I/O: a body in, an outcome out.

    The caller has verified the signature, and commits what ``tables`` collected when
    execute() returns; when it raises, nothing of it may stay. One call at a time.
    """

    def __init__(
        self,
        space: ChannelNamespace,
        endpoints: Endpoints,
        *,
        issuer: IceServerIssuer,
        random_bytes: Callable[[int], bytes],
        quotas: ServiceQuotas | None = None,
    ) -> None:
        quotas = quotas or ServiceQuotas()
        limiter = RateLimiter("GetIceServerConfig", quotas.ice_configs, quotas.burst_seconds)
        self._service = Service(space, issuer, quotas, random_bytes, limiter)
        self._public = Reached(endpoints)

    def execute(
        self, path: str, body: bytes, *, tables: Tables, now: float, reached: Reached | None = None
    ) -> Outcome:
        """Run the operation at ``path``; ``now`` is Unix time.

        ``reached`` is where the client came to, if not to ``endpoints`` as all do.

        Raises:
            ServiceError: the request is refused.
        """
        operation = _OPERATIONS.get(path)
        if operation is None:
            raise ServiceError(ErrorName.UNKNOWN_OPERATION, "There is no such operation.")
        return operation(body, Context(self._service, tables, now, reached or self._public))
