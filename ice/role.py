"""Who controls, and how a conflict about it ends (RFC 8445 sections 6.1.1, 7.2.5.1, 7.3.1.1)."""

from __future__ import annotations

import enum

from stun import IceControlled, IceControlling, Message
from transport import RandomBytes


class RoleVerdict(enum.Enum):
    """What the role that a request claims means for us."""

    NO_CONFLICT = "no-conflict"
    WE_SWITCH = "we-switch"
    PEER_SWITCHES = "peer-switches"
    """The request is answered with 487 (Role Conflict)."""


class Role:
    """The role of this agent and the tiebreaker that defends it."""

    def __init__(self, *, controlling: bool, random_bytes: RandomBytes) -> None:
        self.controlling = controlling
        self._random_bytes = random_bytes
        self._tiebreaker = self._draw()

    def attribute(self) -> IceControlling | IceControlled:
        """What every request says of our role (section 7.1.3)."""
        kind = IceControlling if self.controlling else IceControlled
        return kind(self._tiebreaker)

    def judge(self, request: Message) -> RoleVerdict:
        """Compare a request's claim with our role; nothing changes yet.

        Raises:
            DecodeError: the attribute is malformed.
        """
        claim: IceControlling | IceControlled | None
        if self.controlling:
            claim = request.get(IceControlling)
            we_win_as = RoleVerdict.PEER_SWITCHES
            we_lose_as = RoleVerdict.WE_SWITCH
        else:
            claim = request.get(IceControlled)
            # Whoever has the larger tiebreaker is to control: here that means to switch.
            we_win_as = RoleVerdict.WE_SWITCH
            we_lose_as = RoleVerdict.PEER_SWITCHES
        if claim is None:
            return RoleVerdict.NO_CONFLICT
        return we_win_as if self._tiebreaker >= claim.tiebreaker else we_lose_as

    def switch(self) -> None:
        """Take the other role, because a request with the larger tiebreaker said so."""
        self.controlling = not self.controlling

    def refused(self, *, as_controlling: bool) -> bool:
        """A request that claimed a role was answered with 487: take the opposite of that.

        Returns whether our role changed: it does not when it has changed since the
        request was sent. The tiebreaker is drawn anew (section 7.2.5.1).
        """
        self._tiebreaker = self._draw()
        changed = self.controlling is as_controlling
        self.controlling = not as_controlling
        return changed

    def _draw(self) -> int:
        return int.from_bytes(self._random_bytes(8), "big")
