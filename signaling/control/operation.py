"""One operation of the API: a path, a request's shape, and a function between them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Generic, TypeVar

from signaling.channel import Channel, ChannelArn
from signaling.ice_servers import IceServerIssuer
from transport import Event

from .addresses import Reached
from .quotas import RateLimiter, ServiceQuotas
from .tables import ChannelNamespace, Tables
from .wire import Shape, decode_request


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelUpdated(Event):
    """What is said over a channel from now on follows its new settings."""

    channel: Channel


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelDeleted(Event):
    """A channel is gone: whoever is connected to it is sent away."""

    arn: ChannelArn


@dataclasses.dataclass(frozen=True, slots=True)
class Service:
    """What the operations of one service know of it."""

    space: ChannelNamespace
    issuer: IceServerIssuer
    quotas: ServiceQuotas
    random_bytes: Callable[[int], bytes]
    ice_config_requests: RateLimiter


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """What one call stands on: ``now`` is Unix time, ``tables`` its transaction."""

    service: Service
    tables: Tables
    now: float
    reached: Reached


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What a call answers, and what follows from it once the transaction is committed."""

    response: Shape
    events: tuple[Event, ...] = ()


class Empty(Shape, frozen=True):
    """A response, or a request, without members."""


R = TypeVar("R", bound=Shape)


@dataclasses.dataclass(frozen=True, slots=True)
class Operation(Generic[R]):
    """``POST path`` with a JSON body of ``shape``."""

    name: str
    path: str
    shape: type[R]
    handle: Callable[[R, Context], Outcome]

    def __call__(self, body: bytes, context: Context) -> Outcome:
        """Run it.

        Raises:
            ServiceError: the request is refused.
        """
        return self.handle(decode_request(body, self.shape), context)
