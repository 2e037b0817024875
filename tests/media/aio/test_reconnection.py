from __future__ import annotations

import dataclasses

import pytest

from media.aio.reconnection import PATIENCE, Reconnection
from media.source import MediaSourceError, SourceDescription, VideoTrack

CAMERA = SourceDescription("cam", VideoTrack("vp8", 640, 480, None, True), None, live=True)


class Camera:
    """Comes back after so many tries."""

    def __init__(self, tries: int, *, as_what: SourceDescription = CAMERA) -> None:
        self.description = CAMERA
        self.tries_left = tries
        self._as_what = as_what

    def reopen(self) -> None:
        self.tries_left -= 1
        if self.tries_left > 0:
            raise MediaSourceError("cam", "there is no such camera")
        self.description = self._as_what


class Clock:
    """Time that passes by waiting."""

    def __init__(self, *, closed_at: float = float("inf")) -> None:
        self.waits: list[float] = []
        self._closed_at = closed_at

    def now(self) -> float:
        return 100.0 + sum(self.waits)

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return sum(self.waits) >= self._closed_at


def test_a_camera_that_comes_back_is_waited_for_longer_and_longer() -> None:
    clock = Clock()
    reconnection = Reconnection(Camera(5), clock.wait, clock=clock.now)

    assert reconnection.come_back("nothing comes any more")
    assert clock.waits == [0.5, 1.0, 2.0, 2.0, 2.0]


def test_one_that_opens_and_gives_nothing_is_given_up_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    reconnection = Reconnection(Camera(0), clock.wait, clock=clock.now)
    while clock.now() < 100.0 + PATIENCE:
        reconnection.come_back("it has ended")

    with pytest.raises(MediaSourceError) as error:
        reconnection.come_back("it has ended")

    assert str(error.value) == "cam: it was lost, and stays away for a minute: it has ended"
    assert [record.getMessage() for record in caplog.records] == ["cam: it has ended; trying again"]


def test_one_that_stays_away_is_given_up_with_the_last_reason() -> None:
    clock = Clock()

    with pytest.raises(MediaSourceError, match="stays away for a minute: there is no such camera"):
        Reconnection(Camera(1000), clock.wait, clock=clock.now).come_back("it has ended")


def test_after_it_gave_something_there_is_a_whole_minute_again() -> None:
    clock = Clock()
    reconnection = Reconnection(Camera(0), clock.wait, clock=clock.now)
    for _ in range(50):
        reconnection.come_back("it has ended")
        reconnection.succeeded()

    assert clock.waits == [0.5] * 50


def test_one_that_nobody_needs_any_more_is_let_go() -> None:
    clock = Clock(closed_at=2.0)

    assert not Reconnection(Camera(1000), clock.wait, clock=clock.now).come_back("it has ended")


def test_one_that_comes_back_with_other_codecs_cannot_go_on() -> None:
    clock = Clock()
    other = dataclasses.replace(CAMERA, video=VideoTrack("h264", 640, 480, None, True))

    with pytest.raises(MediaSourceError, match="other codecs"):
        Reconnection(Camera(1, as_what=other), clock.wait, clock=clock.now).come_back("it ended")
