"""Keeping audio and video together: the rule that places one run of timestamps by another.

Video leads, as every one of its frames is shown; audio is placed beside it.
"""

from __future__ import annotations

from .track_clock import TrackClock

MAX_SKEW = 0.04
"""Seconds of audio beside video that are left as they are: nobody sees them (ITU-R
BT.1359-1 has 45 ms), and each correction is a click or a gap."""

MAX_CORRECTION = 10.0
"""Seconds; two sender reports that lie further apart than this show a peer whose wall
clock was set in between, and not streams that drifted apart."""


def place_beside(leader: TrackClock, follower: TrackClock) -> float:
    """Where timestamp 0 of the follower stands, its leader having a place."""
    assert leader.place is not None, "the leader has no place yet"
    by_arrival = follower.arrival_zero - leader.arrival_zero
    by_wall = _wall_distance(leader, follower)
    if by_wall is None or abs(by_wall - by_arrival) > MAX_CORRECTION:
        return leader.place + by_arrival
    return leader.place + by_wall


def correct(leader: TrackClock, follower: TrackClock) -> bool:
    """Move the follower to where sender reports say it belongs; True if that was needed."""
    by_wall = _wall_distance(leader, follower)
    if by_wall is None or leader.place is None or follower.place is None:
        return False
    error = leader.place + by_wall - follower.place
    if not MAX_SKEW < abs(error) < MAX_CORRECTION:
        return False
    follower.place += error
    return True


def _wall_distance(leader: TrackClock, follower: TrackClock) -> float | None:
    if leader.wall_zero is None or follower.wall_zero is None:
        return None
    return follower.wall_zero - leader.wall_zero
