"""A signaling channel as the control plane keeps it, and its ARN."""

from __future__ import annotations

import dataclasses
import re
from typing import Self

from .errors import ErrorName, ServiceError

DEFAULT_REGION = "us-west-2"
DEFAULT_ACCOUNT = "000000000000"
CHANNEL_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,256}\Z")
MIN_MESSAGE_TTL_SECONDS = 5
MAX_MESSAGE_TTL_SECONDS = 120
DEFAULT_MESSAGE_TTL_SECONDS = 60

_ARN = re.compile(
    r"arn:(?P<partition>[a-z0-9-]+):kinesisvideo:(?P<region>[a-z0-9-]+):(?P<account>[0-9]+)"
    r":channel/(?P<name>[a-zA-Z0-9_.-]+)/(?P<created>[0-9]+)\Z"
)


@dataclasses.dataclass(frozen=True, slots=True)
class ChannelArn:
    """``arn:aws:kinesisvideo:<region>:<account>:channel/<name>/<creation, ms>``."""

    name: str
    created_ms: int
    region: str = DEFAULT_REGION
    account: str = DEFAULT_ACCOUNT
    partition: str = "aws"

    def __str__(self) -> str:
        return (
            f"arn:{self.partition}:kinesisvideo:{self.region}:{self.account}"
            f":channel/{self.name}/{self.created_ms}"
        )

    @classmethod
    def parse(cls, text: str) -> Self:
        """From its text.

        Raises:
            ServiceError: it is no ARN of a signaling channel.
        """
        match = _ARN.match(text) if len(text) <= 1024 else None
        if match is None:
            raise ServiceError(
                ErrorName.INVALID_ARGUMENT, "ChannelARN is not the ARN of a signaling channel"
            )
        return cls(
            match["name"],
            int(match["created"]),
            match["region"],
            match["account"],
            match["partition"],
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Channel:
    """What the service knows of a channel. ``version`` changes with every update."""

    arn: ChannelArn
    version: str
    message_ttl_seconds: int = DEFAULT_MESSAGE_TTL_SECONDS
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return self.arn.name
