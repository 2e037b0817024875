"""What a row has sent and received, and where in it the fault is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final, Self

from .describing import Described, Part, describe
from .outcome import Direction, Frame, Mark, RowResult

MAX_MESSAGES: Final = 6
"""Of one frame that are shown."""


@dataclasses.dataclass(frozen=True, slots=True)
class Exchange:
    """Frames in their order; ``request`` and ``answer`` are the numbers of those that decide.

    Bytes from ``begin`` to before ``end`` of the frame ``marked`` are what is wrong.
    """

    frames: tuple[Frame, ...]
    request: int | None = None
    answer: int | None = None
    marked: int | None = None
    begin: int = 0
    end: int = 0

    @classmethod
    def of(cls, result: RowResult) -> Self:
        """The exchange of a row that was run."""
        frames, mark = result.frames, result.outcome.mark
        if mark is None:
            return cls(frames, *_last(frames))
        marked, offset = _find(frames, mark)
        if marked is None:
            if not frames:
                return cls(frames)
            # It came in several pieces of a stream: shown here once more, as a whole.
            whole = dataclasses.replace(frames[-1], direction=Direction.RECEIVED, data=mark.data)
            frames, marked, offset = (*frames, whole), len(frames), 0
        begin, end = offset + mark.begin, offset + mark.end
        if frames[marked].direction is Direction.SENT:
            return cls(frames, marked, _next(frames, marked), marked, begin, end)
        return cls(frames, _asked(frames, marked, mark), marked, marked, begin, end)

    def messages(self, number: int) -> tuple[Sequence[Described], int]:
        """What that frame holds, and how many messages more: a stream may bring hundreds.

        Those with what is wrong are among them.
        """
        told = describe(self.frames[number].data)
        kept = [
            each
            for count, each in enumerate(told)
            if count < MAX_MESSAGES or any(self.marks(number, part) for part in each.parts)
        ][: 2 * MAX_MESSAGES]
        return kept, len(told) - len(kept)

    def marks(self, number: int, part: Part) -> bool:
        """Whether a part of that frame is (in) what is wrong."""
        return number == self.marked and part.begin < self.end and self.begin < part.end


def _find(frames: Sequence[Frame], mark: Mark) -> tuple[int | None, int]:
    """The last frame with the marked bytes, and where in it they begin; received ones first."""
    for direction in (Direction.RECEIVED, Direction.SENT):
        for number in reversed(range(len(frames))):
            if frames[number].direction is direction and mark.data:
                offset = frames[number].data.find(mark.data)
                if offset >= 0:
                    return number, offset
    return None, 0


def _asked(frames: Sequence[Frame], answer: int, mark: Mark) -> int | None:
    """What a frame answers: the last before it with its transaction id, or the last at all."""
    before = [number for number in range(answer) if frames[number].direction is Direction.SENT]
    transaction_id = mark.data[8:20]
    same = [number for number in before if transaction_id in frames[number].data]
    chosen = same if len(transaction_id) == 12 and same else before
    return chosen[-1] if chosen else None


def _next(frames: Sequence[Frame], request: int) -> int | None:
    after = range(request + 1, len(frames))
    return next((each for each in after if frames[each].direction is Direction.RECEIVED), None)


def _last(frames: Sequence[Frame]) -> tuple[int | None, int | None]:
    """The last frame that was sent, and the first answer to it."""
    sent = [each for each, frame in enumerate(frames) if frame.direction is Direction.SENT]
    if not sent:
        return None, (0 if frames else None)
    return sent[-1], _next(frames, sent[-1])
