"""Giving back one address of a dual allocation (RFC 8656 section 8.1)."""

from __future__ import annotations

from stun import AddressFamily

from .channels import Channels
from .permissions import Permissions
from .refresh import Refresh
from .session import ClientSession


class Families:
    """The two addresses of a dual allocation, with what belongs to each."""

    __slots__ = ("_channels", "_permissions", "_refresh", "_session")

    def __init__(
        self,
        session: ClientSession,
        refresh: Refresh,
        permissions: Permissions,
        channels: Channels,
    ) -> None:
        self._session = session
        self._refresh = refresh
        self._permissions = permissions
        self._channels = channels

    def release(self, family: AddressFamily, now: float) -> None:
        """Delete the address of this family; the other stays.

        Raises:
            ValueError: there are not two.
        """
        session = self._session
        if len(session.relayed_addresses) < 2:
            raise ValueError("there are no two addresses: release() deletes the allocation")
        session.relayed_addresses = tuple(
            each for each in session.relayed_addresses if AddressFamily.of(each) is not family
        )
        self._channels.forget_unreachable()
        self._permissions.forget_unreachable()
        self._refresh.delete_family(family, now)
