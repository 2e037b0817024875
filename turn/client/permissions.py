"""Permissions: which IP addresses may send to us (RFC 8656 sections 9 and 10)."""

from __future__ import annotations

from collections.abc import Sequence

from stun import ErrorNumber, Method, XorPeerAddress
from transport import IPAddress, TransportAddress

from .events import FailureReason, PermissionInstalled, PermissionRefused
from .limits import (
    MAX_IPV4_PEERS_PER_REQUEST,
    MAX_IPV6_PEERS_PER_REQUEST,
    MAX_PERMISSIONS,
    PERMISSION_LIFETIME,
    REFRESH_MARGIN,
    RETRY_PAUSE,
)
from .requests import Failed, Requests, Succeeded
from .session import ClientSession


class Permission:
    """One IP address; ``expires_at`` is None while the server has not confirmed it."""

    __slots__ = ("expires_at", "ip", "is_wanted", "refresh_at", "under_way")

    def __init__(self, ip: IPAddress) -> None:
        self.ip = ip
        self.is_wanted = False
        self.under_way = 0
        self.expires_at: float | None = None
        self.refresh_at = 0.0

    @property
    def wake_at(self) -> float | None:
        """When there is something to do about it."""
        if self.expires_at is None:
            return None
        if self.is_wanted and not self.under_way:
            return min(self.refresh_at, self.expires_at)
        return self.expires_at

    def extend(self, sent_at: float) -> None:
        """A request that was sent then has succeeded."""
        self.expires_at = max(self.expires_at or 0.0, sent_at + PERMISSION_LIFETIME)
        self.refresh_at = self.expires_at - REFRESH_MARGIN


