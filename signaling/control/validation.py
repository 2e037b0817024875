"""Checks that several operations share and a pattern cannot express."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence

from signaling.channel import Channel, ChannelArn
from signaling.errors import ErrorName, ServiceError

from .operation import Context
from .tables import ChannelNamespace
from .wire import invalid

MAX_TAGS = 50
"""Tags of one resource."""

_TAG_PUNCTUATION = frozenset("_.:/=+-@")
_TAG_CATEGORIES = frozenset("LZN")


def parse_arn(text: str, space: ChannelNamespace) -> ChannelArn:
    """The ARN of a channel that could be one of ours.

    Raises:
        ServiceError: it is no channel's, or names another region or account.
    """
    arn = ChannelArn.parse(text)
    if arn.region != space.region:
        raise invalid(f"The ARN is of region {arn.region}; this service is {space.region}.")
    if arn.account != space.account:
        raise invalid(f"The ARN is of account {arn.account}; this service is {space.account}.")
    return arn


def existing_channel(text: str, context: Context) -> Channel:
    """The channel that an ARN names.

    Raises:
        ServiceError: the ARN is bad, or there is no such channel.
    """
    arn = parse_arn(text, context.service.space)
    channel = context.tables.find_channel(context.service.space, arn.name)
    if channel is None or channel.arn != arn:
        raise not_found()
    return channel


def named_channel(name: str | None, arn: str | None, context: Context) -> Channel:
    """The channel that a name, an ARN or both together name.

    Raises:
        ServiceError: there is neither, they disagree, or there is no such channel.
    """
    if arn is not None:
        channel = existing_channel(arn, context)
        if name is not None and channel.name != name:
            raise invalid("ChannelName and ChannelARN name different channels.")
        return channel
    if name is None:
        raise invalid("Either ChannelName or ChannelARN must be given.")
    found = context.tables.find_channel(context.service.space, name)
    if found is None:
        raise not_found()
    return found


def not_found() -> ServiceError:
    """A ResourceNotFoundException, in the words of the service."""
    return ServiceError(
        ErrorName.RESOURCE_NOT_FOUND, "The requested channel is not found or not active."
    )


def check_version(channel: Channel, version: str | None) -> None:
    """Refuse a change that was meant for another version; None is for the latest.

    Raises:
        ServiceError: VersionMismatchException.
    """
    if version is not None and version != channel.version:
        raise ServiceError(
            ErrorName.VERSION_MISMATCH, "CurrentVersion is not the channel's latest version."
        )


def check_tag_text(text: str, member: str) -> None:
    """Letters, spaces, numbers and ``_.:/=+-@`` may stand in a tag.

    Raises:
        ServiceError: something else does.
    """
    for character in text:
        if character in _TAG_PUNCTUATION or unicodedata.category(character)[0] in _TAG_CATEGORIES:
            continue
        raise invalid(f"{member} must match [\\p{{L}}\\p{{Z}}\\p{{N}}_.:/=+\\-@]*")


def merge_tags(
    older: Mapping[str, str], newer: Sequence[tuple[str, str]]
) -> tuple[tuple[str, str], ...]:
    """Tags with newer values for the same keys.

    Raises:
        ServiceError: a key comes twice among the newer, or there are too many in all.
    """
    changes = dict(newer)
    if len(changes) != len(newer):
        raise invalid("Tags must not name a key twice.")
    merged = {**older, **changes}
    if len(merged) > MAX_TAGS:
        raise ServiceError(
            ErrorName.TAGS_PER_RESOURCE_EXCEEDED, f"A resource has at most {MAX_TAGS} tags."
        )
    return tuple(sorted(merged.items()))