class Permissions:
    """Installs permissions and refreshes them, many with one request.

    Those that are asked for between two rounds of the driver share a request, and so do
    all refreshes: when the first is due, the others are refreshed with it.
    """

    __slots__ = ("_asked", "_entries", "_requests", "_session")

    def __init__(self, session: ClientSession, requests: Requests) -> None:
        self._session = session
        self._requests = requests
        self._entries: dict[IPAddress, Permission] = {}
        self._asked: list[Permission] = []

    def allows(self, ip: IPAddress) -> bool:
        """Whether data may be sent there: the server has confirmed the permission."""
        entry = self._entries.get(ip)
        return entry is not None and entry.expires_at is not None

    def expects(self, ip: IPAddress) -> bool:
        """Whether data may come from there: the server has the permission, or may have."""
        return ip in self._entries

    def install(self, ip: IPAddress) -> None:
        """Want a permission; ``flush`` sends for it. An event tells how it went.

        Raises:
            ValueError: the address is not of the relayed transport address's family.
        """
        self._session.check_family(TransportAddress(ip, 0))
        entry = self._entry(ip)
        if entry is None:
            refused = PermissionRefused(ip, None, FailureReason.LIMIT_REACHED)
            self._session.events.append(refused)
            return
        entry.is_wanted = True
        if entry.expires_at is not None:
            self._session.events.append(PermissionInstalled(ip))
            self._arm()
        elif not entry.under_way:
            entry.under_way += 1
            self._asked.append(entry)

    def release(self, ip: IPAddress) -> None:
        """Refresh it no more: it lapses by itself. It need not be there."""
        if (entry := self._entries.get(ip)) is not None:
            entry.is_wanted = False
            self._arm()

    def forget_unreachable(self) -> None:
        """A relayed transport address is gone: so are the permissions of its family."""
        for entry in list(self._entries.values()):
            if not self._session.reaches(entry.ip):
                entry.is_wanted = False
                entry.expires_at = None
                self._forget_if_void(entry)
        self._arm()

    def flush(self, now: float) -> None:
        """Send for what ``install`` has asked."""
        if self._asked:
            asked, self._asked = self._asked, []
            self._request(asked, now)

    def due(self, now: float) -> None:
        """Refresh, or forget what has expired."""
        entries = list(self._entries.values())
        for entry in entries:
            if entry.expires_at is not None and entry.expires_at <= now:
                self._expire(entry)
        if any(_needs_refresh(entry) and entry.refresh_at <= now for entry in entries):
            wanted = [entry for entry in entries if _needs_refresh(entry)]
            for entry in wanted:
                entry.under_way += 1
            self._request(wanted, now)
        self._arm()

    # What a ChannelBind request does to the permission of its peer (section 12.2)

    def expect(self, ip: IPAddress) -> bool:
        """A ChannelBind request goes out; False if there is no room for its permission."""
        entry = self._entry(ip)
        if entry is None:
            return False
        entry.under_way += 1
        return True

    def confirm(self, ip: IPAddress, sent_at: float) -> None:
        """It succeeded."""
        entry = self._entries[ip]
        entry.under_way -= 1
        self._extend(entry, sent_at)
        self._arm()

    def keep(self, ip: IPAddress) -> None:
        """The channel is to stay: refresh its permission."""
        self._entries[ip].is_wanted = True
        self._arm()

    def disappoint(self, ip: IPAddress) -> None:
        """It failed."""
        entry = self._entries[ip]
        entry.under_way -= 1
        self._forget_if_void(entry)
        self._arm()

    def _entry(self, ip: IPAddress) -> Permission | None:
        entry = self._entries.get(ip)
        if entry is None and len(self._entries) < MAX_PERMISSIONS:
            entry = self._entries[ip] = Permission(ip)
        return entry

    def _request(self, entries: Sequence[Permission], now: float) -> None:
        """Ask for permissions, in as few requests as their number allows."""
        for version, most in ((4, MAX_IPV4_PEERS_PER_REQUEST), (6, MAX_IPV6_PEERS_PER_REQUEST)):
            same = [entry for entry in entries if entry.ip.version == version]
            for start in range(0, len(same), most):
                self._request_batch(same[start : start + most], now)

    def _request_batch(self, batch: Sequence[Permission], now: float) -> None:
        def concluded(outcome: Succeeded | Failed, now: float) -> None:
            self._concluded(batch, outcome, now)

        # Permissions know no ports: RFC 8656 section 10.1 leaves the port open.
        peers = [XorPeerAddress(TransportAddress(entry.ip, 0)) for entry in batch]
        self._requests.start(Method.CREATE_PERMISSION, peers, concluded, now)

    def _concluded(
        self, batch: Sequence[Permission], outcome: Succeeded | Failed, now: float
    ) -> None:
        if isinstance(outcome, Failed):
            if outcome.reason is FailureReason.MISMATCH:
                self._session.lose(outcome.reason, outcome.code)
                return
            if len(batch) > 1 and _may_be_due_to_one(outcome):
                # One forbidden peer must not cost the others their permission.
                for entry in batch:
                    self._request_batch((entry,), now)
                return
        for entry in batch:
            entry.under_way -= 1
            if isinstance(outcome, Succeeded):
                self._extend(entry, outcome.sent_at)
            else:
                self._fail(entry, outcome, now)
        self._arm()

    def _extend(self, entry: Permission, sent_at: float) -> None:
        if not self._session.reaches(entry.ip):
            self._forget_if_void(entry)
            return
        if entry.expires_at is None:
            self._session.events.append(PermissionInstalled(entry.ip))
        entry.extend(sent_at)

    def _fail(self, entry: Permission, outcome: Failed, now: float) -> None:
        if entry.expires_at is not None and outcome.is_passing:
            entry.refresh_at = now + RETRY_PAUSE
            return
        entry.expires_at = None
        if entry.is_wanted:
            refused = PermissionRefused(entry.ip, outcome.code, outcome.reason, outcome.phrase)
            self._session.events.append(refused)
        entry.is_wanted = False
        self._forget_if_void(entry)

    def _expire(self, entry: Permission) -> None:
        entry.expires_at = None
        if entry.is_wanted and not entry.under_way:
            entry.is_wanted = False
            refused = PermissionRefused(entry.ip, None, FailureReason.EXPIRED)
            self._session.events.append(refused)
        self._forget_if_void(entry)

    def _forget_if_void(self, entry: Permission) -> None:
        if entry.expires_at is None and not entry.under_way:
            self._entries.pop(entry.ip, None)

    def _arm(self) -> None:
        times = (entry.wake_at for entry in self._entries.values())
        wake_at = min((at for at in times if at is not None), default=None)
        if wake_at is None:
            self._session.timers.cancel(self)
        else:
            self._session.timers.set(self, wake_at)


def _needs_refresh(entry: Permission) -> bool:
    return entry.is_wanted and entry.expires_at is not None and not entry.under_way


def _may_be_due_to_one(outcome: Failed) -> bool:
    """Whether the server may have objected to one address among many."""
    return outcome.reason is FailureReason.REFUSED and outcome.code != ErrorNumber.SERVER_ERROR
